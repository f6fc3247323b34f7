"""Segments and the versions of their rules."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata, of_workspace

segment = Table(
    "segment",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("deleted_ms", BigInteger),
    UniqueConstraint("workspace_id", "key"),
)

segment_version = Table(
    "segment_version",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("segment_id", ForeignKey("segment.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("rule", JSON, nullable=False),  # services/model/rules/
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    # building: being filled beside the live one; live: in force; retired: readable as it was.
    Column("status", Text, nullable=False),
    Column("built_to", BigInteger, nullable=False),  # every person id up to here is filled,
    # but for these few, a list: another worker had them at hand when it was their turn.
    Column("passed_by", JSON, nullable=False, server_default="[]"),
    Column("live_ms", BigInteger),  # when it came into force
    # Versions of segments that refer to each other come into force in one step: those with the
    # same number, the id of the first of them; null: this one alone.
    Column("together_id", BigInteger),
    # Up to which person what its coming into force, or its going, brings was done; null: all.
    Column("told_to", BigInteger),  # services/scorer/aftermath.py
    UniqueConstraint("segment_id", "number"),
    Index("versions_by_status", "workspace_id", "status"),
)
