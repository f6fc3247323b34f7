"""No workspace is thought empty because another one is large."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLES = ("person", "identity", "identity_link", "event", "person_state", "change")
"""Not of intervals: of these there are no statistics of keys either (0024), and one of the two must
tell that they are many."""


def upgrade() -> None:
    # By its statistics PostgreSQL knows of a large workspace, and takes one that came since for
    # empty. Then every way to a row of it seems as good as another: to find one person it reads
    # all people of the workspace, and all events for those of one.
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            column = f"ALTER TABLE {table} ALTER COLUMN workspace_id"
            op.execute(f"{column} TYPE BIGINT")  # forgets those that there are
            op.execute(f"{column} SET STATISTICS 0")
