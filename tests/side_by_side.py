"""Which tests go together when ``make test`` shares them out among processes.

Each process has servers of its own, started when its first test asks for them. A file stays in
one process, and so do all files that share one running product. What waits and starts servers
comes first, the many quick tests last: they fill up whichever process is done.
"""

from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadScopeScheduling

_SLOW_FIRST = ("simulation", "drills", "integration", "contract")
_SHARE_A_PRODUCT = ("test_browser", "test_demo", "test_mailings", "test_sdks", "test_sdks_browser")


class SideBySide(LoadScopeScheduling):
    """Hands out files, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        file = PurePosixPath(nodeid.partition("::")[0])
        return "product" if file.stem in _SHARE_A_PRODUCT else str(file)


def slow_first(items: list[pytest.Item]) -> None:
    """Put tests into the order of their folders; within a folder they stay as they are."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    folder = item.nodeid.split("/")[1]
    return _SLOW_FIRST.index(folder) if folder in _SLOW_FIRST else len(_SLOW_FIRST)
