"""``kentering workspace``: make tenants."""

import json
from dataclasses import asdict
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from services.api.link_secrets import add_secret
from services.api.workspaces import create_workspace
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
    "by this text. Without it, calls that say nothing of consent follow nobody.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that `kentering up` was given; else the settings say where the database is.",
)
def create(
    name: str, time_zone: str, asserted_consent: str | None, data: Path | None, *, as_json: bool
) -> None:
    """Make the workspace NAME and print its keys. They are shown this once."""
    url = f"sqlite:///{data / 'kentering.db'}" if data else from_environment().database_url
    engine = open_database(url)
    try:
        made = create_workspace(engine, name, time_zone, asserted_consent, now_ms())
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(
            f"no Kentering database at {engine.url} ({error.orig}). Start `kentering up` or run "
            "`kentering migrate` first, or say with --data which folder it is in."
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
            number = add_secret(connection, found, now_ms())
    except DBAPIError as error:
        raise click.ClickException(
            f"no Kentering database at {engine.url} ({error.orig})"
        ) from None
    finally:
        engine.dispose()
    print(f"Secret {number} signs from a minute from now on.")
