"""The ledger has where consent was asked, for what is told of consent given elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("consent", sa.Column("asked_where", sa.Text))
