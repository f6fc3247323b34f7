"""``kentering account``: the people who log in."""

from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from services.api.account_store import add_account
from services.api.accounts import EMAIL
from services.api.audit import COMMAND_LINE
from services.api.problem import Problem
from services.contract.roles import ROLES, Role
from services.contract.tables import workspace
from services.runtime.clock import now_ms
from services.runtime.database import open_database, writing
from services.runtime.settings import from_environment

_URL = "http://localhost:8000"


@click.group("account")
def command() -> None:
    """Accounts: who logs in to the dashboard, and what they may see and do."""


@command.command()
@click.argument("email")
@click.option("--workspace", "workspace_id", required=True, help="As ws_…")
@click.option("--role", type=click.Choice(ROLES), default="owner", show_default=True)
@click.option(
    "--url",
    show_default=_URL,
    help="Where the dashboard is reached; the invitation's link begins with it.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that `kentering up` was given; else the settings say where the database is.",
)
def create(email: str, workspace_id: str, role: Role, url: str | None, data: Path | None) -> None:
    """Invite EMAIL: prints the link at which they set their password, this once."""
    if not EMAIL.fullmatch(email):
        raise click.UsageError(f"{email} is no mail address")
    address = f"sqlite:///{data / 'kentering.db'}" if data else from_environment().database_url
    engine = open_database(address)
    query = select(workspace.c.id).where(workspace.c.public_id == workspace_id)
    try:
        with writing(engine).begin() as connection:
            found = connection.execute(query).scalar_one_or_none()
            if found is None:
                raise click.ClickException(f"there is no workspace {workspace_id}")
            _, token = add_account(connection, found, email, role, COMMAND_LINE, now_ms())
    except Problem as problem:
        raise click.ClickException(problem.detail) from None
    except DBAPIError as error:
        raise click.ClickException(
            f"no Kentering database at {engine.url} ({error.orig})"
        ) from None
    finally:
        engine.dispose()
    print(f"Give this link to {email}; it is good for a week, once:")
    print(f"{(url or _URL).rstrip('/')}/invitation#{token}")
    if url is None:
        text = f"It assumes {_URL}: where the dashboard is elsewhere, put its address there."
        click.echo(text, err=True)
