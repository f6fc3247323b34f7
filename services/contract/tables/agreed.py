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
    Column("asked_where", Text),  # and is kept; null: nobody said
    # Of an objection (GDPR 21) why, and who recorded it; null: it is none.
    Column("objection", Text),
    Column("objection_by", Text),
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

erasure = Table(
    "erasure",
    metadata,
    # Whom we do not know any more, so that nothing of before comes back: keyed hashes alone.
    of_workspace(),
    Column("mark", BigInteger, nullable=False),  # services/contract/withdrawal.py, as a number
    # Erased is what happened in [from_ms, to_ms): all, unless a browser was others' too.
    Column("from_ms", BigInteger, nullable=False),
    Column("to_ms", BigInteger, nullable=False),
    Column("erased_ms", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),  # services/contract/erasure.py
    Column("lifted_ms", BigInteger),  # when consent was given anew
    PrimaryKeyConstraint("workspace_id", "mark", "from_ms", "to_ms"),
)

erased_consent = Table(
    "erased_consent",
    metadata,
    # What is left of the ledger of whom was erased: that there was a yes, and until when.
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("mark", BigInteger, nullable=False),  # of who said it
    Column("purpose", Text, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("asserted", Boolean, nullable=False),
    Column("text_mark", BigInteger),  # a keyed hash of the name of the words agreed to
    Column("said_ms", BigInteger, nullable=False),
    Column("source_id", BigInteger, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    Index("proofs_of_mark", "workspace_id", "mark"),
    Index("proofs_by_age", "workspace_id", "recorded_ms"),
)
