"""The one command, ``kentering``, and its parts."""

from importlib import import_module

import click

PARTS = (
    "up",
    "tracker",
    "relay",
    "scorer",
    "api",
    "dispatch",
    "jobs",
    "import",
    "migrate",
    "topics",
    "workspace",
    "account",
    "fit",
    "thresholds",
    "replay",
    "versions",
    "dead-letters",
    "erase",
    "demo",
)

_MODULES = {"import": "import_file"}
"""Where a part cannot be called as its module."""


class Parts(click.Group):
    """Loads only the part that is called: a relay has no use for the API's code in memory."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which a newcomer meets them."""
        del ctx
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The part of that name; None: there is none."""
        del ctx
        if cmd_name not in PARTS:
            return None
        module = _MODULES.get(cmd_name, cmd_name.replace("-", "_"))
        command: click.Command = import_module(f"services.cli.{module}").command
        return command


@click.group(cls=Parts)
@click.version_option(package_name="kentering")
def main() -> None:
    """Notices the moment a person who is not looking for a job starts to turn.

    ``kentering up --demo`` shows it, with nothing else to set up. Settings come from
    environment variables; see docs/running.md.
    """


if __name__ == "__main__":
    main()
