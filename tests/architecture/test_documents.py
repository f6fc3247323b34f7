"""What the documents say is so: commands, links, folders, settings, metrics."""

import re
from pathlib import Path

import click
import pytest

from services.cli.main import main
from services.tracker.reasons import REASONS

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
_CODE = re.compile(r"```\w*\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def _code_lines(document: Path) -> list[str]:
    """Every line of code in a document, in blocks and within sentences."""
    found = _CODE.findall(document.read_text())
    return [line for block, inline in found for line in (block or inline).splitlines()]


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _headings(document: Path) -> set[str]:
    return {_slug(h) for h in re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)}


def _names(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.exists(), target
        assert not anchor or anchor in _headings(file), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_make_commands_exist(document: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in _code_lines(document):
        if line.startswith("make "):
            assert line.split()[1] in targets, line


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_scripts_exist(document: Path) -> None:
    for line in _code_lines(document):
        for script in re.findall(r"^scripts/\S+", line):
            assert (ROOT / script).exists(), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_kentering_commands_exist(document: Path) -> None:
    for line in _code_lines(document):
        said = re.search(r"(?:^|bin/|api )kentering ((?:[a-z][a-z-]* ?)+)(.*)", line)
        if said:
            _check_command(main, said[1].split(), re.findall(r"--[a-z-]+", said[2]), line)


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_kentering_is_called_where_it_was_installed(document: Path) -> None:
    for block in re.findall(r"```sh\n(.*?)```", document.read_text(), re.DOTALL):
        assert not re.search(r"^kentering ", block, re.MULTILINE), block


def _check_command(command: click.Command, words: list[str], options: list[str], line: str) -> None:
    if isinstance(command, click.Group) and words:
        part = command.get_command(click.Context(command), words[0])
        assert part is not None, line
        _check_command(part, words[1:], options, line)
        return
    known = {option for parameter in command.params for option in parameter.opts}
    assert set(options) <= known, line


def test_the_readme_maps_every_folder_of_the_services() -> None:
    readme = (ROOT / "README.md").read_text()
    for folder in sorted((ROOT / "services").iterdir()):
        if (folder / "__init__.py").exists():
            assert f"| [`services/{folder.name}`](services/{folder.name}) |" in readme


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs/README.md").read_text()
    for record in (ROOT / "docs/decisions").iterdir():
        title = record.read_text().splitlines()[0].removeprefix("# ")
        assert f"- [{title}](decisions/{record.name})" in index


def test_settings_are_documented_and_nothing_else_is() -> None:
    source = (ROOT / "services/runtime/settings.py").read_text()
    table = re.findall(
        r"^\| `(KENTERING_\w+)`", (ROOT / "docs/running.md").read_text(), re.MULTILINE
    )
    assert sorted(table) == sorted(set(re.findall(r'"(KENTERING_\w+)"', source)))


def test_reasons_are_documented_and_nothing_else_is() -> None:
    text = (ROOT / "docs/running.md").read_text()
    section = text.partition("## Why something was not counted")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", section, re.MULTILINE)
    documented = [reason for cell in cells for reason in re.findall(r"`(\w+)`", cell)]
    assert sorted(documented) == sorted(REASONS)


@pytest.mark.parametrize("file", ["docker-compose.yml", "Dockerfile", ".env.example"])
def test_settings_that_are_given_exist(file: str) -> None:
    files = (ROOT / "services/runtime/settings.py", ROOT / "setup.py")
    source = "".join(one.read_text() for one in files)
    for name in re.findall(r"KENTERING_\w+", (ROOT / file).read_text()):
        assert f'"{name}"' in source


@pytest.mark.parametrize("document", DOCUMENTS, ids=_names)
def test_metrics_exist(document: Path) -> None:
    source = "".join(file.read_text() for file in (ROOT / "services").rglob("*.py"))
    names = set(re.findall(r'"(kentering_\w+)"', source))
    for name in re.findall(r"`(kentering_\w+)`", document.read_text()):
        assert {name, name.removesuffix("_total")} & names, name
