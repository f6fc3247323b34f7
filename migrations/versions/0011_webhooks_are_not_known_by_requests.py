"""Webhooks are not known by requests."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhook", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("webhook_workspace_id_request_key_key"), type_="unique")
        batch_op.drop_column("request_digest")
        batch_op.drop_column("request_key")
