"""Who is who as it stands, and what one event costs."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("workspace", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("who_is_who", sa.BigInteger(), server_default="0", nullable=False)
        )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index("events_of_cookie")
        batch_op.create_index(
            "events_of_cookie",
            ["workspace_id", "cookie_id"],
            postgresql_where=sa.text("cookie_id IS NOT NULL"),
            sqlite_where=sa.text("cookie_id IS NOT NULL"),
        )
