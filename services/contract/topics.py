"""The Kafka topics and their settings."""

from dataclasses import dataclass, field

DAY_MS = 86_400_000


@dataclass(frozen=True)
class Topic:
    """A topic as ``kentering topics`` creates it."""

    name: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


EVENTS = Topic(
    name="events",
    partitions=4,
    config={
        # By the broker's clock: by the sender's, a record a day ahead would be refused and one
        # a year back would at once be due for deletion.
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(7 * DAY_MS),
        "cleanup.policy": "delete",
        "max.message.bytes": str(1_048_576),
    },
)

CHANGES = Topic(
    name="changes",
    partitions=4,
    config={
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": str(7 * DAY_MS),
        "cleanup.policy": "delete",
    },
)

TOPICS: tuple[Topic, ...] = (EVENTS, CHANGES)
