"""Health answers and log lines of a process that serves no other HTTP."""

import json
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from services.runtime.health import HealthServer


class Process:
    trouble: str | None = None

    def why_not_ready(self) -> str | None:
        return self.trouble


@pytest.fixture
def process() -> Process:
    return Process()


@pytest.fixture
def address(process: Process) -> Iterator[str]:
    server = HealthServer(0, process.why_not_ready, host="127.0.0.1")
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_alive_and_ready(address: str) -> None:
    assert get(f"{address}/healthz") == (200, "alive\n")
    assert get(f"{address}/readyz") == (200, "ready\n")


def test_not_ready_says_why_and_is_alive_still(address: str, process: Process) -> None:
    process.trouble = "no broker answers"
    assert get(f"{address}/readyz") == (503, "no broker answers\n")
    assert get(f"{address}/healthz")[0] == 200


def test_metrics(address: str) -> None:
    status, text = get(f"{address}/metrics")
    assert status == 200
    assert "process_resident_memory_bytes" in text


def test_anything_else_is_not_found(address: str) -> None:
    assert get(f"{address}/")[0] == 404


def test_log_lines_are_json_objects_on_standard_error() -> None:
    program = """
        import logging, structlog
        from services.runtime.telemetry import configure_logging
        configure_logging("relay")
        structlog.get_logger().info("started", position=3)
        logging.getLogger("library").info("not heard")
        logging.getLogger("library").warning("heard %d", 1)
        try:
            {}["anna@example.org"]
        except KeyError:
            structlog.get_logger().exception("failed")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], check=True, capture_output=True
    )
    started, heard, failed = [json.loads(line) for line in done.stderr.splitlines()]
    assert (started["event"], started["position"], started["level"]) == ("started", 3, "info")
    assert (heard["event"], heard["level"], heard["service"]) == ("heard 1", "warning", "relay")
    (error,) = failed["exception"]
    assert (error["exc_type"], error["frames"][0]["lineno"]) == ("KeyError", 9)
    assert b"anna@" not in done.stderr, "what an error says may be somebody's"
    assert done.stdout == b""
