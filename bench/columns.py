"""The columns that made-up people are put into the tables by, in the order of their rows."""

PERSON = ("id", "workspace_id", "public_id", "first_ms", "first_event_id", "created_ms")
IDENTITY = ("id", "workspace_id", "namespace", "value", "person_id", "shared")
IDENTITY_LINK = ("id", "workspace_id", "identity_id", "person_id", "known_from_ms")
PERSON_STATE = (
    "person_id",
    "workspace_id",
    "state",
    "model_version",
    "version",
    "last_ms",
    "last_event_id",
    "events",
    "announced",
    "due_ms",
)
INTERVAL = (
    "workspace_id",
    "person_id",
    "kind",
    "key",
    "valid_from_ms",
    "valid_to_ms",
    "known_from_ms",
    "event_id",
)
COUNT_DELTA = ("workspace_id", "kind", "key", "hour_ms", "delta")
