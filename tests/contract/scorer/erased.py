"""Somebody of whom everything is known, and what erases her."""

from sqlalchemy import select

from services.contract import tables
from services.contract.event import Agreement, Event, Identity
from tests.contract.scorer.scene import Scene, cookie, mail, user

ALL_OF_ANNA = (user("anna"), mail("a@x.org"), cookie("canary"))


def erasure(scene: Scene, *identities: Identity, day: float, spans=(), **more) -> Event:
    """What a server tells of somebody erased; ``spans``: what was theirs for a time only."""
    told = {
        "reason": "erased",
        "spans": [[i.namespace, i.value, a, b] for i, a, b in spans],
        "key": "key 1",
    }
    return scene.day(
        "erased", *identities, day=day, server_only=True, source_id=0, properties=told, **more
    )


def anna(scene: Scene) -> list[Event]:
    """Her six events; whatever is hers alone says ``canary``."""
    return [
        scene.day("identified", user("anna"), mail("a@x.org"), day=1, server_only=True,
                  properties={"name": "canary name"}, content_id="canary-content",
                  agreement=Agreement(text_version="canary text")),
        scene.day("page", user("anna"), cookie("canary"), day=2, click_id="canary-click"),
        scene.day("page", cookie("canary"), day=3, properties={"url": "canary-url"}),
        scene.day("sent", mail("a@x.org"), day=4, server_only=True, message_id="canary-mailing"),
        scene.day("applied", user("anna"), day=5, server_only=True),
        scene.day("page", cookie("canary"), user("anna"), Identity("crm", "canary-crm"), day=6),
    ]  # fmt: skip


def everything(scene: Scene) -> str:
    """All rows of all tables, as text and as bytes."""
    texts = []
    for table in tables.metadata.sorted_tables:
        for row in scene.rows(select(table)):
            texts += [
                one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one)
                for one in row
            ]
    return "\n".join(texts)
