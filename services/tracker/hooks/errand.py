"""What a decision needs done outside, after its events are stored."""

import msgspec


class FetchCertificate(msgspec.Struct, frozen=True):
    """Get the certificate that a message says it was signed with."""

    url: str


class ConfirmSubscription(msgspec.Struct, frozen=True):
    """Tell Amazon SNS that we want the topic's messages."""

    url: str


class RememberToken(msgspec.Struct, frozen=True):
    """A signature that covers only its own token was used for this body, and for no other."""

    token: str
    digest: bytes


Errand = FetchCertificate | ConfirmSubscription | RememberToken
