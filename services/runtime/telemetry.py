"""What the processes tell about themselves: log lines, and every metric there is.

Neither ever carries anything of a person: no identities, addresses, user agents, page addresses
or event payloads. A label has a small closed set of values.
"""

import contextlib
import io
import logging
import sys
from typing import Any, TextIO, cast

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import ExcInfo

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

# What the spool's records take of the space that they may, in bytes; the share of its disk that
# is free, 0-1.
LOG_BYTES = Gauge("kentering_log_bytes", "Space that the spool's records take")
LOG_BYTES_MAX = Gauge("kentering_log_bytes_max", "Space that they may take")
LOG_DISK_FREE = Gauge("kentering_log_disk_free_share", "Share of the spool's disk that is free")

# What the slowest reader of the spool has not done yet: how many records, and since when.
LOG_UNREAD_RECORDS = Gauge("kentering_log_unread_records", "Records that a reader still needs")
LOG_UNREAD_SECONDS = Gauge("kentering_log_unread_seconds", "Age of the oldest of them")

# Times that the spool's file was damaged and made anew of what could be read of it.
LOG_REPAIRS = Counter("kentering_log_repairs", "Repairs of the spool's file")


# ── scorer: the log into intervals ──────────────────────────────────────────────────────────

# Events folded for the first time.
SCORED = Counter("kentering_scorer_events", "Events scored")

# Records whose event was scored before: resent by a client, or copied twice by the relay.
SCORER_REPEATED = Counter("kentering_scorer_repeated", "Records of events already scored")

# Persons folded anew from their first event, because something came late or who is who changed.
SCORER_REFOLDED = Counter("kentering_scorer_refolded", "Persons folded anew")

# Records set aside because nothing could be made of them; see table dead_letter.
SCORER_DEAD = Counter("kentering_scorer_dead_letters", "Records set aside")

# Rows of the change feed written by batches.
SCORER_CHANGES = Counter("kentering_scorer_changes", "Changes announced by batches")

# Batches given up because another worker had scored their records.
SCORER_FENCED = Counter("kentering_scorer_fenced", "Batches that were somebody else's")

# Transactions tried again after a deadlock or a moved person.
SCORER_RETRIES = Counter("kentering_scorer_retries", "Transactions tried again")

# Announcing, adding up or filling a segment failed; see the log. Events are scored all the same.
SCORER_CHORE_FAILURES = Counter("kentering_scorer_chore_failures", "Chores that failed")

# Seconds from reading a batch to its commit.
SCORER_BATCH_SECONDS = Histogram("kentering_scorer_batch_seconds", "Time to score a batch")

# Seconds to fold the persons of one workspace's share of a batch: twice a batch, once without
# locks and once with.
SCORER_FOLD_SECONDS = Histogram("kentering_scorer_fold_seconds", "Time to fold a batch's persons")

# Persons whose predicted boundaries were announced when they came.
SCORER_BOUNDARIES = Counter("kentering_scorer_boundaries", "Boundaries announced by time")

# Persons who entered what a trigger waits for, at their moment: handed over, and not.
TRIGGERS_FIRED = Counter("kentering_triggers_fired", "Persons handed over by triggers")
TRIGGERS_WITHHELD = Counter("kentering_triggers_withheld", "Persons whom triggers left alone")

# Dead letters that lie there now, of all workers; and those deleted, too old or too many.
DEAD_LETTERS = Gauge("kentering_dead_letters", "Records in the dead letter")
DEAD_LETTERS_DROPPED = Counter("kentering_dead_letters_dropped", "Dead letters deleted unscored")

# Since when the oldest event that this worker has read and not yet scored had been received, in
# seconds; 0 where there is none. It grows while the database is away.
SCORER_UNSCORED_SECONDS = Gauge(
    "kentering_scorer_unscored_seconds", "Age of the oldest event not yet scored"
)

# Records of the log still to be scored by this worker.
SCORER_LAG = Gauge("kentering_scorer_lag_records", "Records not yet scored")


# ── dispatch: changes to webhooks and into Kafka ────────────────────────────────────────────

# Attempts to deliver, by what came of them: delivered; failed, to be tried again; given_up after
# a day; gone: what it told of was erased.
DELIVERIES = Counter("kentering_dispatch_deliveries", "Attempts to deliver", ["outcome"])

# Seconds from when a change was written to when its delivery succeeded.
DELIVERY_SECONDS = Histogram(
    "kentering_dispatch_delivery_seconds",
    "Time from a change to its delivery",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30, 300, 3600),
)

# Age of the oldest message that waits for an active webhook of this process.
DISPATCH_UNSENT_SECONDS = Gauge(
    "kentering_dispatch_unsent_seconds", "Age of the oldest message not yet delivered"
)

# Webhooks that this process sends for; and all there are, by status: active, paused, dead.
DISPATCH_WEBHOOKS = Gauge("kentering_dispatch_webhooks", "Webhooks that this process sends for")
WEBHOOKS = Gauge("kentering_webhooks", "Webhooks by status", ["status"])
WEBHOOKS_DEAD = Counter("kentering_dispatch_webhooks_dead", "Webhooks that were found dead")

# Changes copied into the Kafka topic, and those still to be.
CHANGES_COPIED = Counter("kentering_dispatch_changes_copied", "Changes copied into Kafka")
CHANGES_LAG = Gauge("kentering_dispatch_changes_lag", "Changes not yet in Kafka")


class _Lines(io.TextIOBase):
    """Standard error; a line that cannot be written is lost, and whoever logged it goes on.

    Else a full disk would end the very thread that says that it is full.
    """

    def write(self, text: str) -> int:
        """As a file does."""
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """As a file does."""
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def _place_of(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """Of an exception and its causes: its type, and where it was raised."""
    told = ExceptionDictTransformer(show_locals=False)(exc_info)
    return [{"exc_type": one["exc_type"], "frames": one["frames"]} for one in told]


def configure_logging(service: str, level: int = logging.INFO) -> None:
    """Log as one JSON object a line to standard error, our own lines and libraries' alike.

    Libraries are heard from warnings on: below that some print what they carry.
    """
    lines = _Lines()
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, event: {"service": service, **event},
    ]
    render: list[Any] = [
        # Without local variables and without what errors say: both hold what people did.
        structlog.processors.ExceptionRenderer(_place_of),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", lines)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
