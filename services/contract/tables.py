"""The tables that scorer and API share.

Times are UTC milliseconds in bigint columns ending in ``_ms``. Every row carries its workspace
and every index begins with it and is named after the question it answers. Row ids stay inside;
what leaves the product is a random ``public_id``.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
    }
)

# SQLite numbers rows by itself only where the type is exactly INTEGER.
Id = BigInteger().with_variant(Integer(), "sqlite")


def _workspace() -> Column[int]:
    return Column("workspace_id", BigInteger, nullable=False)


# ── who uses Kentering ──────────────────────────────────────────────────────────────────────

workspace = Table(
    "workspace",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),  # IANA name, as Europe/Amsterdam
    Column("created_ms", BigInteger, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspace.id"), nullable=False, index=False),
    Column("kind", Text, nullable=False),  # write | server | api
    Column("scopes", JSON, nullable=False),  # for kind api: see services/api/auth.py
    Column("digest", LargeBinary, nullable=False, unique=True),  # services/contract/keys.py
    # Keys of one source, old and new, give one message the same event id.
    Column("source_id", BigInteger, nullable=False),
    Column("asserted_consent", Text),  # the text by which the sender says it holds consent
    Column("asserted_ms", BigInteger),  # when that was declared
    Column("asserted_source", Text),  # where that consent is asked and kept
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
    Index("api_key_of_workspace", "workspace_id"),
)

link_secret = Table(
    "link_secret",
    metadata,
    Column("workspace_id", ForeignKey("workspace.id"), primary_key=True),
    Column("number", SmallInteger, primary_key=True),  # stands in the tokens it signed
    Column("secret", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

hook = Table(
    "hook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspace.id"), nullable=False, index=False),
    Column("public_id", Text, nullable=False, unique=True),  # the last part of its address
    Column("esp", Text, nullable=False),  # services/contract/hook.py
    Column("url", Text, nullable=False),
    Column("secrets", LargeBinary, nullable=False),  # JSON, through services/contract/vault.py
    Column("asserted_consent", Text),  # the text by which the sender says it holds consent
    Column("asserted_ms", BigInteger),  # since when
    Column("asserted_source", Text),  # where that consent is asked and kept
    Column("mapping", JSON),  # of a generic hook
    Column("created_ms", BigInteger, nullable=False),
    Index("hooks_of_workspace", "workspace_id"),
)

# ── the record: what happened, and to whom ──────────────────────────────────────────────────

person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("public_id", Text, nullable=False),
    # The person's earliest event: of two that turn out to be one, the earlier survives.
    Column("first_ms", BigInteger, nullable=False),
    Column("first_event_id", LargeBinary, nullable=False),
    Column("merged_into", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
)

identity = Table(
    "identity",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("namespace", Text, nullable=False),
    Column("value", Text, nullable=False),  # through services/contract/vault.py
    Column("person_id", BigInteger),  # whose it is now; null until resolved
    # A cookie used by several known people in turn: whose an event is depends on its time.
    Column("shared", Boolean, nullable=False),
    UniqueConstraint("workspace_id", "namespace", "value"),
    Index("identities_of_person", "workspace_id", "person_id"),
)

identity_edge = Table(
    "identity_edge",
    metadata,
    _workspace(),
    # The first event that named both, see services/model/identity.py; a_id < b_id.
    Column("a_id", BigInteger, nullable=False, primary_key=True),
    Column("b_id", BigInteger, nullable=False, primary_key=True),
    Column("told_ms", BigInteger, nullable=False),  # UNTOLD_MS: no event did
    Column("event_id", LargeBinary, nullable=False),
    # What was decided of the two last and still stands; null: nothing.
    Column("decision", Text),
    Column("decided_ms", BigInteger),
    Column("decided_by", LargeBinary),  # the event
    Index("edges_from_b", "workspace_id", "b_id"),
    Index("edges_from_a", "workspace_id", "a_id"),
)

identity_link = Table(
    "identity_link",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("identity_id", BigInteger, nullable=False),
    Column("person_id", BigInteger, nullable=False),
    # Events in [valid_from_ms, valid_to_ms) belong to the person; null is without end.
    Column("valid_from_ms", BigInteger),
    Column("valid_to_ms", BigInteger),
    Column("event_id", LargeBinary),  # the event that tied it; null for the identity alone
    Column("known_from_ms", BigInteger, nullable=False),
    Column("known_to_ms", BigInteger),
    Index("links_of_identity", "workspace_id", "identity_id"),
    Index("links_of_person", "workspace_id", "person_id"),
)

identity_decision = Table(
    "identity_decision",
    metadata,
    # All that was ever decided of two identities, a_id < b_id; the event holds who and why.
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("a_id", BigInteger, nullable=False),
    Column("b_id", BigInteger, nullable=False),
    Column("decision", Text, nullable=False),  # services/contract/decision.py
    Column("said_ms", BigInteger, nullable=False),
    Column("event_id", LargeBinary, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "event_id"),
    Index("decisions_of_pair", "workspace_id", "a_id", "b_id"),
    Index("decisions_from_b", "workspace_id", "b_id"),
    Index("decisions_of_workspace", "workspace_id", "id"),
)

identity_conflict = Table(
    "identity_conflict",
    metadata,
    # Two identities that may be one person's, for people to decide; gone when it is settled.
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("a_id", BigInteger, nullable=False),
    Column("b_id", BigInteger, nullable=False),  # a_id < b_id
    Column("cookie_id", BigInteger, nullable=False),  # the browser that both used; 0: none
    Column("event_id", LargeBinary, nullable=False),  # the event that showed it
    Column("known_from_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "a_id", "b_id", "cookie_id"),
    Index("conflicts_from_b", "workspace_id", "b_id"),
    Index("conflicts_of_cookie", "workspace_id", "cookie_id"),
    Index("conflicts_of_workspace", "workspace_id", "id"),
)

event = Table(
    "event",
    metadata,
    Column("workspace_id", BigInteger, primary_key=True),
    Column("event_id", LargeBinary, primary_key=True),
    Column("identity_id", BigInteger),  # the surest identity it named; null: it counts only
    Column("cookie_id", BigInteger),  # the cookie it named beside a surer identity
    Column("type", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("content_id", Text),
    Column("occurred_ms", BigInteger, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # 8 bytes: which of two copies is canonical
    Column("payload", LargeBinary, nullable=False),  # the envelope, through vault.py
    Index("events_of_identity", "workspace_id", "identity_id", "occurred_ms"),
    Index("events_of_cookie", "workspace_id", "cookie_id"),
)

aggregate = Table(
    "aggregate",
    metadata,
    Column("workspace_id", BigInteger, primary_key=True),
    Column("day_ms", BigInteger, primary_key=True),
    Column("type", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("content_id", Text, primary_key=True),  # empty where there is none
    Column("count", BigInteger, nullable=False),
)

# ── what people agreed to ───────────────────────────────────────────────────────────────────

consent = Table(
    "consent",
    metadata,
    # Append-only: the ledger. What holds follows from it by services/contract/consent.py.
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("identity_id", BigInteger, nullable=False),  # who said it
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("answered", Boolean, nullable=False),  # said for this purpose then, not repeated
    Column("asserted", Boolean, nullable=False),  # said for them by a sender's declaration
    Column("text_version", Text),
    Column("said_ms", BigInteger, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("event_id", LargeBinary, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "identity_id", "purpose", "event_id"),
    Index("refusals_of_workspace", "workspace_id", "granted", "answered"),
)

withdrawal = Table(
    "withdrawal",
    metadata,
    # What trackers are told: whoever bears this mark took consent back.
    _workspace(),
    Column("mark", LargeBinary, nullable=False),  # services/contract/withdrawal.py
    Column("identity_id", BigInteger, nullable=False),
    Column("measure_ms", BigInteger),  # when it was taken back; null: it was not
    Column("profile_ms", BigInteger),
    # Given out under a lock, so that whoever reads after a number misses nothing.
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "mark"),
    Index("withdrawals_after", "number"),
    Index("withdrawals_of_identity", "workspace_id", "identity_id"),
)

# ── what we say of a person ─────────────────────────────────────────────────────────────────

person_state = Table(
    "person_state",
    metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    _workspace(),
    Column("state", LargeBinary, nullable=False),  # services/model/state.py
    # The state as it was before the latest quiet week: a late event is folded from it.
    Column("settled", LargeBinary),
    Column("model_version", Text, nullable=False),
    Column("version", BigInteger, nullable=False),  # grows with every write of this row
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
    _workspace(),
    # Of person_state, and the segments in force, when it was folded: others, and it is stale.
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
    _workspace(),
    Column("state", LargeBinary, nullable=False),
)

interval = Table(
    "interval",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("kind", Text, nullable=False),  # phase | latency | segment
    Column("key", Text, nullable=False),  # a phase, a latency state, a segment version's id
    Column("person_id", BigInteger, nullable=False),
    Column("valid_from_ms", BigInteger, nullable=False),
    Column("valid_to_ms", BigInteger),  # null: not within the horizon
    Column("known_from_ms", BigInteger, nullable=False),
    Column("known_to_ms", BigInteger),  # null: what we hold now
    Column("event_id", LargeBinary),  # the event that began it; null: silence
    Index("intervals_of_person", "workspace_id", "person_id", "kind", "valid_from_ms"),
    Index("members_by_person", "workspace_id", "kind", "key", "person_id", "valid_from_ms"),
    Index("entries_at_time", "workspace_id", "kind", "key", "valid_from_ms"),
    Index("exits_at_time", "workspace_id", "kind", "key", "valid_to_ms"),
)

count_delta = Table(
    "count_delta",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    # In the hour beginning here so many more intervals (as now known) began than ended.
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
    _workspace(),
    Column("person_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # phase | latency | segment | identity
    Column("key", Text, nullable=False),  # for a segment its key; else empty
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

# ── what is sent, and the links in it ───────────────────────────────────────────────────────

campaign = Table(
    "campaign",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("public_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("starts_ms", BigInteger),
    Column("ends_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    # Digests of the request's Idempotency-Key and of its body: services/api/idempotency.py.
    Column("request_key", LargeBinary),
    Column("request_digest", LargeBinary, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    UniqueConstraint("workspace_id", "request_key"),
)

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("public_id", Text, nullable=False),  # events carry it as their message_id
    Column("campaign_id", ForeignKey("campaign.id")),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("request_key", LargeBinary),
    Column("request_digest", LargeBinary, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    UniqueConstraint("workspace_id", "request_key"),
    Index("messages_of_campaign", "workspace_id", "campaign_id"),
)

link = Table(
    "link",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("public_id", Text, nullable=False),
    Column("token", Text, nullable=False),  # all that the tracker needs; the rest is for lists
    Column("digest", LargeBinary, nullable=False),  # of the token: the same link is stored once
    Column("target", Text, nullable=False),
    Column("mailing", Text),  # a message's public id, or the sender's own name for a mailing
    Column("content_id", Text),
    Column("content_type", Text),
    Column("channel", Text, nullable=False),
    Column("expires_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    UniqueConstraint("workspace_id", "digest"),
    Index("links_of_mailing", "workspace_id", "mailing"),
)

unsubscribed = Table(
    "unsubscribed",
    metadata,
    _workspace(),
    # A person token: a keyed hash of the identity that was mailed, and of nothing else.
    Column("mark", LargeBinary, nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "mark"),
)

# ── segments ────────────────────────────────────────────────────────────────────────────────

segment = Table(
    "segment",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("deleted_ms", BigInteger),
    UniqueConstraint("workspace_id", "key"),
)

segment_version = Table(
    "segment_version",
    metadata,
    Column("id", Id, primary_key=True),
    _workspace(),
    Column("segment_id", ForeignKey("segment.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("rule", JSON, nullable=False),  # services/model/rules.py
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    # building: being filled beside the live one; live: in force; retired: readable as it was.
    Column("status", Text, nullable=False),
    Column("built_to", BigInteger, nullable=False),  # every person id up to here is filled
    Column("live_ms", BigInteger),  # when it came into force
    UniqueConstraint("segment_id", "number"),
    Index("versions_by_status", "workspace_id", "status"),
)

# ── the machine's own working ───────────────────────────────────────────────────────────────

log_position = Table(
    "log_position",
    metadata,
    Column("log_id", Text, primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Id, primary_key=True),
    Column("log_id", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    UniqueConstraint("log_id", "partition", "offset"),
)

feed_position = Table(
    "feed_position",
    metadata,
    # 1: of the feed; 2: of withdrawals; 3: held by who announces (services/scorer/announce.py).
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("next", BigInteger, nullable=False),
)
