"""Does what deciding webhooks needs done outside: the edge of a pure decision.

Whoever sends a request waits for none of it. Only Amazon SNS's own hosts are ever asked, over
https, without redirects, for a bounded size and time.
"""

import queue
import threading
import time

import httpx
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from services.tracker import metrics
from services.tracker.hooks.errand import (
    ConfirmSubscription,
    Errand,
    FetchCertificate,
    RememberToken,
)
from services.tracker.hooks.memory import Certificate, Memory

WAITING_MAX = 100
TIMEOUT_S = 5.0
ANSWER_SECONDS_MAX = 10.0
ANSWER_BYTES_MAX = 65_536
CONFIRM_ATTEMPTS = 3
_PAUSE_S = 2.0

_Outside = FetchCertificate | ConfirmSubscription

_log = structlog.get_logger(__name__)


class Errands:
    """One thread, begun with the first errand that leads outside; the rest is done at once.

    Args:
        memory: what comes of errands is kept there.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._waiting: queue.Queue[_Outside | None] = queue.Queue(WAITING_MAX)
        self._known: set[_Outside] = set()
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()

    def take(self, errand: Errand) -> None:
        """Do it, or let it wait its turn; one that waits already is not done twice."""
        if isinstance(errand, RememberToken):
            self._memory.keep_token(errand.token, errand.digest)
            return
        if errand in self._known:
            return
        try:
            self._waiting.put_nowait(errand)
        except queue.Full:
            metrics.HOOK_ERRANDS.labels(_kind(errand), "dropped").inc()
            return
        self._known.add(errand)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="hook-errands", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Begin nothing more; whoever asked will ask again."""
        self._closing.set()
        if self._thread is not None and not self._waiting.full():
            self._waiting.put_nowait(None)

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
            while not self._closing.is_set():
                errand = self._waiting.get()
                if errand is None:
                    return
                self._do(errand, client)
                self._known.discard(errand)

    def _do(self, errand: _Outside, client: httpx.Client) -> None:
        try:
            if isinstance(errand, FetchCertificate):
                certificate = certificate_of(self._get(errand.url, client))
                self._memory.keep_certificate(errand.url, certificate)
            else:
                self._confirm(errand.url, client)
        except (httpx.HTTPError, OSError, ValueError) as error:
            metrics.HOOK_ERRANDS.labels(_kind(errand), "failed").inc()
            _log.warning("hook errand failed", errand=_kind(errand), error=type(error).__name__)
        else:
            metrics.HOOK_ERRANDS.labels(_kind(errand), "done").inc()

    def _confirm(self, url: str, client: httpx.Client) -> None:
        """SNS got our 200 already and does not ask again, so this is tried more than once."""
        for attempt in range(1, CONFIRM_ATTEMPTS + 1):
            try:
                self._get(url, client)
            except (httpx.HTTPError, OSError):
                if attempt == CONFIRM_ATTEMPTS or self._closing.wait(_PAUSE_S):
                    raise
            else:
                return

    def _get(self, url: str, client: httpx.Client) -> bytes:
        """The body of a 200.

        Raises:
            httpx.HTTPError, OSError: there is none.
            ValueError: the address is not one that we ask.
        """
        if not self._memory.speaks_for_sns(url):
            raise ValueError("not an address of Amazon SNS")
        give_up_s = time.monotonic() + ANSWER_SECONDS_MAX
        body = b""
        with client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise OSError(f"it answered {answer.status_code}")
            for part in answer.iter_bytes():
                body += part
                if len(body) > ANSWER_BYTES_MAX or time.monotonic() > give_up_s:
                    raise OSError("it answered too much, or too slowly")
        return body


def certificate_of(pem: bytes) -> Certificate:
    """What a certificate says of its key.

    Raises:
        ValueError: it is none, or its key is of another kind.
    """
    certificate = load_pem_x509_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")  # noqa: TRY004  it is a value from outside
    return Certificate(
        key,
        round(certificate.not_valid_before_utc.timestamp() * 1000),
        round(certificate.not_valid_after_utc.timestamp() * 1000),
    )


def _kind(errand: _Outside) -> str:
    return "certificate" if isinstance(errand, FetchCertificate) else "confirmation"
