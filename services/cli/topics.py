"""``kentering topics``: create Kafka's topics, or bring them to their settings."""

import click

from services.contract.topics import TOPICS
from services.runtime.kafka_topics import ensure_topics
from services.runtime.settings import from_environment


@click.command(name="topics")
@click.option(
    "--wait", default=60, show_default=True, metavar="SECONDS", help="How long to wait for Kafka."
)
def command(wait: int) -> None:
    """Create Kafka's topics with their settings; run it again at any time."""
    try:
        for line in ensure_topics(from_environment().kafka, TOPICS, wait):
            click.echo(line)
    except OSError as error:
        raise click.ClickException(str(error)) from None
