"""Which answers in the ledger of consent are surely those of the person they count for."""

from sqlalchemy import ColumnElement, and_, exists, or_, select

from services.contract.tables import api_key, consent, identity, identity_edge, identity_link
from services.model.identity import BROWSER_AFTER_MS, COOKIE, WEAK


def is_sure() -> ColumnElement[bool]:
    """Whether an answer is the person's for certain, in a query over these three tables.

    ``consent`` is the answer, ``identity`` who gave it, ``identity_link`` whose that one is.
    Anybody can write somebody's user id beside a cookie into a page's call. So what a page said
    for a cookie is the person's only where a server or a mail's signed token tied the two, or
    where the cookie is all that is known of the person.
    """
    key = api_key.alias("answers_key")
    by_server = exists(
        select(key.c.id).where(
            key.c.workspace_id == consent.c.workspace_id,
            key.c.source_id == consent.c.source_id,
            key.c.kind == "server",
        )
    )
    ours = consent.c.source_id <= 0  # the API, links and mailers
    tied = or_(_is_tied("a_id", "b_id"), _is_tied("b_id", "a_id"))
    return or_(identity.c.namespace != COOKIE, ours, by_server, tied, ~_has_others())


def _is_tied(mine: str, others: str) -> ColumnElement[bool]:
    """Whether one end of an edge is who answered and the other one surely the same person's."""
    edge, other = identity_edge.alias("tie"), identity.alias("tied")
    link = identity_link.alias("ties_link")
    return exists(
        select(edge.c.a_id)
        .select_from(edge)
        .join(other, other.c.id == edge.c[others])
        .join(
            link,
            and_(link.c.workspace_id == edge.c.workspace_id, link.c.identity_id == other.c.id),
        )
        .where(
            edge.c.workspace_id == consent.c.workspace_id,
            edge.c[mine] == consent.c.identity_id,
            or_(edge.c.told_ms < BROWSER_AFTER_MS, other.c.namespace == WEAK),
            link.c.person_id == identity_link.c.person_id,
            link.c.known_to_ms.is_(None),
        )
        .correlate(consent, identity_link)
    )


def _has_others() -> ColumnElement[bool]:
    link = identity_link.alias("others_link")
    return exists(
        select(link.c.id)
        .where(
            link.c.workspace_id == consent.c.workspace_id,
            link.c.person_id == identity_link.c.person_id,
            link.c.identity_id != consent.c.identity_id,
            link.c.known_to_ms.is_(None),
        )
        .correlate(consent, identity_link)
    )
