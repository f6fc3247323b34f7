"""What a user would write first: FastAPI, and kafka-python's ``send().get()`` before the answer.

``KENTERING_KAFKA`` names the broker; the topic is ``peer``.
"""

import json
import os
from typing import Annotated, Any

from fastapi import Body, FastAPI
from kafka import KafkaProducer

app = FastAPI()
producer = KafkaProducer(
    bootstrap_servers=os.environ["KENTERING_KAFKA"],
    acks="all",
    value_serializer=lambda value: json.dumps(value).encode(),
)


@app.get("/readyz")
def ready() -> dict[str, bool]:
    """The process answers."""
    return {"ready": True}


@app.post("/v1/track")
def track(event: Annotated[dict[str, Any], Body()]) -> dict[str, bool]:
    """Answer when Kafka has it."""
    producer.send("peer", event).get(timeout=10)
    return {"success": True}
