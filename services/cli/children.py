"""Processes that live and die with their parent."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping

import structlog

RESTART_PAUSE_S = 1.0
PATIENCE_S = 8.0

_log = structlog.get_logger()


class Child:
    """A ``kentering`` command in a process of its own; started again when it dies.

    It holds the reading end of a pipe whose writing end is ours, so it notices when we are gone,
    however we went.

    Args:
        arguments: of the command, its name first.
        environment: what it is told besides our own environment.
        again: whether it is to be started again when it ends.
    """

    def __init__(
        self, arguments: list[str], environment: Mapping[str, str], *, again: bool = True
    ) -> None:
        self._command = [sys.executable, "-m", "services.cli.main", *arguments]
        self._environment = {**os.environ, **environment, PARENT_PIPE: "1"}
        self._again = again
        self._stop = threading.Event()
        self._process = self._start()
        self._watch = threading.Thread(target=self._keep, name=arguments[0], daemon=True)
        self._watch.start()

    def stop(self) -> None:
        """End it, kindly first."""
        self._stop.set()
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._watch.join()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  our own command
            self._command,
            env=self._environment,
            stdin=subprocess.PIPE,
            # Ctrl-C reaches the parent, which ends its children in its own order.
            start_new_session=True,
        )

    def _keep(self) -> None:
        while True:
            code = self._process.wait()
            if self._stop.is_set() or not self._again:
                return
            _log.error("a process ended by itself and is started again", exit_code=code)
            if self._stop.wait(RESTART_PAUSE_S):
                return
            self._process = self._start()


PARENT_PIPE = "KENTERING_PARENT_PIPE"


def end_with_parent(stop: Callable[[], None]) -> None:
    """In a child: call ``stop`` when the parent is gone, and leave soon after."""
    if os.environ.get(PARENT_PIPE) != "1":
        return

    def watch() -> None:
        while os.read(0, 1024):
            pass
        stop()
        time.sleep(PATIENCE_S)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
