"""A trace without keys and passwords: neither those of an address in the settings nor those that an error repeats.

A key belongs into the environment (GLASSBOX_LLM_KEY), where no trace looks. But people write one into an address, and
a server repeats one in an error; so what is known to be secret is taken out of a trace before it is kept.
"""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote

from assistant.records import Trace
from assistant.trace.layout import from_json, to_json

HIDDEN = "[hidden]"
WORD = 8       # characters from which on a secret is no word that a question might hold, and is looked for everywhere
SHORTEST = 4   # characters; hiding less would leave nothing legible
_KEY = re.compile(r"GLASSBOX_\w*KEY")
_PLAIN = re.compile(r"[a-z]+://[\w.-]+(:\d+)?(/[^#?;@]*)?(#[^?;&]*)?", re.I)  # an address in which nothing is secret


def secrets_of(settings: Iterable[str], env: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of the environment, and of each setting that is an address, well written or not, its user's password
    (or the name, where it stands alone) and the values behind `?`; the longest first."""
    found = [value.strip() for name, value in env.items() if _KEY.fullmatch(name)]
    for value in settings:
        if not re.search("://|@", value) or _PLAIN.fullmatch(value):
            continue
        user = re.sub(r"^[a-z]+:/+", "", value.rpartition("@")[0], flags=re.I)
        password = user.partition(":")[2] or user
        found += [password, *re.split(r"[#?/:@]", password)]
        found += [part.partition("=")[2].partition("#")[0] for part in re.split("[?;&]", value)[1:]]
    found += [unquote(secret) for secret in found]
    return tuple(sorted({secret for secret in found if len(secret) >= SHORTEST}, key=lambda s: (-len(s), s)))


def without_secrets(trace: Trace, secrets: Iterable[str]) -> Trace:
    """The trace with each of them hidden: in its settings and its error, and a long one in every text."""
    secrets = tuple(secrets)
    if not secrets:
        return trace
    body = to_json(trace)
    hidden = _hide(body, [secret for secret in secrets if len(secret) >= WORD])
    hidden |= {name: _hide(hidden[name], secrets) for name in ("config", "error")}
    return trace if hidden == body else from_json(hidden)


def _hide(value: object, secrets: Iterable[str]):
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {name: _hide(item, secrets) for name, item in value.items()}
    return [_hide(item, secrets) for item in value] if isinstance(value, list) else value
