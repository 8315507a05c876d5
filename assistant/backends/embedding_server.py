"""An embedding model behind an OpenAI-compatible URL; `URL#model` names the model.

Key            read from GLASSBOX_EMBEDDER_KEY at each request and shown nowhere. It goes to the server that the
               environment or the TOML file names as `embedder`, and to no other: a setting may come from elsewhere,
               and a server that sends on is not followed.
Fingerprint    of the model's name, the length of its vectors and the cosines among five probe sentences, each rounded
               to a tenth; never of the address. Rounded, because a server that adds numbers in another order gives
               other last digits; so a model that was trained a little further may pass for the same: give it another
               name, and index again.
Word pieces    are those of the embedded all-MiniLM-L6-v2, and a quarter more from the fourth piece on, for a served
               model may cut finer; at least one for each four bytes of text beyond ASCII, which MiniLM may not know.
Limit          measured, for the interface does not tell it: the largest of LENGTHS at which the last words of a text
               still change its vector, and which the server takes. So it is never more than the last of them.
Not covered    prompts: what a model wants in front of a question or a text has to be added where it is served.
"""
from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from assistant.backends.keys import authorization
from assistant.errors import ModelError

TIMEOUT_SECONDS = 60.0
CONNECT_SECONDS = 5.0
TRIES = 4              # of a request that the server refused for load, or that never reached it
BACKOFF_SECONDS = 0.5  # doubled after each try
PATIENCE_SECONDS = 20.0  # the longest wait that a server may ask for (Retry-After)
BATCH = 32             # texts a request: the most that text-embeddings-inference takes as it comes
LENGTHS = (64, 128, 256, 512, 1024, 2048)  # word pieces at which the limit is measured
SAME = 0.9999          # cosine from which on two vectors are one vector, computed twice
PROBES = ("A cat sleeps on the warm stove.", "The bank raised its interest rates again.",
          "How do I reverse a list in Python?", "Her grandfather was a fisherman in Norway.", "42")
_FILL = "house tree road river book chair window garden letter street table stone bridge field horse paper"
_TAILS = ("fish boat island storm sailor", "price market profit tax salary")


class EmbeddingServer:
    """assistant.protocols.Embedder. Nothing is asked of the server until something is needed of it."""

    query_fingerprint = "off"

    def __init__(self, url: str, count: Callable[[Sequence[str]], list[int]], configured: str = "") -> None:
        """count: word pieces of each text with two special tokens, by the embedded model's tokenizer.
        configured: the address that the key belongs to; another scheme, host or port than its gets none."""
        base, _, model = url.partition("#")
        base = base.rstrip("/")
        self._url = base if base.endswith("/embeddings") else base + "/embeddings"
        self.name = model or "default"
        self._count, self._configured = count, configured
        self._lock = threading.RLock()
        self._client = None
        self._probed: np.ndarray | None = None
        self._limit: int | None = None

    @property
    def fingerprint(self) -> str:
        probes = self._probes
        cosines = np.rint(10 * (probes @ probes.T)[np.triu_indices(len(PROBES), 1)]).astype(int)
        known = json.dumps([self.name, int(probes.shape[1]), cosines.tolist()])
        return hashlib.sha256(known.encode()).hexdigest()[:16]

    @property
    def dim(self) -> int:
        return int(self._probes.shape[1])

    @property
    def max_tokens(self) -> int:
        with self._lock:
            if self._limit is None:
                self._limit = self._measured_limit()
            return self._limit

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        found = [self._rows(list(texts[at:at + BATCH]), self.dim) for at in range(0, len(texts), BATCH)]
        return np.concatenate(found) if found else np.zeros((0, self.dim), np.float32)

    def embed_query(self, texts: Sequence[str]) -> np.ndarray:
        return self.embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [_with_margin(pieces, text) for pieces, text in zip(self._count(texts), texts, strict=True)]

    @property
    def _probes(self) -> np.ndarray:
        with self._lock:
            if self._probed is None:
                self._probed = self._rows(list(PROBES), None)
            return self._probed

    def _measured_limit(self) -> int:
        best = 0
        for length in LENGTHS:
            try:
                one, other = self._rows([_filled(length, tail) for tail in _TAILS], self.dim)
            except ModelError:
                if not best:
                    raise
                break  # a text that is too long is refused in many ways
            if float(one @ other) > SAME:
                break
            best = length
        if not best:
            raise ModelError(f"the embedder {self.name!r} reads less than {LENGTHS[0]} word pieces, or gives every "
                             "text the same vector: expected a model of sentences; set embedder=embedded for the one "
                             "that comes with Glassbox")
        return best

    def _rows(self, texts: list[str], dim: int | None) -> np.ndarray:
        """float32 (n, dim) of unit length, in order; dim None takes what comes."""
        for attempt in range(TRIES):
            try:
                return self._checked(self._once(texts), len(texts), dim)
            except _Retry as cause:
                if attempt == TRIES - 1:
                    raise ModelError(f"the embedder's server gave no answer ({cause}) after {TRIES} tries: check that "
                                     "it runs, and the setting `embedder`; embedder=embedded needs no server"
                                     ) from cause
                time.sleep(max(BACKOFF_SECONDS * 2 ** attempt, cause.wait))
        raise AssertionError("not reached")

    def _once(self, texts: list[str]) -> object:
        """The reply's JSON."""
        import httpx
        headers = {"Content-Type": "application/json",
                   **authorization("GLASSBOX_EMBEDDER_KEY", self._configured, self._url)}
        body = json.dumps({"model": self.name, "input": texts}).encode()  # plain ASCII, whatever the texts hold
        try:
            reply = self._connected().post(self._url, content=body, headers=headers)
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ModelError(f"the setting `embedder` is no address of a server ({type(error).__name__}): expected "
                             "http://host:port/v1#model, a sentence-transformers name or folder, or \"embedded\""
                             ) from error
        except httpx.RequestError as error:
            raise _Retry(type(error).__name__) from error
        status = reply.status_code
        if status in (408, 429) or status >= 500:
            raise _Retry(f"status {status}", _seconds(reply.headers.get("Retry-After", "")))
        if status != 200:
            raise ModelError(f"the embedder's server answered {status}: {_remedy(status)}")
        try:
            return reply.json()
        except ValueError as error:
            raise ModelError("the embedder's server answered with something that is not JSON: the setting `embedder` "
                             "should name its OpenAI-compatible address, such as http://host:port/v1#model") from error

    def _connected(self):
        import httpx
        with self._lock:
            if self._client is None:  # kept open: a question asks several times
                self._client = httpx.Client(timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
                                            follow_redirects=False)
            return self._client

    def _checked(self, reply: object, n: int, dim: int | None) -> np.ndarray:
        try:
            data = sorted(enumerate(reply["data"]), key=lambda pair: pair[1].get("index", pair[0]))
            vectors = np.array([item["embedding"] for _, item in data], np.float32)
            if vectors.ndim != 2 or not vectors.shape[1] or len(vectors) != n:
                raise ValueError(f"{n} vectors of one length")
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ModelError(f"the embedder's server gave something else than {n} vectors in OpenAI's layout "
                             '({"data": [{"index", "embedding": [numbers]}]}): check that the address in `embedder` is '
                             "that of an embedding model") from error
        if dim is not None and vectors.shape[1] != dim:
            raise ModelError(f"the embedder's server gives vectors of {vectors.shape[1]} numbers, and gave {dim} "
                             "before: it serves another model now; start Glassbox again, and run "
                             "`assistant ingest --rebuild PATH...`")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise ModelError("the embedder's server gave a vector that has no direction (all zero, or not finite): the "
                             "model does not work where it is served; load it again there")
        return vectors / lengths


def _with_margin(pieces: int, text: str) -> int:
    inside, beyond = pieces - 2, sum(len(sign.encode("utf-8", "replace")) for sign in text if not sign.isascii())
    return 2 + max(inside + inside // 4, beyond // 4)


def _filled(length: int, tail: str) -> str:
    """A text of about `length` counted word pieces, whose last words, at most a sixteenth, are the tail's."""
    n = (length - 2) * 4 // 5
    last = tail.split() * (n // 16 // 5 + 1)
    words = _FILL.split() * (n // 16 + 1)
    last = last[:max(n // 16, 3)]
    return " ".join(words[:n - len(last)] + last)


def _seconds(asked: str) -> float:
    """How long the server asks to wait, at most PATIENCE_SECONDS; a date counts as no wish."""
    return min(float(asked), PATIENCE_SECONDS) if asked.strip().isdecimal() else 0.0


def _remedy(status: int) -> str:
    if status in (401, 403):
        return "set GLASSBOX_EMBEDDER_KEY to a key that it takes; it is sent only to the address that " \
               "GLASSBOX_EMBEDDER or the TOML file names"
    if 300 <= status < 400:
        return "it sends elsewhere, and nothing goes to another address than that of the settings: set `embedder` to " \
               "the new one"
    if status == 404:
        return "check the address in the setting `embedder`, with its /v1, and the model's name after `#`"
    return "check the model's name after `#` in the setting `embedder`; where the texts are too long for it, lower " \
           "chunk_tokens"


class _Retry(Exception):
    """The request may be tried again, after `wait` seconds at least."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait
