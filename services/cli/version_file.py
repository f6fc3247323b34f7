"""A model version written as a file, and beside it how it was made."""

import json
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from services.model.parameters import Parameters, VersionError, check
from services.model.version import build


def write_version(file: Path, version: Parameters, made: dict[str, Any]) -> None:
    """Write ``file``, named after itself, and ``file`` with ``.made.json`` for how.

    Raises:
        click.ClickException: nobody could be scored by its numbers.
    """
    named = msgspec.structs.replace(version, version=file.stem, about=_about(version, made))
    try:
        check(named)
        build(named)
    except (VersionError, ValueError) as error:
        raise click.ClickException(f"nothing is written: {error}") from None
    file.write_bytes(msgspec.json.format(msgspec.json.encode(named), indent=2) + b"\n")
    beside = file.with_suffix(".made.json")
    beside.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")
    click.echo(
        f"{file} holds version {named.version}; {beside.name} says how it was made. "
        f"Next: {sys.argv[0]} versions add {file}",
        err=True,
    )


def _about(version: Parameters, made: dict[str, Any]) -> str:
    return (
        f"Made by `kentering {made['command']}` from {version.version}, seed {made['seed']}. "
        "Three numbers stand for latent-latent, actively latent and active."
    )
