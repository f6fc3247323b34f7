"""The kept list of crawlers, asked for all its entries at once.

Nearly every entry is plain text, and those are looked for together in one pass; the few patterns
are RE2's. So a look takes microseconds, and its time grows with the text's length and no faster.
"""

import re
from typing import Literal

import ahocorasick_rs
import re2
from crawleruseragents import CRAWLER_USER_AGENTS_DATA

Listed = Literal["crawler", "client_library"]

_LIBRARY_TAG = "http-library"

# Entries that people's own browsers have too: Android 15 on several makes, the browser of Sogou.
# That one's crawler says "spider".
_PEOPLES_ENTRIES = ("AP3A\\.240617\\.008", "Sogou")

_PLAIN = re.compile(r"(?:[^\\^$.*+?()\[\]{}|]|\\\W)+")
_ESCAPED = re.compile(r"\\(.)")


def _patterns(tagged: bool) -> tuple[list[str], list[str]]:  # noqa: FBT001
    """(plain texts, patterns) of the entries of libraries, or of all others."""
    texts, patterns = [], []
    for entry in CRAWLER_USER_AGENTS_DATA:
        pattern = entry["pattern"]
        if (_LIBRARY_TAG in entry.get("tags", ())) != tagged or pattern in _PEOPLES_ENTRIES:
            continue
        if _PLAIN.fullmatch(pattern):
            texts.append(_ESCAPED.sub(r"\1", pattern))
        else:
            patterns.append(pattern)
    return texts, patterns


_library_texts, _library_patterns = _patterns(tagged=True)
_crawler_texts, _crawler_patterns = _patterns(tagged=False)
_TEXTS = ahocorasick_rs.AhoCorasick([*_library_texts, *_crawler_texts])
_LIBRARY_PATTERN = re2.compile("|".join(_library_patterns))
_CRAWLER_PATTERN = re2.compile("|".join(_crawler_patterns))


def listed(agent: str) -> Listed | None:
    """What the list says of a user agent, or None where it is not on it."""
    found = [index for index, _, _ in _TEXTS.find_matches_as_indexes(agent)]
    if any(index < len(_library_texts) for index in found) or _LIBRARY_PATTERN.search(agent):
        return "client_library"
    if found or _CRAWLER_PATTERN.search(agent):
        return "crawler"
    return None
