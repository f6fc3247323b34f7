"""What content is for."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("content", schema=None) as batch_op:
        batch_op.add_column(sa.Column("phase", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("format", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("serves", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("cell", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("published_ms", sa.BigInteger(), nullable=True))
        batch_op.create_index("content_newest_first", ["workspace_id", "id"], unique=False)
