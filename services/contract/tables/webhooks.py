"""Who is told of changes: readers of the feed, webhooks, and what was sent to them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata, of_workspace

feed_reader = Table(
    "feed_reader",
    metadata,
    # A webhook's public id, or the name of the topic that changes are copied into.
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),  # all up to here was taken
    # The process that reads for it; one that lives makes the beat grow.
    Column("holder", Text),
    Column("beat", BigInteger, nullable=False),
)

webhook = Table(
    "webhook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspace.id"), nullable=False, index=False),
    Column("public_id", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("types", JSON, nullable=False),  # empty: all
    Column("segments", JSON, nullable=False),  # of changes of membership; empty: all
    Column("late", Boolean, nullable=False),  # what was long valid when it was found is sent too
    Column("secrets", LargeBinary, nullable=False),  # services/contract/webhook.py
    Column("status", Text, nullable=False),  # active | paused: by somebody | dead: by us
    Column("status_ms", BigInteger, nullable=False),  # since when
    Column("notice", Text),  # why it is dead
    # How its receiver does: since when nothing succeeded, how often in a row, when to try again.
    Column("failing_ms", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("retry_ms", BigInteger),
    Column("succeeded_ms", BigInteger),
    Column("version", BigInteger, nullable=False),  # grows with every wish of its owner
    Column("created_ms", BigInteger, nullable=False),
    Index("webhooks_of_workspace", "workspace_id", "id"),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("webhook_id", BigInteger, nullable=False),
    Column("public_id", Text, nullable=False),  # the message's id, the same on every repeat
    Column("position", BigInteger),  # of the change; null: a test
    Column("person_id", BigInteger),
    Column("status", Text, nullable=False),  # waiting | delivered | failed | gone
    Column("asked", Boolean, nullable=False),  # by somebody, so that it waits for nobody
    Column("attempts", Integer, nullable=False),
    Column("first_ms", BigInteger),  # of the attempts
    Column("next_ms", BigInteger, nullable=False),  # not before this moment
    Column("last_ms", BigInteger),
    Column("http_status", SmallInteger),  # of the last attempt; null: there was no answer
    Column("error", Text),  # why there was none, or why it did not count
    Column("took_ms", Integer),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    Index("deliveries_of_webhook", "workspace_id", "webhook_id", "id"),
    Index("deliveries_by_status", "workspace_id", "webhook_id", "status", "id"),
)
