"""Who may come in, what they changed, and which requests were answered already."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata, of_workspace

account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("email", Text, nullable=False),  # lower case
    Column("role", Text, nullable=False),  # services/contract/roles.py
    Column("password", Text),  # its Argon2id hash; null until the invitation was followed
    Column("invitation", LargeBinary, unique=True),  # digest of what its link carries
    Column("invited_until_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("used_ms", BigInteger),  # the last log-in
    UniqueConstraint("workspace_id", "email", name="account_of_workspace_by_email"),
    Index("accounts_by_email", "email"),  # the log-in knows no workspace yet
)

session = Table(
    "session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # of what the cookie holds
    of_workspace(),
    Column("account_id", ForeignKey("account.id")),
    Column("key_id", ForeignKey("api_key.id")),  # one that was opened with a key
    Column("created_ms", BigInteger, nullable=False),
    Column("until_ms", BigInteger, nullable=False),
    Index("sessions_of_account", "account_id"),
    Index("sessions_that_end", "until_ms"),
)

login_failure = Table(
    "login_failure",
    metadata,
    Column("mark", LargeBinary, primary_key=True),  # digest of the mail address that was tried
    Column("failures", Integer, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
    Index("login_failures_by_age", "since_ms"),
)

# Rows are only ever added; triggers of both databases hold it.
audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("at_ms", BigInteger, nullable=False),
    Column("who", Text, nullable=False),  # "key key_…", "account acc_…" or "command line"
    Column("what", Text, nullable=False),  # services/contract/audit.py
    Column("about", Text, nullable=False),  # the id of what was changed
    Column("before", JSON),
    Column("after", JSON),
    Index("audit_of_workspace", "workspace_id", "id"),
)

# What a request with an Idempotency-Key made.
request_made = Table(
    "request_made",
    metadata,
    Column("workspace_id", BigInteger, primary_key=True),
    Column("request_key", LargeBinary, primary_key=True),  # digest of the key
    Column("request_digest", LargeBinary, nullable=False),  # of the route and the body
    Column("made", Text, nullable=False),  # its public id, or position
    Column("at_ms", BigInteger, nullable=False),
    Index("requests_made_by_age", "workspace_id", "at_ms"),
)
