"""Our own networks, as the environment says them."""

import click

from services.contract import addresses
from services.contract.target import Network, networks_of
from services.runtime.settings import Settings


def own_networks(settings: Settings) -> tuple[Network, ...]:
    """Those that webhooks may go to.

    Raises:
        click.ClickException: one is no network.
    """
    try:
        return networks_of(settings.webhook_networks)
    except ValueError as error:
        raise click.ClickException(f"KENTERING_WEBHOOK_NETWORKS: {error}") from None


def own_proxies(settings: Settings) -> tuple[Network, ...]:
    """Those who are believed when they say for whom they speak.

    Raises:
        click.ClickException: one is no network.
    """
    try:
        return addresses.networks_of(settings.trusted_proxies)
    except ValueError as error:
        raise click.ClickException(f"KENTERING_TRUSTED_PROXIES: {error}") from None
