"""When sweeps were noted."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sweep", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("noted_ms", sa.BigInteger(), nullable=False, server_default="0")
        )
    with op.batch_alter_table("sweep", schema=None) as batch_op:
        batch_op.alter_column("noted_ms", server_default=None)
