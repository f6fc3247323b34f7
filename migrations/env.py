"""How Alembic reaches the database, SQLite and PostgreSQL alike.

The caller hands over an open connection (``services.runtime.migrations`` does); the ``alembic``
command, which has none, gets the database that ``KENTERING_DATABASE_URL`` names.
"""

from alembic import context
from sqlalchemy import Connection

from services.contract.tables import metadata
from services.runtime.database import open_database, writing
from services.runtime.settings import from_environment


def run(connection: Connection) -> None:
    """Do what Alembic was asked to, all of it in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite alters a table by copying it.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def run_by_command() -> None:
    """Do it on the database that the environment names."""
    settings = from_environment()
    engine = writing(open_database(settings.database_url))
    with engine.begin() as connection:
        run(connection)
    engine.dispose()


given = context.config.attributes.get("connection")
if given is None:
    run_by_command()
else:
    run(given)
