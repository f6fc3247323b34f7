"""How the process is: alive, ready, and its numbers."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import select

from services.api.context import Here
from services.api.problem import described
from services.api.wire import Out
from services.contract.tables import workspace

router = APIRouter(tags=["running it"])


class HealthOut(Out):
    """It is well."""

    status: str = "ok"


@router.get("/healthz", summary="The process lives", responses=described(400))
def healthz() -> HealthOut:
    """Nothing else is looked at."""
    return HealthOut()


@router.get("/readyz", summary="The process can answer", responses=described(400, 503))
def readyz(here: Here) -> HealthOut:
    """The database can be reached and has its tables."""
    with here.engine.connect() as connection:
        connection.execute(select(workspace.c.id).limit(1)).first()
    return HealthOut()


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **described(400),
    },
)
def metrics() -> Response:
    """Requests by route and status, and their durations."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
