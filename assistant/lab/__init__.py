"""The Lab: the lesson's simulations and failure modes, live on the models of an Assistant.

>>> from assistant.lab import get
>>> result = get("negation").run({"sentence": "The soup is hot"}, rag)

Not covered: what a browser shows of them, which is the page's work.
"""
from __future__ import annotations

from assistant.lab.demo import Demo, Input, Link, Result, Table
from assistant.lab.registry import demos, for_chapter, get, lesson_name, related

__all__ = ["Demo", "Input", "Link", "Result", "Table", "demos", "for_chapter", "get", "lesson_name", "related"]
