"""The product's own working: how far the log is scored, and what could not be."""

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata

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
