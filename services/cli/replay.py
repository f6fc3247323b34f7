"""``kentering replay``: is what is stored of people what their events say?"""

from pathlib import Path

import click
import msgspec
from sqlalchemy import Engine

from services.cli.database import data_option, database, workspaces
from services.cli.progress import progress
from services.model.version import load
from services.runtime.database import reading
from services.scorer.anew import how_many
from services.scorer.replay import Comparison, compare_next, differing_counts
from services.scorer.uncollected import uncollected
from services.scorer.versions import InForce

SHOWN_MAX = 20


@click.command("replay")
@click.option("--workspace", metavar="WORKSPACE", help="Of this one alone, as ws_….")
@data_option
@click.option(
    "--progress",
    "kept",
    type=click.Path(path_type=Path, dir_okay=False),
    default="kentering-replay.json",
    show_default=True,
    help="Keeps how far it is: after an interruption the same command goes on from there.",
)
@click.pass_context
def command(context: click.Context, workspace: str | None, data: Path | None, kept: Path) -> None:
    """Fold everybody anew from the event table and compare with what is stored.

    States, intervals as now known, memberships and counts. Nothing is written, and scoring may go
    on meanwhile. The exit code is 1 where anything differs.
    """
    equal = True
    with database(data) as engine:
        with engine.connect() as db:
            wanted = workspaces(db, workspace)
        before = _before(kept)
        for workspace_id, name in wanted.items():
            done = before.get(name) or Comparison(workspace_id)
            _compare(engine, name, done, before, kept)
            with reading(engine).begin() as db:
                counts = list(differing_counts(db, workspace_id))
            _tell(name, done, counts)
            equal = equal and done.is_equal and not counts
    kept.unlink(missing_ok=True)
    context.exit(0 if equal else 1)


def _before(kept: Path) -> dict[str, Comparison]:
    """What an interrupted run had done, by workspace."""
    if not kept.exists():
        return {}
    try:
        return msgspec.json.decode(kept.read_bytes(), type=dict[str, Comparison])
    except msgspec.DecodeError:
        raise click.ClickException(f"{kept} is no replay's progress; remove it") from None


def _compare(
    engine: Engine, name: str, done: Comparison, all_done: dict[str, Comparison], kept: Path
) -> None:
    in_force = InForce(load())
    all_done[name] = done
    with reading(engine).connect() as db:
        total = how_many(db, done.workspace_id)
    with progress() as bar, uncollected():
        task = bar.add_task(name, total=total, completed=done.persons)
        while True:
            with reading(engine).begin() as db:
                compared = compare_next(db, done, in_force.hold(db))
            if not compared:
                return
            bar.update(task, advance=compared)
            written = kept.with_name(kept.name + ".part")
            written.write_bytes(msgspec.json.encode(all_done))
            written.replace(kept)


def _tell(name: str, done: Comparison, counts: list[tuple[str, str, int]]) -> None:
    print(f"{name}: {done.persons:,} persons, {done.events:,} events")
    print(f"  stored {done.live:016x}")
    print(f"  anew   {done.anew:016x}")
    if done.is_equal and not counts:
        print("  equal")
        return
    for part, number in sorted(done.differing.items()):
        print(
            f"  {part} differs: {number:,} persons" if part != "person" else f"  {number:,} differ"
        )
    for one in done.examples[:SHOWN_MAX]:
        print(f"    {one.public_id}: {', '.join(one.parts)}")
    for kind, key, hours in counts:
        print(f"  counts of {kind} {key} differ in {hours:,} hours")
