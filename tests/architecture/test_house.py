"""Rules of the house that no other tool holds."""

import re
import subprocess
import tomllib
from pathlib import Path

from importlinter.cli import lint_imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).name


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_who_may_import_whom() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_text_names_a_machine_or_a_registry() -> None:
    forbidden = re.compile(
        r"(?<![\w.])/(work|root|home|opt/wheels|Users)/|pypi\.org|pythonhosted\.org|npmjs\.(org|com)"
        r"|maven\.org/maven2|repo1?\.maven|deb\.debian\.org|proxy\.golang\.org|crates\.io"
    )
    for file in _tracked():
        text = file.read_bytes().decode(errors="replace")
        found = forbidden.search(text) if file.name != HERE else None
        assert not found, f"{file.relative_to(ROOT)}: {found and found[0]}"


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pinned.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for asked in project["dependencies"] + project["optional-dependencies"]["dev"]:
        requirement = Requirement(asked)
        assert pins[canonicalize_name(requirement.name)] in requirement.specifier, asked
