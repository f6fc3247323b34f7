"""Campaigns, messages, links, and who unsubscribed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("starts_ms", sa.BigInteger(), nullable=True),
        sa.Column("ends_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("request_key", sa.LargeBinary(), nullable=True),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("campaign_pk")),
        sa.UniqueConstraint(
            "workspace_id", "public_id", name=op.f("campaign_workspace_id_public_id_key")
        ),
        sa.UniqueConstraint(
            "workspace_id", "request_key", name=op.f("campaign_workspace_id_request_key_key")
        ),
    )
    op.create_table(
        "link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("mailing", sa.Text(), nullable=True),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("link_pk")),
        sa.UniqueConstraint("workspace_id", "digest", name=op.f("link_workspace_id_digest_key")),
        sa.UniqueConstraint(
            "workspace_id", "public_id", name=op.f("link_workspace_id_public_id_key")
        ),
    )
    with op.batch_alter_table("link", schema=None) as batch_op:
        batch_op.create_index("links_of_mailing", ["workspace_id", "mailing"], unique=False)

    op.create_table(
        "unsubscribed",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "mark", name=op.f("unsubscribed_pk")),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column(
            "campaign_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("request_key", sa.LargeBinary(), nullable=True),
        sa.Column("request_digest", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("message_campaign_id_fk")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("message_pk")),
        sa.UniqueConstraint(
            "workspace_id", "public_id", name=op.f("message_workspace_id_public_id_key")
        ),
        sa.UniqueConstraint(
            "workspace_id", "request_key", name=op.f("message_workspace_id_request_key_key")
        ),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index("messages_of_campaign", ["workspace_id", "campaign_id"], unique=False)
