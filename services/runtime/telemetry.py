"""What the processes tell about themselves: log lines, and every metric there is.

Neither ever carries anything of a person: no identities, addresses, user agents, page addresses
or event payloads. A label has a small closed set of values.
"""

import logging
import sys
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

# ── log: the spool and Kafka ────────────────────────────────────────────────────────────────

# Records that the relay copied and Kafka acknowledged. Some may have been copied twice.
RELAYED = Counter("kentering_relay_records", "Records copied from the spool into Kafka")

# Copies that Kafka did not acknowledge; each was or is tried again, without end.
RELAY_FAILURES = Counter("kentering_relay_failures", "Batches that Kafka did not acknowledge")

# Seconds from sending a batch to its acknowledgement.
RELAY_BATCH_SECONDS = Histogram(
    "kentering_relay_batch_seconds", "Time until Kafka acknowledged a batch"
)

# Records waiting in the spool for the relay. It grows while the broker is away.
RELAY_LAG = Gauge("kentering_relay_lag_records", "Records in the spool not yet in Kafka")

# Positions of the log that hold nothing, by who noticed it: damage, or trimming that ran ahead.
LOG_GAP_RECORDS = Counter("kentering_log_gap_records", "Records lost from the log", ["reader"])


def configure_logging(service: str, level: int = logging.INFO) -> None:
    """Log as one JSON object a line to standard error, our own lines and libraries' alike.

    Libraries are heard from warnings on: below that some print what they carry.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, event: {"service": service, **event},
    ]
    render: list[Any] = [
        structlog.processors.dict_tracebacks,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
