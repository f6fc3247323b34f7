"""How names are spelled that stand in addresses and programs, as regular expressions."""

NAMESPACE_PATTERN = "^[a-z0-9][a-z0-9_.-]{0,63}$"
"""Of a system's ids: ``user_id``, ``carerix``."""
KEY_PATTERN = "^[a-z0-9][a-z0-9_-]{0,63}$"
"""Of a segment, a feed, a header."""
IN_WORDS = {
    NAMESPACE_PATTERN: "give small letters, digits, _, . and -, 64 at most, the first a letter or "
    "a digit",
    KEY_PATTERN: "give small letters, digits, _ and -, 64 at most, the first a letter or a digit",
}
