"""What a command says where the API does not answer."""

import httpx


def away(url: str, error: httpx.TransportError) -> str:
    """Which address it was, why, and how to name another."""
    why = str(error) or type(error).__name__
    return f"{url}: {why}. If Kentering is elsewhere, say where with --url."
