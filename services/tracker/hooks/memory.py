"""What was fetched and seen before: all that deciding a webhook needs beside the snapshot.

Decisions read it; only errands, at the edge, write it.
"""

import re
from collections import OrderedDict
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

CERTIFICATES_MAX = 64
TOKENS_MAX = 100_000
_URL_LENGTH_MAX = 2000
# A region's name, and nothing else that could stand there: sns.s3.amazonaws.com is somebody's
# bucket of files.
_AMAZON = re.compile(r"sns\.[a-z]{2}(-[a-z]{2,16}){1,3}-[0-9]{1,2}\.amazonaws\.com(\.cn)?")


class Certificate(msgspec.Struct, frozen=True):
    """A public key, and when it may be used (UTC milliseconds, both ends included)."""

    key: RSAPublicKey
    from_ms: int
    to_ms: int


class Memory:
    """Amazon SNS's certificates, and the tokens of Mailgun's signatures.

    Args:
        sns_host: one more host, as ``HOST:PORT``, that speaks for Amazon SNS; empty: none.
    """

    def __init__(self, sns_host: str = "") -> None:
        self._sns_host = sns_host
        self._certificates: OrderedDict[str, Certificate] = OrderedDict()
        self._tokens: OrderedDict[str, bytes] = OrderedDict()

    def speaks_for_sns(self, url: str) -> bool:
        """Whether this address may be asked at all: https, at a host of Amazon SNS."""
        if len(url) > _URL_LENGTH_MAX or not url.isascii() or any(c <= " " for c in url):
            return False
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        host = parts.netloc
        known = _AMAZON.fullmatch(host) is not None or (host == self._sns_host and host != "")
        return parts.scheme == "https" and known

    def certificate(self, url: str) -> Certificate | None:
        """The certificate from this address, if it was fetched."""
        return self._certificates.get(url)

    def keep_certificate(self, url: str, certificate: Certificate) -> None:
        """Keep it; of too many the first goes."""
        self._certificates[url] = certificate
        while len(self._certificates) > CERTIFICATES_MAX:
            self._certificates.popitem(last=False)

    def body_of_token(self, token: str) -> bytes | None:
        """The digest of the body that came with this token, if one did."""
        return self._tokens.get(token)

    def keep_token(self, token: str, digest: bytes) -> None:
        """Remember it; of too many the first is forgotten."""
        self._tokens.setdefault(token, digest)
        while len(self._tokens) > TOKENS_MAX:
            self._tokens.popitem(last=False)
