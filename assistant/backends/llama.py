"""A GGUF model through llama-cpp-python: the embedded SmolLM2-135M-Instruct, or any file by path.

llama.cpp keeps the last prompt's key-value cache, and a prompt that begins alike reuses it: keep fixed parts first.
"""
from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from assistant.backends.files import content_hash
from assistant.errors import ModelError, PromptTooLongError
from assistant.records import Message

CONTEXT_TOKENS = 2048  # the prompt is about 700 tokens at most; more would only cost memory
# One core stays free: ggml's threads wait for each other in a busy loop, so a thread that has to share its core
# holds up the others. Measured on two cores beside another busy process: 1.5 s a prompt with one thread, 7.1 with two.
THREADS = max(1, min(8, (os.cpu_count() or 2) - 1))


class LlamaGenerator:
    """assistant.protocols.Generator; one question at a time, others wait.

    adapter: a LoRA adapter in GGUF, trained for this very file, that llama.cpp adds to its weights as it computes.
    """

    def __init__(self, path: Path, adapter: Path | None = None) -> None:
        self.name = path.name
        self._path, self._adapter = path, adapter
        self._busy = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        return content_hash(self._path) + (content_hash(self._adapter) if self._adapter else "")

    @cached_property
    def _model(self):
        try:
            import llama_cpp
            return llama_cpp.Llama(str(self._path), n_ctx=CONTEXT_TOKENS, n_threads=THREADS,
                                   n_threads_batch=THREADS, verbose=False,
                                   lora_path=str(self._adapter) if self._adapter else None)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            adapter = f" with the adapter {self._adapter}" if self._adapter else ""
            raise ModelError(f"cannot load the language model {self._path}{adapter} ({error}): expected a GGUF file; "
                             "set llm=embedded for the one that comes with Glassbox, or llm=off") from error

    def load(self) -> None:
        """Read the weights and run one token, so that the first question does not wait for it."""
        for _ in self.stream([{"role": "user", "content": "Hello"}], temperature=0.0, max_tokens=1):
            pass

    def stream(self, messages: Sequence[Message], *, temperature: float, max_tokens: int) -> Iterator[str]:
        with self._busy:
            model = self._model
            try:
                for piece in model.create_chat_completion(
                        list(messages), temperature=temperature, max_tokens=max_tokens, stream=True, seed=0):
                    if text := piece["choices"][0]["delta"].get("content"):
                        yield text
            except ValueError as error:  # llama.cpp's "Requested tokens (3031) exceed context window of 2048"
                raise PromptTooLongError(
                    f"the prompt is too long for the language model ({error}): ask a shorter question, or "
                    "lower evidence or max_tokens") from error
