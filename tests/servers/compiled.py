"""The product as its image has it: a wheel with the compiled modules, unpacked into a folder.

Building takes half a minute, so what comes out stays in ``.servers/compiled`` for the next time,
under a name that says what it was made of: sources that were edited are never hidden by it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.servers.process import need

ROOT = Path(__file__).parents[2]
_CACHE = ROOT / ".servers" / "compiled"
_KEPT = 3
_SOURCES = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "services", "migrations")


def compiled_tree() -> Path:
    """A folder with ``services`` and ``migrations`` as they are now, compiled."""
    need("gcc", "gcc")
    _CACHE.mkdir(parents=True, exist_ok=True)
    tree = _CACHE / _name()
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            _build(tree)
            _forget_old(tree)
    return tree


def environment_of(tree: Path) -> dict[str, str]:
    """The variables with which Python takes the product from a tree, and the tests from here."""
    return {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{ROOT}", "PYTHONSAFEPATH": "1"}


def _name() -> str:
    told = hashlib.sha256(sys.version.encode())
    for source in _SOURCES:
        path = ROOT / source
        files = sorted(path.rglob("*.*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                told.update(f"{file.relative_to(ROOT)}\0".encode())
                told.update(file.read_bytes())
    return told.hexdigest()[:16]


def _build(tree: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE, prefix="build-") as made:
        copy, wheels = Path(made) / "source", Path(made) / "wheels"
        copy.mkdir()
        for source in _SOURCES:
            path = ROOT / source
            if path.is_dir():
                skipped = shutil.ignore_patterns("__pycache__")
                shutil.copytree(path, copy / source, ignore=skipped)
            else:
                shutil.copy(path, copy / source)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", wheels]
        compiling = {**os.environ, "KENTERING_COMPILE": "1"}
        compiling.pop("PYTHONPATH", None)
        command = [*pip, *options, copy]
        done = subprocess.run(command, env=compiling, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"the wheel was not built:\n{done.stdout}\n{done.stderr}"[-5000:])
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(Path(made) / "tree")
        (Path(made) / "tree").rename(tree)


def _forget_old(tree: Path) -> None:
    trees = [one for one in _CACHE.iterdir() if one.is_dir() and one != tree]
    trees.sort(key=lambda one: one.stat().st_mtime, reverse=True)
    for old in trees[_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
