"""A chat model behind an OpenAI-compatible URL, streamed; `URL#model` names the model.

The key, where one is needed, is read from GLASSBOX_LLM_KEY at each request and appears nowhere else. It goes to the
address that the environment or the TOML file names as `llm`, and to no other: a setting may come from elsewhere.
"""
from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence

from assistant.backends.keys import authorization
from assistant.errors import ModelError, UnreachableError
from assistant.records import Message

TIMEOUT_SECONDS = 60.0
TRIES = 3            # of a request that the server refused for load, or that never reached it
BACKOFF_SECONDS = 0.5  # doubled after each try


class ChatServer:
    """assistant.protocols.Generator. A reply that has begun is not asked for again when it breaks off.

    configured: the address that the key belongs to; another scheme, host or port than its gets none.
    """

    def __init__(self, url: str, configured: str = "") -> None:
        base, _, model = url.partition("#")
        base = base.rstrip("/")
        self._url = base if base.endswith("/chat/completions") else base + "/chat/completions"
        self._configured = configured
        self.name = model or "default"
        self.fingerprint = f"served:{self.name}"

    def load(self) -> None:
        """Nothing to do: the model is loaded where it is served."""

    def stream(self, messages: Sequence[Message], *, temperature: float, max_tokens: int) -> Iterator[str]:
        body = {"model": self.name, "messages": list(messages), "temperature": temperature,
                "max_tokens": max_tokens, "stream": True}
        headers = authorization("GLASSBOX_LLM_KEY", self._configured, self._url)
        for attempt in range(TRIES):
            spoken = False
            try:
                for piece in self._once(body, headers):
                    spoken = True
                    yield piece
                return
            except _Retry as cause:
                if spoken:
                    raise UnreachableError(
                        f"the language model's server broke off in the middle of its reply ({cause}): ask again, and "
                        "look at what it logs; llm=embedded needs no server") from cause
                if attempt == TRIES - 1:
                    raise UnreachableError(
                        f"the language model's server gave no answer ({cause}) after {attempt + 1} tries: check that "
                        "it runs, and the setting `llm`; llm=embedded needs no server") from cause
                time.sleep(BACKOFF_SECONDS * 2 ** attempt)

    def _once(self, body: dict, headers: dict) -> Iterator[str]:
        import httpx
        try:
            with httpx.stream("POST", self._url, json=body, headers=headers, timeout=TIMEOUT_SECONDS) as reply:
                if reply.status_code in (408, 429) or reply.status_code >= 500:
                    raise _Retry(f"status {reply.status_code}")
                if reply.status_code != 200:
                    raise ModelError(f"the language model's server answered {reply.status_code}: check the URL, the "
                                     "model's name after `#`, and GLASSBOX_LLM_KEY, which is sent only to the address "
                                     "that GLASSBOX_LLM or the TOML file names")
                events = 0
                for line in reply.iter_lines():
                    events += line.startswith("data:")
                    if line.startswith("data:") and line[5:].strip() != "[DONE]" \
                            and (text := _content(json.loads(line[5:]))):
                        yield text
                if not events:
                    raise ModelError("the language model's server answered, but not as a stream of chat completions: "
                                     "check the URL, with its /v1")
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ModelError(f"the setting `llm` is no address of a server ({type(error).__name__}): expected "
                             "http://host:port/v1#model, a GGUF file, \"embedded\" or \"off\"") from error
        except (httpx.RequestError, json.JSONDecodeError) as error:
            raise _Retry(type(error).__name__) from error


def _content(event: object) -> str:
    """The new text of one event of the stream; an error that the server sends in it raises ModelError."""
    if not isinstance(event, dict) or event.get("error"):
        said = " ".join(str(event).split())
        if key := os.environ.get("GLASSBOX_LLM_KEY"):  # some servers repeat it
            said = said.replace(key, "[hidden]")
        raise ModelError(f"the language model's server sent an error: {said[:200]}")
    choices = event.get("choices") or [{}]
    return ((choices[0] or {}).get("delta") or {}).get("content") or ""


class _Retry(Exception):
    """The request may be tried again."""
