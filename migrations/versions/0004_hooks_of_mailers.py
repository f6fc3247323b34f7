"""Hooks of mailers."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hook",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("esp", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secrets", sa.LargeBinary(), nullable=False),
        sa.Column("asserted_consent", sa.Text(), nullable=True),
        sa.Column("asserted_ms", sa.BigInteger(), nullable=True),
        sa.Column("asserted_source", sa.Text(), nullable=True),
        sa.Column("mapping", sa.JSON(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("hook_workspace_id_fk")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("hook_pk")),
        sa.UniqueConstraint("public_id", name=op.f("hook_public_id_key")),
    )
    with op.batch_alter_table("hook", schema=None) as batch_op:
        batch_op.create_index("hooks_of_workspace", ["workspace_id"], unique=False)
