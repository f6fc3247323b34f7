"""A state of some two thousand bytes stays in its row."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ROW_BYTES_MAX = 8_160
"""The largest row that PostgreSQL has a page for."""


def upgrade() -> None:
    # From two thousand bytes on PostgreSQL compresses values and moves them into a table of their
    # own, at every write. States lie around that size, and do not become smaller.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE person_state SET (toast_tuple_target = {ROW_BYTES_MAX})")
