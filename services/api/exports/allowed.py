"""Who may be in an export: the consent that stands now, whatever moment is asked about."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from services.api.exports.asked import Use
from services.api.ledger import deciding_of
from services.api.link_secrets import Signer
from services.contract.consent import Purpose
from services.contract.event import Identity
from services.contract.tables import unsubscribed
from services.model.state import PersonState

_ASKED: dict[Use, tuple[Purpose, ...]] = {
    "contact": ("contact_mail", "contact"),
    "audience": ("share",),
}
"""Of those that were answered none may be a no, and one must be a yes."""


def allowed(
    db: Connection,
    signer: Signer,
    use: Use,
    states: Mapping[int, PersonState],
    identities: Mapping[int, Sequence[Identity]],
) -> set[int]:
    """Of these persons those who may be in it.

    Args:
        db: where their answers are.
        signer: of the workspace, by whose marks the unsubscribed are known.
        use: what it is for.
        states: as they are now, by the person's row id.
        identities: theirs now.
    """
    followed = {one for one, state in states.items() if state.measure and state.profile}
    if use == "insight" or not followed:
        return followed
    decided = deciding_of(db, signer.workspace_id, sorted(followed))
    purposes = _ASKED[use]
    yes_ms: dict[int, int] = {}
    for person in followed:
        said = [row for purpose in purposes if (row := decided.get(person, {}).get(purpose))]
        if said and all(row.granted for row in said):
            yes_ms[person] = max(row.said_ms for row in said)
    if use == "audience":
        return set(yes_ms)
    off_ms = _unsubscribed_ms(db, signer, {one: identities.get(one, ()) for one in yes_ms})
    return {one for one, said_ms in yes_ms.items() if off_ms.get(one, -1) < said_ms}


def _unsubscribed_ms(
    db: Connection, signer: Signer, identities: Mapping[int, Sequence[Identity]]
) -> dict[int, int]:
    """When each last unsubscribed by a mail that followed nobody."""
    whose = {
        bytes.fromhex(_mark(signer, identity)): person
        for person, theirs in identities.items()
        for identity in theirs
        if identity.namespace != "anonymous_id"
    }
    found: dict[int, int] = {}
    marks = sorted(whose)
    for i in range(0, len(marks), 200):
        query = select(unsubscribed.c.mark, unsubscribed.c.told_ms).where(
            unsubscribed.c.workspace_id == signer.workspace_id,
            unsubscribed.c.mark.in_(marks[i : i + 200]),
        )
        for mark, told_ms in db.execute(query):
            person = whose[bytes(mark)]
            found[person] = max(told_ms, found.get(person, told_ms))
    return found


def _mark(signer: Signer, identity: Identity) -> str:
    if identity.namespace == "person_token":
        return identity.value
    return signer.person_token(identity)
