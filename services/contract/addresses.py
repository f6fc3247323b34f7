"""From where a request comes: the address that somebody we trust vouches for.

It is used to limit rates, in memory alone, and never written; a click is marked with what
:mod:`services.tracker.origin` makes of it.
"""

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_HOPS_MAX = 20
_CACHED_MAX = 10_000
_SAID_BYTES_MAX = 1_000
"""Of each header the end counts. It is remembered, and anybody may write as much as they like."""
_HOME_PREFIX = 64
"""One customer of IPv6 has all addresses below such a prefix."""
_FORWARDED_FOR = re.compile(r'(?:^|;)\s*for="?([^";]+?)"?\s*(?:;|$)', re.IGNORECASE)


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks as settings say them: ``10.0.0.0/8, 2001:db8::/32``.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


class Addresses:
    """Tells senders apart by address, with or without proxies before us.

    Args:
        trusted: networks of our own proxies; only what they say of others is believed.
    """

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)
        self._worked_out = lru_cache(maxsize=_CACHED_MAX)(self._work_out)

    def sender(self, peer: str, x_forwarded_for: bytes, forwarded: bytes) -> str | None:
        """The address, or IPv6 network, that a request came from.

        Args:
            peer: the other end of the connection.
            x_forwarded_for: the header, empty where there is none; it comes before the next.
            forwarded: the header of RFC 7239.

        Returns:
            None where it is an inner address: a system of one's own, or a proxy that nobody
            declared. To limit it would be to limit everybody behind it.
        """
        return self._worked_out(
            peer, x_forwarded_for[-_SAID_BYTES_MAX:], forwarded[-_SAID_BYTES_MAX:]
        )

    def _work_out(self, peer: str, x_forwarded_for: bytes, forwarded: bytes) -> str | None:
        address = _read(peer)
        hops = _hops(x_forwarded_for, forwarded)
        while address is not None and hops and self._is_trusted(address):
            address = _read(hops.pop())
        if address is None or not address.is_global:
            return None
        if address.version == 6:
            return str(ipaddress.ip_network((address, _HOME_PREFIX), strict=False))
        return str(address)

    def _is_trusted(self, address: _Address) -> bool:
        return any(address in network for network in self._trusted)


def _hops(x_forwarded_for: bytes, forwarded: bytes) -> list[str]:
    """From the client to us, as each hop wrote down whom it heard; the last are the surest."""
    if x_forwarded_for:
        hops = x_forwarded_for.decode("latin-1").rsplit(",", _HOPS_MAX)[-_HOPS_MAX:]
        return [hop.strip() for hop in hops]
    if not forwarded:
        return []
    found = []
    for hop in forwarded.decode("latin-1").rsplit(",", _HOPS_MAX)[-_HOPS_MAX:]:
        named = _FORWARDED_FOR.search(hop.strip())
        found.append(named[1] if named else "unknown")
    return found


def _read(text: str) -> _Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
