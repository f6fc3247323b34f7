"""Persons in their order, and who they were merged into."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.create_index("persons_in_order", ["workspace_id", "id"], unique=False)
        batch_op.create_index(
            "persons_merged",
            ["workspace_id", "merged_into"],
            unique=False,
            postgresql_where=sa.text("merged_into IS NOT NULL"),
            sqlite_where=sa.text("merged_into IS NOT NULL"),
        )
