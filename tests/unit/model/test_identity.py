"""Who is who: the same people whatever the order, and every moment of a cookie is somebody's."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.model.identity import COOKIE, UNIQUE, WEAK, Slice, Tie, Use, group, slices

NAMESPACES = {0: UNIQUE, 1: UNIQUE, 2: UNIQUE, 3: "email", 4: "email", 5: "crm", 6: WEAK}
moments = st.integers(0, 6)
event_ids = st.integers(0, 5).map(lambda i: bytes([i]))
known = st.sampled_from(sorted(NAMESPACES))
ties = st.lists(st.builds(Tie, moments, event_ids, known, known), max_size=12)
uses = st.lists(
    st.builds(Use, moments, event_ids, known), max_size=12, unique_by=lambda u: u.event_id
)


def _partition(groups: dict[int, int]) -> set[frozenset[int]]:
    return {frozenset(i for i in groups if groups[i] == root) for root in groups.values()}


@given(ties, st.randoms())
def test_ties_in_any_order_and_number_make_the_same_groups(found: list[Tie], rng) -> None:
    more = found + [tie for tie in found if rng.random() < 0.5]
    more = [tie._replace(a=tie.b, b=tie.a) if rng.random() < 0.5 else tie for tie in more]
    rng.shuffle(more)
    once = {tie[:2]: tie for tie in found}.values()  # an event ties one pair here
    again = [t for t in more if t in once or t._replace(a=t.b, b=t.a) in once]
    assert group(NAMESPACES, once).root == group(NAMESPACES, again).root


@given(ties)
def test_no_group_has_two_user_ids_and_its_name_is_its_smallest(found: list[Tie]) -> None:
    groups = group(NAMESPACES, found).root
    assert groups.keys() == NAMESPACES.keys()
    for members in _partition(groups):
        assert sum(NAMESPACES[i] == UNIQUE for i in members) <= 1
        assert {groups[i] for i in members} == {min(members)}


@given(ties)
def test_only_ties_join_and_one_that_breaks_no_rule_always_does(found: list[Tie]) -> None:
    groups = group(NAMESPACES, found).root
    for tie in found:
        if groups[tie.a] != groups[tie.b]:
            both = [i for i in groups if groups[i] in {groups[tie.a], groups[tie.b]}]
            assert sum(NAMESPACES[i] == UNIQUE for i in both) == 2
    for members in _partition(groups):
        reached = {min(members)}
        while more := {i for t in found for i in t[2:] if reached & set(t[2:])} & members - reached:
            reached |= more
        assert reached == members


@given(ties)
def test_a_pairs_later_ties_change_nothing(found: list[Tie]) -> None:
    earliest: dict[frozenset[int], Tie] = {}
    for tie in sorted(found):
        earliest.setdefault(frozenset(tie[2:]), tie)
    assert group(NAMESPACES, found).root == group(NAMESPACES, earliest.values()).root


def test_of_two_user_ids_on_one_address_the_earlier_tie_stands() -> None:
    early, late = Tie(1, b"b", 0, 3), Tie(2, b"a", 1, 3)
    for order in ([early, late], [late, early]):
        groups = group(NAMESPACES, order).root
        assert groups[3] == groups[0] != groups[1]


def test_a_late_message_of_an_earlier_tie_moves_the_address_over() -> None:
    groups = group(NAMESPACES, [Tie(5, b"a", 0, 3), Tie(4, b"b", 1, 3), Tie(6, b"c", 3, 5)]).root
    assert groups[3] == groups[5] == groups[1] != groups[0]


@given(uses, ties, st.randoms())
def test_slices_cover_all_time_once_and_know_no_order(
    found: list[Use], tied: list[Tie], rng
) -> None:
    owner_of = group(NAMESPACES, tied).root
    weak = frozenset(i for i, namespace in NAMESPACES.items() if namespace == WEAK)
    made = slices(found, owner_of, weak)
    shuffled = list(found)
    rng.shuffle(shuffled)
    assert slices(shuffled, owner_of, weak) == made
    assert bool(made) == bool(found)
    if made:
        assert (made[0].from_ms, made[-1].to_ms) == (None, None)
    for one, following in pairwise(made):
        assert one.to_ms == following.from_ms
        assert one.from_ms is None or one.from_ms < following.from_ms
        assert one.owner != following.owner


@given(uses)
def test_every_moment_belongs_to_the_last_who_used_the_cookie(found: list[Use]) -> None:
    """Before anybody did, to the first."""
    made = slices(found, {i: i for i in NAMESPACES}, frozenset())
    ordered = sorted(found)
    for at in range(-1, 8) if found else ():
        before = [use for use in ordered if use.occurred_ms <= at]
        assert _owner(made, at) == (before[-1] if before else ordered[0]).known


def _owner(made: Sequence[Slice], at: int) -> int:
    found = [
        s.owner
        for s in made
        if (s.from_ms is None or s.from_ms <= at) and (s.to_ms is None or at < s.to_ms)
    ]
    assert len(found) == 1
    return found[0]


@given(uses)
def test_a_token_counts_only_where_nobody_surer_came(found: list[Use]) -> None:
    weak = frozenset({6})
    made = slices(found, {i: i for i in NAMESPACES}, weak)
    sure = [use for use in found if use.known not in weak]
    if sure:
        assert made == slices(sure, {i: i for i in NAMESPACES}, weak)
    else:
        assert {piece.owner for piece in made} <= weak


def test_two_people_on_one_cookie_share_it_by_time() -> None:
    anna, bert = Use(10, b"a", 0), Use(20, b"b", 1)
    made = slices([bert, anna, Use(30, b"c", 0)], {0: 0, 1: 1}, frozenset())
    assert [(s.from_ms, s.to_ms, s.owner, s.event_id) for s in made] == [
        (None, 20, 0, b"a"),
        (20, 30, 1, b"b"),
        (30, None, 0, b"c"),
    ]


def test_a_cookie_is_no_known_identity() -> None:
    assert COOKIE not in NAMESPACES.values()
    assert slices([], {}, frozenset()) == []
