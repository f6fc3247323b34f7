"""The commands on real databases: read, fit, refuse, write; thresholds."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console
from rich.progress import Progress

from bench.fit import WEEKLY, fill, livelier
from services.cli.main import main
from services.cli.spells import Bar, read_spells
from services.model.fitting.history import FIRST_KIND, HIRED
from services.model.fitting.simulate import simulate
from services.model.parameters import read
from services.model.version import build, load
from services.runtime.database import open_database

DAY_ONE = load().parameters


def filled(url, people, days):
    """A database with simulated people; (its workspace, the people)."""
    engine = open_database(url)
    world = simulate(livelier(), people, days, WEEKLY, seed=1)
    try:
        return fill(engine, world), world
    finally:
        engine.dispose()


def kentering(url, *words):
    """The command in a process of its own, with a process per core."""
    command = [str(Path(sys.executable).with_name("kentering")), *words]
    environment = os.environ | {"KENTERING_DATABASE_URL": url}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def here(people):
    """The command in this process, which has one core meanwhile."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    environment = {"KENTERING_DATABASE_URL": people[0], "COLUMNS": "200"}
    yield lambda *words: CliRunner().invoke(main, words, env=environment)
    os.sched_setaffinity(0, cores)


def test_what_is_read_is_what_happened(database_url):
    workspace, world = filled(database_url, 130, 200)
    engine = open_database(database_url)
    with ThreadPoolExecutor(1) as pool, Progress(console=Console(quiet=True)) as progress:
        found = read_spells(engine, workspace, DAY_ONE, 1, pool, Bar(progress))
    engine.dispose()
    assert found.people == 130

    def acts(histories):
        own = (histories.codes >= FIRST_KIND) | (histories.codes == HIRED)
        # Times are whole milliseconds in the database.
        days = np.round(histories.days[own], 6).tolist()
        return list(
            zip(histories.spell_of[own].tolist(), days, histories.codes[own].tolist(), strict=True)
        )

    seen, happened = acts(found.histories), acts(world.histories)
    assert [(s, c) for s, _, c in seen] == [(s, c) for s, _, c in happened]
    assert [d for _, d, _ in seen] == pytest.approx([d for _, d, _ in happened], abs=1e-5)


@pytest.fixture(scope="module")
def people(sqlite_template, tmp_path_factory):
    """(url, workspace) of 220 people over ten months."""
    file = tmp_path_factory.mktemp("fit") / "kentering.db"
    file.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{file}"
    return url, filled(url, 220, 300)[0]


def test_fit_writes_a_version_that_scores_and_how_it_was_made(people, here, tmp_path):
    url, workspace = people
    out = tmp_path / "ours-1.json"
    ran = here("fit", "--workspace", workspace, "--prior-days", "20000", "--out", str(out))
    assert ran.exit_code == 0, ran.stderr
    version = read(out.read_bytes())
    assert version.version == "ours-1"
    assert build(version).parameters == version
    assert version.rates_per_day["page"][0] < DAY_ONE.rates_per_day["page"][0]
    assert version.signals != DAY_ONE.signals
    made = json.loads(out.with_suffix(".made.json").read_text())
    assert made["of"] == "day-one"
    assert made["prior_days"] == 20_000
    assert made["comparison"]["worse"] == []
    assert "On held-out people" in ran.stdout
    assert "decayed points" in ran.stdout

    assert here("versions", "add", str(out)).exit_code == 0
    again = tmp_path / "again.json"
    ran = kentering(url, "thresholds", "--model", str(out), "--workspace", workspace, "--json",
                    "--people", "300", "--out", str(again))  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert [one["signal"] for one in told["thresholds"]] == ["turning", "active"]
    assert len(told["observed_per_year"]) == 2
    assert read(again.read_bytes()).signals.active.enter == told["thresholds"][1]["enter"]


def test_a_fit_that_is_worse_is_not_written(people, here, tmp_path):
    """From numbers that are right already, few people only lead away."""
    _, workspace = people
    base, out = tmp_path / "right.json", tmp_path / "worse.json"
    base.write_bytes(msgspec.json.encode(livelier()))
    ran = here("fit", "--base", str(base), "--workspace", workspace,
                    "--prior-days", "20000", "--seed", "1", "--out", str(out))  # fmt: skip
    assert ran.exit_code == 1
    assert "the fitted version is worse and is not written" in ran.stderr
    assert "explains what held-out people did less well" in ran.stderr
    assert not out.exists()


def test_the_echo_alone(people, here, tmp_path):
    _, workspace = people
    out = tmp_path / "echo.json"
    ran = here("fit", "--echo", "--workspace", workspace, "--out", str(out))
    assert ran.exit_code == 0, ran.stderr
    assert "A visit calls forth 0." in ran.stdout
    version = read(out.read_bytes())
    assert version.rates_per_day == DAY_ONE.rates_per_day
    assert 0.2 < version.echo.visits_per_visit < 0.4
    assert version.echo.visits_per_visit != 0.3


def test_nobody_and_nothing(here, tmp_path):
    ran = here("fit", "--workspace", "ws_none")
    assert ran.exit_code == 1
    assert "there is no workspace ws_none" in ran.stderr
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    ran = here("thresholds", "--model", str(broken))
    assert "not a model version" in ran.stderr
