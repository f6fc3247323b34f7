"""Starting servers so that none outlives the tests."""

import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PROMISED = Path(tempfile.gettempdir()) / "kentering-ports"
_held: list[int] = []  # open files: their locks fall when this process ends, however it ends


def free_port() -> int:
    """A port of this machine that nobody uses, promised to this process for as long as it lives.

    Below those that the system gives to connections of the moment, which would take one whose
    server is not up yet; and promised by a lock, since test processes run side by side.
    """
    _PROMISED.mkdir(exist_ok=True)
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = range(10_000, max(low, 12_000))
    while True:
        port = random.SystemRandom().choice(ports)  # not seeded: each process picks others
        if _promise(port):
            return port


def _promise(port: int) -> bool:
    held = os.open(_PROMISED / str(port), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except OSError:
        os.close(held)
        return False
    _held.append(held)
    return True


def need(program: str, package: str) -> str:
    """The path of a program, or an error that says what to install."""
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"{program} is missing: install the Debian package {package}")
    return found


def start(
    command: Sequence[str | Path],
    log: Path,
    *,
    user: str | None = None,
    end_signal: str = "KILL",
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a server whose output goes to ``log``.

    The kernel sends it ``end_signal`` when we die, however we die; a Ctrl-C in the terminal
    does not reach it, so that it is stopped in order by whoever started it.
    """
    wrapped: list[str | Path] = [need("setpriv", "util-linux"), f"--pdeathsig={end_signal}"]
    if user is not None:
        wrapped += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    with log.open("ab") as output:
        return subprocess.Popen(
            [*wrapped, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=None if env is None else {**os.environ, **env},
        )


def stop(process: subprocess.Popen[bytes], sent: int, patience_s: float) -> None:
    """End a server: kindly, and after ``patience_s`` surely."""
    process.send_signal(signal.SIGCONT)  # a frozen one hears nothing else
    process.send_signal(sent)
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def is_open(host: str, port: int) -> bool:
    """Whether anybody listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(
    ready: Callable[[], bool],
    what: str,
    *,
    timeout_s: float = 120,
    every_s: float = 0.05,
    process: subprocess.Popen[bytes] | None = None,
    log: Path | None = None,
) -> None:
    """Wait for a condition; fails with the end of ``log`` when it does not come about."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            why = "the process ended" if ended else f"not within {timeout_s:.0f} s"
            tail = log.read_text(errors="replace")[-3000:] if log is not None else ""
            raise AssertionError(f"waiting for {what}: {why}\n{tail}")
        time.sleep(every_s)
