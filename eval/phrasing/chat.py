"""The token ids of a prompt exactly as llama.cpp gets them: the GGUF's own template and tokenizer."""
from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from assistant.answer import prompt
from assistant.records import Evidence, Message
from eval.phrasing.model import embedded_file

BEGIN, END = "<|im_start|>", "<|im_end|>"


class Chat:
    """Reads the tokenizer and the chat template alone, not the weights."""

    def __init__(self) -> None:
        import llama_cpp
        self._model = llama_cpp.Llama(str(embedded_file()), vocab_only=True, verbose=False)
        self.end = self.ids_of(END)[0]

    def ids(self, messages: Sequence[Message]) -> list[int]:
        """The whole prompt, up to the point where the model begins to speak."""
        return prompt_ids(self._model, messages)

    def text(self, messages: Sequence[Message]) -> str:
        """The whole prompt as text, the template's marks in it."""
        return prompt_text(self._model, messages)

    def ids_of(self, text: str) -> list[int]:
        """Any text; the template's marks in it are read as such."""
        return self._model.tokenize(text.encode(), add_bos=False, special=True)

    def reply(self, text: str) -> list[int]:
        """What the model should say, with the token that ends its turn."""
        return [*reply_ids(self._model, text), self.end]


def prompt_ids(model, messages: Sequence[Message]) -> list[int]:
    """As llama_cpp.Llama.create_chat_completion makes them. model: a llama_cpp.Llama of the embedded file."""
    return model.tokenize(prompt_text(model, messages).encode(), add_bos=False, special=True)


def prompt_text(model, messages: Sequence[Message]) -> str:
    """The messages in the GGUF's chat template."""
    return _formatter(model.metadata["tokenizer.chat_template"])(messages=list(messages)).prompt


@lru_cache(maxsize=2)  # to read a template takes longer than to fill it in
def _formatter(template: str):
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter
    return Jinja2ChatFormatter(template=template, eos_token=END, bos_token=BEGIN)


def reply_ids(model, text: str) -> list[int]:
    """A reply's tokens; marks of the template in it are plain text."""
    return model.tokenize(text.encode(), add_bos=False, special=False)


def messages(question: str, readings: Sequence[str]) -> tuple[Message, ...]:
    """The assistant's prompt for evidence of these texts, numbered from 1."""
    shown = [Evidence(n, "", "", "", ((0, 1),), text, None) for n, text in enumerate(readings, 1)]
    return prompt.build(question, shown)


def common_start(first: str, second: str) -> str:
    """What two prompts share, up to a mark of the template, at which the tokenizer begins anew.

    It is the instructions and the examples, which never change.

    >>> common_start("a<|im_start|>user b c", "a<|im_start|>user b d")
    'a<|im_start|>'
    """
    pairs = enumerate(zip(first, second, strict=False))
    length = next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))
    return first[:first.rindex(BEGIN, 0, length) + len(BEGIN)]
