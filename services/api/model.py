"""The model version in force."""

from typing import Any

import msgspec
from fastapi import APIRouter

from services.api.context import Here
from services.api.needs import WorkspaceReader
from services.api.problem import described
from services.api.wire import Out

router = APIRouter(prefix="/v1", tags=["workspace"])


class ModelOut(Out):
    """A model version and every number in it."""

    version: str
    about: str
    parameters: dict[str, Any]


@router.get("/model", summary="The model in force", responses=described(400, 401, 403, 503))
def get_model(here: Here, credential: WorkspaceReader) -> ModelOut:  # noqa: ARG001  it guards
    """Its rates, thresholds and weights, as they stand in data."""
    parameters = msgspec.to_builtins(here.model.parameters)
    return ModelOut(
        version=here.model.version, about=here.model.parameters.about, parameters=parameters
    )
