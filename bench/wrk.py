"""wrk: as many requests as a server answers, over kept connections, from one core."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.processes import CLIENT_CORE, pinned
from tests.servers.process import need

CONNECTIONS = 64
_SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Answered:
    """What came of a run."""

    requests: int
    per_s: float


def write_requests(file: Path, requests: Iterable[bytes]) -> None:
    """Whole HTTP requests, as wrk.lua reads them; they hold no NUL byte."""
    file.write_bytes(b"".join(request + b"\0" for request in requests))


def run_wrk(url: str, file: Path, seconds: float) -> Answered:
    """Send a file's requests for a while.

    Raises:
        RuntimeError: an answer was an error, or none came.
    """
    command = pinned(
        CLIENT_CORE,
        [
            *(need("wrk", "wrk"), "--threads", "1", "--connections", str(CONNECTIONS)),
            # A slow answer is slow, not an error.
            *("--duration", f"{seconds:.0f}s", "--timeout", "10s"),
            *("--script", str(_SCRIPT), url, "--", str(file)),
        ],
    )
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise RuntimeError(done.stdout)
    counted = re.search(r"(\d+) requests in ", done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if counted is None or rate is None:
        raise RuntimeError(done.stdout + done.stderr)
    return Answered(int(counted[1]), float(rate[1]))
