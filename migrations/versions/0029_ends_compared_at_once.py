"""The index of members holds an interval without end as one that ends last of all."""

from alembic import op
from sqlalchemy import text

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_MEMBERS = ["workspace_id", "kind", "key", "person_id", "valid_from_ms"]
_ENDS = text("coalesce(valid_to_ms, 9223372036854775807)")


def upgrade() -> None:
    # Who is in at a moment was looked for twice, among those whose interval ends later and among
    # those whose has no end, and both ways pass over all who came and went.
    op.drop_index("members_by_person", table_name="interval")
    op.create_index("members_by_person", "interval", [*_MEMBERS, _ENDS])
