"""How long applicants are kept, and proofs of who was erased."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("erased_consent", schema=None) as batch_op:
        batch_op.create_index("proofs_by_age", ["workspace_id", "recorded_ms"], unique=False)

    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            "employment",
            ["workspace_id", "identity_id"],
            unique=False,
            postgresql_where=sa.text("type IN ('hired', 'left')"),
            sqlite_where=sa.text("type IN ('hired', 'left')"),
        )
        batch_op.create_index(
            "rejections",
            ["workspace_id", "occurred_ms", "event_id"],
            unique=False,
            postgresql_where=sa.text("type = 'rejected' AND identity_id IS NOT NULL"),
            sqlite_where=sa.text("type = 'rejected' AND identity_id IS NOT NULL"),
        )

    with op.batch_alter_table("workspace", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("applicant_days", sa.Integer(), server_default="28", nullable=True)
        )
    # Whoever is there already loses nobody by an upgrade.
    op.execute("UPDATE workspace SET applicant_days = NULL")
