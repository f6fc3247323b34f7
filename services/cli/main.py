"""The one command, ``kentering``, and its parts."""

import click

from services.cli import api, demo, migrate, relay, scorer, topics, tracker, up, workspace


@click.group()
@click.version_option(package_name="kentering")
def main() -> None:
    """Notices the moment a person who is not looking for a job starts to turn.

    ``kentering up --demo`` shows it, with nothing else to set up. Settings come from
    environment variables; see docs/running.md.
    """


for part in (up, tracker, relay, scorer, api, migrate, topics, workspace, demo):
    main.add_command(part.command)


if __name__ == "__main__":
    main()
