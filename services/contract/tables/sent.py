"""What is sent, and the links in it."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata, of_workspace

campaign = Table(
    "campaign",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("starts_ms", BigInteger),
    Column("ends_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
)

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False),  # events carry it as their message_id
    Column("campaign_id", ForeignKey("campaign.id")),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    Index("messages_of_campaign", "workspace_id", "campaign_id"),
)

link = Table(
    "link",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False),
    Column("token", Text, nullable=False),  # all that the tracker needs; the rest is for lists
    Column("digest", LargeBinary, nullable=False),  # of the token: the same link is stored once
    Column("target", Text, nullable=False),
    Column("mailing", Text),  # a message's public id, or the sender's own name for a mailing
    Column("content_id", Text),
    Column("content_type", Text),
    Column("channel", Text, nullable=False),
    Column("expires_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    UniqueConstraint("workspace_id", "public_id"),
    UniqueConstraint("workspace_id", "digest"),
    Index("links_of_mailing", "workspace_id", "mailing"),
)

unsubscribed = Table(
    "unsubscribed",
    metadata,
    of_workspace(),
    # A person token: a keyed hash of the identity that was mailed, and of nothing else.
    Column("mark", LargeBinary, nullable=False),
    Column("told_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("workspace_id", "mark"),
)
