"""Schemathesis over the whole OpenAPI, on both databases: no 5xx, no undocumented status."""

import os

import pytest
import schemathesis
from httpx import Client
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.api.app import create_app
from tests.contract.api.conftest import KEY
from tests.contract.api.world import World

# `make drill` tries more of each route.
EXAMPLES = int(os.environ.get("KENTERING_DRILL_EXAMPLES", "3"))


def test_every_route_keeps_its_word(client: Client, world: World, people: dict[str, str]) -> None:
    """Ids that exist are filled in now and then, so that not all is 404."""
    client.put(
        "/v1/segments/known",
        json={"name": "Known", "rule": {"type": "phase", "any_of": ["see"]}},
    )
    world.build()
    app = create_app(world.engine, KEY, "http://track.test")
    schema = schemathesis.openapi.from_dict(app.openapi())
    known = {"person_id": list(people.values()), "key": ["known"]}
    failures: list[str] = []
    for result in schema.exclude(tag="collecting").get_all_operations():
        operation = result.ok()

        @hypothesis_given(case=operation.as_strategy(), data=st.data())
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def attempt(case: schemathesis.Case, data: st.DataObject) -> None:
            for name, values in known.items():
                if name in (case.path_parameters or {}) and data.draw(st.booleans()):
                    case.path_parameters[name] = data.draw(st.sampled_from(values))
            if case.query and "after" in case.query and case.path != "/v1/changes":
                del case.query["after"]  # it would wait two seconds
            answer = case.call(
                base_url=str(client.base_url),
                headers={"Authorization": client.headers["Authorization"]},
                allow_redirects=False,
            )
            if answer.status_code == 503 and answer.json()["code"] == "tracker_away":
                return  # as it says: no tracker runs here
            case.validate_response(
                answer,
                checks=(
                    not_a_server_error,
                    status_code_conformance,
                    content_type_conformance,
                    response_schema_conformance,
                ),
            )

        try:
            attempt()
        except Exception as error:  # noqa: BLE001  every route is tried, then all is told
            failures.append(f"{operation.label}: {error}")
    if failures:
        pytest.fail("\n\n".join(failures))
