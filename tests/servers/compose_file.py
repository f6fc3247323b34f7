"""docker-compose.yml as processes of this machine: what each is called, told and waits for.

The rules that take the place of containers, all of them:

- ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?why}`` are filled in as compose does.
- ``service:port`` becomes ``127.0.0.1`` and a free port, the same one wherever it stands.
- A service's own port (``localhost:port``, ``0.0.0.0:port``, and what follows ``--port`` or
  ``--health-port``) becomes that port too; each further replica gets one of its own.
- A volume becomes a folder, and its mount point in a setting the path of that folder.
- A service that extends another has all of it but what it says itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.servers.process import free_port

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<kind>:-|:\?)(?P<rest>[^}]*))?\}")
_OWN_ADDRESS = re.compile(r"\b(?:localhost|0\.0\.0\.0):(\d+)")


@dataclass(frozen=True)
class Service:
    """One process (one replica of a service) as it is started here."""

    name: str
    replica: int
    command: list[str]
    environment: dict[str, str]
    healthcheck: list[str]
    """A command that succeeds when the service is ready; empty where there is none."""
    grace_s: float
    """How long it may take to stop."""
    depends_on: dict[str, str] = field(default_factory=dict)
    """Service → the condition to wait for."""


class ComposeFile:
    """A compose file, its variables filled in, its addresses and folders this machine's.

    Args:
        file: the compose file.
        variables: what ``.env`` would hold.
        folder: where its volumes are made.
        more: further services, as they are written below those of the file.
    """

    def __init__(
        self, file: Path, variables: Mapping[str, str], folder: Path, more: str = ""
    ) -> None:
        self._folder = folder
        written = yaml.safe_load(file.read_text())["services"] | (yaml.load(more, _Loader) or {})
        self._services = _filled({n: _whole(one, written) for n, one in written.items()}, variables)
        self._ports: dict[tuple[str, int, int], int] = {}

    def port(self, name: str, port: int, replica: int = 0) -> int:
        """The port of this machine that stands for a service's own."""
        return self._ports.setdefault((name, port, replica), free_port())

    def know_port(self, name: str, port: int, here: int) -> None:
        """A service is there already: its port is this one."""
        self._ports[name, port, 0] = here

    def names(self) -> list[str]:
        """The services, each after those that it depends on."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            for needed in self._services[name].get("depends_on", {}):
                visit(needed)
            if name not in ordered:
                ordered.append(name)

        for name in self._services:
            visit(name)
        return ordered

    def replicas(self, name: str) -> list[Service]:
        """The processes of a service."""
        count = self._services[name].get("deploy", {}).get("replicas", 1)
        return [self._service(name, replica) for replica in range(count)]

    def _service(self, name: str, replica: int) -> Service:
        raw = self._services[name]
        healthcheck = raw.get("healthcheck", {}).get("test", [])
        return Service(
            name=name,
            replica=replica,
            command=self._here(raw.get("command", []), name, replica),
            environment=self._here(raw.get("environment", {}), name, replica),
            healthcheck=self._here(healthcheck[1:], name, replica),
            grace_s=float(raw.get("stop_grace_period", "10s").removesuffix("s")),
            depends_on={on: how["condition"] for on, how in raw.get("depends_on", {}).items()},
        )

    def _here(self, value: Any, name: str, replica: int) -> Any:
        """A command or an environment as it is said on this machine."""
        if isinstance(value, dict):
            return {key: self._text(item, name, replica) for key, item in value.items()}
        said = [self._text(item, name, replica) for item in value]
        for place, item in enumerate(said):
            if place and said[place - 1] in {"--port", "--health-port"}:
                said[place] = str(self.port(name, int(item), replica))
        return said

    def _text(self, text: str, name: str, replica: int) -> str:
        for other in self._services:
            pattern = rf"(?<![\w.-]){other}:(\d+)"
            text = re.sub(pattern, lambda m, o=other: f"127.0.0.1:{self.port(o, int(m[1]))}", text)
        own = lambda m: f"127.0.0.1:{self.port(name, int(m[1]), replica)}"  # noqa: E731
        text = _OWN_ADDRESS.sub(own, text).replace("0.0.0.0", "127.0.0.1")
        for volume in self._services[name].get("volumes", []):
            source, target = volume.split(":")
            if text == target:
                return str(self._volume(source))
        return text

    def _volume(self, name: str) -> Path:
        path = self._folder / name
        path.mkdir(exist_ok=True)
        return path


class _Loader(yaml.SafeLoader):
    """Reads ``!override [...]`` as what stands in place of the extended service's."""


_Loader.add_constructor("!override", lambda loader, node: loader.construct_sequence(node))


def _whole(service: dict[str, Any], services: dict[str, Any]) -> dict[str, Any]:
    extended = service.get("extends")
    return service if extended is None else {**services[extended["service"]], **service}


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    """The same with its ``${…}`` filled in."""
    if isinstance(value, dict):
        return {key: _filled(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, variables) for item in value]
    return _VARIABLE.sub(lambda m: _value(m, variables), value) if isinstance(value, str) else value


def _value(match: re.Match[str], variables: Mapping[str, str]) -> str:
    given = variables.get(match["name"], "")
    if match["kind"] == ":?" and not given:
        raise KeyError(f"{match['name']}: {match['rest']}")
    return given or (match["rest"] or "" if match["kind"] == ":-" else "")
