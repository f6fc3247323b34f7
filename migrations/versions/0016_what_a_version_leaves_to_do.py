"""What a version leaves to do."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("segment_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told_to", sa.BigInteger(), nullable=True))
    # What versions left behind that were given up before now is cleared away too.
    op.execute("UPDATE segment_version SET told_to = 0 WHERE status = 'retired'")
