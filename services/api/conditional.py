"""``ETag`` and ``If-Match``: nobody overwrites what somebody else wrote meanwhile.

The tag names what can be edited of a thing. Numbers that move by themselves, as a segment's
count, are no part of it: they would make every edit fail.
"""

import hashlib
from typing import Annotated, Any

import msgspec
from fastapi import Header, Response

from services.api.problem import Problem

_LENGTH_MAX = 200

IfMatch = Annotated[
    str | None,
    Header(
        max_length=_LENGTH_MAX,
        description="The `ETag` of what you saw: answered 412 if it was changed since.",
    ),
]

TAGGED: dict[str, Any] = {
    "headers": {
        "ETag": {
            "description": "Names this state; for `If-Match` of an edit.",
            "schema": {"type": "string"},
        }
    }
}
"""What a route's 200 or 201 says in the OpenAPI of its tag: ``responses={200: TAGGED}``."""


def tag_of(*parts: Any) -> str:
    """The tag of a state, from whatever can be edited of it; parts are JSON values."""
    return f'"{hashlib.blake2b(msgspec.json.encode(parts), digest_size=12).hexdigest()}"'


def tell_tag(response: Response, tag: str) -> None:
    """Let the answer carry its tag."""
    response.headers["ETag"] = tag


def must_match(if_match: str | None, tag: str | None) -> None:
    """Go on only if nothing was changed since the caller saw it, or they do not care.

    Args:
        if_match: what the caller saw.
        tag: what there is; None: nothing.

    Raises:
        Problem: 412, somebody changed it meanwhile.
    """
    if if_match is None or (if_match.strip() == "*" and tag is not None):
        return
    if tag is None:
        raise Problem(412, "changed_meanwhile", "It is not there: it may have been deleted.")
    if tag not in {one.strip() for one in if_match.split(",")}:
        text = "It was changed since you saw it. Read it again, and send your edit with its ETag."
        raise Problem(412, "changed_meanwhile", text, {"ETag": tag})


def must_be_given(if_match: str | None) -> str:
    """For a PATCH, which changes a part of what the caller saw.

    Raises:
        Problem: 428, the caller does not say what they saw.
    """
    if if_match is None:
        text = "Give the ETag of what you saw as If-Match; * overwrites whatever there is."
        raise Problem(428, "if_match_missing", text)
    return if_match
