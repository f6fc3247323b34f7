"""Whether a webhook's settings can work at all: better said at saving than by the mailer later."""

import base64
import binascii
import re
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.api.problem import Problem
from services.contract.hook import PROOFS, TOPIC_ARN, Esp
from services.contract.mapping import Mapping

SECRET_LENGTH_MAX = 500
PASSWORD_LENGTH_MIN = 16


def checked_secrets(esp: Esp, given: dict[str, str]) -> dict[str, str]:
    """The secrets, if they are all that this mailer needs.

    Raises:
        Problem: 400, they are not.
    """
    wanted = set(PROOFS[esp])
    if given.keys() != wanted:
        raise _bad(f"{esp} needs exactly these secrets: {', '.join(sorted(wanted))}.")
    stripped = {name: value.strip() for name, value in given.items()}
    if any(not 0 < len(value) <= SECRET_LENGTH_MAX for value in stripped.values()):
        raise _bad(f"A secret has 1 to {SECRET_LENGTH_MAX} characters.")
    if "public_key" in stripped and not _is_ec_key(stripped["public_key"]):
        raise _bad("public_key is not the verification key that SendGrid shows.")
    if "topic_arn" in stripped and not re.fullmatch(TOPIC_ARN, stripped["topic_arn"]):
        raise _bad("topic_arn is not the ARN of an Amazon SNS topic.")
    if ":" in stripped.get("username", ""):
        raise _bad("A user name has no colon.")
    if any(
        len(stripped[name]) < PASSWORD_LENGTH_MIN
        for name in ("password", "secret")
        if name in stripped
    ):
        raise _bad(f"A password or secret has at least {PASSWORD_LENGTH_MIN} characters.")
    return stripped


def checked_mapping(esp: Esp, mapping: dict[str, Any] | None) -> dict[str, Any] | None:
    """The mapping, which a ``generic`` hook has and no other.

    Raises:
        Problem: 400, it is not so.
    """
    if (esp == "generic") != (mapping is not None):
        needs = "needs a" if esp == "generic" else "takes no"
        raise Problem(400, "bad_mapping", f"{esp} {needs} mapping.")
    if mapping is not None:
        try:
            msgspec.convert(mapping, Mapping)
        except msgspec.ValidationError as error:
            raise Problem(400, "bad_mapping", f"mapping: {error}"[:500]) from None
    return mapping


def _is_ec_key(text: str) -> bool:
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return False
    return isinstance(key, EllipticCurvePublicKey)


def _bad(detail: str) -> Problem:
    return Problem(400, "bad_secrets", detail)
