"""Bringing Kafka's topics to what :mod:`services.contract.topics` says of them."""

import time
from collections.abc import Iterable, Iterator
from typing import Any

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from services.contract.topics import Topic
from services.runtime.kafka_connection import connect

_RETRY_S = 1.0


def ensure_topics(bootstrap: str, topics: Iterable[Topic], timeout_s: float) -> Iterator[str]:
    """Create what is missing, alter what differs; yields one line for each thing found or done.

    The number of replicas is the broker's default (``default.replication.factor``). A topic
    with more partitions than we want keeps them, as Kafka cannot take any away.

    Args:
        bootstrap: ``host:port`` of the brokers, several with commas.
        topics: as they shall be.
        timeout_s: how long to wait for a broker that is not there yet.

    Raises:
        OSError: no broker in time, or it refused.
    """
    admin = _connect(bootstrap, timeout_s)
    try:
        for topic in topics:
            yield from _ensure(admin, topic)
    except KafkaError as error:
        raise OSError(f"Kafka refused: {error}") from error
    finally:
        admin.close()


def _connect(bootstrap: str, timeout_s: float) -> KafkaAdminClient:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return connect(KafkaAdminClient, bootstrap)
        except OSError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_RETRY_S)


def _ensure(admin: KafkaAdminClient, topic: Topic) -> Iterator[str]:
    if topic.name not in admin.list_topics():
        if _create(admin, topic):
            yield f"{topic.name}: created with {topic.partitions} partitions"
            return
        yield f"{topic.name}: created by somebody else meanwhile"
    yield from _alter_partitions(admin, topic)
    yield from _alter_settings(admin, topic)


def _create(admin: KafkaAdminClient, topic: Topic) -> bool:
    wanted = {topic.name: {"num_partitions": topic.partitions, "configs": topic.config}}
    try:
        admin.create_topics(wanted, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        return False
    return True


def _alter_partitions(admin: KafkaAdminClient, topic: Topic) -> Iterator[str]:
    found = len(admin.describe_topics([topic.name])[0]["partitions"])
    if found < topic.partitions:
        admin.create_partitions({topic.name: topic.partitions})
        yield f"{topic.name}: from {found} to {topic.partitions} partitions"
    elif found > topic.partitions:
        yield f"{topic.name}: keeps its {found} partitions ({topic.partitions} would do)"


def _alter_settings(admin: KafkaAdminClient, topic: Topic) -> Iterator[str]:
    found = _settings(admin, topic)
    wrong = {name: value for name, value in topic.config.items() if found.get(name) != value}
    if wrong:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, wrong)])
    for name, value in wrong.items():
        yield f"{topic.name}: {name} from {found.get(name)} to {value}"
    if not wrong:
        yield f"{topic.name}: settings are as they should be"


def _settings(admin: KafkaAdminClient, topic: Topic) -> dict[str, Any]:
    asked = ConfigResource(ConfigResourceType.TOPIC, topic.name, list(topic.config))
    answer = admin.describe_configs([asked], config_filter="all")
    return {name: entry["value"] for name, entry in answer["topic"][topic.name].items()}
