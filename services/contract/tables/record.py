"""The record: what happened, and to whom."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.contract.tables.base import Id, metadata, of_workspace

person = Table(
    "person",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False),
    # The person's earliest event: of two that turn out to be one, the earlier survives.
    Column("first_ms", BigInteger, nullable=False),
    Column("first_event_id", LargeBinary, nullable=False),
    Column("merged_into", BigInteger),
    # Of what was last said of somebody of whom nothing is now: the next is newer.
    Column("version", BigInteger),
    Column("erased_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    # One after the other, as segments are filled.
    Index("persons_in_order", "workspace_id", "id"),
    # Who turned out to be somebody: nothing is written to it for other persons.
    Index(
        "persons_merged",
        "workspace_id",
        "merged_into",
        postgresql_where=text("merged_into IS NOT NULL"),
        sqlite_where=text("merged_into IS NOT NULL"),
    ),
)

identity = Table(
    "identity",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
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
    of_workspace(),
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
    of_workspace(),
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
    of_workspace(),
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
    of_workspace(),
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
    # With the type: of some types, others are passed over without a look at their rows.
    Index("events_of_identity", "workspace_id", "identity_id", "occurred_ms", "type"),
    # Who used a cookie: nothing is written to it for other events.
    Index(
        "events_of_cookie",
        "workspace_id",
        "cookie_id",
        postgresql_where=text("cookie_id IS NOT NULL"),
        sqlite_where=text("cookie_id IS NOT NULL"),
    ),
    # Who was hired, and left.
    Index(
        "employment",
        "workspace_id",
        "identity_id",
        postgresql_where=text("type IN ('hired', 'left')"),
        sqlite_where=text("type IN ('hired', 'left')"),
    ),
    # Procedures that ended, of people: nothing is written to it for other events.
    Index(
        "rejections",
        "workspace_id",
        "occurred_ms",
        "event_id",
        postgresql_where=text("type = 'rejected' AND identity_id IS NOT NULL"),
        sqlite_where=text("type = 'rejected' AND identity_id IS NOT NULL"),
    ),
    # Who was put in a segment by hand: nothing is written to it for other events.
    Index(
        "listed_in_segment",
        "workspace_id",
        "content_id",
        "occurred_ms",
        "event_id",
        postgresql_where=text("type = 'segment_listed'"),
        sqlite_where=text("type = 'segment_listed'"),
    ),
)

sweep = Table(
    "sweep",
    metadata,
    # Clicks from one place within a minute: services/model/behaviour.py.
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("from_ms", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),  # services/tracker/origin.py
    # As JSON, the identities whose links were followed: until there are enough of them.
    Column("recipients", Text, nullable=False),
    Column("known_ms", BigInteger),  # since when there are enough; null: there are not
    Column("noted_ms", BigInteger, nullable=False),  # when one was last added
    UniqueConstraint("workspace_id", "from_ms", "origin"),
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
