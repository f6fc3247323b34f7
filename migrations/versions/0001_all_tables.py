"""All tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "aggregate",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("day_ms", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "day_ms", "type", "channel", "content_id", name=op.f("aggregate_pk")
        ),
    )
    op.create_table(
        "change",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("valid_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=True),
        sa.Column("person_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("change_pk")),
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index("changes_after", ["workspace_id", "position"], unique=False)
        batch_op.create_index(
            "changes_of_person", ["workspace_id", "person_id", "position"], unique=False
        )

    op.create_table(
        "checkpoint",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("occurred_ms", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "occurred_ms", "event_id", name=op.f("checkpoint_pk")),
    )
    op.create_table(
        "count_delta",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("hour_ms", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("count_delta_pk")),
    )
    with op.batch_alter_table("count_delta", schema=None) as batch_op:
        batch_op.create_index(
            "counts_until", ["workspace_id", "kind", "key", "hour_ms", "delta"], unique=False
        )

    op.create_table(
        "dead_letter",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("dead_letter_pk")),
        sa.UniqueConstraint(
            "log_id", "partition", "offset", name=op.f("dead_letter_log_id_partition_offset_key")
        ),
    )
    op.create_table(
        "event",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=True),
        sa.Column("cookie_id", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("occurred_ms", sa.BigInteger(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "event_id", name=op.f("event_pk")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("events_of_cookie", ["workspace_id", "cookie_id"], unique=False)
        batch_op.create_index(
            "events_of_identity", ["workspace_id", "identity_id", "occurred_ms"], unique=False
        )

    op.create_table(
        "feed_position",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("feed_position_pk")),
    )
    op.create_table(
        "identity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_pk")),
        sa.UniqueConstraint(
            "workspace_id",
            "namespace",
            "value",
            name=op.f("identity_workspace_id_namespace_value_key"),
        ),
    )
    with op.batch_alter_table("identity", schema=None) as batch_op:
        batch_op.create_index("identities_of_person", ["workspace_id", "person_id"], unique=False)

    op.create_table(
        "identity_edge",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("a_id", sa.BigInteger(), nullable=False),
        sa.Column("b_id", sa.BigInteger(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("a_id", "b_id", name=op.f("identity_edge_pk")),
    )
    with op.batch_alter_table("identity_edge", schema=None) as batch_op:
        batch_op.create_index("edges_from_a", ["workspace_id", "a_id"], unique=False)
        batch_op.create_index("edges_from_b", ["workspace_id", "b_id"], unique=False)

    op.create_table(
        "identity_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=True),
        sa.Column("valid_to_ms", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.LargeBinary(), nullable=True),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("known_to_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("identity_link_pk")),
    )
    with op.batch_alter_table("identity_link", schema=None) as batch_op:
        batch_op.create_index("links_of_identity", ["workspace_id", "identity_id"], unique=False)
        batch_op.create_index("links_of_person", ["workspace_id", "person_id"], unique=False)

    op.create_table(
        "interval",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("valid_to_ms", sa.BigInteger(), nullable=True),
        sa.Column("known_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("known_to_ms", sa.BigInteger(), nullable=True),
        sa.Column("event_id", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("interval_pk")),
    )
    with op.batch_alter_table("interval", schema=None) as batch_op:
        batch_op.create_index(
            "entries_at_time", ["workspace_id", "kind", "key", "valid_from_ms"], unique=False
        )
        batch_op.create_index(
            "exits_at_time", ["workspace_id", "kind", "key", "valid_to_ms"], unique=False
        )
        batch_op.create_index(
            "intervals_of_person",
            ["workspace_id", "person_id", "kind", "valid_from_ms"],
            unique=False,
        )
        batch_op.create_index(
            "members_by_person",
            ["workspace_id", "kind", "key", "person_id", "valid_from_ms"],
            unique=False,
        )

    op.create_table(
        "log_position",
        sa.Column("log_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("log_id", "partition", name=op.f("log_position_pk")),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("first_event_id", sa.LargeBinary(), nullable=False),
        sa.Column("merged_into", sa.BigInteger(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("person_pk")),
        sa.UniqueConstraint(
            "workspace_id", "public_id", name=op.f("person_workspace_id_public_id_key")
        ),
    )
    op.create_table(
        "person_state",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("model_version", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("last_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_event_id", sa.LargeBinary(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("announced", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("person_state_pk")),
    )
    with op.batch_alter_table("person_state", schema=None) as batch_op:
        batch_op.create_index("boundaries_due", ["due_ms"], unique=False)
        batch_op.create_index("persons_of_workspace", ["workspace_id", "person_id"], unique=False)

    op.create_table(
        "segment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("segment_pk")),
        sa.UniqueConstraint("workspace_id", "key", name=op.f("segment_workspace_id_key_key")),
    )
    op.create_table(
        "workspace",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("workspace_pk")),
        sa.UniqueConstraint("public_id", name=op.f("workspace_public_id_key")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("asserted_consent", sa.Text(), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("api_key_workspace_id_fk")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_key_pk")),
        sa.UniqueConstraint("digest", name=op.f("api_key_digest_key")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index("api_key_of_workspace", ["workspace_id"], unique=False)

    op.create_table(
        "link_secret",
        sa.Column(
            "workspace_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("link_secret_workspace_id_fk")
        ),
        sa.PrimaryKeyConstraint("workspace_id", "number", name=op.f("link_secret_pk")),
    )
    op.create_table(
        "segment_version",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "segment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("built_to", sa.BigInteger(), nullable=False),
        sa.Column("live_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["segment_id"], ["segment.id"], name=op.f("segment_version_segment_id_fk")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("segment_version_pk")),
        sa.UniqueConstraint(
            "segment_id", "number", name=op.f("segment_version_segment_id_number_key")
        ),
    )
    with op.batch_alter_table("segment_version", schema=None) as batch_op:
        batch_op.create_index("versions_by_status", ["workspace_id", "status"], unique=False)
