"""Settings: one name everywhere, checked, and never a secret in a trace."""
from __future__ import annotations

import dataclasses

import pytest

from assistant import Config
from assistant.config import describe, names, past_proxy, shown
from assistant.errors import ConfigError

MODELS = {"embedder": "a", "query_encoder": "d", "reranker": "b", "llm": "c"}


def test_precedence_is_set_then_environment_then_toml_then_default(tmp_path):
    (tmp_path / "glassbox").mkdir()
    (tmp_path / "glassbox" / "config.toml").write_text('k = 2\ncandidates = 30\nevidence = 3\nlexical = false\n')
    env = {"XDG_CONFIG_HOME": str(tmp_path), "GLASSBOX_K": "5", "GLASSBOX_CANDIDATES": "40", "GLASSBOX_UNKNOWN": "x"}
    made = Config.load({"k": "7"}, env)
    assert (made.k, made.candidates, made.evidence, made.lexical, made.max_tokens) == (7, 40, 3, False, 128)
    named = tmp_path / "other.toml"
    named.write_text("k = 9")
    assert Config.load(env={"GLASSBOX_CONFIG": str(named)}).k == 9


@pytest.mark.parametrize(
    "text, said",
    [
        ("k = ", "cannot read .*expected TOML lines such as k = 4"),
        ("top_k = 3", "unknown setting 'top_k': expected one of index"),
        ("k = [1]", r"k is \[1\]: expected a whole number"),
        ("k = 99", "k is 99: expected 1 to 20"),
        ('llm = ""', "llm is empty"),
        ("llm = 3", "llm is 3: expected text"),
    ],
)
def test_an_error_in_the_toml_file_is_one_line_with_the_remedy(tmp_path, text, said):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        Config.load(env={"GLASSBOX_CONFIG": str(file)})
    assert "\n" not in str(caught.value)


def test_a_missing_or_unreadable_toml_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"GLASSBOX_CONFIG names .*nowhere\.toml, which is not a file"):
        Config.load(env={"GLASSBOX_CONFIG": str(tmp_path / "nowhere.toml")})
    (tmp_path / "c.toml").write_bytes(b"k = \xff")
    with pytest.raises(ConfigError, match="cannot read"):
        Config.load(env={"GLASSBOX_CONFIG": str(tmp_path / "c.toml")})
    assert Config.load(env={"XDG_CONFIG_HOME": str(tmp_path)}) == Config()


@pytest.mark.parametrize(
    "name, value",
    [
        ("k", "0"),
        ("k", "2.5"),
        ("k", "many"),
        ("k", True),
        ("k", "1e400"),
        ("k", "nan"),
        ("threshold", "1.5"),
        ("threshold", "nan"),
        ("threshold", -0.1),
        ("temperature", "inf"),
        ("dense", "perhaps"),
        ("dense", 2),
        ("index", ""),
        ("index", "a\0b"),
        ("chunk_tokens", 31),
        ("max_tokens", None),
        ("llm", " "),
    ],
)
def test_a_value_out_of_range_or_of_another_kind_is_refused(name, value):
    with pytest.raises(ConfigError, match=f"^{name} is "):
        Config().replace({name: value})


@pytest.mark.parametrize("name, text, value", [
    ("dense", "off", False), ("dense", " TRUE ", True), ("k", "3", 3), ("k", 3.0, 3), ("threshold", "auto", None),
    ("threshold", "0.25", 0.25), ("threshold", "0", 0.0), ("temperature", "1", 1.0), ("llm", " off ", "off")])
def test_strings_are_read_as_the_settings_kind(name, text, value):
    assert getattr(Config().replace({name: text}), name) == value


def test_settings_cannot_be_changed_in_place():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().k = 3


def test_every_setting_is_described():
    assert tuple(one["name"] for one in describe()) == names()
    assert {one["name"] for one in describe() if one["reindex"]} == {"embedder", "chunk_tokens"}
    assert set(names()) >= {
        "index",
        "embedder",
        "vectors",
        "reranker",
        "llm",
        "chunk_tokens",
        "dense",
        "lexical",
        "rerank",
        "candidates",
        "k",
        "evidence",
        "threshold",
        "temperature",
        "max_tokens",
        "traces",
    }


def test_what_is_shown_holds_no_secret_and_no_folder():
    made = Config(llm="https://me:pass@host:8443/v1?key=abc#model-x", embedder="/home/me/models/mini",
                  vectors="http://u:p@db:8000", reranker="~/own/ranker")
    shown = made.public()
    assert shown["llm"] == "https://host:8443/v1#model-x" and shown["vectors"] == "http://db:8000"
    assert shown["embedder"] == "mini" and shown["reranker"] == "ranker" and "index" not in shown


@pytest.mark.parametrize("address", [
    "HTTP://me:s3cret@host", "http://me:s3cret#x@host/v1", "http://me:s3cret?x@host/v1", "http://me:s3cret/x@host/v1",
    "http:/me:s3cret@host", "me:s3cret@host:80", "http://host/v1#m?key=s3cret", "http://host/v1;key=s3cret",
    "http://host/v1?mail=me@x&key=s3cret"])
def test_an_address_that_is_written_wrongly_is_shown_without_its_secret_too(address):
    assert "s3cret" not in Config(llm=address).public()["llm"]


def test_what_an_error_shows_of_a_setting_is_an_address_without_its_secret_and_a_path_as_it_is():
    assert shown("/home/me/models/mini") == "/home/me/models/mini" and shown("org/model") == "org/model"
    assert shown("http://me:s3cretword@host:8080/v1#m") == "http://host:8080/v1#m"
    assert "s3cretword" not in shown("me:s3cretword@host:8080/v1")


@pytest.mark.parametrize("name", ["index", "embedder", "reranker", "llm"])
def test_the_home_of_nobody_is_a_setting_that_cannot_be(name):
    with pytest.raises(ConfigError, match=rf"{name} is '~nouser-here/x': expected ~ or ~USER of this machine"):
        Config(**{name: "~nouser-here/x"})
    assert getattr(Config(**{name: "~/x"}), name) == "~/x"


@pytest.mark.parametrize("before, after", [
    ({}, "localhost,127.0.0.1,::1"), ({"NO_PROXY": "corp, localhost"}, "corp,localhost,127.0.0.1,::1"),
    ({"no_proxy": "a", "NO_PROXY": "b"}, "a,localhost,127.0.0.1,::1")])  # the small letters count, for httpx too
def test_this_machine_is_asked_past_a_proxy_beside_what_was_named(before, after):
    env = dict(before)
    past_proxy(env)
    past_proxy(env)
    assert env == {"no_proxy": after, "NO_PROXY": after}
    past_proxy(env, "192.0.2.7", "")
    assert env["no_proxy"] == after + ",192.0.2.7"
    everything = {"NO_PROXY": "*"}
    past_proxy(everything)
    assert everything == {"NO_PROXY": "*"}


def test_the_fingerprint_is_that_of_what_shapes_an_answer():
    base = Config(index="a").fingerprint(MODELS)
    assert len(base) == 12 and int(base, 16) >= 0
    assert Config(index="b", traces=False, vectors="http://x").fingerprint(MODELS) == base
    assert Config(llm="/elsewhere/same.gguf").fingerprint(MODELS) == base, "a path is not what a model contains"
    assert Config(k=3).fingerprint(MODELS) != base and Config().fingerprint(MODELS | {"llm": "d"}) != base
