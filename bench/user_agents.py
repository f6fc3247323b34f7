"""Public collections of user agents, fetched from packages once and kept in ``.servers``.

None of them is what the labels are made of: the tracker's list of crawlers is another project's.
"""

import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

_ROOT = Path(__file__).parents[1]
_CACHE = _ROOT / ".servers" / "user-agents"


@dataclass(frozen=True)
class Collection:
    """What a project took for software's, and what for people's; each user agent once."""

    name: str
    software: list[str]
    people: list[str]


@dataclass(frozen=True)
class _Package:
    name: str
    version: str
    sha256: str
    fetch: tuple[str, ...]
    read: Callable[[tarfile.TarFile], Iterator[tuple[bool, str]]]
    """(whether software's, user agent), from the package's archive."""


def collections() -> list[Collection]:
    """All of them, in the order of the table in docs/machines.md."""
    return [_collection(package) for package in _PACKAGES]


def is_held_out(agent: str) -> bool:
    """Whether it is of the half that no rule was made from.

    By a hash of the letters alone: versions and models of one thing are on the same side.
    """
    letters = re.sub(r"[^a-z]+", " ", agent.lower())
    return bool(hashlib.blake2b(letters.encode(), digest_size=8).digest()[0] % 2)


def _collection(package: _Package) -> Collection:
    kept = _CACHE / f"{package.name}-{package.version}.json"
    if not kept.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        found = sorted({(software, agent.strip()) for software, agent in _fetched(package)})
        both: dict[str, list[str]] = {"software": [], "people": []}
        for software, agent in found:
            if agent:
                both["software" if software else "people"].append(agent)
        unfinished = kept.with_suffix(".part")
        unfinished.write_text(json.dumps(both))
        unfinished.rename(kept)
    return Collection(package.name, **json.loads(kept.read_text()))


def _fetched(package: _Package) -> list[tuple[bool, str]]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*package.fetch, folder], check=True, cwd=_ROOT, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).iterdir()
        if hashlib.sha256(archive.read_bytes()).hexdigest() != package.sha256:
            raise RuntimeError(f"{archive.name} is not the package that was measured")
        with tarfile.open(archive) as opened:
            return list(package.read(opened))


def _crawlerdetect(archive: tarfile.TarFile) -> Iterator[tuple[bool, str]]:
    for member, text in _texts(archive, "/tests/fixtures/user_agent/", ".txt"):
        for agent in text.splitlines():
            yield member.endswith("/crawlers.txt"), agent


def _device_detector(archive: tarfile.TarFile) -> Iterator[tuple[bool, str]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for member, text in _texts(archive, "/tests/fixtures/upstream/", ".yml"):
        for entry in yaml.load(text, loader):
            yield member.endswith("/bots.yml"), str(entry["user_agent"])


def _user_agents(archive: tarfile.TarFile) -> Iterator[tuple[bool, str]]:
    for _, text in _texts(archive, "/dist/user-agents", ".json"):
        for entry in json.loads(text):
            yield False, entry["userAgent"]


def _texts(archive: tarfile.TarFile, folder: str, ending: str) -> Iterator[tuple[str, str]]:
    for member in archive:
        file = archive.extractfile(member) if folder in member.name else None
        if file is not None and member.name.endswith(ending):
            yield member.name, file.read().decode(errors="replace")


def _from_pypi(requirement: str) -> tuple[str, ...]:
    pip = (sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check")
    # Of this package alone the source: what pip builds it with may come as it is.
    source = ("--no-binary", requirement.partition("==")[0])
    return (*pip, "--no-deps", *source, requirement, "--dest")


_PACKAGES = (
    _Package(
        "crawlerdetect",
        "0.4.2",
        "2ecbc825ec9bbfe94d1878078fbc3d336ed4b247a00dd56691479554ca3cb2ef",
        _from_pypi("crawlerdetect==0.4.2"),
        _crawlerdetect,
    ),
    _Package(
        "device-detector",
        "6.5.1",
        "610ed34b173b96ee91aa38165084695bbf76f6a5bd76bbb4fd777f7af1ff4170",
        _from_pypi("device-detector==6.5.1"),
        _device_detector,
    ),
    _Package(
        "user-agents",
        "2.1.198",
        "581c4f5074669b6f125263b8ddf302d221a26a06842488c6cc8d50dc5c5c0851",
        ("scripts/npm.sh", "pack", "--silent", "user-agents@2.1.198", "--pack-destination"),
        _user_agents,
    ),
)
