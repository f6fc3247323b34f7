"""The tracker's gate, as the environment says it."""

from services.cli.networks import own_proxies
from services.runtime.settings import Settings
from services.tracker.gate import Gate


def open_gate(settings: Settings) -> Gate:
    """Limits for addresses and keys.

    Raises:
        click.ClickException: a trusted proxy is no network.
    """
    return Gate(own_proxies(settings), settings.requests_per_address, settings.events_per_key)
