"""The theme "glass": quiet paper, one accent, a second hue for what is quoted; fonts of the reader's own system.

Colours live in style.css as custom properties, for both modes; the theme maps Gradio's own variables to them, so that
each is written once. No font is loaded from anywhere: a plain name in `font` becomes a plain name in the CSS.
"""
from __future__ import annotations

from pathlib import Path

from gradio.themes.base import Base
from gradio.themes.utils import sizes

SANS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Liberation Sans",
        "Arial", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")
_HERE = Path(__file__).parent
STYLES = (_HERE / "style.css", _HERE / "lab.css", _HERE / "evals.css")
SCRIPTS = (_HERE / "page.js", _HERE / "lab.js", _HERE / "evals.js")

# Gradio's variable -> ours; "_dark" twins are set to the same, since ours change with the mode
_MAP = {
    "body_background_fill": "paper", "body_text_color": "ink", "body_text_color_subdued": "quiet",
    "background_fill_primary": "surface", "background_fill_secondary": "paper",
    "border_color_primary": "line", "border_color_accent": "accent", "border_color_accent_subdued": "line",
    "color_accent_soft": "accent-soft", "link_text_color": "accent", "link_text_color_hover": "accent",
    "link_text_color_visited": "accent", "link_text_color_active": "accent", "code_background_fill": "sunk",
    "block_background_fill": "surface", "block_border_color": "line", "block_info_text_color": "quiet",
    "block_label_background_fill": "surface", "block_label_border_color": "line", "block_label_text_color": "quiet",
    "block_title_text_color": "ink", "panel_background_fill": "paper", "panel_border_color": "line",
    "accordion_text_color": "ink", "table_text_color": "ink", "checkbox_background_color": "surface",
    "checkbox_background_color_focus": "surface", "checkbox_background_color_hover": "surface",
    "checkbox_background_color_selected": "accent", "checkbox_border_color": "edge",
    "checkbox_border_color_focus": "accent",
    "checkbox_border_color_hover": "accent", "checkbox_border_color_selected": "accent",
    "checkbox_label_background_fill": "surface", "checkbox_label_background_fill_hover": "surface",
    "checkbox_label_background_fill_selected": "surface", "checkbox_label_border_color": "line",
    "checkbox_label_text_color": "ink", "checkbox_label_text_color_selected": "ink",
    "input_background_fill": "surface", "input_background_fill_focus": "surface",
    "input_background_fill_hover": "surface",
    "input_border_color": "edge", "input_border_color_focus": "accent", "input_border_color_hover": "edge",
    "input_placeholder_color": "quiet", "loader_color": "accent", "slider_color": "accent",
    "stat_background_fill": "accent", "table_border_color": "line", "table_even_background_fill": "surface",
    "table_odd_background_fill": "paper", "table_row_focus": "accent-soft",
    "button_primary_background_fill": "accent", "button_primary_background_fill_hover": "accent-strong",
    "button_primary_border_color": "accent", "button_primary_border_color_hover": "accent-strong",
    "button_primary_text_color": "on-accent", "button_primary_text_color_hover": "on-accent",
    "button_secondary_background_fill": "surface", "button_secondary_background_fill_hover": "sunk",
    "button_secondary_border_color": "edge", "button_secondary_border_color_hover": "edge",
    "button_secondary_text_color": "ink", "button_secondary_text_color_hover": "ink",
    "button_cancel_background_fill": "surface", "button_cancel_background_fill_hover": "sunk",
    "button_cancel_border_color": "bad", "button_cancel_border_color_hover": "bad",
    "button_cancel_text_color": "bad", "button_cancel_text_color_hover": "bad",
    "error_background_fill": "surface", "error_border_color": "bad", "error_text_color": "bad",
    "error_icon_color": "bad",
}
_NO_SHADOW = ("block_shadow", "input_shadow", "input_shadow_focus", "checkbox_shadow", "button_primary_shadow",
              "button_primary_shadow_hover", "button_primary_shadow_active", "button_secondary_shadow",
              "button_secondary_shadow_hover", "button_secondary_shadow_active", "button_cancel_shadow",
              "button_cancel_shadow_hover", "button_cancel_shadow_active")


class Glass(Base):
    def __init__(self) -> None:
        super().__init__(spacing_size=sizes.spacing_md, radius_size=sizes.radius_sm, text_size=sizes.text_md,
                         font=SANS, font_mono=MONO)
        self.name = "glass"
        values = {name: f"var(--gb-{ours})" for name, ours in _MAP.items()}
        values |= {name: "none" for name in _NO_SHADOW if not name.startswith("checkbox")}
        known = Base.set.__kwdefaults__ or {}
        dark = {f"{name}_dark": value for name, value in values.items() if f"{name}_dark" in known}
        plain = {name: value for name, value in values.items() if name in known}
        self.set(**plain, **dark, block_border_width="0px", block_border_width_dark="0px", block_label_margin="0",
                 block_padding="0", layout_gap="12px", button_transition="none", button_border_width="1px",
                 button_transform_hover="none", button_transform_active="none",
                 block_title_text_weight="500", button_large_text_weight="500", button_medium_text_weight="500",
                 button_small_text_weight="500", checkbox_label_padding="0", checkbox_label_border_width="0px",
                 checkbox_label_border_width_dark="0px")
