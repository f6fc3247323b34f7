"""Model versions: kept in a table, one of them in force for all workers at any moment.

Who scores holds the version in force for its transaction; who puts another in force waits until
nobody does, and meanwhile nobody begins. So no state is ever written by a version that is not.
"""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from services.contract import tables
from services.model.parameters import read
from services.model.version import Model, build, load

_row = tables.model_version.c


class Version(NamedTuple):
    """A version as it is listed."""

    id: int
    name: str
    added_ms: int
    active: bool
    activated_ms: int | None


class InForce:
    """The version in force, read again only when it is another.

    Args:
        own: the version that comes with the code.
    """

    def __init__(self, own: Model) -> None:
        self._own = own
        self._held: tuple[int, Model] | None = None

    def hold(self, db: Connection) -> Model:
        """The model to score with in this transaction; it stays in force until that ends.

        Raises:
            VersionError: this code cannot read it.
        """
        if db.dialect.name == "postgresql":
            db.exec_driver_sql("LOCK TABLE model_version IN ROW SHARE MODE")
        found = db.execute(select(_row.id).where(_row.active)).scalar_one()
        if self._held is None or self._held[0] != found:
            self._held = found, model_of(db, found, self._own)
        return self._held[1]


def keep_out(db: Connection) -> None:
    """Wait until nobody holds a version, and let nobody begin before this transaction ends."""
    if db.dialect.name == "postgresql":
        db.exec_driver_sql("LOCK TABLE model_version IN EXCLUSIVE MODE")


def model_of(db: Connection, version_id: int, own: Model | None = None) -> Model:
    """The model of a version.

    Raises:
        VersionError: this code cannot read it.
    """
    query = select(_row.parameters).where(_row.id == version_id)
    parameters = db.execute(query).scalar_one()
    if parameters is None:
        return own or load()
    return build(read(bytes(parameters)))


def versions(db: Connection) -> list[Version]:
    """All versions, in the order in which they were added."""
    query = select(_row.id, _row.name, _row.added_ms, _row.active, _row.activated_ms)
    return [Version(*found) for found in db.execute(query.order_by(_row.id))]


def find(db: Connection, name: str) -> Version | None:
    """The version of that name."""
    return next((one for one in versions(db) if one.name == name), None)


def in_force(db: Connection) -> Version:
    """The version in force."""
    return next(one for one in versions(db) if one.active)


def add(db: Connection, data: bytes, now_ms: int) -> Version:
    """Keep a version, from its JSON. The same once more changes nothing.

    Raises:
        ValueError: it is no version (``VersionError``), cannot be computed with, or bears the
            name of another.
    """
    parameters = read(data)
    build(parameters)
    known = find(db, parameters.version)
    if known is None:
        made = {"name": parameters.version, "parameters": data, "added_ms": now_ms, "active": False}
        db.execute(insert(tables.model_version), made)
        known = find(db, parameters.version)
        assert known is not None  # noqa: S101  it was just made
    elif model_of(db, known.id).parameters != parameters:
        raise ValueError(
            f"there is a version {parameters.version} with other numbers: a version never changes"
        )
    return known


def put_in_force(db: Connection, version_id: int, now_ms: int) -> None:
    """Make it the one in force, in a transaction that keeps others out."""
    db.execute(update(tables.model_version).where(_row.active).values(active=False))
    db.execute(
        update(tables.model_version)
        .where(_row.id == version_id)
        .values(active=True, activated_ms=now_ms)
    )
