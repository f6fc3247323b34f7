"""Accounts, sessions, audit."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("invitation", sa.LargeBinary(), nullable=True),
        sa.Column("invited_until_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pk")),
        sa.UniqueConstraint("invitation", name=op.f("account_invitation_key")),
        sa.UniqueConstraint("public_id", name=op.f("account_public_id_key")),
        sa.UniqueConstraint("workspace_id", "email", name="account_of_workspace_by_email"),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index("accounts_by_email", ["email"], unique=False)

    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pk")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("audit_of_workspace", ["workspace_id", "id"], unique=False)

    op.create_table(
        "login_failure",
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("login_failure_pk")),
    )
    with op.batch_alter_table("login_failure", schema=None) as batch_op:
        batch_op.create_index("login_failures_by_age", ["since_ms"], unique=False)

    op.create_table(
        "request_made",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("request_key", sa.LargeBinary(), nullable=False),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "request_key", name=op.f("request_made_pk")),
    )
    with op.batch_alter_table("request_made", schema=None) as batch_op:
        batch_op.create_index("requests_made_by_age", ["workspace_id", "at_ms"], unique=False)

    op.create_table(
        "session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("key_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("session_account_id_fk")),
        sa.ForeignKeyConstraint(["key_id"], ["api_key.id"], name=op.f("session_key_id_fk")),
        sa.PrimaryKeyConstraint("digest", name=op.f("session_pk")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index("sessions_of_account", ["account_id"], unique=False)
        batch_op.create_index("sessions_that_end", ["until_ms"], unique=False)

    # What requests with an Idempotency-Key made is kept in one place for all.
    for name in ("campaign", "job", "message"):
        with op.batch_alter_table(name, schema=None) as batch_op:
            batch_op.drop_constraint(
                batch_op.f(f"{name}_workspace_id_request_key_key"), type_="unique"
            )
            batch_op.drop_column("request_key")
            batch_op.drop_column("request_digest")

    with op.batch_alter_table("api_key", schema=None) as batch_op:
        for name in ("public_id", "name", "created_by"):
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("used_ms", sa.BigInteger(), nullable=True))
    _name_keys()
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        for name in ("public_id", "name", "created_by"):
            batch_op.alter_column(name, existing_type=sa.Text(), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("api_key_public_id_key"), ["public_id"])

    _only_add_to_the_audit()


def _name_keys() -> None:
    """Keys had neither id nor name outside."""
    key = sa.table(
        "api_key",
        *(sa.column(name) for name in ("id", "kind", "public_id", "name", "created_by")),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(key.c.id, key.c.kind)).all():
        values = {
            "public_id": f"key_{secrets.token_hex(8)}",
            "name": f"{row.kind} key",
            "created_by": "command line",
        }
        connection.execute(sa.update(key).where(key.c.id == row.id).values(values))


def _only_add_to_the_audit() -> None:
    text = "rows of the audit are only ever added"
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_added() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{text}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_added()"
    )
