"""A scorer on a topic of its own, as a process that can be killed: URL KAFKA TOPIC."""

import signal
import sys

from services.model.version import load
from services.runtime.database import open_database
from services.runtime.kafka_log_reader import KafkaLogReader
from services.scorer import consume


def main(url: str, kafka: str, topic: str) -> None:
    """Score until killed or asked to leave, in small batches: many transactions are cut short."""
    consume.BATCH_RECORDS_MAX = 200
    engine = open_database(url)
    positions = consume.positions(engine)
    reader = KafkaLogReader(kafka, topic, topic, positions, session_timeout_ms=6_000)
    scorer = consume.Scorer(engine, reader, load())
    signal.signal(signal.SIGTERM, lambda *_: scorer.stop())
    scorer.run()
    reader.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
