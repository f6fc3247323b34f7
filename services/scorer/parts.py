"""Records that come next, in parts of which a transaction has room in memory."""

from collections.abc import Sequence

from services.runtime.event_log import Stored

KEYS_MAX = 5_000
"""Different keys of a part's records. What takes memory is the people: some 12 KB each while they
are at hand; and where there are as many of them as records, nothing is done once for several."""


def in_parts(records: Sequence[Stored]) -> list[Sequence[Stored]]:
    """All of the records, in their order."""
    if len(records) <= KEYS_MAX:
        return [records]
    parts: list[Sequence[Stored]] = []
    begin, keys = 0, set[bytes]()
    for number, record in enumerate(records):
        keys.add(record.key)
        if len(keys) > KEYS_MAX:
            parts.append(records[begin:number])
            begin, keys = number, {record.key}
    return [*parts, records[begin:]]
