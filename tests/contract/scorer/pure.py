"""What the database must say, as a plain function of the set of records that arrived."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sqlalchemy import Engine, func, select

from services.contract import tables
from services.contract.decision import DECIDED
from services.contract.event import Event, Identity, encode, primary
from services.contract.phases import hour_until
from services.contract.sweeps import frames_of
from services.model.behaviour import judged, swept
from services.model.identity import COOKIE, UNIQUE, WEAK
from services.model.interval import Interval
from services.model.rulebook import Rulebook
from services.model.state import encode_state
from services.model.timeline import advance
from services.scorer.record import digest
from tests.contract.scorer.scene import MODEL

Piece = tuple[Identity, int | None, int | None]
Words = dict[frozenset[Identity], str]


@dataclass
class Said:
    """Persons as sets of what was theirs when; their states; their intervals."""

    links: Counter[frozenset[Piece]]
    persons: Counter[tuple[bytes, frozenset[Interval]]]


def canonical(copies: Iterable[Event]) -> list[Event]:
    """One copy of each event, in order."""
    best: dict[bytes, Event] = {}
    for copy in copies:
        held = best.get(copy.event_id)
        if held is None or _rank(copy) < _rank(held):
            best[copy.event_id] = copy
    return sorted(best.values(), key=lambda e: (e.occurred_ms, e.event_id))


def _rank(event: Event) -> tuple[bool, int, bytes]:
    return not event.identities, event.received_ms, digest(encode(event))


def said(copies: Iterable[Event], rulebook: Rulebook) -> Said:
    """What is to be said of one workspace."""
    told = [event for event in canonical(copies) if event.identities]
    events = as_swept([event for event in told if event.type != DECIDED])
    pieces = who_is_who(events, decisions(told))
    whose: dict[Identity, list[tuple[int | None, int | None, Identity]]] = defaultdict(list)
    links: dict[Identity, set[Piece]] = defaultdict(set)
    for identity, from_ms, to_ms, owner in pieces:
        whose[identity].append((from_ms, to_ms, owner))
        links[owner].add((identity, from_ms, to_ms))
    theirs: dict[Identity, list[Event]] = defaultdict(list)
    for event in events:
        for from_ms, to_ms, owner in whose[primary(event.identities)]:
            if (from_ms is None or from_ms <= event.occurred_ms) and (
                to_ms is None or event.occurred_ms < to_ms
            ):
                theirs[owner].append(event)
    folded = (advance(None, judged(own), MODEL, rulebook) for own in theirs.values())
    return Said(
        Counter(frozenset(pieces) for pieces in links.values()),
        Counter((encode_state(state), frozenset(intervals)) for state, intervals in folded),
    )


def as_swept(events: Iterable[Event]) -> list[Event]:
    """Clicks of which ten recipients' or more lie in one of their two minutes are a sweep's."""
    told = list(events)
    recipients: dict[tuple[int, str], set[Identity]] = defaultdict(set)
    for event in told:
        for frame in frames_of(event):
            recipients[frame].add(primary(event.identities))
    return [
        swept(event) if any(len(recipients[frame]) >= 10 for frame in frames_of(event)) else event
        for event in told
    ]


def decisions(told: Iterable[Event]) -> Words:
    """What was decided last of each two identities, in the order in which it was."""
    words: Words = {}
    for event in told:
        if event.type == DECIDED:
            pair = frozenset(event.identities)
            words.pop(pair, None)
            words[pair] = event.properties["decision"]
    return words


def who_is_who(
    events: Sequence[Event], words: Words
) -> list[tuple[Identity, int | None, int | None, Identity]]:
    """(identity, from, to, owner) by brute force, ``events`` being in order."""
    groups = _groups(events, words)
    pieces = []
    for identity, members in groups.items():
        runs = _runs_of(identity, events, groups, words) if identity.namespace == COOKIE else []
        runs = runs or [(None, None, min(members))]
        pieces += [(identity, from_ms, to_ms, owner) for from_ms, to_ms, owner in runs]
    return pieces


def _runs_of(
    cookie: Identity,
    events: Sequence[Event],
    groups: dict[Identity, frozenset[Identity]],
    words: Words,
) -> list[tuple[int | None, int | None, Identity]]:
    decided = {next(iter(pair - {cookie})): word for pair, word in words.items() if cookie in pair}
    for known, word in reversed(decided.items()):
        if word == "same_person":
            return [(None, None, min(groups[known]))]
    barred = {groups[known] for known, word in decided.items() if word == "two_people"}
    theirs = [e for e in events if e.identities and groups.get(primary(e.identities)) not in barred]
    return _runs(_uses(theirs, cookie), groups)


def _groups(events: Sequence[Event], words: Words) -> dict[Identity, frozenset[Identity]]:
    groups = {i: frozenset([i]) for event in events for i in event.identities}
    groups |= {i: frozenset([i]) for pair in words for i in pair}
    apart = [pair for pair, word in words.items() if word == "two_people"]

    def may_meet(both: frozenset[Identity]) -> bool:
        return not any(pair <= both for pair in apart)

    for one, other in (tuple(pair) for pair, word in words.items() if word == "same_person"):
        both = groups[one] | groups[other]
        if COOKIE not in {one.namespace, other.namespace} and may_meet(both):
            groups |= dict.fromkeys(both, both)
    for event in sorted(events, key=lambda e: (not e.server_only, e.received_ms, e.event_id)):
        first = primary(event.identities)
        for other in sorted(event.identities):
            if COOKIE in {first.namespace, other.namespace} or groups[first] == groups[other]:
                continue
            both = groups[first] | groups[other]
            may = event.server_only or _browser_may(event, other, groups[first])
            added = _count(groups[first], UNIQUE) * _count(groups[other], UNIQUE) == 0
            if added and may and may_meet(both):
                groups |= dict.fromkeys(both, both)
    return groups


def _browser_may(event: Event, other: Identity, firsts: frozenset[Identity]) -> bool:
    """A browser gives a user id its one mail address."""
    addresses = [i for i in event.identities if i.namespace == "email"]
    known = primary(event.identities).namespace == UNIQUE
    return known and addresses == [other] and _count(firsts, "email") == 0


def _count(identities: frozenset[Identity], namespace: str) -> int:
    return sum(identity.namespace == namespace for identity in identities)


def _runs(
    uses: Sequence[Event], groups: dict[Identity, frozenset[Identity]]
) -> list[tuple[int | None, int | None, Identity]]:
    """At each moment a cookie is its last user's; before the first use, the first one's."""
    owners = [(event.occurred_ms, min(groups[primary(event.identities)])) for event in uses]
    at_moment = {None: owners[0][1]} if owners else {}
    at_moment |= dict(owners)  # at one moment the last one counts
    begins: list[tuple[int | None, Identity]] = []
    for at, owner in at_moment.items():
        if not begins or begins[-1][1] != owner:
            begins.append((at, owner))
    ends = [at for at, _ in begins[1:]] + [None]
    return [(at, to, owner) for (at, owner), to in zip(begins, ends, strict=True)] if begins else []


def _uses(events: Sequence[Event], cookie: Identity) -> list[Event]:
    """The events that say whose a cookie is: those with anybody surer than a token, or all."""
    known = [
        event
        for event in events
        if primary(event.identities).namespace != COOKIE
        and cookie == min((i for i in event.identities if i.namespace == COOKIE), default=None)
    ]
    return [e for e in known if primary(e.identities).namespace != WEAK] or known


def stored(engine: Engine, workspace_id: int = 1) -> Said:
    """What the database says of one workspace."""
    link, identity, state = tables.identity_link.c, tables.identity.c, tables.person_state.c
    links: dict[int, set[Piece]] = defaultdict(set)
    with engine.connect() as db:
        query = (
            select(
                link.person_id,
                identity.namespace,
                identity.value,
                link.valid_from_ms,
                link.valid_to_ms,
            )
            .join_from(tables.identity_link, tables.identity, identity.id == link.identity_id)
            .where(link.workspace_id == workspace_id, link.known_to_ms.is_(None))
        )
        for person, namespace, value, from_ms, to_ms in db.execute(query):
            links[person].add((Identity(namespace, value), from_ms, to_ms))
        held = intervals(engine, workspace_id)
        query = select(state.person_id, state.state).where(state.workspace_id == workspace_id)
        persons = {person: bytes(packed) for person, packed in db.execute(query)}
    assert held.keys() <= persons.keys(), "nobody has intervals without a state"
    return Said(
        Counter(frozenset(pieces) for pieces in links.values()),
        Counter((packed, frozenset(held[person])) for person, packed in persons.items()),
    )


def intervals(engine: Engine, workspace_id: int = 1) -> dict[int, list[Interval]]:
    """What holds now, per person."""
    row = tables.interval.c
    query = select(
        row.person_id, row.kind, row.key, row.valid_from_ms, row.valid_to_ms, row.event_id
    ).where(row.workspace_id == workspace_id, row.known_to_ms.is_(None))
    held: dict[int, list[Interval]] = defaultdict(list)
    with engine.connect() as db:
        for person, kind, key, from_ms, to_ms, event_id in db.execute(query):
            cause = None if event_id is None else bytes(event_id)
            held[person].append(Interval(kind, key, from_ms, to_ms, cause))
    return held


def assert_sound(engine: Engine, workspace_id: int = 1) -> None:
    """What must hold of any database: no person in two places, counts equal to intervals."""
    held = intervals(engine, workspace_id)
    counts: Counter[tuple[str, str, int]] = Counter()
    for rows in held.values():
        assert len(rows) == len(set(rows)), "an interval is stored twice"
        for one, other in combinations(rows, 2):
            exclusive = one.kind == other.kind and (one.kind != "segment" or one.key == other.key)
            assert not (exclusive and _overlap(one, other)), (one, other)
        for row in rows:
            counts[row.kind, row.key, hour_until(row.from_ms)] += 1
            if row.to_ms is not None:
                counts[row.kind, row.key, hour_until(row.to_ms)] -= 1
    delta = tables.count_delta.c
    with engine.connect() as db:
        query = (
            select(delta.kind, delta.key, delta.hour_ms, func.sum(delta.delta))
            .where(delta.workspace_id == workspace_id)
            .group_by(delta.kind, delta.key, delta.hour_ms)
        )
        sums = {(kind, key, hour): total for kind, key, hour, total in db.execute(query)}
    assert {k: v for k, v in sums.items() if v} == {k: v for k, v in counts.items() if v}


def _overlap(one: Interval, other: Interval) -> bool:
    return (other.to_ms is None or one.from_ms < other.to_ms) and (
        one.to_ms is None or other.from_ms < one.to_ms
    )


def assert_told_once(engine: Engine, now_ms: int) -> None:
    """Each change begins where the one before it ended; the last one is what holds now."""
    row, version, segment = tables.change.c, tables.segment_version.c, tables.segment.c
    with engine.connect() as db:
        query = (
            select(row.person_id, row.kind, row.key, row.before, row.after)
            .where(row.kind != "identity")
            .order_by(row.position)
        )
        told: dict[tuple[int, str, str], str | None] = {}
        for person, kind, key, before, after in db.execute(query):
            assert told.get((person, kind, key)) == before
            assert before != after
            told[person, kind, key] = after
        joined = select(version.id, segment.key).join_from(
            tables.segment_version, tables.segment, version.segment_id == segment.id
        )
        live = {
            str(i): key
            for i, key in db.execute(
                joined.where(version.status == "live", segment.deleted_ms.is_(None))
            )
        }
        spaces = [i for (i,) in db.execute(select(tables.workspace.c.id))]
    holds: dict[tuple[int, str, str], str] = {}
    for space in spaces:
        for person, rows in intervals(engine, space).items():
            for one in rows:
                if one.from_ms <= now_ms and (one.to_ms is None or now_ms < one.to_ms):
                    if one.kind != "segment":
                        holds[person, one.kind, ""] = one.key
                    elif one.key in live:
                        holds[person, "segment", live[one.key]] = "member"
    assert {k: v for k, v in told.items() if v is not None} == holds
