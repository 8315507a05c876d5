"""The few line icons of the interface, drawn in the text's colour; each is decoration beside or inside a label."""
from __future__ import annotations

_PATHS = {
    "brand": '<rect x="3" y="3" width="12" height="12" rx="2"/><rect x="9" y="9" width="12" height="12" rx="2"/>',
    "new": '<path d="M12 5v14M5 12h14"/>',
    "rename": '<path d="M4 20l1-4L16 5l3 3L8 19z"/>',
    "export": '<path d="M12 4v11m0 0l-4-4m4 4l4-4M5 20h14"/>',
    "delete": '<path d="M5 7h14M10 7V5h4v2M7 7l1 13h8l1-13"/>',
    "copy": '<rect x="9" y="9" width="11" height="11" rx="1.5"/><path d="M5 15V5a1 1 0 011-1h9"/>',
    "link": '<path d="M10 14a4 4 0 006 0l3-3a4 4 0 00-6-6l-1 1M14 10a4 4 0 00-6 0l-3 3a4 4 0 006 6l1-1"/>',
    "retry": '<path d="M19 12a7 7 0 11-2-5l2 2M19 4v5h-5"/>',
    "up": '<path d="M7 11l4-7c1.5 0 2.5 1 2.2 2.5L12.5 10H18a2 2 0 012 2.3l-1 6A2 2 0 0117 20H7zM7 11H4v9h3"/>',
    "down": '<path d="M17 13l-4 7c-1.5 0-2.5-1-2.2-2.5L11.5 14H6a2 2 0 01-2-2.3l1-6A2 2 0 017 4h10zM17 13h3V4h-3"/>',
    "inspect": '<circle cx="11" cy="11" r="6"/><path d="M16 16l4 4"/>',
    "list": '<path d="M4 6h16M4 12h16M4 18h10"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "theme": '<circle cx="12" cy="12" r="8"/><path d="M12 4a8 8 0 010 16z" fill="currentColor"/>',
}


def icon(name: str) -> str:
    return (f'<svg class="gb-icon" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" '
            f'stroke-width="1.7" stroke-linecap="round" stroke-linejoin="round">{_PATHS[name]}</svg>')
