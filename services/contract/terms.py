"""What a person's answers about one purpose come to, in whatever order they were heard.

A no ends following of the whole person from its receipt on. Of the past it takes what is surely
its speaker's: the events of the speaker's own circle (``circles.py``). It is lifted by a later
yes of the same circle, or of the one that the speaker claims to be of; so whoever ties something
of theirs to somebody else, which anybody can do, undoes nothing and wipes nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from services.contract.circles import Circles
from services.contract.event import Event, Identity, primary

NEVER_MS = 2**62
"""Later than any event."""


class Said(NamedTuple):
    """One answer in the ledger, as far as judging needs it."""

    purpose: str
    granted: bool
    said_ms: int
    told_ms: int
    """When it was received: dates can be forged."""
    speaker: Identity
    event_id: bytes
    is_objection: bool = False
    """It also takes what was said of the person before."""


class Terms(NamedTuple):
    """Of one purpose of one person who ever took it back."""

    noes: tuple[Said, ...]
    """At least one."""
    yeses: tuple[Said, ...]
    circles: Circles

    @property
    def withdrawn_ms(self) -> int:
        """When it was last taken back."""
        return max(no.said_ms for no in self.noes)

    @property
    def takes_the_past(self) -> bool:
        """Whether the person surely took it back themselves: of then nothing is left."""
        core = self.circles.core_circle
        return any(self.circles.of[no.speaker] == core for no in self.noes)

    def stands_for(self, identity: Identity) -> bool:
        """Whether a no still holds for what an identity of the person does."""
        return any(self._lifted_ms(no, identity) == NEVER_MS for no in self.noes)

    def ends(self, event: Event) -> bool:
        """Whether an event of the person comes before the end of a no that speaks of it."""
        whose = primary(event.identities)
        return any(
            self._reaches(no, event) and event.occurred_ms < self._lifted_ms(no, whose)
            for no in self.noes
        )

    def refuses(self, event: Event, said_ms: int) -> bool:
        """Whether a yes in an event, said then, was said while a no held that speaks of it."""
        whose, at_ms = primary(event.identities), max(event.occurred_ms, said_ms)
        return any(
            no.said_ms <= event.occurred_ms
            and self._reaches(no, event)
            and at_ms < self._lifted_ms(no, whose)
            for no in self.noes
        )

    @property
    def objects(self) -> bool:
        """Whether the person ever objected: of what was believed of then nothing is left."""
        return any(no.is_objection for no in self.noes)

    def takes_back(self, event: Event) -> bool:
        """Whether a yes in an event comes before the end of an objection that speaks of it."""
        whose = primary(event.identities)
        return any(
            no.is_objection
            and self._reaches(no, event)
            and event.occurred_ms < self._lifted_ms(no, whose)
            for no in self.noes
        )

    def no_in(self, event: Event) -> bool | None:
        """Whether the no that an event is counts for the person; None: the event is none.

        One that was not surely theirs does until it is lifted, and then as if it had not been.
        """
        for no in self.noes:
            if no.event_id == event.event_id:
                is_theirs = self.circles.of[no.speaker] == self.circles.core_circle
                return is_theirs or self._lifted_ms(no, self.circles.core) == NEVER_MS
        return None

    def _reaches(self, no: Said, event: Event) -> bool:
        circle = self.circles.of[no.speaker]
        return event.occurred_ms >= no.told_ms or any(
            one == no.speaker or circle in self.circles.claimed_by(one) for one in event.identities
        )

    def _lifted_ms(self, no: Said, whose: Identity) -> int:
        """When a yes followed that lifts a no for what is ``whose``; ``NEVER_MS``: none did."""
        renewals = (
            yes.said_ms
            for yes in self.yeses
            if yes.said_ms > no.said_ms and self._may_lift(yes, no, whose)
        )
        return min(renewals, default=NEVER_MS)

    def _may_lift(self, yes: Said, no: Said, whose: Identity) -> bool:
        by, claimed = self.circles.of[yes.speaker], self.circles.claimed_by(no.speaker)
        if by == self.circles.of[no.speaker] or by in claimed:
            return True
        # Somebody else's no, of whom a page said that it is this person: each goes on for theirs.
        owners = self.circles.claimed_by(whose)
        is_strangers = self.circles.core_circle not in claimed and claimed.isdisjoint(owners)
        return is_strangers and by in owners


def terms(said: Iterable[Said], purpose: str, circles: Circles) -> Terms | None:
    """The terms of one purpose by all answers of a person; None: it was never taken back."""
    answers = sorted(one for one in said if one.purpose == purpose)
    noes = tuple(one for one in answers if not one.granted)
    return Terms(noes, tuple(one for one in answers if one.granted), circles) if noes else None
