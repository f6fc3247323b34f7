"""The bench of segments, very small: it runs, and its growth is what it says."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bench import growth, town
from bench.figures import Figure
from bench.filling import Spans
from bench.kept import Town, leave_alone
from bench.segments import Size, measure_town
from bench.town import found_town
from services.contract import tables
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from tests.servers.postgres import Postgres

TINY = Size(40, asked=1, spans=Spans(warm=0.1, backlog=0.2, paced=5))


def test_a_tiny_town_is_measured(
    postgres: str, postgres_server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(town, "KINDS", 4)
    monkeypatch.setattr("bench.townsfolk.BACKLOG", 50)
    monkeypatch.setattr("bench.townsfolk.APPEND", 10)
    engine = open_database(postgres)
    key = found_town(engine, TINY.persons, now_ms())
    engine.dispose()
    figures = measure_town(Town(postgres_server, postgres, key), tmp_path, TINY)
    told = {figure.name: figure.value for figure in figures}
    assert told["filled while 500 events a second come"] > 0
    assert told["scored from a backlog"] > 0
    assert told["exported as parquet, fetched"] > 0
    engine = open_database(postgres)
    leave_alone(engine)
    with engine.connect() as db:
        there = select(tables.segment.c.key).where(tables.segment.c.deleted_ms.is_(None))
        assert {*db.execute(there).scalars()} == {*town.rules()}
    engine.dispose()


def test_growth_is_fitted_on_logarithms() -> None:
    root = growth.fitted({n: 3 * n**0.5 for n in (1_000, 3_000, 10_000)})
    assert root.b == pytest.approx(0.5)
    assert root.at(1_000_000) == pytest.approx(3_000)
    level = growth.fitted({1_000: 2.0, 10_000: 2.0})
    assert level.b == pytest.approx(0)


def test_figures_of_one_name_are_followed_apart() -> None:
    def figures(n: int) -> list[Figure]:
        return [
            Figure("m", "a", n * 1.0, "ms"),
            Figure("m", "  CPU each", 1.0, "ms"),
            Figure("m", "b", 5.0, "ms"),
            Figure("m", "  CPU each", n * 2.0, "ms"),
            Figure("m", "share", 5.0, "%"),
        ]

    found = growth.grown({n: figures(n) for n in (100, 1_000, 10_000)})
    assert [one.value for one in found] == pytest.approx([1e7, 1, 1, 0, 5, 0, 2e7, 1])
