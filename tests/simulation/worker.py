"""A scorer on a topic of its own, as a process that can be killed: URL KAFKA TOPIC [CLOCK].

CLOCK is a file that says by how many milliseconds this worker's clock is wrong.
"""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

from services.model.version import load
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.kafka_log_reader import KafkaLogReader
from services.scorer import consume, parts
from services.scorer.positions import positions


def main(url: str, kafka: str, topic: str, clock: str = "") -> None:
    """Score until killed or asked to leave, in small batches: many transactions are cut short."""
    consume.BATCH_RECORDS_MAX = 200
    parts.KEYS_MAX = 60
    engine = open_database(url)
    reader = KafkaLogReader(kafka, topic, topic, positions(engine), session_timeout_ms=6_000)
    told = wrong_clock(Path(clock)) if clock else now_ms
    scorer = consume.Scorer(engine, reader, load(), clock=told)
    signal.signal(signal.SIGTERM, lambda *_: scorer.stop())
    scorer.run()
    reader.close()


def wrong_clock(file: Path) -> Callable[[], int]:
    """The time, as wrong as a file says at that moment."""

    def told_ms() -> int:
        try:
            return now_ms() + int(file.read_text() or 0)
        except FileNotFoundError:
            return now_ms()

    return told_ms


if __name__ == "__main__":
    main(*sys.argv[1:])
