"""The tracker's gate, as the environment says it."""

import click

from services.runtime.settings import Settings
from services.tracker.addresses import networks_of
from services.tracker.gate import Gate


def open_gate(settings: Settings) -> Gate:
    """Limits for addresses and keys.

    Raises:
        click.ClickException: a trusted proxy is no network.
    """
    try:
        trusted = networks_of(settings.trusted_proxies)
    except ValueError as error:
        raise click.ClickException(f"KENTERING_TRUSTED_PROXIES: {error}") from None
    return Gate(trusted, settings.requests_per_address, settings.events_per_key)
