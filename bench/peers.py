"""What stands beside the durable hits: the ceiling, and what one would write without us.

nginx's empty GIF is the least that anybody pays for an answer over HTTP; it keeps nothing. FastAPI
with kafka-python's ``send().get()`` keeps what ours keeps, in Kafka instead of on its own disk.
Each has one process on one core, wrk the other, as in :mod:`bench.hits`; the broker runs where the
kernel puts it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure
from bench.hits import Server, run_server
from bench.processes import cpu_s, resident_mb_max
from bench.requests import Requests
from bench.wrk import run_wrk, write_requests
from services.contract.topics import Topic
from services.runtime.kafka_topics import ensure_topics
from tests.servers.kafka import run_kafka
from tests.servers.process import free_port, need

SECONDS = 4
MEASURE = "Others on the same core: the ceiling, and what one would write first"

_NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-errors.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ empty_gif; }}
  }}
}}
"""


def measure(folder: Path) -> list[Figure]:
    """nginx, then FastAPI on a real Kafka."""
    with run_nginx(folder) as nginx:
        figures = _figures("nginx empty GIF", nginx, folder, "open pixel")
    with run_kafka() as kafka, run_peer(folder, kafka.bootstrap) as peer:
        list(ensure_topics(kafka.bootstrap, [Topic("peer", 4)], timeout_s=30))
        figures += _figures("FastAPI + kafka-python send().get()", peer, folder, "POST /v1/track")
        peak = resident_mb_max(peer.pid)
    figures.append(Figure("Memory", "FastAPI + kafka-python, most under full load", peak, "MB"))
    return figures


def _figures(name: str, server: Server, folder: Path, kind: str) -> list[Figure]:
    file = folder / "peer.requests"
    write_requests(file, Requests(server.port).of(kind))
    run_wrk(server.url, file, 1)  # warm
    begin_s = cpu_s(server.pid)
    answered = run_wrk(server.url, file, SECONDS)
    used_us = (cpu_s(server.pid) - begin_s) / answered.requests * 1e6
    return [
        Figure(MEASURE, f"{name}: rate", answered.per_s, "/s"),
        Figure(MEASURE, f"{name}: CPU per hit", used_us, "µs"),
    ]


@contextmanager
def run_nginx(folder: Path) -> Iterator[Server]:
    """nginx that answers everything with its empty GIF."""
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(_NGINX.format(folder=folder.resolve(), port=port))
    command = [need("nginx", "nginx-light"), "-c", str(settings.resolve())]
    with run_server(command, folder / "nginx.log", port, {}) as server:
        yield server


@contextmanager
def run_peer(folder: Path, bootstrap: str) -> Iterator[Server]:
    """uvicorn with :mod:`bench.peer`."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.peer:app", "--port", str(port)]
    command.append("--no-access-log")
    told = {"KENTERING_KAFKA": bootstrap}
    with run_server(command, folder / "peer.log", port, told) as server:
        yield server
