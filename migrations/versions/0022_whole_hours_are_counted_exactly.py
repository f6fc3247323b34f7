"""Whole hours are counted exactly by the buckets alone; bounds stand in the index of members."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

HOUR_MS = 3_600_000
_MEMBERS = ("workspace_id", "kind", "key", "person_id", "valid_from_ms")


def upgrade() -> None:
    op.drop_index("members_by_person", table_name="interval")
    op.create_index("members_by_person", "interval", [*_MEMBERS, "valid_to_ms"])
    # A bucket was of the hour that begins at its moment, and is of the one that ends there.
    op.execute(f"UPDATE count_delta SET hour_ms = hour_ms + {HOUR_MS}")
    for column, sign in (("valid_from_ms", 1), ("valid_to_ms", -1)):
        for later, share in ((0, sign), (HOUR_MS, -sign)):
            op.execute(sa.text(_on_whole_hours(column, later, share)))


def _on_whole_hours(column: str, later_ms: int, share: int) -> str:
    """What lies on a whole hour goes from the bucket after it to the one until it."""
    return f"""
        INSERT INTO count_delta (workspace_id, kind, key, hour_ms, delta)
        SELECT workspace_id, kind, key, {column} + {later_ms}, {share} * count(*)
        FROM interval
        WHERE known_to_ms IS NULL AND {column} % {HOUR_MS} = 0
        GROUP BY workspace_id, kind, key, {column}
    """
