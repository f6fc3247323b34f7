"""``kentering migrate``: create or upgrade the tables."""

import click

from services.runtime.migrations import NewerDatabaseError, migrate
from services.runtime.settings import from_environment


@click.command(name="migrate")
def command() -> None:
    """Create the tables, or bring them to this version, in the database of the settings."""
    try:
        revision = migrate(from_environment().database_url)
    except NewerDatabaseError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"The database is at revision {revision}.")
