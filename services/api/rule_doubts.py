"""What in a rule may be a slip."""

from collections.abc import Iterator

from sqlalchemy import Connection, exists, select

from services.api.content_store import rows_of
from services.api.lawful import topics_in
from services.api.people import SEARCHED, known_of_some
from services.api.suggest import Slip, SortOrDate, Unlike, slips, unlike
from services.contract.tables import content, identity
from services.contract.tables.unguessed import unguessed
from services.model.rules import Attribute, AttributeDate
from services.model.rules.condition import Node
from services.model.rules.happenings import Happening
from services.model.rules.known import IdentityKnown
from services.model.rules.membership import leaves
from services.model.rules.values import sort_of


def doubts_of(connection: Connection, workspace_id: int, rule: Node) -> list[Slip | Unlike]:
    """What nobody has, or is of another sort than asked: attributes, topics, identities, content.

    It may come later: the rule is taken.
    """
    return [
        *_of_people(connection, workspace_id, rule),
        *_of_identities(connection, workspace_id, rule),
        *_of_content(connection, workspace_id, rule),
    ]


def _of_people(connection: Connection, workspace_id: int, rule: Node) -> list[Slip | Unlike]:
    names = {one.name for one in leaves(rule) if isinstance(one, Attribute | AttributeDate)}
    topics = {*topics_in(rule)}
    if not names and not topics:
        return []
    attributes, read = known_of_some(connection, workspace_id)
    return [
        *slips("attribute", names - attributes.keys(), attributes),
        *unlike(_compared(rule), attributes),
        *slips("topic", topics - read, read),
    ]


def _compared(rule: Node) -> Iterator[tuple[str, SortOrDate]]:
    """Each attribute, and what it is compared with."""
    for one in leaves(rule):
        if isinstance(one, AttributeDate):
            yield one.name, "date"
        elif isinstance(one, Attribute):
            asked = (one.value, *one.values)
            yield from ((one.name, sort_of(value)) for value in asked if value is not None)


def _of_identities(connection: Connection, workspace_id: int, rule: Node) -> list[Slip]:
    """The kinds that nobody has; what was meant is told of those that every workspace knows."""
    row = identity.c
    asked = {one.namespace for one in leaves(rule) if isinstance(one, IdentityKnown)}
    there = [
        namespace
        for namespace in asked
        if connection.execute(
            select(
                exists().where(
                    row.workspace_id == unguessed(workspace_id), row.namespace == namespace
                )
            )
        ).scalar()
    ]
    return slips("identity", asked.difference(there), SEARCHED)


def _of_content(connection: Connection, workspace_id: int, rule: Node) -> list[Slip]:
    """Of a catalogue, if one is kept; its other ids are told to nobody who may not read it."""
    asked = {
        one.content_id
        for one in leaves(rule)
        if isinstance(one, Happening) and one.content_id is not None
    }
    kept = select(exists().where(content.c.workspace_id == workspace_id))
    if not asked or not connection.execute(kept).scalar():
        return []
    there = {row.content_id for row in rows_of(connection, workspace_id, sorted(asked))}
    return slips("content", asked - there, ())
