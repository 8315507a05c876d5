"""Config: every setting once, with its default, unit and range.

One name everywhere: `Config(k=4)`, env `GLASSBOX_K`, `--set k=4`, the TOML file's `k = 4`, the UI's label, the trace.
Order of precedence: --set, then the environment, then the TOML file, then the default.
The TOML file is the one named by `GLASSBOX_CONFIG`, else `glassbox/config.toml` in the user's configuration folder.
A key of a served model (`GLASSBOX_LLM_KEY`, `GLASSBOX_EMBEDDER_KEY`) is read from the environment by its backend
and is never part of a Config, so it can reach neither a trace nor a log.
"""
from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import ConfigError

OWN_MACHINE = ("localhost", "127.0.0.1", "::1")
KEEPING = ("index", "vectors", "traces", "trace_days", "trace_count", "redact")  # where and whether: shapes no answer


def _xdg(env: Mapping[str, str], variable: str, fallback: str) -> Path:
    return Path(env.get(variable) or Path("~", fallback).expanduser())


def default_index() -> str:
    """The index folder where none is named: in the user's data folder."""
    return str(_xdg(os.environ, "XDG_DATA_HOME", ".local/share") / "glassbox" / "default")


def _setting(default, help: str, *, low=None, high=None, reindex: bool = False):
    if callable(default):
        return field(default_factory=default, metadata={"help": help, "reindex": reindex})
    return field(default=default, metadata={"help": help, "low": low, "high": high, "reindex": reindex})


@dataclass(frozen=True)
class Config:
    """The settings. A value out of range, or of another type, raises ConfigError.

    >>> Config(k=3).k
    3
    """

    index: str = _setting(default_index, "folder of the index: catalog, vectors, traces, conversations")
    embedder: str = _setting("embedded", "\"embedded\" (all-MiniLM-L6-v2), a sentence-transformers name or folder, or "
                                         "an embedding server's URL (URL#model)", reindex=True)
    query_encoder: str = _setting("embedded", "\"embedded\" (what reads questions for the embedded embedder), a folder "
                                              "like it, or \"off\"")
    vectors: str = _setting("embedded", "\"embedded\" (Chroma in the index folder), or a Chroma server's http URL")
    reranker: str = _setting("embedded", "\"embedded\" (Glassbox's own), or a CrossEncoder name or folder")
    llm: str = _setting("embedded", "\"embedded\" (SmolLM2-135M), a GGUF file, a chat server's URL "
                                    "(URL#model), or \"off\"")
    chunk_tokens: int = _setting(128, "word pieces of a chunk, headings and special tokens included",
                                 low=32, high=8192, reindex=True)
    dense: bool = _setting(True, "search by vectors")
    lexical: bool = _setting(True, "search by words (BM25)")
    rerank: bool = _setting(True, "rerank with the cross-encoder, and decline by its probability")
    candidates: int = _setting(20, "chunks that each search gives, and that are reranked", low=1, high=200)
    k: int = _setting(4, "chunks kept for the answer, at most, beside the neighbours that complete one", low=1, high=20)
    evidence: int = _setting(6, "evidence passages, at most, but for a table that is asked for whole", low=1, high=20)
    threshold: float | None = _setting(None, "probability under which a question is declined, 0 to 1; "
                                             "\"auto\" is the reranker's own", low=0.0, high=1.0)
    temperature: float = _setting(0.0, "of the language model; 0 repeats exactly", low=0.0, high=2.0)
    max_tokens: int = _setting(128, "tokens that the language model may write", low=8, high=4096)
    traces: bool = _setting(True, "keep a trace of every question in the index folder")
    trace_days: int = _setting(90, "days that a trace is kept; one with a thumb or a note stays", low=1, high=36500)
    trace_count: int = _setting(10_000, "traces that are kept, the latest; one with a thumb or a note stays",
                                low=1, high=1_000_000)
    redact: bool = _setting(False, "keep no prompt, draft or earlier turn in a trace")

    def __post_init__(self) -> None:
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            object.__setattr__(self, spec.name, _checked(spec, value))

    @classmethod
    def load(cls, overrides: Mapping[str, object] | None = None, env: Mapping[str, str] | None = None) -> Config:
        """Settings from the TOML file, the environment and `overrides` (strings are parsed), in rising precedence."""
        env = os.environ if env is None else env
        values: dict[str, object] = _from_toml(env)
        for name in names():
            if f"GLASSBOX_{name.upper()}" in env:
                values[name] = env[f"GLASSBOX_{name.upper()}"]
        values |= dict(overrides or {})
        return cls().replace(values)

    def replace(self, values: Mapping[str, object]) -> Config:
        """A copy with some settings changed; strings are parsed to the setting's type. Unknown names raise."""
        unknown = [name for name in values if name not in names()]
        if unknown:
            raise ConfigError(f"unknown setting {unknown[0]!r}: expected one of {', '.join(names())}")
        return dataclasses.replace(self, **values)

    def public(self) -> dict[str, object]:
        """{setting: value} for a trace: a URL loses its user name, password and query; a path its folders."""
        shown = {name: getattr(self, name) for name in names() if name != "index"}
        for name in ("embedder", "query_encoder", "vectors", "reranker", "llm"):
            shown[name] = _without_secrets(str(shown[name]))
        return shown

    def fingerprint(self, models: Mapping[str, str]) -> str:
        """12 hex digits over the settings that shape an answer and over what the models contain.

        models: {"embedder": ..., "query_encoder": ..., "reranker": ..., "llm": ...} -> fingerprint of the weights.
        Where something is stored, and whether traces are kept, shapes no answer and is left out.
        """
        left_out = {*KEEPING, *models}
        settings = {name: getattr(self, name) for name in names() if name not in left_out}
        text = json.dumps({"settings": settings, "models": dict(models)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def names() -> tuple[str, ...]:
    """The settings' names in their order."""
    return tuple(spec.name for spec in dataclasses.fields(Config))


def assigned(items: Iterable[str]) -> dict[str, str]:
    """{name: value} of a command line's "name=value" words. ConfigError for one without "="."""
    found: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(f"--set {item!r}: expected NAME=VALUE, such as --set k=3")
        found[name.strip()] = value
    return found


def past_proxy(env: MutableMapping[str, str], *hosts: str) -> None:
    """Have requests to this machine, and to `hosts`, go past a proxy that the environment names (HTTP_PROXY etc.)."""
    listed = [host.strip() for host in env.get("no_proxy", env.get("NO_PROXY", "")).split(",") if host.strip()]
    if "*" not in listed:
        env["no_proxy"] = env["NO_PROXY"] = ",".join(dict.fromkeys([*listed, *OWN_MACHINE, *filter(None, hosts)]))


def describe() -> list[dict[str, object]]:
    """One dict a setting: name, default, help, low, high, reindex. The UI and the README's table are made of it."""
    return [{"name": spec.name, "default": getattr(Config(), spec.name), "help": spec.metadata["help"],
             "low": spec.metadata.get("low"), "high": spec.metadata.get("high"), "reindex": spec.metadata["reindex"]}
            for spec in dataclasses.fields(Config)]


def _from_toml(env: Mapping[str, str]) -> dict[str, object]:
    named = env.get("GLASSBOX_CONFIG")
    path = Path(named) if named else _xdg(env, "XDG_CONFIG_HOME", ".config") / "glassbox" / "config.toml"
    try:
        if not path.is_file():
            if named:
                raise ConfigError(f"GLASSBOX_CONFIG names {named}, which is not a file: create it, or unset it")
            return {}
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"cannot read {path}: {error}; expected TOML lines such as k = 4") from error


def _checked(spec: dataclasses.Field, value: object) -> object:
    """`value` in the field's type and range, parsed where it is a string."""
    kind = str(spec.type)
    try:
        parsed = _parse(kind, value)
    except (ValueError, TypeError, OverflowError):
        raise ConfigError(f"{spec.name} is {value!r}: expected {_KINDS[kind]}") from None
    low, high = spec.metadata.get("low"), spec.metadata.get("high")
    # written so that nan, which compares false with everything, is refused too
    if parsed is not None and low is not None and not low <= parsed <= high:
        raise ConfigError(f"{spec.name} is {value!r}: expected {low} to {high}")
    if kind == "str" and parsed.startswith("~"):
        try:
            Path(parsed).expanduser()
        except RuntimeError:
            raise ConfigError(f"{spec.name} is {value!r}: expected ~ or ~USER of this machine; write the whole path"
                              ) from None
    if kind == "str" and not parsed:
        raise ConfigError(f"{spec.name} is empty: {spec.metadata['help']}")
    return parsed


_KINDS = {"str": "text", "int": "a whole number", "bool": "on or off", "float": "a number",
          "float | None": "a number or auto"}
_SWITCH = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


def _parse(kind: str, value: object) -> object:
    if kind == "str":
        if not isinstance(value, (str, os.PathLike)):
            raise TypeError
        if "\0" in os.fspath(value):
            raise ValueError
        return os.fspath(value).strip()
    if kind == "bool":
        if isinstance(value, bool):
            return value
        if str(value).strip().lower() not in _SWITCH:
            raise ValueError
        return _SWITCH[str(value).strip().lower()]
    if isinstance(value, bool):
        raise TypeError
    if kind == "float | None":
        return None if value is None or str(value).strip().lower() in {"auto", "none"} else float(value)
    if kind == "int":
        if float(value) != int(float(value)):
            raise ValueError
        return int(float(value))
    return float(value)


def shown(value: str) -> str:
    """A model's or store's setting for an error: as it is, but an address, well written or not, without its secrets."""
    return _without_secrets(value) if re.search("://|:.*@", value) else value


def _without_secrets(value: str) -> str:
    """An address loses its user's name, password and query, a path its folders. What is not written as an address
    should be ("HTTP://", a password with "#" or "?" in it) fails when it is used, and is shown all the same."""
    scheme, slashes, rest = value.partition("://")
    if not slashes:
        value = value.rpartition("@")[2] if re.search(":[^@]*@", value) else value
        return Path(value).name if os.sep in value else value
    place, _, model = rest.partition("#")
    if "@" in model and not re.fullmatch(r"[\w.-]+(:\d+)?(/[^@]*)?", place):  # the "#" was the password's
        place, _, model = rest.rpartition("@")[2].partition("#")
    place, model = re.split("[?;&]", place.rpartition("@")[2])[0], re.split("[?;&]", model)[0]
    return f"{scheme}://{place}" + (f"#{model}" if model else "")
