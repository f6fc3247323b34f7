"""Decisions about who is who."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_conflict",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("a_id", sa.BigInteger(), nullable=False),
        sa.Column("b_id", sa.BigInteger(), nullable=False),
        sa.Column("cookie_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=False),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_conflict_pk")),
        sa.UniqueConstraint(
            "workspace_id",
            "a_id",
            "b_id",
            "cookie_id",
            name=op.f("identity_conflict_workspace_id_a_id_b_id_cookie_id_key"),
        ),
    )
    with op.batch_alter_table("identity_conflict", schema=None) as batch_op:
        batch_op.create_index("conflicts_from_b", ["workspace_id", "b_id"], unique=False)
        batch_op.create_index("conflicts_of_cookie", ["workspace_id", "cookie_id"], unique=False)
        batch_op.create_index("conflicts_of_workspace", ["workspace_id", "id"], unique=False)

    op.create_table(
        "identity_decision",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("a_id", sa.BigInteger(), nullable=False),
        sa.Column("b_id", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("said_ms", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_decision_pk")),
        sa.UniqueConstraint(
            "workspace_id", "event_id", name=op.f("identity_decision_workspace_id_event_id_key")
        ),
    )
    with op.batch_alter_table("identity_decision", schema=None) as batch_op:
        batch_op.create_index("decisions_from_b", ["workspace_id", "b_id"], unique=False)
        batch_op.create_index("decisions_of_pair", ["workspace_id", "a_id", "b_id"], unique=False)
        batch_op.create_index("decisions_of_workspace", ["workspace_id", "id"], unique=False)

    with op.batch_alter_table("identity_edge", schema=None) as batch_op:
        batch_op.add_column(sa.Column("decision", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("decided_ms", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.LargeBinary(), nullable=True))
