"""What a file is called where people read its name, in a list of jobs."""

import re

FILE_NAME_LENGTH_MAX = 200
_NONE = r"/\\\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069"
"""Of folders, of no text at all, or what turns the letters after it around: ``fdp.exe``."""
FILE_NAME_PATTERN = f"^[^{_NONE}]+$"
"""What an import takes; surrogates are in no request's text."""
_OUT = re.compile(rf"[{_NONE}\ud800-\udfff]+")


def shown_name(name: str) -> str | None:
    """A file's name as an import takes it.

    Args:
        name: as a disk or a browser gives it.

    Returns:
        It, cut to a length that is taken; None where nothing is left.
    """
    return _OUT.sub(" ", name).strip()[:FILE_NAME_LENGTH_MAX] or None
