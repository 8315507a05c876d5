"""The direction of the imports, read from the sources; and what importing the package must not bring in."""
from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import assistant
from tests.fakes import ROOT

# A package or module of `assistant` may import those of its own rank's list, and itself. From DESIGN.md:
# records, errors <- config, protocols <- catalog, backends, trace <- ingest, retrieve, answer <- pipeline <- ui, cli
BASE = {"records", "errors"}
LOW = BASE | {"config", "protocols"}
MAY = {
    "records": set(), "errors": set(), "config": BASE, "protocols": BASE,
    "text": BASE,                                   # pure functions under everything that reads a text
    "trace": LOW | {"text"}, "catalog": LOW | {"trace", "text"}, "backends": LOW,
    "ingest": LOW | {"catalog", "trace", "text"}, "retrieve": LOW | {"catalog", "text"},
    "answer": LOW | {"catalog", "text", "ingest"}, "parts": LOW | {"backends"},
    "run": LOW | {"trace", "retrieve", "answer"},       # one question; the pipeline makes it
    "pipeline": LOW | {"catalog", "text", "trace", "ingest", "retrieve", "parts", "run"},
    "present": LOW | {"trace", "text"}, "doctor": LOW,
    "replay": LOW | {"trace", "pipeline"},
    "why_not": LOW | {"catalog", "retrieve", "text", "replay", "pipeline"},
    "vector_map": LOW | {"pipeline"},
    "calibrate": LOW | {"backends", "text"},
    "trace_text": LOW | {"catalog", "trace", "why_not"},
    "exchange": LOW | {"trace"},
    "trace_command": LOW | {"catalog", "trace", "trace_text", "exchange", "present", "replay", "why_not"},
    "lab": LOW | {"trace", "text", "retrieve", "pipeline"},
    "ui": LOW | {"catalog", "trace", "text", "ingest", "pipeline", "lab", "present",
           "replay", "why_not", "exchange", "vector_map"},
    "cli": LOW | {"trace", "text", "pipeline", "present", "doctor", "ui", "exchange", "trace_command", "lab",
           "calibrate"},
    "__init__": LOW | {"pipeline"}, "__main__": {"cli"},
}
HEAVY = {"torch", "chromadb", "onnxruntime", "llama_cpp", "sentence_transformers", "transformers", "tokenizers",
         "gradio"}
PUBLIC = set(assistant.__all__)
SOURCES = sorted((ROOT / "assistant").rglob("*.py"))


COMPUTED = "?"  # stands for a module whose name a file only makes when it runs


def imports(file: Path, top_level_only: bool = False) -> set[str]:
    """Dotted names that a file imports, anywhere in it or only as it is imported itself, `import_module` included."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}: relative import"
                found.update({child.module, *(f"{child.module}.{alias.name}" for alias in child.names)})
            elif isinstance(child, ast.Call) and _name(child.func) in ("import_module", "__import__"):
                named = child.args[0] if child.args else None
                found.add(named.value if isinstance(named, ast.Constant) else COMPUTED)
            elif not (top_level_only and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))):
                visit(child)
    visit(ast.parse(file.read_text(encoding="utf-8")))
    return found


def _name(function: ast.expr) -> str:
    """The last name of what is called: "import_module" of `importlib.import_module`."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def part(file: Path) -> str:
    """"catalog" for assistant/catalog/traces.py, "cli" for assistant/cli.py."""
    return file.relative_to(ROOT / "assistant").parts[0].removesuffix(".py")


def test_every_part_has_its_place():
    assert {part(file) for file in SOURCES} <= set(MAY)


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_imports_point_one_way(file):
    own = part(file)
    used = {name.split(".")[1] for name in imports(file) if name.startswith("assistant.") and len(name.split(".")) > 1}
    others = used - PUBLIC - {own}
    assert others <= MAY[own], f"{own} imports {sorted(others - MAY[own])}"
    assert not any(name.split(".")[0] == "eval" for name in imports(file)) or own == "cli"
    assert not any(name.split(".")[0] == "eval" for name in imports(file, top_level_only=True))
    assert COMPUTED not in imports(file), "a module is imported by a name that cannot be read here"
    assert not re.search(r"""["']eval(\.\w+)+["']""", file.read_text(encoding="utf-8")), "a string names one of eval"
    assert not any(name.split(".")[0] in ("tests", "app") for name in imports(file))


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_heavy_libraries_are_imported_in_backends_and_the_page_alone(file):
    used = {name.split(".")[0] for name in imports(file)} & HEAVY
    allowed = {"backends": HEAVY - {"gradio"}, "ui": {"gradio"}}.get(part(file), set())
    assert used <= allowed
    if part(file) == "backends":
        assert not {name.split(".")[0] for name in imports(file, top_level_only=True)} & HEAVY


# The rooms of `eval`: what each may import of the others. The modules beside them are commands and see them all.
ROOMS = {
    "suite": set(), "drafting": set(), "reranker": set(), "phrasing": {"suite", "reranker"},
    "query_encoder": {"reranker"},
    "report": {"suite"}, "sweeps": {"suite", "report"}, "public": {"suite", "report", "sweeps"},
    "panel": {"suite", "report"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_the_rooms_of_eval_are_entered_one_way(room):
    for file in (ROOT / "eval" / room).glob("*.py"):
        names = (name.split(".") for name in imports(file) if name.startswith("eval."))
        used = {name[1] for name in names if len(name) > 1 and name[1] in ROOMS} - {room}
        assert used <= ROOMS[room], f"{file.name} imports {sorted(used - ROOMS[room])}"


def test_stages_know_nothing_of_traces():
    for file in SOURCES:
        if part(file) in ("retrieve", "answer", "ingest", "text"):
            assert "assistant.trace" not in imports(file) and "assistant.records.Trace" not in imports(file), file


def test_modules_are_short_and_say_what_they_are():
    for file in [*SOURCES, *(ROOT / "eval").rglob("*.py"), ROOT / "app.py"]:
        text = file.read_text(encoding="utf-8")
        assert text.count("\n") <= 300, f"{file} has {text.count(chr(10))} lines"
        assert file.name == "__main__.py" or ast.get_docstring(ast.parse(text)), f"{file} has no docstring"


def test_an_import_by_its_name_is_seen_too(tmp_path):
    (tmp_path / "made.py").write_text("import importlib\n\n\ndef f():\n    __import__(NAME)\n"
                                      "    importlib.import_module('eval.panel.tab').Panel()\n")
    assert imports(tmp_path / "made.py") >= {"eval.panel.tab", COMPUTED}
    assert "eval.panel.tab" not in imports(tmp_path / "made.py", top_level_only=True)


@pytest.mark.parametrize("module", ["assistant", "assistant.cli", "assistant.backends", "assistant.present"])
def test_importing_stays_light(module):
    code = f"import sys, {module}; print(sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
