"""Who will get a mail: a token each, but only for whom agreed to be measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from services.api.context import Context
from services.api.link_secrets import Signer, signer_of
from services.api.people import identities_of, spelled, states_of
from services.api.said import Tie
from services.api.wire import Body
from services.contract.event import Identity
from services.contract.ledger import circles_of
from services.contract.spelling import NAMESPACE_PATTERN
from services.contract.tables import api_key, consent, identity, unsubscribed
from services.contract.tables.unguessed import unguessed
from services.contract.token import Recipient
from services.contract.vault import lookup_value, shown_value
from services.model.state import PersonState

RECIPIENTS_MAX = 1000
_LOOKED_UP_AT_ONCE = 200

NoToken = Literal["unknown_person", "no_consent"]


class RecipientConsent(Body):
    """What a recipient has agreed to, where you hold it."""

    measure: bool = Field(description="To be followed. `false` is always heeded.")
    profile: bool = Field(default=False, description="To be scored.")


class RecipientIn(Body):
    """Somebody who will get the mail."""

    namespace: str = Field(pattern=NAMESPACE_PATTERN, examples=["user_id"])
    value: str = Field(min_length=1, max_length=254, examples=["4711"])
    consent: RecipientConsent | None = Field(
        default=None,
        description="Left out: what Kentering knows of the person. What the person told "
        "Kentering comes before a `true` from here.",
    )


@dataclass(frozen=True)
class Addressed:
    """A recipient, and what a mail to them may carry."""

    who: Identity
    person_token: str
    """The keyed hash of ``who``: an identity where they may be followed, else only a mark."""
    recipient: Recipient | None
    reason: NoToken | None
    """Why they may not be followed."""
    unsubscribed_ms: int | None


@dataclass(frozen=True)
class Addressing:
    """All recipients, each once, and who signs for them."""

    signer: Signer
    addressed: list[Addressed]
    position: str | None


def address(here: Context, workspace_id: int, recipients: Sequence[RecipientIn]) -> Addressing:
    """Find out who may be followed, and let the record know their tokens.

    Raises:
        Problem: 503, the tracker takes nothing now; then nobody has a token.
    """
    asked: dict[Identity, RecipientConsent | None] = {}
    for one in recipients:
        asked.setdefault(spelled(one.namespace, one.value), one.consent)
    with here.engine.connect() as connection:
        signer = signer_of(connection, workspace_id, here.clock())
        persons = _persons_by_identity(connection, workspace_id, list(asked))
        states = states_of(connection, workspace_id, persons.values())
        marks = _marks(connection, signer, asked, persons)
        wishes = _unsubscribed(connection, workspace_id, sorted(set().union(*marks.values())))
        answers = _answers(connection, workspace_id, sorted(set(persons.values())))
    addressed = []
    for who, consented in asked.items():
        token = signer.person_token(who)
        recipient, reason = _judged(token, states.get(persons.get(who, 0)), consented)
        said = [(wishes[mark], False) for mark in marks[who] if mark in wishes]
        last_ms, wanted = max([*said, *answers.get(persons.get(who, 0), [])], default=(0, True))
        wish = None if wanted else last_ms
        addressed.append(Addressed(who, token, recipient, reason, wish))
    ties = [
        Tie(one.who, Identity("person_token", one.person_token), measure=True, profile=r.profile)
        for one in addressed
        if (r := one.recipient) is not None
    ]
    position = here.door.tie(workspace_id, ties) if ties else None
    return Addressing(signer, addressed, position)


def _judged(
    person_token: str, state: PersonState | None, said: RecipientConsent | None
) -> tuple[Recipient | None, NoToken | None]:
    """Whether somebody may be followed: no is a no, whoever has it."""
    if state is None and said is None:
        return None, "unknown_person"
    if (state is not None and not state.measure) or (said is not None and not said.measure):
        return None, "no_consent"
    profile = (state is None or state.profile) and (said is None or said.profile)
    return Recipient(person_token, measure=True, profile=profile), None


def _marks(
    connection: Connection,
    signer: Signer,
    asked: Iterable[Identity],
    persons: dict[Identity, int],
) -> dict[Identity, set[str]]:
    """By which marks each may be on the list: of the identity, and of all that are theirs."""
    theirs = identities_of(connection, signer.workspace_id, sorted(set(persons.values())))
    return {
        who: {
            one.value if one.namespace == "person_token" else signer.person_token(one)
            for one in [who, *theirs.get(persons.get(who, 0), [])]
        }
        for who in asked
    }


def _unsubscribed(
    connection: Connection, workspace_id: int, tokens: Sequence[str]
) -> dict[str, int]:
    found: dict[str, int] = {}
    for i in range(0, len(tokens), _LOOKED_UP_AT_ONCE):
        marks = [bytes.fromhex(token) for token in tokens[i : i + _LOOKED_UP_AT_ONCE]]
        query = select(unsubscribed.c.mark, unsubscribed.c.told_ms).where(
            unsubscribed.c.workspace_id == workspace_id, unsubscribed.c.mark.in_(marks)
        )
        found |= {row.mark.hex(): row.told_ms for row in connection.execute(query)}
    return found


def _answers(
    connection: Connection, workspace_id: int, persons: Sequence[int]
) -> dict[int, list[tuple[int, bool]]]:
    """(when, yes or no) of all that people answered about getting mail.

    A page's yes is heeded only of a mail's signed token that is surely this person's: anybody can
    tie a cookie, or an address of their own, to somebody else whose name they know, and would put
    them on the mailing list again.
    """
    from_page = exists().where(
        api_key.c.workspace_id == workspace_id,
        api_key.c.kind == "write",
        api_key.c.source_id == consent.c.source_id,
    )
    is_sure = or_(consent.c.granted.is_(False), identity.c.namespace == "person_token", ~from_page)
    found: dict[int, list[tuple[int, bool]]] = {}
    for i in range(0, len(persons), _LOOKED_UP_AT_ONCE):
        some = persons[i : i + _LOOKED_UP_AT_ONCE]
        whose = circles_of(connection, workspace_id, partial(_is_among, some))
        query = (
            select(
                identity.c.person_id,
                identity.c.namespace,
                identity.c.value,
                consent.c.said_ms,
                consent.c.granted,
                from_page.label("from_page"),
            )
            .join(identity, identity.c.id == consent.c.identity_id)
            .where(
                identity.c.workspace_id == unguessed(workspace_id),
                identity.c.person_id.in_(some),
                consent.c.workspace_id == unguessed(workspace_id),
                consent.c.purpose.in_(("contact", "contact_mail")),
                consent.c.answered,
                is_sure,
            )
        )
        for row in connection.execute(query):
            who = Identity(row.namespace, shown_value(row.value))
            if row.granted and row.from_page and not whose[row.person_id][0].is_core(who):
                continue
            found.setdefault(row.person_id, []).append((row.said_ms, bool(row.granted)))
    return found


def _is_among(persons: Sequence[int], column: ColumnElement[int]) -> ColumnElement[bool]:
    return column.in_(persons)


def _persons_by_identity(
    connection: Connection, workspace_id: int, asked: list[Identity]
) -> dict[Identity, int]:
    """The person behind each identity that we know."""
    persons: dict[Identity, int] = {}
    for i in range(0, len(asked), _LOOKED_UP_AT_ONCE):
        by_stored = {(w.namespace, lookup_value(w)): w for w in asked[i : i + _LOOKED_UP_AT_ONCE]}
        query = select(identity.c.namespace, identity.c.value, identity.c.person_id).where(
            identity.c.workspace_id == unguessed(workspace_id),
            identity.c.person_id.is_not(None),
            or_(
                *(
                    and_(identity.c.namespace == namespace, identity.c.value == value)
                    for namespace, value in by_stored
                )
            ),
        )
        for row in connection.execute(query):
            persons[by_stored[row.namespace, row.value]] = row.person_id
    return persons
