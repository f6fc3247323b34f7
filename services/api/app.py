"""The API and the dashboard as one app."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from sqlalchemy import Engine
from starlette.routing import BaseRoute

from services.api import (
    accounts,
    audit,
    by_hand,
    campaigns,
    changes,
    conflicts,
    consent,
    content,
    decisions,
    deliveries,
    docs,
    erasures,
    explain,
    health,
    hooks,
    identities,
    interests,
    keys,
    known,
    link_secrets,
    links,
    members,
    messages,
    model,
    next_content,
    objections,
    openapi,
    persons,
    phases,
    pressure,
    preview,
    problem,
    problem_pages,
    retention,
    rewrite,
    segments,
    smart,
    snapshot,
    stream,
    telling,
    timeline,
    trend,
    triggers,
    upserts,
    webhook_secrets,
    webhooks,
    withdrawals,
    workspaces,
)
from services.api.auth import Keys
from services.api.context import Context
from services.api.dashboard import (
    access,
    error_pages,
    invitations,
    keeping,
    password,
    people,
    privacy,
    segment_editor,
)
from services.api.dashboard import audit as audit_pages
from services.api.dashboard import imports as import_pages
from services.api.dashboard import jobs as job_pages
from services.api.dashboard import routes as dashboard
from services.api.dashboard import segments as segment_pages
from services.api.dashboard import triggers as trigger_pages
from services.api.dashboard import webhooks as webhook_pages
from services.api.door import Door
from services.api.edge import Edge, only_known_parameters
from services.api.exports import routes as exports
from services.api.imports import routes as imports
from services.api.in_force import InForce
from services.api.invalid import invalid
from services.api.jobs import routes as jobs
from services.api.limits import PER_MINUTE, VISITS_PER_MINUTE, Limits
from services.api.streams import Streams
from services.api.waiting import Waiting
from services.contract.addresses import Addresses
from services.contract.target import Network
from services.model.version import load
from services.runtime.clock import now_ms

_DESCRIBED = (
    persons, upserts, identities, decisions, conflicts, consent, objections, erasures,
    retention, timeline, phases, explain, known,
    interests, pressure, by_hand, next_content, content,
    preview, segments, members, trend, imports, exports, jobs, changes, stream,
    webhooks, webhook_secrets, deliveries, triggers,
    campaigns, messages, telling, links,
    rewrite, link_secrets, hooks, workspaces, model,
    keys, accounts, audit,
    health, snapshot, withdrawals,
)  # fmt: skip


def create_app(
    engine: Engine,
    internal_key: str,
    public_url: str,
    clock: Callable[[], int] = now_ms,
    tracker_url: str = "",
    requests_per_key: int = PER_MINUTE,
    networks: Sequence[Network] = (),
    proxies: Sequence[Network] = (),
    unscored: Callable[[], int | None] = lambda: None,
) -> FastAPI:
    """The app.

    Args:
        engine: the migrated database; it is not touched before the first request.
        internal_key: shared by the product's own processes; empty: no tracker gets a snapshot.
        public_url: where browsers and mailers reach the tracker; links begin with it.
        clock: UTC milliseconds.
        tracker_url: where the API itself reaches the tracker; left out: at ``public_url``.
        requests_per_key: what each key may ask in a minute; 0 sets no limit.
        networks: our own, that webhooks may go to.
        proxies: networks of our own proxies, believed when they say for whom they speak.
        unscored: when the event that is scored next was received; left out: nobody can tell.
    """
    public_url = public_url.rstrip("/")
    door = Door(tracker_url or public_url, internal_key)
    app = FastAPI(docs_url=None, redoc_url=None, title="Kentering")
    app.state.context = Context(
        engine,
        internal_key,
        public_url,
        clock,
        Keys(engine, clock),
        door,
        Waiting(engine),
        InForce(engine, load()),
        Limits(requests_per_key),
        Streams(engine),
        networks,
        Addresses(proxies),
        Limits(VISITS_PER_MINUTE),
        unscored,
    )
    app.router.routes.extend(_routes())
    app.openapi = _described  # type: ignore[method-assign]
    problem.install(app, error_pages.shown, invalid)
    app.add_middleware(Edge, shown=error_pages.shown)
    return app


@cache
def _routes() -> Sequence[BaseRoute]:
    """All of them, the same for every app of a process: to work them out takes a while."""
    # Operations are named as their functions are: generated clients call them so.
    whole = APIRouter(generate_unique_id_function=lambda route: route.name)
    for part in _DESCRIBED:
        whole.include_router(part.router, dependencies=[Depends(only_known_parameters)])
    whole.include_router(smart.router)  # whatever parameters a mailer adds to links come along
    whole.include_router(docs.router)
    whole.include_router(problem_pages.router)
    for pages in (
        dashboard, people, segment_pages, segment_editor, privacy, keeping, webhook_pages,
        trigger_pages, job_pages, import_pages, access, audit_pages, invitations, password,
    ):  # fmt: skip
        whole.include_router(pages.router)
    return whole.routes


@cache
def _described() -> dict[str, Any]:
    return openapi.describe(_routes(), [part.router for part in (*_DESCRIBED, smart)])
