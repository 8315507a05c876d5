"""Glassbox: a RAG assistant you can see through.

>>> from assistant import Assistant, Config
>>> rag = Assistant(Config(index="my-index"))

`import assistant` stays light: torch, chromadb, llama_cpp and gradio are imported when a part that needs them is used.
"""
from __future__ import annotations

from assistant.config import Config
from assistant.errors import GlassboxError
from assistant.pipeline import Assistant
from assistant.records import (
    Answer,
    Chunk,
    Citation,
    Document,
    Evidence,
    Found,
    Hit,
    IngestReport,
    Progress,
    Retrieval,
    Score,
    Sentence,
    Span,
    Support,
    Trace,
)

__version__ = "0.1.0"
__all__ = [
    "Answer", "Assistant", "Chunk", "Citation", "Config", "Document", "Evidence", "Found", "GlassboxError", "Hit",
    "IngestReport", "Progress", "Retrieval", "Score", "Sentence", "Span", "Support", "Trace",
]
