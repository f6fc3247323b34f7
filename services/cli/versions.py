"""``kentering versions``: other numbers for the model, tried beside those in force."""

import sys
import time
from pathlib import Path

import click
from rich.progress import Progress
from sqlalchemy import Engine

from services.api.audit import COMMAND_LINE, note
from services.cli.database import data_option, database, workspaces
from services.cli.progress import progress
from services.model.foretold import WITHIN_DAYS
from services.model.version import Model, load
from services.runtime.clock import now_ms
from services.runtime.database import reading, writing
from services.scorer import versions
from services.scorer.anew import PERSONS_MAX
from services.scorer.shadow import count_exchanged, count_stale, exchange, fold_next, keep
from services.scorer.uncollected import uncollected
from services.scorer.versions import Version
from services.scorer.versus import EDGES, Versus, add_foretold, add_next, sample

PHASES = ("none", "see", "think", "do", "care")


@click.group("versions")
def command() -> None:
    """Versions of the model: add one, fold it, compare it, put it in force, take it back."""


@command.command("list")
@data_option
def list_(data: Path | None) -> None:
    """All versions; the one in force is marked."""
    with database(data) as engine, engine.connect() as db:
        for one in versions.versions(db):
            stale = sum(count_stale(db, one.id, i) for i in workspaces(db))
            folded = "in force" if one.active else f"{stale:,} persons to fold"
            print(f"{'*' if one.active else ' '} {one.name:<24} {folded}")


@command.command("add")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@data_option
def add(file: Path, data: Path | None) -> None:
    """Keep the version in FILE, in the form of services/model/day_one.json."""
    with database(data) as engine:
        try:
            with writing(engine).begin() as db:
                made = versions.add(db, file.read_bytes(), now_ms())
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    print(f"{made.name} is kept. Next: {sys.argv[0]} versions fold {made.name}")


@command.command("fold")
@click.argument("name")
@data_option
def fold(name: str, data: Path | None) -> None:
    """Fold everybody by version NAME beside the live ones, while scoring goes on.

    After an interruption the same command goes on where it was.
    """
    with database(data) as engine:
        found = _find(engine, name)
        events, took_s = _fold(engine, found)
    rate = f", {events / took_s:,.0f}/s" if events else ""
    print(f"{name} is folded: {events:,} events{rate}")


@command.command("compare")
@click.argument("name")
@click.option(
    "--sample",
    "persons_max",
    default=2_000,
    show_default=True,
    help="Persons of each workspace to see by how well both versions foretell.",
)
@data_option
def compare(name: str, persons_max: int, data: Path | None) -> None:
    """Version NAME, folded before, beside the one in force."""
    done = Versus()
    at_ms = now_ms()
    with database(data) as engine:
        found = _find(engine, name)
        with reading(engine).begin() as db:
            live = versions.in_force(db)
            models = versions.model_of(db, live.id), versions.model_of(db, found.id)
            for workspace_id in workspaces(db):
                after = 0
                while after := add_next(db, found.id, workspace_id, done, after, at_ms):
                    pass
                persons = sample(db, found.id, workspace_id, persons_max)
                for i in range(0, len(persons), PERSONS_MAX):
                    some = persons[i : i + PERSONS_MAX]
                    add_foretold(db, workspace_id, some, models, done, at_ms)
    _tell(live.name, name, done)


@command.command("activate")
@click.argument("name")
@data_option
def activate(name: str, data: Path | None) -> None:
    """Put version NAME in force, in one step; what it changes now is announced.

    Who is not folded yet is folded first. The version that goes stays folded, so that this
    command takes it back as quickly.
    """
    with database(data) as engine:
        found = _find(engine, name)
        with engine.connect() as db:
            before = versions.in_force(db)
            everywhere = workspaces(db)
        if before.id == found.id:
            print(f"{name} is in force already.")
            return
        _fold(engine, found)
        with progress() as bar, writing(engine).begin() as db:
            model = versions.model_of(db, found.id)
            total = sum(count_exchanged(db, i) for i in everywhere)
            task = bar.add_task("putting in force", total=total)
            at_ms, was = now_ms(), {"name": before.name}
            for exchanged in exchange(db, found.id, model, list(everywhere), at_ms):
                bar.update(task, advance=exchanged)
            for one in everywhere:
                note(
                    db, one, COMMAND_LINE, "model.activated", name, at_ms,
                    before=was, after={"name": name},
                )  # fmt: skip
    print(f"{name} is in force. {sys.argv[0]} versions activate {before.name} takes it back.")


def _find(engine: Engine, name: str) -> Version:
    with engine.connect() as db:
        found = versions.find(db, name)
    if found is None:
        raise click.ClickException(f"there is no version {name}; see {sys.argv[0]} versions list")
    return found


def _fold(engine: Engine, version: Version) -> tuple[int, float]:
    """(events folded, seconds); who is touched meanwhile is folded in a further pass."""
    events, began_s = 0, time.monotonic()
    with engine.connect() as db:
        if versions.in_force(db).id == version.id:
            return 0, 0.0
        model = versions.model_of(db, version.id, load())
        everywhere = workspaces(db)
    with progress() as bar, uncollected():
        for workspace_id, name in everywhere.items():
            left = PERSONS_MAX + 1
            # What a few batches touch again is left to whoever puts it in force.
            while left > PERSONS_MAX:
                events += _pass(engine, version.id, workspace_id, model, bar, name)
                with reading(engine).begin() as db:
                    left = count_stale(db, version.id, workspace_id)
    return events, time.monotonic() - began_s


def _pass(
    engine: Engine, version_id: int, workspace_id: int, model: Model, bar: Progress, name: str
) -> int:
    """Fold all who are stale, once; how many events it was."""
    events = after_id = 0
    with reading(engine).begin() as db:
        total = count_stale(db, version_id, workspace_id)
    task = bar.add_task(name, total=total)
    while True:
        with reading(engine).begin() as db:
            shadows = fold_next(db, version_id, workspace_id, model, after_id)
        if not shadows.last_id:
            return events
        with writing(engine).begin() as db:
            keep(db, version_id, shadows)
        after_id = shadows.last_id
        events += shadows.events
        bar.update(task, advance=len(shadows.folded))


def _tell(live: str, other: str, done: Versus) -> None:
    print(f"{done.persons:,} persons compared; {done.stale:,} stale ones left out\n")
    print(f"Phases now, by {live} (down) and by {other} (across):")
    print("  " + " " * 8 + "".join(f"{phase:>10}" for phase in PHASES))
    for phase in PHASES:
        row = "".join(f"{done.phases[phase, across]:>10,}" for across in PHASES)
        print(f"  {phase:<8}{row}")
    changing = sum(n for (before, after), n in done.phases.items() if before != after)
    print(f"  {changing:,} would change phase\n")
    print("Alarms per person-year, over the last year:")
    for name, alarms in zip((live, other), done.alarms, strict=True):
        turning, active = alarms.per_year(alarms.turning), alarms.per_year(alarms.active)
        print(f"  {name:<24} turning {turning:.3f}, active {active:.3f}")
    print(f"\nApplications within {WITHIN_DAYS} days, foretold every {WITHIN_DAYS} days:")
    for name, told in zip((live, other), done.foretold, strict=True):
        loss = told.loss / (told.count or 1)
        print(f"  {name:<24} mean error {told.error:.4f}, loss {loss:.4f} of {told.count:,}")
        for place, (count, given, came) in sorted(told.bins.items()):
            between = f"{EDGES[place - 1]:g}-{EDGES[place]:g}"
            shares = f"given {given / count:.4f}, came {came / count:.4f}"
            print(f"    {between:<12} {shares} of {count:,.0f}")
