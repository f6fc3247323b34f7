"""Processor time and memory of running processes, as the kernel counts them."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SERVER_CORE, CLIENT_CORE = 0, 1


def pinned(core: int, command: list[str]) -> list[str]:
    """The command, kept on one core; on a machine with one core as it is."""
    if (os.cpu_count() or 1) < 2:
        return command
    return ["taskset", "--cpu-list", str(core), *command]


def cpu_s(pid: int) -> float:
    """Processor seconds, in user and kernel mode, of a process and all that it started.

    Children that ended are in their parent's account once it has waited for them.
    """
    return sum(own_cpu_s(one) for one in [pid, *descendants(pid)])


def resident_mb(pid: int) -> float:
    """Memory that a process holds at this moment, in MB of 2**20 bytes."""
    return _status_mb(pid, "VmRSS")


def resident_mb_max(pid: int) -> float:
    """The most memory that a process ever held, in MB of 2**20 bytes."""
    return _status_mb(pid, "VmHWM")


def commands(pid: int) -> dict[str, int]:
    """The ``kentering`` commands among a process's descendants: name → process id."""
    found: dict[str, int] = {}
    for one in descendants(pid):
        words = Path(f"/proc/{one}/cmdline").read_text().split("\0")
        for program, name in itertools.pairwise(words):
            if program.endswith("/kentering") or program == "services.cli.main":
                found[name] = one
    return found


def descendants(pid: int) -> Iterator[int]:
    """Children, their children, and so on."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)
            yield from descendants(int(child))


def own_cpu_s(pid: int) -> float:
    """The same of one process without its children that still run."""
    # The fields after the name in brackets, which may hold anything: state is number 0,
    # then utime, stime, cutime and cstime are 11 to 14.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / _TICKS_PER_S


def _status_mb(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"the kernel tells no {name}")
