"""``kentering api``: REST, OpenAPI and the dashboard."""

import json

import click
from sqlalchemy import create_engine

from services.api.app import create_app
from services.cli.networks import own_networks, own_proxies
from services.cli.serve import Server
from services.runtime.bounded_http import BoundedHttp
from services.runtime.database import open_database
from services.runtime.settings import from_environment
from services.runtime.telemetry import configure_logging


@click.command("api")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True)
@click.option("--print-openapi", is_flag=True, help="Print the OpenAPI as JSON and stop.")
def command(host: str, port: int, *, print_openapi: bool) -> None:
    """Answer REST and show the dashboard, from what the scorer stored."""
    if print_openapi:
        # No database is opened for it: an engine connects only when asked to.
        described = create_app(create_engine("sqlite://"), "", "http://localhost:8000").openapi()
        print(json.dumps(described, indent=2, ensure_ascii=False))
        return
    configure_logging("api")
    settings = from_environment()
    app = create_app(
        open_database(settings.database_url),
        settings.internal_key,
        settings.public_url,
        tracker_url=settings.tracker_url,
        requests_per_key=settings.requests_per_key,
        networks=own_networks(settings),
        proxies=own_proxies(settings),
    )
    closing = app.state.context.streams.stop
    Server(app, address=(host, port), protocol=BoundedHttp, closing=closing).run()
