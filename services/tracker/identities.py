"""Who a call is about: every way to recognise somebody that it names."""

import re
from typing import Any

from services.contract.event import Identity
from services.contract.spelling import NAMESPACE_PATTERN
from services.tracker.arrival import Arrival
from services.tracker.clean import ID_LENGTH_MAX, clean_id
from services.tracker.reasons import RefusedEventError
from services.tracker.segment import Call

_NAMESPACE = re.compile(NAMESPACE_PATTERN)
_EMAIL_LENGTH_MAX = 254
_EXTERNAL_IDS_MAX = 20


def email_of(value: Any) -> str | None:
    """The mail address in its one spelling, or None where it cannot be one."""
    text = clean_id(value) if isinstance(value, str) else None
    if text is None or len(text) > _EMAIL_LENGTH_MAX:
        return None
    text = text.lower().removeprefix("mailto:")
    name, at, host = text.rpartition("@")
    return text if at and name and "." in host and " " not in text else None


def identities_of(
    kind: Any, call: Call, emails: tuple[Any, ...], external_ids: Any, arrival: Arrival
) -> list[Identity]:
    """The identities that a call names, each once, in the order in which they are named.

    Args:
        kind: of the call; an alias names the previous id as well.
        call: as it came.
        emails: all that the call says where mail addresses may stand.
        external_ids: ``context.externalIds``.
        arrival: the request around it; what names nobody is noticed in it.

    Raises:
        RefusedEventError: an alias without its two ids.
    """
    found: list[Identity] = []
    if value := id_of(call.user_id, "userId", arrival):
        found.append(Identity("user_id", value))
    if kind == "alias":
        found.append(_previous(call, arrival))
    elif value := id_of(call.anonymous_id, "anonymousId", arrival):
        found.append(Identity("anonymous_id", value))
    if emails == _NO_EMAILS and external_ids is None:
        return found
    others = [
        Identity("email", value)
        for email in emails
        if email is not None and (value := _email(email, arrival))
    ]
    if isinstance(external_ids, list):
        listed = (_external(item, arrival) for item in external_ids[:_EXTERNAL_IDS_MAX])
        others += [identity for identity in listed if identity]
    return list(dict.fromkeys(found + others))


_NO_EMAILS = (None, None, None)


def _previous(call: Call, arrival: Arrival) -> Identity:
    """Who the user was before: a cookie, or a mail address.

    The call's own ``anonymousId`` is left for other calls to tell: an event ties one cookie.
    """
    value = id_of(call.previous_id, "previousId", arrival)
    if value is None or clean_id(call.user_id) is None:
        raise RefusedEventError("field_missing")
    email = email_of(value)
    return Identity("email", email) if email else Identity("anonymous_id", value)


def id_of(value: Any, field: str, arrival: Arrival) -> str | None:
    """The id that a call names in a field; its sender hears of one that cannot be used."""
    if value is None:
        return None
    # Nearly all are short plain texts.
    if type(value) is str and len(value) <= ID_LENGTH_MAX and value.isprintable():
        found = value.strip() or None
    else:
        found = clean_id(value)
    if found is None and value != "":
        arrival.doubt("id_unusable", field)
    return found


def _email(value: Any, arrival: Arrival) -> str | None:
    if value is None:
        return None
    found = email_of(value)
    if found is None and value != "":
        arrival.doubt("email_unusable", "email")
    return found


def _external(item: Any, arrival: Arrival) -> Identity | None:
    identity = _external_or_none(item)
    if identity is not None and identity.namespace == "person_token":
        # From a browser only with the signature that the mail's link carried.
        identity = None if arrival.sender.kind == "write" else identity
    if identity is None:
        arrival.doubt("id_unusable", "externalIds")
    return identity


def _external_or_none(item: Any) -> Identity | None:
    if not isinstance(item, dict):
        return None
    namespace, value = item.get("type"), clean_id(item.get("id"))
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace) or value is None:
        return None
    if namespace == "email":
        value = email_of(value)
    return None if value is None else Identity(namespace, value)
