"""Schemathesis over the whole OpenAPI, on both databases: no 5xx, no undocumented status."""

import os
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import pytest
import schemathesis
from httpx import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.api.app import create_app
from services.contract.event import Event
from tests.contract.api.conftest import KEY
from tests.contract.api.world import World

# `make drill` tries more of each route.
EXAMPLES = int(os.environ.get("KENTERING_DRILL_EXAMPLES", "2"))
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


class Place(NamedTuple):
    """Where routes are, and the ids that there are."""

    url: str
    authorization: str
    known: Mapping[str, Sequence[str]] = {}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_route_keeps_its_word(
    api: tuple[Client, Callable[[], list[Event]]],
    door: tuple[str, Callable[[], list[Event]]],
    world: World,
    people: dict[str, str],
    mode: GenerationMode,
) -> None:
    """The tracker's too: asked as it says that it can be, and as it says that it cannot."""
    client, _ = api
    client.put(
        "/v1/segments/known",
        json={"name": "Known", "rule": {"type": "phase", "any_of": ["see"]}},
    )
    world.build()
    known = {"person_id": list(people.values()), "key": ["known"]}
    ours = Place(str(client.base_url), client.headers["Authorization"], known)
    tracker = Place(door[0], f"Basic {b64encode(f'{world.made.server_key}:'.encode()).decode()}")
    schema = schemathesis.openapi.from_dict(
        create_app(world.engine, KEY, "http://track.test").openapi()
    )
    failures: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        is_collecting = "collecting" in operation.definition.raw["tags"]
        try:
            _attempt(operation, mode, tracker if is_collecting else ours)
        except Unsatisfiable:  # of a route that takes anything, or nothing, nothing is wrong
            assert mode is GenerationMode.NEGATIVE, operation.label
        except Exception as error:  # noqa: BLE001  every route is tried, then all is told
            failures.append(f"{operation.label}: {error}")
    if failures:
        pytest.fail("\n\n".join(failures))


def _attempt(operation: schemathesis.APIOperation, mode: GenerationMode, place: Place) -> None:
    """Ids that exist are filled in now and then, so that not all is 404."""

    @hypothesis_given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def attempt(case: schemathesis.Case, data: st.DataObject) -> None:
        for name, values in place.known.items():
            if name in (case.path_parameters or {}) and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(values))
        if case.query and "after" in case.query and case.path != "/v1/changes":
            del case.query["after"]  # it would wait two seconds
        headers = {"Authorization": place.authorization}
        answer = case.call(base_url=place.url, headers=headers, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    attempt()
