"""Segment rules: what they may ask, and when an answer may next change.

Conditions stand in files by kind; :mod:`services.model.rules.tree` puts them together.
"""

from services.model.rules.attributes import Attribute, AttributeDate
from services.model.rules.condition import Node, Subject, Verdict
from services.model.rules.contact import Available, Cadence, Pressure
from services.model.rules.happenings import Events, FirstEvent, LastEvent
from services.model.rules.interest import Engagement, Interest
from services.model.rules.known import ConsentIs, IdentityKnown, MachineShare
from services.model.rules.membership import InSegment
from services.model.rules.standing import LatencyStateIs, PhaseIs, Probability, TimeInPhase
from services.model.rules.tree import (
    CONDITIONS_MAX,
    DEPTH_MAX,
    TYPES,
    AllOf,
    AnyOf,
    Not,
    Rule,
    RuleTree,
    conditions,
    evaluate,
)

__all__ = [
    "CONDITIONS_MAX",
    "DEPTH_MAX",
    "TYPES",
    "AllOf",
    "AnyOf",
    "Attribute",
    "AttributeDate",
    "Available",
    "Cadence",
    "ConsentIs",
    "Engagement",
    "Events",
    "FirstEvent",
    "IdentityKnown",
    "InSegment",
    "Interest",
    "LastEvent",
    "LatencyStateIs",
    "MachineShare",
    "Node",
    "Not",
    "PhaseIs",
    "Pressure",
    "Probability",
    "Rule",
    "RuleTree",
    "Subject",
    "TimeInPhase",
    "Verdict",
    "conditions",
    "evaluate",
]
