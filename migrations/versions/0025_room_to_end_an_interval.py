"""Pages of intervals keep room for the same rows, ended: no index is written for that."""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FILLED_PERCENT = 85
"""Of somebody's rows, which share a page, an event ends four or five; the next one finds their room
free again."""


def upgrade() -> None:
    # When an interval turns out otherwise, only when we knew it changes, which no index holds. In
    # a full page there is no place for the row as it is now, and PostgreSQL would write it to
    # another one, and to every index. Pages that are full already are left as they are.
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE interval SET (fillfactor = {FILLED_PERCENT})")
