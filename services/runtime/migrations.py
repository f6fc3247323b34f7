"""Brings a database to the tables that this version of the code knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from services.runtime.database import open_database, writing

# Beside the ``services`` package, in a checkout and where a wheel was installed.
FOLDER = Path(__file__).parents[2] / "migrations"


class NewerDatabaseError(Exception):
    """The database was migrated by a later version than this one, so nothing was touched."""

    def __init__(self, revision: str, newest: str) -> None:
        super().__init__(
            f"The database is at revision {revision}, which this version of Kentering does not "
            f"know (its newest is {newest}). It was migrated by a later version: run that one, "
            "or restore a backup from before."
        )


def migrate(url: str) -> str:
    """Create or upgrade all tables, in one transaction, and tell the revision they are at.

    Args:
        url: ``sqlite:///FILE`` (its folder is made if need be) or ``postgresql+psycopg://…``.

    Raises:
        NewerDatabaseError: a later version has been at this database.
        sqlalchemy.exc.OperationalError: it cannot be reached.
    """
    _make_folder(url)
    engine = writing(open_database(url))
    try:
        with engine.begin() as connection:
            return _upgrade(connection)
    finally:
        engine.dispose()


def _upgrade(connection: Connection) -> str:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    newest = scripts.get_current_head() or "none"
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise NewerDatabaseError(current, newest)
    command.upgrade(config, "head")
    return newest


def _make_folder(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
