"""``kentering workspace``: make tenants."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from services.api.audit import COMMAND_LINE, note
from services.api.link_secrets import add_secret
from services.api.workspaces import Declaration, create_workspace
from services.contract.tables import workspace
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from services.runtime.settings import from_environment


@click.group("workspace")
def command() -> None:
    """Workspaces: one for every employer."""


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--time-zone", default="Europe/Amsterdam", show_default=True, help="IANA name.")
@click.option(
    "--asserted-consent",
    metavar="TEXT",
    help="Declares that the sender behind the server key holds consent to measure and profile, "
    "by this text (its version). Without it, calls that say nothing of consent follow nobody.",
)
@click.option(
    "--asserted-source",
    metavar="WHERE",
    help="Where that consent is asked and kept; needed with --asserted-consent.",
)
@click.option(
    "--asserted-since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Since when it is asked by this text (UTC); needed with --asserted-consent.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that `kentering up` was given; else the settings say where the database is.",
)
def create(
    name: str,
    time_zone: str,
    asserted_consent: str | None,
    asserted_source: str | None,
    asserted_since: datetime | None,
    data: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make the workspace NAME and print its keys. They are shown this once."""
    declared = _declaration(asserted_consent, asserted_source, asserted_since)
    url = f"sqlite:///{data / 'kentering.db'}" if data else from_environment().database_url
    engine = open_database(url)
    try:
        made = create_workspace(engine, name, time_zone, declared, now_ms())
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(
            f"no Kentering database at {engine.url} ({error.orig}). Start `{sys.argv[0]} up` or "
            f"run `{sys.argv[0]} migrate` first, or say with --data which folder it is in."
        ) from None
    finally:
        engine.dispose()
    shown = asdict(made)
    if as_json:
        print(json.dumps(shown))
        return
    for label, value in shown.items():
        print(f"{label:<11} {value}")


@command.command("rotate")
@click.argument("workspace_id", metavar="WORKSPACE")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that `kentering up` was given; else the settings say where the database is.",
)
def rotate(workspace_id: str, data: Path | None) -> None:
    """Give WORKSPACE, as ws_…, a new secret for its links. Links made before go on working."""
    url = f"sqlite:///{data / 'kentering.db'}" if data else from_environment().database_url
    engine = open_database(url)
    query = select(workspace.c.id).where(workspace.c.public_id == workspace_id)
    try:
        with writing(engine).begin() as connection:
            found = connection.execute(query).scalar_one_or_none()
            if found is None:
                raise click.ClickException(f"there is no workspace {workspace_id}")
            at_ms = now_ms()
            number = add_secret(connection, found, at_ms)
            note(connection, found, COMMAND_LINE, "link_secret.rotated", str(number), at_ms)
    except DBAPIError as error:
        raise click.ClickException(
            f"no Kentering database at {engine.url} ({error.orig})"
        ) from None
    finally:
        engine.dispose()
    print(f"Secret {number} signs from a minute from now on.")


def _declaration(
    text: str | None, source: str | None, since: datetime | None
) -> Declaration | None:
    """The three of one declaration; none of them is of use alone."""
    if text is None and source is None and since is None:
        return None
    if not text or not source or since is None:
        raise click.UsageError(
            "--asserted-consent, --asserted-source and --asserted-since belong together: which "
            "text, where it is asked and kept, and since when"
        )
    since_ms = round(since.replace(tzinfo=UTC).timestamp() * 1000)
    if since_ms > now_ms():
        raise click.UsageError("--asserted-since lies ahead")
    return Declaration(text, source, since_ms)
