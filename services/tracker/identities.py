"""Who a call is about: every way to recognise somebody that it names."""

import re
from typing import Any

from services.contract.event import Identity
from services.contract.snapshot import KeyEntry
from services.tracker.clean import clean_id

_NAMESPACE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
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
    user_id: Any,
    anonymous_id: Any,
    emails: tuple[Any, ...],
    external_ids: Any,
    sender: KeyEntry,
) -> list[Identity]:
    """The identities that a call names, each once, in the order in which they are named."""
    found: dict[Identity, None] = {}
    if user_id is not None and (value := clean_id(user_id)):
        found[Identity("user_id", value)] = None
    if anonymous_id is not None and (value := clean_id(anonymous_id)):
        found[Identity("anonymous_id", value)] = None
    for email in emails:
        if email is not None and (value := email_of(email)):
            found[Identity("email", value)] = None
    if isinstance(external_ids, list):
        for item in external_ids[:_EXTERNAL_IDS_MAX]:
            identity = _external(item, sender)
            if identity is not None:
                found[identity] = None
    return list(found)


def _external(item: Any, sender: KeyEntry) -> Identity | None:
    if not isinstance(item, dict):
        return None
    namespace, value = item.get("type"), clean_id(item.get("id"))
    if not isinstance(namespace, str) or not _NAMESPACE.fullmatch(namespace) or value is None:
        return None
    if namespace == "person_token" and sender.kind == "write":
        return None  # from a browser only with the signature that the mail's link carried
    if namespace == "email":
        value = email_of(value)
        return None if value is None else Identity(namespace, value)
    return Identity(namespace, value)
