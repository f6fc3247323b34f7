"""Which database a command works on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from services.contract.tables import workspace
from services.model.parameters import VersionError
from services.runtime.database import open_database
from services.runtime.settings import from_environment

data_option: Callable[[Any], Any] = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder that `kentering up` was given; else the settings say where the database is.",
)


@contextmanager
def database(data: Path | None) -> Iterator[Engine]:
    """The database in a data folder, or that of the settings.

    Raises:
        click.ClickException: it is not there, or has not our tables.
    """
    url = f"sqlite:///{data / 'kentering.db'}" if data else from_environment().database_url
    engine = open_database(url)
    try:
        yield engine
    except DBAPIError as error:
        raise click.ClickException(f"{engine.url}: {error.orig}") from None
    except VersionError as error:  # kept by another version of this code
        raise click.ClickException(str(error)) from None
    finally:
        engine.dispose()


def workspaces(db: Connection, public_id: str | None = None) -> dict[int, str]:
    """Public ids by id: of all workspaces, or of one.

    Raises:
        click.ClickException: there is none of that name.
    """
    column = workspace.c
    query = select(column.id, column.public_id).order_by(column.id)
    if public_id is not None:
        query = query.where(column.public_id == public_id)
    found = {row.id: row.public_id for row in db.execute(query).all()}
    if public_id is not None and not found:
        raise click.ClickException(f"there is no workspace {public_id}")
    return found
