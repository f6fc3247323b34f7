"""What people agreed to, and took back."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata, of_workspace

consent = Table(
    "consent",
    metadata,
    # Append-only: the ledger. What holds follows from it by services/contract/consent.py.
    Column("id", Id, primary_key=True),
    of_workspace(),
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
    of_workspace(),
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
