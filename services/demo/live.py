"""What goes on after the year: visits, mailings, opens and clicks, for as long as it runs.

At first people come much faster than they would, so that somebody who looks sees movement; then
the pace falls towards nature's, or after a night everybody would look busy. What goes on at the
full pace are visits without consent: they are counted, and follow nobody.
"""

import asyncio
import heapq
import itertools
import math
from collections.abc import Callable

import httpx
import numpy as np

from services.demo.acts import HIRED, Act, state_at
from services.demo.calls import DECLINED, Call, call_of, page
from services.demo.catalogue import mailing
from services.demo.doors import Doors, post
from services.demo.history import PEOPLE
from services.demo.letters import Letter, click, make_letters, open_letter
from services.demo.mail import answers
from services.demo.visits import KINDS, RATES, visit
from services.demo.world import World, simulate

TICK_S = 0.5
COUNTED_PER_S = 1.5
VISITS_PER_S_FIRST = 0.8
VISITS_PER_S_LAST = 0.02
CALMING_S = 600.0
TURN_EVERY_S = 45.0
"""One person turns so often while the pace is high; more rarely as it falls."""
MAILING_EVERY_S = 600.0
READERS = 120
MAIL_HASTE = 60
"""An hour between a mail and its opening becomes a minute."""

Clock = Callable[[], int]


async def play_live(
    doors: Doors,
    *,
    seed: int,
    history_end_ms: int,
    clock: Clock,
    site_url: str,
    people: int = PEOPLE,
) -> None:
    """Play on until cancelled.

    Args:
        doors: where, and with which keys.
        seed: of the simulation that made the history.
        history_end_ms: where the history ended, UTC milliseconds.
        clock: UTC milliseconds.
        site_url: where links in mails lead: the sample site, without a slash at the end.
        people: as many as in the history.

    Raises:
        RefusedError: the product took something for bad.
    """
    world = await asyncio.to_thread(simulate, seed, people, history_end_ms)
    async with doors.open() as client:
        await _Player(client, doors, world, clock, site_url).run()


class _Player:
    def __init__(
        self,
        client: httpx.AsyncClient,
        doors: Doors,
        world: World,
        clock: Clock,
        site_url: str,
    ) -> None:
        self._client, self._doors, self._clock, self._site_url = client, doors, clock, site_url
        self._people, self._history_end_ms = world.people, world.end_ms
        self._began_ms = clock()
        self._rng = np.random.default_rng(self._began_ms)
        self._activity = np.array([person.activity for person in world.people])
        self._states = np.array([state_at(stays, world.end_ms) for stays in world.stays])
        self._rates = np.vstack([RATES, np.zeros(len(KINDS))])  # who was hired is left in peace
        self._due: list[tuple[int, int, Act | Letter | tuple[Letter, str]]] = []
        self._numbers = itertools.count()
        self._mailed_ms = -1

    async def run(self) -> None:
        while True:
            elapsed_s = (self._clock() - self._began_ms) / 1000
            pace = max(math.exp(-elapsed_s / CALMING_S), VISITS_PER_S_LAST / VISITS_PER_S_FIRST)
            if self._happens(pace / TURN_EVERY_S):
                self._turn()
            for _ in range(self._rng.poisson(VISITS_PER_S_FIRST * pace * TICK_S)):
                self._begin_visit()
            if self._clock() >= self._mailed_ms + MAILING_EVERY_S * 1000 / pace:
                await self._send_mailing()
            await self._send_due()
            await asyncio.sleep(TICK_S)

    def _happens(self, per_s: float) -> bool:
        return bool(self._rng.random() < per_s * TICK_S)

    def _turn(self) -> None:
        """Somebody who is not looking starts to, and shows it by several visits."""
        candidates = np.flatnonzero(self._states < HIRED - 1)
        person = int(self._rng.choice(candidates))
        self._states[person] = HIRED - 1
        now_ms = self._clock()
        for kind in ("vacancy_view", "page", "vacancy_click"):
            for act in visit(self._rng, person, kind, now_ms + int(self._rng.integers(90_000))):
                self._plan(act.t_ms, act)

    def _begin_visit(self) -> None:
        weights = self._rates.sum(axis=1)[self._states] * self._activity
        person = int(self._rng.choice(len(weights), p=weights / weights.sum()))
        rates = self._rates[self._states[person]]
        kind = KINDS[int(self._rng.choice(len(KINDS), p=rates / rates.sum()))]
        for act in visit(self._rng, person, kind, self._clock()):
            self._plan(act.t_ms, act)

    async def _send_mailing(self) -> None:
        now_ms = self._mailed_ms = self._clock()
        # Numbers go on where the history's end, and never come twice.
        number = 100 + (now_ms - self._history_end_ms) // 60_000
        reached = np.flatnonzero(self._states < HIRED)
        chosen = self._rng.choice(reached, min(READERS, len(reached)), replace=False).tolist()
        readers = {index: self._people[index] for index in chosen}
        letters = await make_letters(
            self._client, self._doors, mailing(number), readers, self._site_url
        )
        for letter in letters:
            self._plan(now_ms, Act(now_ms, letter.person, "sent", mailing=number))
            state = int(self._states[letter.person])
            for act in answers(self._rng, letter.person, state, number, 0):
                at_ms = now_ms + 5_000 + act.t_ms // MAIL_HASTE
                if act.kind == "open":
                    self._plan(at_ms, letter)
                elif act.kind == "click":
                    self._plan(at_ms, (letter, act.content_id))

    def _plan(self, at_ms: int, what: Act | Letter | tuple[Letter, str]) -> None:
        heapq.heappush(self._due, (at_ms, next(self._numbers), what))

    async def _send_due(self) -> None:
        calls = [self._counted() for _ in range(self._rng.poisson(COUNTED_PER_S * TICK_S))]
        while self._due and self._due[0][0] <= self._clock():
            _, number, what = heapq.heappop(self._due)
            message_id = f"live-{self._began_ms}-{number}"
            if isinstance(what, Act):
                calls.append(call_of(what, self._people[what.person], message_id))
            elif isinstance(what, Letter):
                await open_letter(self._client, what)
            else:
                letter, content_id = what
                cookie = self._people[letter.person].anonymous_id
                landing = await click(self._client, letter, content_id, cookie)
                calls.append(landing | {"messageId": message_id})
        if calls:
            await post(self._client, "/v1/batch", self._doors.server_key, {"batch": calls})

    def _counted(self) -> Call:
        acts = visit(self._rng, -1, "page", self._clock())
        return {**page(next(acts), "nobody"), "context": DECLINED}
