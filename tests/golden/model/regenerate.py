"""Write the expected scores of every journey anew: ``python -m tests.golden.model.regenerate``.

Only where scores are meant to change; the difference in git is then what to look at.
"""

import json
from pathlib import Path as File

from services.contract.event import Consent, Event, Machine, event_id_of
from services.model.explain import explain
from services.model.fold import fold
from services.model.path import Path
from services.model.rulebook import Rulebook
from services.model.timeline import advance
from services.model.version import load

HERE = File(__file__).parent
FILES = sorted(HERE.glob("*.json"))


def events_of(journey: dict) -> list[Event]:
    """The events as written: times are minutes after ``begins_ms``."""
    return [
        Event(
            v=1,
            workspace_id=1,
            event_id=event_id_of(1, 1, str(number)),
            source_id=1,
            type=written["type"],
            occurred_ms=journey["begins_ms"] + written["minute"] * 60_000,
            received_ms=journey["begins_ms"] + written["minute"] * 60_000,
            channel=written["channel"],
            content_id=written.get("content_id"),
            content_type=written.get("content_type"),
            message_id=written.get("message_id"),
            click_id=written.get("click_id"),
            machine=Machine(p=written.get("machine", 0.0)),
            consent=Consent(**written.get("consent", {})),
            properties=written.get("properties", {}),
        )
        for number, written in enumerate(journey["events"])
    ]


def expected_of(journey: dict) -> dict:
    """What the model makes of a journey: after each event, its account, and its intervals."""
    events, model = events_of(journey), load(journey["version"])
    state = None
    after: list[dict] = []
    for event in events:
        state = fold(state, event, model)
        scores = None
        if state.score is not None:
            scores = Path(state, model).states_at(state.at_ms)
        after.append({"states": scores, "engagement": state.engagement.get("")})
    _, intervals = advance(None, events, model, Rulebook())
    account = explain(events, model, journey["begins_ms"] + journey["asked_minute"] * 60_000)
    return {
        "after_each_event": after,
        "account": account
        and {
            "prior_active": account.prior_active,
            "prior_turning": account.prior_turning,
            "steps": [[c.kind, c.active, c.turning] for c in account.contributions],
            "active": account.active,
            "turning": account.turning,
        },
        "intervals": [
            [i.kind, i.key, i.from_ms, i.to_ms]
            for i in sorted(intervals, key=lambda i: (i.kind, i.from_ms))
        ],
    }


if __name__ == "__main__":
    for file in FILES:
        journey = json.loads(file.read_text())
        journey["expected"] = expected_of(journey)
        file.write_text(json.dumps(journey, indent=1, ensure_ascii=False) + "\n")
        print(file.name)
