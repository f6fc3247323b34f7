"""Random segment rules."""

from hypothesis import strategies as st

from services.model.rules import (
    All,
    Any,
    Attribute,
    Events,
    LatencyStateIs,
    Not,
    PhaseIs,
    Probability,
    Rule,
)

_LEAVES = st.one_of(
    st.builds(
        PhaseIs,
        type=st.just("phase"),
        any_of=st.lists(
            st.sampled_from(["see", "think", "do", "care"]), min_size=1, max_size=3
        ).map(tuple),
    ),
    st.builds(
        LatencyStateIs,
        type=st.just("latency_state"),
        any_of=st.lists(
            st.sampled_from(["latent_latent", "actively_latent", "active"]), min_size=1, max_size=2
        ).map(tuple),
    ),
    st.builds(
        Probability,
        type=st.just("probability"),
        of=st.sampled_from(["openness", "latent_latent", "actively_latent", "active"]),
        at_least=st.sampled_from([0.01, 0.1, 0.3, 0.5, 0.7, 0.9]),
    ),
    st.builds(
        Probability,
        type=st.just("probability"),
        of=st.sampled_from(["openness", "latent_latent", "actively_latent", "active"]),
        below=st.sampled_from([0.05, 0.2, 0.4, 0.6, 0.8]),
    ),
    st.builds(
        Events,
        type=st.just("events"),
        event=st.lists(st.sampled_from(["page", "read", "open", "click", "sent"]), max_size=2).map(
            tuple
        ),
        at_least=st.integers(1, 4),
        within_days=st.sampled_from([1, 7, 30, 365, 3650]),
    ),
    st.builds(
        Attribute,
        type=st.just("attribute"),
        name=st.sampled_from(["a", "topics"]),
        op=st.sampled_from(["known", "unknown"]),
    ),
)


def rules() -> st.SearchStrategy[Rule]:
    """Trees of up to a few levels."""
    return st.recursive(
        _LEAVES,
        lambda part: st.one_of(
            st.builds(
                All, type=st.just("all"), rules=st.lists(part, min_size=1, max_size=3).map(tuple)
            ),
            st.builds(
                Any, type=st.just("any"), rules=st.lists(part, min_size=1, max_size=3).map(tuple)
            ),
            st.builds(Not, type=st.just("not"), rule=part),
        ),
        max_leaves=6,
    )
