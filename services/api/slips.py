"""What in a rule may be a slip."""

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from services.api.content_store import ids_near
from services.api.lawful import topics_in
from services.api.people import known_of_some
from services.api.suggest import Like, Slip, Unlike, slips, unlike
from services.contract.tables import content, identity
from services.contract.tables.unguessed import unguessed
from services.model.rules import Attribute, AttributeDate
from services.model.rules.condition import Node
from services.model.rules.happenings import Happening
from services.model.rules.known import IdentityKnown
from services.model.rules.membership import leaves
from services.model.rules.values import sort_of

_NAMESPACES_MAX = 50


def slips_in(connection: Connection, workspace_id: int, rule: Node) -> list[Slip | Unlike]:
    """What nobody has, or is of another sort than asked: attributes, topics, identities, content.

    It may come later: the rule is taken.
    """
    return [
        *_of_people(connection, workspace_id, rule),
        *_of_identities(connection, workspace_id, rule),
        *_of_content(connection, workspace_id, rule),
    ]


def _of_people(connection: Connection, workspace_id: int, rule: Node) -> list[Slip | Unlike]:
    compared = list(_compared(rule))
    names = {one.name for one in leaves(rule) if isinstance(one, Attribute | AttributeDate)}
    topics = {*topics_in(rule)}
    if not names and not topics:
        return []
    attributes, read = known_of_some(connection, workspace_id)
    return [
        *slips("attribute", names, attributes),
        *unlike(compared, attributes),
        *slips("topic", topics, read),
    ]


def _compared(rule: Node) -> Iterator[tuple[str, Like]]:
    """Each attribute, and what it is compared with."""
    for one in leaves(rule):
        if isinstance(one, AttributeDate):
            yield one.name, "date"
        elif isinstance(one, Attribute):
            asked = (one.value, *one.values)
            yield from ((one.name, sort_of(value)) for value in asked if value is not None)


def _of_identities(connection: Connection, workspace_id: int, rule: Node) -> list[Slip]:
    asked = {one.namespace for one in leaves(rule) if isinstance(one, IdentityKnown)}
    return slips("identity", asked, _namespaces(connection, workspace_id)) if asked else []


def _namespaces(connection: Connection, workspace_id: int) -> set[str]:
    """The first in order of their names, each found in the index without those before."""
    row, found, last = identity.c, set[str](), ""
    while len(found) < _NAMESPACES_MAX:
        query = select(row.namespace).where(
            row.workspace_id == unguessed(workspace_id), row.namespace > last
        )
        following = connection.execute(query.order_by(row.namespace).limit(1)).scalar()
        if following is None:
            break
        found.add(last := following)
    return found


def _of_content(connection: Connection, workspace_id: int, rule: Node) -> list[Slip]:
    """Nothing is said where no catalogue is kept."""
    asked = {
        one.content_id for one in leaves(rule) if isinstance(one, Happening) and one.content_id
    }
    kept = select(exists().where(content.c.workspace_id == workspace_id))
    if not asked or not connection.execute(kept).scalar():
        return []
    return [
        slip
        for one in sorted(asked)
        for slip in slips("content", [one], ids_near(connection, workspace_id, one))
    ]
