"""What the demonstration remembers between two starts, in a file of the data folder."""

import os
from pathlib import Path

import msgspec

_FILE = "demo.json"


class Marker(msgspec.Struct, frozen=True):
    """The demonstration workspace's keys, and how far its playing came."""

    write_key: str
    server_key: str
    api_key: str
    seed: int
    history_end_ms: int
    """Chosen at the first start and kept, so that an interrupted one is played again alike."""
    history_done: bool = False
    workspace: str = ""
    """Its id; empty in a folder that was begun before this was kept."""


def read_marker(data: Path) -> Marker | None:
    """What is remembered; None at the first start."""
    try:
        return msgspec.json.decode((data / _FILE).read_bytes(), type=Marker)
    except FileNotFoundError:
        return None


def write_marker(data: Path, marker: Marker) -> None:
    """Remember, whole or not at all; it holds keys, so it is for its owner's eyes."""
    file = data / _FILE
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        output.write(msgspec.json.encode(marker))
        output.flush()
        os.fsync(output.fileno())
    fresh.rename(file)
