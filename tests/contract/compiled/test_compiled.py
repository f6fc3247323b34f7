"""The compiled model is the plain one: the same bits, and the same answers to its own tests."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.compiled import ROOT, compiled_tree, environment_of

PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
OF_THE_MODEL = ["behaviour", "habits", "mail", "signals", "visits"]


@pytest.fixture(scope="module")
def tree() -> Path:
    return compiled_tree()


@pytest.mark.timeout(600)
def test_the_same_people_have_the_same_bits(tree: Path) -> None:
    compiled = _run(tree, "-m", "tests.contract.compiled.bits").splitlines()
    plain = _run(ROOT, "-m", "tests.contract.compiled.bits").splitlines()
    assert compiled[:-1] == plain[:-1]
    assert len(plain) > 60
    assert compiled[-1].endswith(".so")
    assert plain[-1] == str(ROOT / "services/model/fold.py")


def test_it_passes_the_models_tests(tree: Path) -> None:
    tests = [f"tests/unit/model/test_{name}.py" for name in OF_THE_MODEL]
    _run(tree, *PYTEST, "-o", f"pythonpath={tree} {ROOT}", *tests, "tests/golden/model")


def test_what_another_version_of_the_model_made_of_people_is_read_again(tree: Path) -> None:
    tests = "tests/contract/scorer/test_versions.py"
    _run(
        tree, *PYTEST, "-o", f"pythonpath={tree} {ROOT}", "-k", "sqlite and comes_into_force", tests
    )


def test_every_module_that_is_named_is_compiled_and_nothing_lies_beside_the_sources(
    tree: Path,
) -> None:
    made = {file.name.partition(".")[0] for file in (tree / "services").rglob("*.so")}
    setup = (ROOT / "setup.py").read_text()
    named = {Path(line.strip(' ",')).stem for line in setup.splitlines() if '.py",' in line}
    assert made == named
    assert not list((ROOT / "services").rglob("*.so"))


def _run(tree: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment_of(tree) | {"OMP_NUM_THREADS": "1", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout
