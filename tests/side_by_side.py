"""Which tests go together when ``make test`` shares them out among processes.

Each process has servers of its own, started when its first test asks for them. A file stays in
one process, and so do all files that share one running product, or one Kafka, which are dear to
start. What waits and starts servers comes first, the many quick tests last: they fill up whichever
process is done.
"""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

_SLOW_FIRST = ("simulation", "drills", "integration", "contract")
_SHARE_A_KAFKA = (
    *("simulation/test_frozen", "simulation/test_scoring"),
    *("integration/test_canaries", "integration/test_journey"),
    *("contract/test_event_log", "contract/test_kafka_log", "contract/dispatch/test_never_skips"),
)
_SHARE_A_PRODUCT = (
    *("integration/test_browser", "integration/test_dashboard_pages", "integration/test_demo"),
    *("integration/test_docs", "integration/test_mailings", "integration/test_sdks"),
    *("integration/test_sdks_browser", "integration/test_stream", "integration/test_sweeps"),
)
_TOGETHER = dict.fromkeys(_SHARE_A_KAFKA, "kafka") | dict.fromkeys(_SHARE_A_PRODUCT, "product")


class SideBySide(LoadScopeScheduling):
    """Hands out files, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.partition("::")[0])
        return _TOGETHER.get(str(PurePosixPath(*file.parts[1:]).with_suffix("")), str(file))


def slow_first(items: list[pytest.Item]) -> None:
    """Put tests into the order of their folders; within a folder they stay as they are."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.nodeid.split("/")[1]
    return _SLOW_FIRST.index(folder) if folder in _SLOW_FIRST else len(_SLOW_FIRST)
