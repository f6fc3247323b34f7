"""Versions that come into force together, lists by hand."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            "listed_in_segment",
            ["workspace_id", "content_id", "occurred_ms", "event_id"],
            unique=False,
            postgresql_where=sa.text("type = 'segment_listed'"),
            sqlite_where=sa.text("type = 'segment_listed'"),
        )

    with op.batch_alter_table("segment_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("together_id", sa.BigInteger(), nullable=True))
