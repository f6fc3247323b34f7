"""The product as a user runs it: its own commands, on free ports, gone after the test."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.servers.process import free_port, start, stop, wait_until
from tests.servers.web import LOCAL

KENTERING = str(Path(sys.executable).parent / "kentering")
INTERNAL_KEY = "internal-key-of-the-tests"
PATIENCE_S = 120


@dataclass(frozen=True)
class Product:
    """A running product with one workspace."""

    api_url: str
    tracker_url: str
    write_key: str
    server_key: str
    api_key: str

    def get(self, path: str, **params: Any) -> Any:
        """What REST answers."""
        with httpx.Client(base_url=self.api_url, timeout=30, **LOCAL) as client:
            answer = client.get(path, params=params, headers=self._bearer(self.api_key))
        assert answer.status_code == 200, f"{path} {params}: {answer.status_code} {answer.text}"
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        """What REST answers to a write."""
        with httpx.Client(base_url=self.api_url, timeout=30, **LOCAL) as client:
            answer = client.post(path, json=body, headers=self._bearer(self.api_key))
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def collect(self, calls: list[dict[str, Any]]) -> Any:
        """What the tracker answers to a batch of the server key's."""
        with httpx.Client(base_url=self.tracker_url, timeout=30, **LOCAL) as client:
            headers = self._bearer(self.server_key)
            answer = client.post("/v1/batch", json={"batch": calls}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def find(self, namespace: str, value: str, **params: Any) -> Any:
        """The person with an identity; None while there is none."""
        query = {"namespace": namespace, "value": value, **params}
        with httpx.Client(base_url=self.api_url, timeout=30, **LOCAL) as client:
            headers = self._bearer(self.api_key)
            answer = client.get("/v1/persons/lookup", params=query, headers=headers)
        if answer.status_code == 404:
            return None
        assert answer.status_code == 200, answer.text
        return answer.json()

    def await_events(self, namespace: str, value: str, count: int) -> Any:
        """The person, once their timeline holds so many events."""

        def arrived() -> bool:
            person = self.find(namespace, value)
            return person is not None and len(self.timeline(person)) >= count

        wait_until(arrived, f"{count} events of {namespace} {value}", timeout_s=PATIENCE_S)
        return self.find(namespace, value)

    def timeline(self, person: Any) -> list[Any]:
        """A person's events, oldest first; at most 200."""
        events: list[Any] = self.get(f"/v1/persons/{person['id']}/timeline", limit=200)["events"]
        return events[::-1]

    def _bearer(self, key: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {key}"}


@contextmanager
def run_up(folder: Path, database_url: str | None = None) -> Iterator[Product]:
    """``kentering up`` with an empty data folder, and a workspace in it."""
    with run_shared_up(folder, database_url) as new_workspace:
        yield new_workspace()


@contextmanager
def run_shared_up(folder: Path, database_url: str | None = None) -> Iterator[Callable[[], Product]]:
    """``kentering up`` with an empty data folder, and a call that makes a workspace in it."""
    data, port = folder / "data", free_port()
    url = f"http://localhost:{port}"  # as the links say that it makes
    told = {"KENTERING_DATA": str(data), "KENTERING_TRUSTED_PROXIES": "127.0.0.0/8"}
    if database_url is not None:
        told["KENTERING_DATABASE_URL"] = database_url
    with _running(_up(port, data), folder / "up.log", told, f"{url}/readyz"):
        yield lambda: with_workspace(url, url, told)


@contextmanager
def run_mortal_up(folder: Path) -> Iterator[tuple[Product, Callable[[], None]]]:
    """The same, and a call that kills it within whatever it does and starts it again."""
    data, port, log = folder / "data", free_port(), folder / "up.log"
    url, told = f"http://127.0.0.1:{port}", {"KENTERING_DATA": str(data)}
    process = start(_up(port, data), log, env=told)

    def kill() -> None:
        nonlocal process
        stop(process, signal.SIGKILL, PATIENCE_S)
        # A process dies with the thread that started it: this one lives as long as the test.
        process = starter.submit(start, _up(port, data), log, env=told).result()

    with ThreadPoolExecutor(1) as starter:
        try:
            wait_until(lambda: _answers(f"{url}/readyz"), "kentering up", process=process, log=log)
            yield with_workspace(url, url, told), kill
        finally:
            stop(process, signal.SIGTERM, 20)


def _up(port: int, data: Path) -> list[str]:
    return [KENTERING, "up", "--port", str(port), "--data", str(data)]


@contextmanager
def run_distributed(folder: Path, database_url: str, kafka: str) -> Iterator[Product]:
    """Tracker, relay, scorer and api, each a process of its own, on a Kafka and a database."""
    ports = {name: free_port() for name in ("tracker", "relay", "scorer", "api")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    told = {
        "KENTERING_DATA": str(folder / "data"),
        "KENTERING_DATABASE_URL": database_url,
        "KENTERING_KAFKA": kafka,
        "KENTERING_INTERNAL_KEY": INTERNAL_KEY,
        "KENTERING_API_URL": urls["api"],
        "KENTERING_TRACKER_URL": urls["tracker"],
        "KENTERING_PUBLIC_URL": urls["tracker"],
    }
    for command in ("migrate", "topics"):
        _run([KENTERING, command], told)
    with ExitStack() as stack:
        await_ready = []
        for name in ("api", "tracker", "relay", "scorer"):
            flag = "--port" if name in {"api", "tracker"} else "--health-port"
            command = [KENTERING, name, flag, str(ports[name])]
            starting = _starting(command, folder / f"{name}.log", told, f"{urls[name]}/readyz")
            await_ready.append(stack.enter_context(starting))
        for wait in await_ready:
            wait()
        yield with_workspace(urls["api"], urls["tracker"], told)


@contextmanager
def run_one_more_tracker(folder: Path, product: Product) -> Iterator[str]:
    """A second tracker of a distributed product, with a spool of its own; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {
        "KENTERING_DATA": str(folder),
        "KENTERING_INTERNAL_KEY": INTERNAL_KEY,
        "KENTERING_API_URL": product.api_url,
        "KENTERING_PUBLIC_URL": url,
    }
    folder.mkdir()
    command = [KENTERING, "tracker", "--port", str(port)]
    with _running(command, folder.parent / f"{folder.name}.log", told, f"{url}/readyz"):
        yield url


@contextmanager
def _running(
    command: list[str], log: Path, told: Mapping[str, str], ready_url: str
) -> Iterator[None]:
    with _starting(command, log, told, ready_url) as await_ready:
        await_ready()
        yield


@contextmanager
def _starting(
    command: list[str], log: Path, told: Mapping[str, str], ready_url: str
) -> Iterator[Callable[[], None]]:
    """A process that ends with the block, and a call that waits until it is ready."""
    process = start(command, log, env=dict(told))
    what = " ".join(command[1:3])
    try:
        yield lambda: wait_until(lambda: _answers(ready_url), what, process=process, log=log)
    finally:
        stop(process, signal.SIGTERM, 20)


def with_workspace(api_url: str, tracker_url: str, told: Mapping[str, str]) -> Product:
    """A new workspace of the product that these settings are of, once its keys are taken."""
    made = json.loads(_run([KENTERING, "workspace", "create", "Test", "--json"], told))
    keys = {name: made[name] for name in ("write_key", "server_key", "api_key")}
    product = Product(api_url, tracker_url, **keys)
    # The tracker hears of new keys within a second or so.
    wait_until(
        lambda: _takes(product), "the tracker to know the workspace's keys", timeout_s=PATIENCE_S
    )
    return product


def _takes(product: Product) -> bool:
    headers = {"Authorization": f"Bearer {product.server_key}"}
    url = f"{product.tracker_url}/v1/batch"
    return httpx.post(url, json={"batch": []}, headers=headers, **LOCAL).status_code == 200


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, **LOCAL).status_code == 200
    except httpx.TransportError:
        return False


def _run(command: list[str], told: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, env={**os.environ, **told}, check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout
