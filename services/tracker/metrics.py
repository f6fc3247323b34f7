"""Every metric of the tracker."""

from prometheus_client import Counter, Gauge, Histogram

from services.tracker.reasons import REASONS, Reason

# Events in records that the log has committed.
EVENTS_STORED = Counter("kentering_tracker_events_stored_total", "Events on disk.")

# Commits of the log: how long each took, and how many events it held.
COMMIT_SECONDS = Histogram(
    "kentering_tracker_commit_seconds",
    "Time of one commit of the log.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5),
)
COMMIT_EVENTS = Histogram(
    "kentering_tracker_commit_events",
    "Events in one commit of the log.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000),
)

# Events that wait for the next commit; at its bound requests are answered 503.
QUEUE_EVENTS = Gauge("kentering_tracker_queue_events", "Events waiting for a commit.")

# Events answered with a pixel or redirect although they could not be stored.
EVENTS_LOST = Counter("kentering_tracker_events_lost_total", "Events that are gone.", ["reason"])
_LOST: tuple[Reason, ...] = ("not_ready", "rate_limited", "busy", "log_full", "log_failed")

# Everything refused, or counted without following, by reason (services/tracker/reasons.py).
_REASONS_SEEN = Counter(
    "kentering_tracker_reasons_total", "Refused, counted or wrong, by reason.", ["reason"]
)
# Times that the snapshot could not be fetched.
SNAPSHOT_FAILURES = Counter(
    "kentering_tracker_snapshot_failures_total", "Fetches of the snapshot that failed."
)
# Times that the withdrawals could not be fetched; those known hold on.
WITHDRAWAL_FAILURES = Counter(
    "kentering_tracker_withdrawal_failures_total", "Fetches of the withdrawals that failed."
)
# Records that the log let go of because every reader is done with them.
RECORDS_TRIMMED = Counter("kentering_tracker_records_trimmed_total", "Records trimmed.")

# What mailers' webhooks needed from outside: certificates and confirmations of Amazon SNS.
HOOK_ERRANDS = Counter(
    "kentering_tracker_hook_errands_total", "Fetched for webhooks.", ["errand", "outcome"]
)

# All reasons stand in the metrics from the start, so that a rate is defined for each.
_BY_REASON = {reason: _REASONS_SEEN.labels(reason) for reason in REASONS}
for _reason in _LOST:
    EVENTS_LOST.labels(_reason)


def count_reason(reason: Reason) -> None:
    """Count something refused, counted without following, or wrong."""
    _BY_REASON[reason].inc()
