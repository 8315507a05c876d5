"""A served model's key: read from the environment at each request, for the configured server alone.

A setting may come from elsewhere (a visitor of the page, an imported trace), and would else take the key with it.
"""
from __future__ import annotations

import os
from collections.abc import Mapping

from assistant.errors import ModelError


def authorization(variable: str, configured: str, asked: str, env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The header with the key that the environment variable holds; {} without one, or where it does not belong.

    configured: the address that the environment or the TOML file names. asked: where the request goes; another scheme,
    host or port gets no key. Raises ModelError for a key that no header can carry.
    """
    key = env.get(variable, "").strip()
    if not key.isascii() or not all(sign.isprintable() for sign in key):
        raise ModelError(f"{variable} holds signs that no key can have: set it again, in plain letters")
    return {"Authorization": f"Bearer {key}"} if key and _same_server(configured, asked) else {}


def _same_server(configured: str, asked: str) -> bool:
    """Whether scheme, host and port are the same, as httpx reads them, which is what connects."""
    import httpx
    try:
        own, other = (httpx.URL(url.partition("#")[0]) for url in (configured, asked))
    except httpx.InvalidURL:
        return False
    return bool(own.host) and (own.scheme, own.host, own.port) == (other.scheme, other.host, other.port)
