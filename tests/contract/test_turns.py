"""Whoever writes one transaction after the other lets others in between."""

import multiprocessing
import os
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from sqlalchemy import func, select

from services.contract import tables
from services.runtime import turns
from services.runtime.database import open_database, writing
from services.runtime.migrations import migrate

_process = multiprocessing.get_context("spawn")
ROW = {"public_id": "w", "name": "W", "time_zone": "Europe/Amsterdam", "created_ms": 0}


def _write_on_and_on(url: str, begun: Event) -> None:
    engine = open_database(url)
    number = 0
    while True:
        with writing(engine).begin() as db:
            number += 1
            db.execute(tables.workspace.insert().values(ROW | {"public_id": f"g{number}"}))
            begun.set()
            time.sleep(0.05)


def test_a_writer_without_pause_does_not_starve_others(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kentering.db'}"
    migrate(url)
    begun = _process.Event()
    greedy = _process.Process(target=_write_on_and_on, args=(url, begun), daemon=True)
    greedy.start()
    engine = open_database(url)
    try:
        assert begun.wait(60)
        for turn in range(10):
            with engine.connect() as db:
                before = db.execute(select(func.count()).select_from(tables.workspace)).scalar_one()
            with writing(engine).begin() as db:
                after = db.execute(select(func.count()).select_from(tables.workspace)).scalar_one()
                db.execute(tables.workspace.insert().values(ROW | {"public_id": f"w{turn}"}))
            # What it was about, what it had taken the turn for, and what it began before we stood
            # in line, however slow this machine is; without turns it is a hundred at a time.
            assert after - before <= 20
    finally:
        greedy.kill()
        greedy.join()
        engine.dispose()


def _take_the_turn_and_freeze(file: str) -> None:
    with turns.turn(file):
        os.kill(os.getpid(), signal.SIGSTOP)


def test_who_freezes_in_front_does_not_hold_up_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.1)
    file = str(tmp_path / "kentering.db")
    frozen = _process.Process(target=_take_the_turn_and_freeze, args=(file,), daemon=True)
    frozen.start()
    assert frozen.pid is not None
    while os.waitid(os.P_PID, frozen.pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.01)
    try:
        with turns.turn(file):
            pass
    finally:
        os.kill(frozen.pid, signal.SIGKILL)
        frozen.join()
