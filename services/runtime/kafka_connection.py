"""Connecting to Kafka, so that a broker that is away is an ``OSError`` and leaves nothing open."""

from collections.abc import Callable
from typing import Any, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

BOOTSTRAP_TIMEOUT_MS = 5_000

Client = TypeVar("Client")


def connect(kind: Callable[..., Client], bootstrap: str, **options: Any) -> Client:
    """A producer, consumer or admin client that has reached the cluster.

    Args:
        kind: ``KafkaProducer``, ``KafkaConsumer`` or ``KafkaAdminClient``.
        bootstrap: ``host:port``, several with commas.
        options: further settings of that client.

    Raises:
        OSError: no broker answered within some seconds.
    """
    opened: list[Any] = []

    def open_network(**network_options: Any) -> Any:
        opened.append(KafkaNetClient(**network_options))
        return opened[-1]

    try:
        return kind(
            bootstrap_servers=bootstrap.split(","),
            bootstrap_timeout_ms=BOOTSTRAP_TIMEOUT_MS,
            kafka_client=open_network,
            **options,
        )
    except KafkaError as error:
        # A constructor that fails leaves its sockets, and a consumer's its thread too.
        for network in opened:
            network.close()
        raise OSError(f"no Kafka broker answers at {bootstrap}: {error}") from error


def connect_network(bootstrap: str, **options: Any) -> KafkaNetClient:
    """The library's network client alone, when it has reached the cluster.

    Whoever waits for an answer drives it, by ``poll``; it has no thread.

    Args:
        bootstrap: ``host:port``, several with commas.
        options: further settings of it.

    Raises:
        OSError: no broker answered within some seconds.
    """
    network = KafkaNetClient(bootstrap_servers=bootstrap.split(","), **options)
    try:
        network.check_version(timeout_ms=BOOTSTRAP_TIMEOUT_MS)
    except KafkaError as error:
        network.close()
        raise OSError(f"no Kafka broker answers at {bootstrap}: {error}") from error
    return network
