"""Where a click came from, as a mark: enough to see one scanner follow the links of many people.

The mark is 20 bits of a keyed hash of the day, the network and the user agent. It leads back to
nobody: some thousand addresses of the internet share each value, the key is the workspace's own,
and tomorrow it is another. The network and the user agent themselves are not kept.
"""

import hashlib

from services.contract.phases import DAY_MS
from services.tracker.user_agents import USER_AGENT_LENGTH_MAX

_MARK_LENGTH = 5
"""In hexadecimal digits."""
_KEY_BYTES_MAX = 64


def origin_of(address: str, agent: bytes, secret: bytes, now_ms: int) -> str:
    """The mark of a client.

    Args:
        address: an IPv4 address, or a network of IPv6.
        agent: its user agent; at most ``USER_AGENT_LENGTH_MAX`` bytes count.
        secret: of the workspace.
        now_ms: UTC milliseconds; marks of different days have nothing to do with each other.
    """
    told = f"{now_ms // DAY_MS}\x1f{_network(address)}\x1f".encode()
    told += agent[:USER_AGENT_LENGTH_MAX]
    key = secret[:_KEY_BYTES_MAX]
    hashed = hashlib.blake2b(told, digest_size=8, key=key, person=b"origin")
    return hashed.hexdigest()[:_MARK_LENGTH]


def _network(address: str) -> str:
    """Scanners work from neighbouring addresses: of IPv4 the last byte is left out."""
    return address.rpartition(".")[0] or address
