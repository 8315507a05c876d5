"""Exceptions that a user may see: one line that says what was found, what was expected and what to do.

The two composition roots (the command line and the app) print `str(error)` of a GlassboxError and nothing else.
`exit_code` is the command line's: 2 for bad input, 1 for a failure.
"""
from __future__ import annotations


class GlassboxError(Exception):
    """Base of every error that Glassbox raises on purpose; its text is one line, fit for a person."""

    exit_code = 1


class InputError(GlassboxError):
    """The user's input cannot be used: an empty question, a missing path, an unknown setting."""

    exit_code = 2


class ConfigError(InputError):
    """A setting has an unknown name or a value out of range."""


class IndexMismatchError(InputError):
    """The index was made with another embedder or chunk size than the settings name."""


class EmptyIndexError(InputError):
    """A question was asked of an index that holds no chunks."""


class ModelError(GlassboxError):
    """A model's file or server cannot be read or does not answer."""


class UnreachableError(ModelError):
    """A model's server does not answer, or breaks off: a language model's evidence answers without it."""


class PromptTooLongError(ModelError):
    """The evidence and the question do not fit into the language model's context; they answer without it."""


class StoreError(GlassboxError):
    """The catalog or the vector store cannot be opened or written."""
