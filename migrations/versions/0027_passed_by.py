"""Whom filling a segment passed by, because another worker had them at hand."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "segment_version", sa.Column("passed_by", sa.JSON(), nullable=False, server_default="[]")
    )
