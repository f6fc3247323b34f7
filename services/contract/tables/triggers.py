"""Triggers, and whoever they hand to a tool: each stay of somebody once."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.contract.tables.base import Id, metadata, of_workspace

trigger = Table(
    "trigger",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    # What somebody enters: a segment, by its key, or a phase.
    Column("on_kind", Text, nullable=False),
    Column("on_key", Text, nullable=False),
    Column("content_id", Text),  # null: what comes next for that person
    Column("moment", Text, nullable=False),  # services/model/triggers.py
    Column("wait_ms", BigInteger, nullable=False),  # so long after entering, or at most so long
    Column("channel", Text),  # over which the tool approaches them; null: over none
    Column("per_week", Integer, nullable=False),  # from so many contacts on nobody is handed over
    Column("webhook", Text),  # public id of the one that is told; null: all that ask for triggers
    Column("status", Text, nullable=False),  # active | paused
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("deleted_ms", BigInteger),  # it stays for the messages that tell of it
    UniqueConstraint("workspace_id", "public_id"),
    Index("triggers_on", "workspace_id", "on_kind", "on_key"),
)

firing = Table(
    "firing",
    metadata,
    # Of somebody who entered: when they are to be handed over, and what came of it.
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("trigger_id", BigInteger, nullable=False),
    Column("person_id", BigInteger, nullable=False),
    Column("entered_ms", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("status", Text, nullable=False),  # waiting | fired | withheld
    Column("why", Text),  # it was withheld: services/model/triggers.py
    Column("content_id", Text),  # what they were handed over with
    # By what they entered, as the change feed told it.
    Column("reason", Text, nullable=False),
    Column("event_id", LargeBinary),
    Column("decided_ms", BigInteger),
    UniqueConstraint("workspace_id", "trigger_id", "person_id", "entered_ms"),
    Index("firings_of_trigger", "workspace_id", "trigger_id", "id"),
    Index("firings_of_person", "workspace_id", "person_id"),
    Index(
        "firings_due",
        "due_ms",
        "id",
        postgresql_where=text("status = 'waiting'"),
        sqlite_where=text("status = 'waiting'"),
    ),
    Index("firings_by_age", "entered_ms"),
)
