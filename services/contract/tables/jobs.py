"""What is worked on beside the requests: jobs, the files they read or make, and what was wrong."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from services.contract.tables.base import Id, metadata, of_workspace

ANEW = 1_000

job = Table(
    "job",
    metadata,
    Column("id", Id, primary_key=True),
    of_workspace(),
    Column("public_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # import | export
    # awaiting_file → waiting → running → done | failed | cancelled
    Column("status", Text, nullable=False),
    Column("asked", JSON, nullable=False),  # the request
    Column("created_ms", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    # Who works on it, or uploads to it, holds this number; another takes it over with the next,
    # and begun anew through no fault of its own it goes on from the next multiple of ANEW.
    Column("turn", Integer, nullable=False),
    Column("lease_ms", BigInteger),  # until when nobody else takes it over
    Column("done", BigInteger, nullable=False),  # rows
    Column("total", BigInteger),  # null: not counted yet
    Column("errors", BigInteger, nullable=False),
    Column("counts", JSON, nullable=False),  # what became of the rows so far, by name
    Column("position", Text),  # of the last event that it told
    Column("problem", Text),  # why it failed
    Column("finished_ms", BigInteger),
    Column("file_bytes", BigInteger, nullable=False),
    Column("file_until_ms", BigInteger),  # then its file is removed; null: it has none
    UniqueConstraint("workspace_id", "public_id"),
    Index("jobs_of_workspace", "workspace_id", "id"),
    Index("jobs_to_work_on", "status", "workspace_id", "id"),
)

job_piece = Table(
    "job_piece",
    metadata,
    # A part of a job's file, compressed; services/api/jobs/files.py.
    of_workspace(),
    Column("job_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("workspace_id", "job_id", "number"),
)

job_error = Table(
    "job_error",
    metadata,
    # What was wrong with a row; never what stood in it.
    of_workspace(),
    Column("job_id", BigInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("column", Text),
    Column("code", Text, nullable=False),
    Column("text", Text, nullable=False),
    PrimaryKeyConstraint("workspace_id", "job_id", "number"),
)
