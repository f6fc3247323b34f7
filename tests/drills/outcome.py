"""What a drill did and what it found, as one table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One part of the drill."""

    part: str
    did: str
    found: dict[str, object]
    """What was counted, by name."""
    failures: tuple[str, ...] = ()
    """What should not have been; empty when all is well."""

    def assert_well(self) -> None:
        """Fail a test with what was found."""
        assert not self.failures, f"{self.part}: {self.failures}; {self.did}; {self.found}"


def checked(part: str, did: str, found: dict[str, object], wanted: dict[str, bool]) -> Outcome:
    """An outcome whose failures are those of the wanted things that do not hold."""
    return Outcome(part, did, found, tuple(name for name, holds in wanted.items() if not holds))


def table(outcomes: Sequence[Outcome]) -> str:
    """For a terminal: part, what was done, what was found, and whether that is well."""
    lines: list[str] = []
    for one in outcomes:
        lines.append(f"{'well' if not one.failures else 'FAILED':7} {one.part:10} {one.did}")
        lines += [f"{'':18} {name}: {value}" for name, value in one.found.items()]
        lines += [f"{'':18} NOT SO: {failure}" for failure in one.failures]
    return "\n".join(lines)
