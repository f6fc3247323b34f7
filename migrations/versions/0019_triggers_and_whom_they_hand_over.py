"""Triggers and whom they hand over."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "firing",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("trigger_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("entered_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=True),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("firing_pk")),
        sa.UniqueConstraint(
            "workspace_id",
            "trigger_id",
            "person_id",
            "entered_ms",
            name=op.f("firing_workspace_id_trigger_id_person_id_entered_ms_key"),
        ),
    )
    with op.batch_alter_table("firing", schema=None) as batch_op:
        batch_op.create_index("firings_by_age", ["entered_ms"], unique=False)
        batch_op.create_index(
            "firings_due",
            ["due_ms", "id"],
            unique=False,
            postgresql_where=sa.text("status = 'waiting'"),
            sqlite_where=sa.text("status = 'waiting'"),
        )
        batch_op.create_index("firings_of_person", ["workspace_id", "person_id"], unique=False)
        batch_op.create_index(
            "firings_of_trigger", ["workspace_id", "trigger_id", "id"], unique=False
        )

    op.create_table(
        "trigger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("on_kind", sa.Text(), nullable=False),
        sa.Column("on_key", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("wait_ms", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("per_week", sa.Integer(), nullable=False),
        sa.Column("webhook", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("trigger_pk")),
        sa.UniqueConstraint(
            "workspace_id", "public_id", name=op.f("trigger_workspace_id_public_id_key")
        ),
    )
    with op.batch_alter_table("trigger", schema=None) as batch_op:
        batch_op.create_index("triggers_on", ["workspace_id", "on_kind", "on_key"], unique=False)
