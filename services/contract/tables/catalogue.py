"""What an employer publishes: the catalogue."""

from sqlalchemy import BigInteger, Column, Index, Table, Text, UniqueConstraint

from services.contract.tables.base import Id, metadata, of_workspace

content = Table(
    "content",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("content_id", Text, nullable=False),  # the employer's own, as events carry it
    Column("content_type", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text),
    Column("topics", Text, nullable=False),  # a JSON list
    Column("phase", Text),
    Column("format", Text),
    Column("serves", Text),
    Column("cell", Text),
    Column("published_ms", BigInteger),
    Column("closes_ms", BigInteger),
    Column("updated_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "content_id"),
    Index("content_newest_first", "workspace_id", "id"),
)
