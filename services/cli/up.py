"""``kentering up``: everything in one process tree, on SQLite, without any server."""

import os
import secrets
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import click
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from services.api.app import create_app as create_api
from services.api.snapshot import load_snapshot
from services.api.withdrawals import load_withdrawals
from services.api.workspaces import Declaration, create_workspace
from services.cli.beside import Beside
from services.cli.children import Child
from services.cli.gate import open_gate
from services.cli.networks import own_networks, own_proxies
from services.cli.one_port import App, OnePort
from services.cli.serve import Server
from services.cli.spool import open_spool
from services.cli.unscored import Unscored
from services.demo.catalogue import EMPLOYER
from services.demo.doors import Doors
from services.demo.marker import Marker, read_marker, write_marker
from services.demo.sample.app import create_sample_app
from services.demo.sample.ats import tell_application
from services.demo.sample.mail import make_sample_mail
from services.runtime.clock import now_ms
from services.runtime.database import open_database
from services.runtime.migrations import NewerDatabaseError, migrate
from services.runtime.settings import from_environment
from services.runtime.sqlite_log import SqliteLog
from services.runtime.telemetry import configure_logging
from services.scorer.consume import READER
from services.tracker.app import create_app as create_tracker

_BESIDE = (
    (
        "the scorer",
        ["scorer", "--log", "spool"],
        ("kentering_scorer_", "kentering_triggers_", "kentering_dead_letters"),
    ),
    (
        "the dispatcher",
        ["dispatch", "--no-topic"],
        ("kentering_dispatch_", "kentering_webhooks"),
    ),
)
"""Processes of their own: what they are, their commands, how the names of their metrics begin."""

DEMO_SEED = 1
DEMO_CONSENT = "Demonstration: these people are simulated."


@click.command("up")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65_535))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option(
    "--data",
    default="data",
    show_default=True,
    envvar="KENTERING_DATA",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the database and the log.",
)
@click.option("--demo", is_flag=True, help="Fill a workspace by playing a simulated target group.")
def command(port: int, host: str, data: Path, *, demo: bool) -> None:
    """Serve tracker, scorer, API and dashboard on one port, with SQLite and no other server."""
    configure_logging("up")
    os.umask(0o077)  # what people did is for whoever runs this, not for all on the machine
    url = os.environ.get("KENTERING_PUBLIC_URL", f"http://localhost:{port}")
    database_url = os.environ.get("KENTERING_DATABASE_URL", f"sqlite:///{data / 'kentering.db'}")
    with ExitStack() as stack:
        try:
            door = stack.enter_context(_listen(host, port))
            data.mkdir(parents=True, exist_ok=True)
            # The log before the tables: whoever holds it already is not migrated under.
            log = stack.enter_context(_spool(data))
            migrate(database_url)
        except (OSError, NewerDatabaseError) as error:
            raise click.ClickException(str(error)) from None
        except OperationalError as error:
            raise click.ClickException(f"{database_url}: {error.orig}") from None
        engine = open_database(database_url)
        stack.callback(engine.dispose)
        marker = _demonstration(engine, data) if demo else None
        told = {
            "KENTERING_DATA": str(data),
            "KENTERING_DATABASE_URL": database_url,
            "KENTERING_INTERNAL_KEY": _internal_key(data),
            "KENTERING_TRACKER_URL": f"http://{_own_host(host)}:{port}",
        }
        beside = []
        for name, command, metrics in _BESIDE:
            health_port = _free_port()
            health = ["--health-host", "127.0.0.1", "--health-port", str(health_port)]
            stack.enter_context(_child([*command, *health], told))
            beside.append(Beside(name, f"127.0.0.1:{health_port}", metrics))
        jobs = ["jobs", "--health-host", "127.0.0.1", "--health-port", str(_free_port())]
        stack.enter_context(_child(jobs, told))
        app = _app(engine, log, data, url, told["KENTERING_INTERNAL_KEY"], marker, beside)

        def begin() -> None:
            _tell(url, data, marker)
            if marker is not None:
                where = ["--url", f"http://127.0.0.1:{port}", "--site", f"{url}/sample"]
                play = ["demo", *where, "--data", str(data)]
                stack.enter_context(_child(play, {}, again=False))

        server = Server(app, begin=begin, linger_s=0, protocol=app.protocol, closing=app.closing)
        server.run(sockets=[door])


def _app(
    engine: Engine,
    log: SqliteLog,
    data: Path,
    url: str,
    internal_key: str,
    marker: Marker | None,
    beside: Sequence[Beside],
) -> OnePort:
    settings = from_environment()
    tracker = create_tracker(
        log,
        lambda: load_snapshot(engine, internal_key),
        data,
        url,
        open_gate(settings),
        sns_host=settings.sns_host,
        withdrawal_source=lambda after: load_withdrawals(engine, after),
    )
    api = create_api(
        engine,
        internal_key,
        url,
        requests_per_key=settings.requests_per_key,
        networks=own_networks(settings),
        proxies=own_proxies(settings),
        unscored=Unscored(data / "spool", engine),
    )
    return OnePort(
        tracker,
        api,
        None if marker is None else _sample(url, marker),
        beside,
        api.state.context.streams.stop,
    )


def _own_host(host: str) -> str:
    """Where our own processes reach us."""
    return "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104 - compared, not listened on


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _sample(url: str, marker: Marker) -> App:
    doors = Doors(url, marker.server_key, marker.api_key)

    async def mail() -> str:
        return await make_sample_mail(doors, f"{url}/sample")

    sample: App = create_sample_app(marker.write_key, url, mail, partial(tell_application, doors))
    return sample


def _demonstration(engine: Engine, data: Path) -> Marker:
    """The demonstration workspace: as it was, or a new one."""
    marker = read_marker(data)
    if marker is None:
        declared = Declaration(DEMO_CONSENT, "the demonstration", now_ms())
        made = create_workspace(engine, EMPLOYER, "Europe/Amsterdam", declared, now_ms())
        marker = Marker(
            made.write_key,
            made.server_key,
            made.api_key,
            DEMO_SEED,
            now_ms(),
            workspace=made.workspace,
        )
        write_marker(data, marker)
    return marker


def _tell(url: str, data: Path, marker: Marker | None) -> None:
    print(f"\nKentering listens at {url}\n")
    if marker is None:
        print(f"  the page      {url}/")
        print(f"  the API docs  {url}/docs")
        print(f"  data folder   {data.resolve()}")
        # A database of its own is found by the same setting, and not in the folder.
        where = "" if "KENTERING_DATABASE_URL" in os.environ else f" --data {data}"
        create = f"{sys.argv[0]} workspace create NAME{where}"
        print(f"  Make a workspace and its keys:  {create}")
        print(f"  Its API key opens the page; people are invited at {url}/access\n", flush=True)
        return
    print(f"  the page      {url}/login#{marker.api_key}   logs you in at once")
    print(f"  people, keys  {url}/access   invite people, each with a role")
    print(f"  the API docs  {url}/docs")
    print(f"  sample site   {url}/sample/   and a mail: {url}/sample/mail")
    print(f"  write key     {marker.write_key}   for web pages")
    print(f"  server key    {marker.server_key}   for systems that send events")
    print(f"  API key       {marker.api_key}   for systems that read and manage")
    if marker.workspace:
        print(f"  workspace     {marker.workspace}")
    print(f"  data folder   {data.resolve()}")
    if not marker.history_done:
        print("\n  A year of its people is being played and scored now, for some minutes at most.")
        print("  Until a line says that it is done, answers lag: lookups are answered 404, and")
        print("  counts are 0.")
    print("\n  The people in it are simulated. Ctrl-C stops it; nothing is lost.\n", flush=True)


def _internal_key(data: Path) -> str:
    """The key that our own processes share; kept, so that one that stayed alive is known."""
    file = data / "internal.key"
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(secrets.token_urlsafe(32))
    return file.read_text()


@contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    """The port, taken before anything is touched."""
    try:
        door = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        text = f"port {port} of {host} cannot be had: {error.strerror}. Take another: --port,"
        raise OSError(f"{text} or make up PORT=…") from None
    with door:
        yield door


@contextmanager
def _spool(data: Path) -> Iterator[SqliteLog]:
    log = open_spool(from_environment(), data / "spool", READER)
    try:
        yield log
    finally:
        log.close()


@contextmanager
def _child(
    arguments: list[str], environment: dict[str, str], *, again: bool = True
) -> Iterator[Child]:
    child = Child(arguments, environment, again=again)
    try:
        yield child
    finally:
        child.stop()
