"""Whether a request is more than its sender may bring now: by address, and by key."""

from collections.abc import Iterable, Sequence

from services.contract.addresses import Addresses, Network
from services.contract.event import Event
from services.tracker.limits import RateLimits
from services.tracker.reasons import Reason
from services.tracker.request import Request

_PROVEN = ("/hooks/", "/u/")
_UNPROVEN: frozenset[Reason] = frozenset(
    {
        "hook_unfinished",
        "no_signature",
        "bad_signature",
        "old_signature",
        "stale_signature",
        "used_signature",
        "bad_token",
    }
)


def must_prove(request: Request) -> bool:
    """Whether the request carries what proves its sender, which is dear to check."""
    return request.path.startswith(_PROVEN)


class Gate:
    """Belongs to the event loop's thread. Knows no clock.

    Args:
        trusted_proxies: networks of our own proxies, believed when they say for whom they speak.
        requests_per_second: of one address; 0 sets no limit.
        events_per_second: of one key; 0 sets no limit.
    """

    def __init__(
        self,
        trusted_proxies: Sequence[Network],
        requests_per_second: float,
        events_per_second: float,
    ) -> None:
        self._addresses = Addresses(trusted_proxies)
        self._by_address = RateLimits(requests_per_second)
        self._unproven = RateLimits(requests_per_second)
        self._by_key = RateLimits(events_per_second)

    def address_of(self, request: Request) -> str | None:
        """Where the request came from, as far as anybody vouches for it."""
        headers = request.headers
        return self._addresses.sender(
            request.peer, headers.get(b"x-forwarded-for", b""), headers.get(b"forwarded", b"")
        )

    def wait_for_address_s(self, address: str | None, request: Request, now_ms: int) -> int | None:
        """Whole seconds until this address may ask again; None where it may now.

        Of mailers' webhooks and of unsubscribing only what proves nothing counts: a mailing comes
        from few addresses at once, and mail programs unsubscribe thousands from a few of theirs.
        """
        if address is None:
            return None
        if must_prove(request):
            return self._unproven.allows(address, now_ms, 0)
        return self._by_address.allows(address, now_ms)

    def blame(self, address: str, request: Request, reasons: Iterable[Reason], now_ms: int) -> None:
        """Let an address pay for a request that should have proven who sent it, and did not."""
        if must_prove(request) and not _UNPROVEN.isdisjoint(reasons):
            self._unproven.allows(address, now_ms)

    def wait_for_key_s(self, events: Sequence[Event], now_ms: int) -> int | None:
        """Whole seconds until the key behind these events may send again.

        A key that takes another's place has its bucket. Our own links and our own processes,
        which have none, are not limited.
        """
        first = events[0]
        if first.source_id <= 0:
            return None
        return self._by_key.allows((first.workspace_id, first.source_id), now_ms, len(events))
