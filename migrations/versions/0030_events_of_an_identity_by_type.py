"""The events of an identity stand in their index with their types."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever fills a segment asks for few types of each person's events, and read the rows of all.
    op.drop_index("events_of_identity", table_name="event")
    op.create_index(
        "events_of_identity", "event", ["workspace_id", "identity_id", "occurred_ms", "type"]
    )
