"""Who uses Kentering: workspaces, their keys, and the hooks of their mailers."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from services.contract.tables.base import Id, metadata

workspace = Table(
    "workspace",
    metadata,
    Column("id", Id, primary_key=True),
    Column("public_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),  # IANA name, as Europe/Amsterdam
    # Who was not heard of for so long is erased; null: nobody is.
    Column("retention_months", Integer, server_default="24"),
    # So long after a rejection applicants are kept who agreed to nothing; null: as others are.
    Column("applicant_days", Integer, server_default="28"),
    Column("created_ms", BigInteger, nullable=False),
    # Grows with every transaction by which who is who may change: services/scorer/identities.py.
    Column("who_is_who", BigInteger, nullable=False, server_default="0"),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("workspace_id", ForeignKey("workspace.id"), nullable=False, index=False),
    Column("public_id", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),  # write | server | api
    Column("scopes", JSON, nullable=False),  # for kind api: see services/api/auth.py
    Column("digest", LargeBinary, nullable=False, unique=True),  # services/contract/keys.py
    # Keys of one source, old and new, give one message the same event id.
    Column("source_id", BigInteger, nullable=False),
    Column("asserted_consent", Text),  # the text by which the sender says it holds consent
    Column("asserted_ms", BigInteger),  # when that was declared
    Column("asserted_source", Text),  # where that consent is asked and kept
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),  # as audit.who
    Column("used_ms", BigInteger),  # of api keys, to the minute
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
