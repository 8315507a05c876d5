"""Shared by the tests: one Assistant on the real models over the ten chapters."""
from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from assistant import Assistant, Config
from assistant.backends import embedder as embedder_backend
from tests.fakes import CORPUS, LONG, Shelf

settings.register_profile("glassbox", max_examples=25, deadline=None,
                          suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("glassbox")


@pytest.fixture(scope="session", autouse=True)
def _own_settings(tmp_path_factory):
    """The settings of whoever runs the tests must not decide them: no GLASSBOX_* variable, empty user folders."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GLASSBOX_")}
    home = tmp_path_factory.mktemp("home")
    before = {name: os.environ.get(name) for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    os.environ |= {"XDG_CONFIG_HOME": str(home / "config"), "XDG_DATA_HOME": str(home / "data")}
    yield
    for name, value in before.items():
        if value is None:
            os.environ.pop(name)
        else:
            os.environ[name] = value
    os.environ |= kept


@pytest.fixture(scope="session")
def embedder():
    """The embedded MiniLM. Counting word pieces does not load its weights."""
    return embedder_backend.build(Config())


@pytest.fixture(scope="session")
def rag(tmp_path_factory, _own_settings) -> Assistant:
    """The ten chapters on the real models, with the language model. Tests read it and change nothing in it."""
    made = Assistant(Config(index=str(tmp_path_factory.mktemp("shared") / "index of the tests")))
    made.ingest([CORPUS])
    return made


@pytest.fixture()
def shelf(tmp_path) -> Shelf:
    return Shelf(tmp_path / "index")


@pytest.fixture()
def notes(tmp_path):
    """A folder of three documents, one of them long, one in a folder of its own."""
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.md").write_text(f"# One\n\n{LONG}\n", encoding="utf-8")
    (folder / "two.txt").write_text("Two Lakes\n\nTisse is shallow.\n", encoding="utf-8")
    (folder / "deep" / "three.md").write_text("# Three\n\nVelm is deep.\n", encoding="utf-8")
    return folder
