"""The README's code and commands run, its links lead somewhere, its table of settings is that of Config."""
from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess

import pytest

from assistant.cli import main
from assistant.config import describe
from tests.fakes import CORPUS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8") if (ROOT / "README.md").is_file() else ""
BLOCKS = re.findall(r"(?ms)^```(\w*)\n(.*?)^```", README)
PYTHON = [code for language, code in BLOCKS if language == "python"]
COMMANDS = [line for language, code in BLOCKS if language in ("sh", "bash", "")
            for line in code.replace("\\\n", " ").splitlines() if line.startswith("assistant ")]
MADE = [line.split("#")[0].split() for _, code in BLOCKS for line in code.splitlines() if line.startswith("make ")]


@pytest.fixture(scope="module")
def place(rag, tmp_path_factory):
    """A folder as a reader has it: the corpus, and an index under the name that the README uses."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "corpus").symlink_to(CORPUS)
    for name in sorted(set(re.findall(r"--index[= ](\S+)|index=\"([^\"~]+)\"", README))):
        # Not by this process: to close a file that SQLite has open drops its locks (sqlite.org/howtocorrupt.html, 2.2),
        # and the next process to open the index then writes over pages in use.
        subprocess.run(["cp", "-R", f"{rag.config.index}/.", folder / "".join(name)], check=True)
    before = os.getcwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


def test_the_readme_shows_code_and_commands():
    assert PYTHON and len(COMMANDS) >= 3 and ["make", "run"] in MADE and ["make", "test"] in MADE


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_python_runs(place, code):
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert said.getvalue().strip() or "print" not in code


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(place, line, capsys):
    words = shlex.split(line, comments=True)[1:]
    if words[0] == "serve":                          # would not end: its options are read, no more
        with pytest.raises(SystemExit) as left:
            main([*words, "--help"])
        assert left.value.code == 0
        return
    assert main(words) == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("words", MADE, ids=" ".join)
def test_make_knows_its_targets(words):
    done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_of_settings_is_that_of_config():
    rows = {row[0]: row[1:] for row in re.findall(r"(?m)^\| `(\w+)` \| ([^|]*) \| ([^|]*) \|$", README)}
    for setting in describe():
        default, help_ = rows[setting["name"]]
        value = setting["default"]
        shown = "auto" if value is None else ("on" if value else "off") if isinstance(value, bool) else str(value)
        assert setting["name"] == "index" or default == shown
        assert help_.startswith(setting["help"]) and ("needs a new index" in help_) == setting["reindex"]


def test_links_to_files_lead_somewhere():
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", README) if "://" not in target]
    assert targets and [target for target in targets if target and not (ROOT / target).exists()] == []
