"""What we say of a person, and what the change feed tells of it."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, text

from services.contract.tables.base import Id, metadata, of_workspace

person_state = Table(
    "person_state",
    metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    of_workspace(),
    Column("state", LargeBinary, nullable=False),  # services/model/state.py
    # The state as it was before the latest quiet week: a late event is folded from it.
    Column("settled", LargeBinary),
    Column("model_version", Text, nullable=False),
    Column("version", BigInteger, nullable=False),  # grows with every write of the state
    Column("last_ms", BigInteger, nullable=False),  # the last event's place in the order
    Column("last_event_id", LargeBinary, nullable=False),
    Column("events", Integer, nullable=False),
    # What the change feed said last, as JSON: {"phase": …, "latency": …, "segment:KEY": "member"}
    Column("announced", Text, nullable=False),
    Column("due_ms", BigInteger),  # the next predicted boundary not yet announced
    Index("persons_of_workspace", "workspace_id", "person_id"),
    Index("boundaries_due", "due_ms", "person_id"),
)

model_version = Table(
    "model_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("parameters", LargeBinary),  # JSON as it was added; null: as this code has it
    Column("added_ms", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),  # exactly one is
    Column("activated_ms", BigInteger),  # when it last came into force
)

model_fold = Table(
    "model_fold",
    metadata,
    # A person as a version that is not in force says: services/scorer/shadow.py.
    Column("version_id", BigInteger, primary_key=True, autoincrement=False),
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    of_workspace(),
    # Of person_state, and the segments drawn for them, when it was folded: others, and it is stale.
    Column("person_version", BigInteger, nullable=False),
    Column("rules", Text, nullable=False),
    Column("folded", LargeBinary, nullable=False),
    Index("folds_of_person", "person_id"),
)

checkpoint = Table(
    "checkpoint",
    metadata,
    Column("person_id", BigInteger, primary_key=True),
    Column("occurred_ms", BigInteger, primary_key=True),
    Column("event_id", LargeBinary, primary_key=True),
    of_workspace(),
    Column("state", LargeBinary, nullable=False),
)

interval = Table(
    "interval",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("kind", Text, nullable=False),  # phase | latency | segment
    Column("key", Text, nullable=False),  # a phase, a latency state, a segment version's id
    Column("person_id", BigInteger, nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("valid_to_ms", BigInteger),  # null: not within the horizon
    Column("known_from_ms", BigInteger, nullable=False),
    Column("known_to_ms", BigInteger),  # null: what we hold now
    Column("event_id", LargeBinary),  # the event that began it; null: silence
    Index("intervals_of_person", "workspace_id", "person_id", "kind", "valid_from_ms"),
    # Both bounds, so that who came and went is passed over without a look at the row.
    Index(
        "members_by_person",
        "workspace_id",
        "kind",
        "key",
        "person_id",
        "valid_from_ms",
        text("coalesce(valid_to_ms, 9223372036854775807)"),
    ),
    # Without what is known: PostgreSQL ends that of a row without a look at any index.
    Index("entries_at_time", "workspace_id", "kind", "key", "valid_from_ms"),
    Index("exits_at_time", "workspace_id", "kind", "key", "valid_to_ms"),
)

count_delta = Table(
    "count_delta",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    # In the hour until here so many more intervals (as now known) began than ended; what lies on
    # a whole hour lies in the one until it.
    Column("hour_ms", BigInteger, nullable=False),
    Column("delta", Integer, nullable=False),
    Index("counts_until", "workspace_id", "kind", "key", "hour_ms", "delta"),
)

change = Table(
    "change",
    metadata,
    # Given out under a lock as a transaction's last statement, so that no reader of the feed
    # ever sees a position before one that is still to come.
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    of_workspace(),
    Column("person_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # services/contract/change.py
    # Of a segment its key, of an identity its namespace, of a trigger its public id; else empty.
    Column("key", Text, nullable=False),
    Column("before", Text),
    Column("after", Text),
    Column("valid_ms", BigInteger, nullable=False),  # since when it holds
    Column("recorded_ms", BigInteger, nullable=False),  # when we came to know
    Column("reason", Text, nullable=False),  # services/contract/phases.py
    Column("event_id", LargeBinary),
    Column("person_version", BigInteger, nullable=False),
    Index("changes_after", "workspace_id", "position"),
    Index("changes_of_person", "workspace_id", "person_id", "position"),
)
