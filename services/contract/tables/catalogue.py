"""What there is to read, see and apply for."""

from sqlalchemy import JSON, BigInteger, Column, Index, Table, Text, UniqueConstraint

from services.contract.tables.base import Id, metadata, of_workspace

content = Table(
    "content",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("content_id", Text, nullable=False),  # as events carry it
    Column("kind", Text, nullable=False),  # vacancy | story | …
    Column("title", Text, nullable=False),
    Column("address", Text),
    Column("topics", JSON, nullable=False),
    Column("phase", Text),  # that it is for; null: all of them
    Column("format", Text),
    Column("serves", Text),  # the question that it answers
    Column("cell", Text),  # of the employer's conversations matrix
    Column("published_ms", BigInteger),  # not offered before; null: at once
    Column("closes_ms", BigInteger),  # from then on it is over; null: not known
    Column("feed", Text),  # the feed that keeps it; null: none does
    Column("changed_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "content_id"),
    Index("content_newest_first", "workspace_id", "id"),
    Index("content_by_kind", "workspace_id", "kind", "id"),
    Index("content_of_feed", "workspace_id", "feed", "content_id"),
)
