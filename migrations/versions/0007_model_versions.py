"""Model versions, and boundaries in order."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("person_state", schema=None) as batch_op:
        batch_op.drop_index("boundaries_due")
        batch_op.create_index("boundaries_due", ["due_ms", "person_id"], unique=False)
    op.create_table(
        "model_fold",
        sa.Column("version_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("person_version", sa.BigInteger(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("folded", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "person_id", name=op.f("model_fold_pk")),
    )
    with op.batch_alter_table("model_fold", schema=None) as batch_op:
        batch_op.create_index("folds_of_person", ["person_id"], unique=False)
    versions = op.create_table(
        "model_version",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=True),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("activated_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("model_version_pk")),
        sa.UniqueConstraint("name", name=op.f("model_version_name_key")),
    )
    # What every database was scored with so far: the version that comes with the code.
    first = {"name": "day-one", "added_ms": 0, "active": True, "activated_ms": 0}
    op.bulk_insert(versions, [first])
