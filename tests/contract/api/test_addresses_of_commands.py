"""Commands that have to know where Kentering is say so where it is not there."""

import pytest
from click.testing import CliRunner

from services.cli.main import main
from tests.contract.api.world import World
from tests.servers.process import free_port


def test_an_api_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    words = ["erase", "email", "anna@example.org", "--key", "ka_x", "--yes", "--url", url]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {url}: ")
    assert done.stderr.endswith("If Kentering is elsewhere, say where with --url.\n")


def test_an_invitation_says_which_address_it_assumes(
    world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENTERING_DATABASE_URL", database_url)
    words = ["account", "create", "--workspace", world.made.workspace]
    assumed = CliRunner().invoke(main, [*words, "anna@example.org"])
    assert assumed.exit_code == 0, assumed.output
    assert "\nhttp://localhost:8000/invitation#" in assumed.stdout
    assert assumed.stderr.startswith("It assumes http://localhost:8000: ")
    said = CliRunner().invoke(main, [*words, "ben@example.org", "--url", "https://k.example.org/"])
    assert "\nhttps://k.example.org/invitation#" in said.stdout
    assert said.stderr == ""
