"""How any other mailer's webhook is read: a declaration, never code.

A *path* names a value: ``data.email``, ``items.0.id``; ``header.NAME`` is a header of the request.
Fields of a form such as ``data[email]`` are ``data.email`` too.
"""

from typing import Annotated, Literal

import msgspec

from services.contract.spelling import KEY_PATTERN

MailType = Literal["sent", "delivered", "open", "click", "bounce", "unsubscribe", "complaint"]
RULES_MAX = 50
_Path = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Name = Annotated[str, msgspec.Meta(pattern=KEY_PATTERN)]


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What proves the mailer, by the hook's one secret.

    ``password``: as in Basic authentication (any user name) or as Bearer token. ``query``: as
    ``?secret=`` behind the address, for mailers that can do no better. ``hmac``: the secret signs
    ``parts``, one after the other, and the code stands in ``header``.
    """

    kind: Literal["hmac", "password", "query"]
    header: _Name | None = None
    """Of ``hmac``; in lower case."""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: _Text = ""
    """What stands before the code, as ``sha256=``."""
    parts: Annotated[
        tuple[Literal["method", "url", "body", "timestamp"], ...], msgspec.Meta(min_length=1)
    ] = ("body",)
    timestamp_header: _Name | None = None
    """Where ``timestamp`` is; seconds or milliseconds since 1970."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it is that happened, where all conditions hold."""

    type: MailType | Literal["nothing"]
    when: Annotated[
        dict[_Path, Annotated[tuple[_Text, ...], msgspec.Meta(max_length=50)]],
        msgspec.Meta(max_length=10),
    ] = {}
    """By path: any of these texts; numbers, true and false as JSON writes them."""
    hard: bool = False
    by_machine: bool = False


class Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where everything else stands."""

    id: _Path | None = None
    """Of the event; left out: a hash of the whole event."""
    email: _Path | None = None
    other_id: _Path | None = None
    """The mailer's own id of the person, used where there is no mail address."""
    at: _Path | None = None
    message: _Path | None = None
    campaign: _Path | None = None
    person: _Path | None = None
    """Our own token of the recipient, as ``kt_person`` elsewhere."""
    content: _Path | None = None
    url: _Path | None = None
    agent: _Path | None = None
    reason: _Path | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mailer's webhook, declared."""

    signature: Signature
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(min_length=1, max_length=RULES_MAX)]
    """The first that holds counts; where none does, the event is of an unknown kind."""
    fields: Fields
    events: _Path | None = None
    """The array of events in the body; left out: the body is one, or an array of them."""
    namespace: _Name = "mailer"
    """Of ``other_id``."""

    def __post_init__(self) -> None:
        """Refuse what can never prove anything."""
        proof = self.signature
        if proof.kind == "hmac" and proof.header is None:
            raise ValueError("an hmac signature needs its header")
        if proof.kind == "hmac" and "body" not in proof.parts:
            raise ValueError("an hmac signature must cover the body")
        if ("timestamp" in proof.parts) != (proof.timestamp_header is not None):
            raise ValueError("timestamp_header goes with the part timestamp")
        if self.namespace in {"user_id", "anonymous_id", "email", "person_token"}:
            raise ValueError("this namespace is taken")
