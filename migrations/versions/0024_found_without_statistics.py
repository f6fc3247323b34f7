"""No key of an interval is thought rare because it is new."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        # A segment's new version has a key that PostgreSQL has not seen when it last took its
        # statistics. It would hold every index for as good, and go through all of the version's
        # rows for a few people's. Without statistics all keys are alike to it.
        op.execute("ALTER TABLE interval ALTER COLUMN key TYPE TEXT")  # forgets those it has
        op.execute("ALTER TABLE interval ALTER COLUMN key SET STATISTICS 0")
