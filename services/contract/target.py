"""Where a webhook may go: to the outside, and within to networks that were named.

Whoever manages webhooks says where we connect to, from inside the network that we run in: so
that network, the machine itself and the metadata services of clouds are not among it.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

URL_LENGTH_MAX = 2_000

# Not private by their numbers, and yet no place outside.
_NEVER = (
    ipaddress.ip_network("192.0.0.0/24"),  # reserved for protocols; a cloud's metadata
    ipaddress.ip_network("168.63.129.16/32"),  # Azure's own services, inside a virtual network
    ipaddress.ip_network("::/8"),  # IPv4 addresses in old clothes, among others
    ipaddress.ip_network("64:ff9b:1::/48"),
    ipaddress.ip_network("fec0::/10"),
    ipaddress.ip_network("2001::/32"),  # Teredo and 6to4 lead to an IPv4 address of choice
    ipaddress.ip_network("2002::/16"),
)
_INSIDE = (
    "The host is inside a network that webhooks may not go to. If it is your own, name that "
    "network in the setting KENTERING_WEBHOOK_NETWORKS, of `api` and `dispatch` alike."
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


class TargetError(ValueError):
    """A webhook may not go there; the text says why."""


class Target(NamedTuple):
    """Whom to ask for, taken out of a URL."""

    secure: bool
    host: str
    port: int


def networks_of(text: str) -> tuple[Network, ...]:
    """Networks as settings say them: ``10.0.0.0/8, fd00::/8``.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())


def target_of(url: str) -> Target:
    """The target of a URL, if it is written as one plain way alone allows.

    Raises:
        TargetError: it is not.
    """
    if len(url) > URL_LENGTH_MAX:
        raise TargetError(f"An address has at most {URL_LENGTH_MAX} characters.")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise TargetError("An address is plain ASCII; names of other letters begin with xn--.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        raise TargetError("This is no address.") from None
    if parts.scheme not in {"https", "http"}:
        raise TargetError("An address begins with https://.")
    if "@" in parts.netloc or parts.fragment:
        raise TargetError("An address has neither a user name nor a part behind #.")
    if "%" in parts.netloc:
        raise TargetError("A host is written plainly, without %.")
    if ":" in host or "[" in parts.netloc:
        _ip(host)
    elif not _NAME.fullmatch(host):
        raise TargetError("The host is no name.")
    elif _NUMBER.fullmatch(host.rsplit(".", 1)[-1]):
        # As browsers read it, a name that ends in a number is an IPv4 address in any notation.
        _ip(host)
    secure = parts.scheme == "https"
    return Target(secure, host, port or (443 if secure else 80))


def check_addresses(
    target: Target, addresses: Iterable[str], allowed: Sequence[Network]
) -> list[str]:
    """The addresses that a target's name stands for, if we may connect to every one of them.

    One that is refused is enough: who mixes them means to be connected to it.

    Raises:
        TargetError: one is refused, or there is none.
    """
    found = list(dict.fromkeys(addresses))
    if not found:
        raise TargetError("The host has no address.")
    for text in found:
        address = _ip(text.partition("%")[0])
        ours = any(address in network for network in allowed)
        if not ours and not _is_outside(address):
            raise TargetError(_INSIDE)
        if not ours and not target.secure:
            raise TargetError("An address outside your own networks begins with https://.")
    return found


def _ip(text: str) -> Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise TargetError("The host is no IP address as it is usually written.") from None


def _is_outside(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_outside(address.ipv4_mapped)
        if address in _NAT64:
            return _is_outside(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NEVER)
    )
