"""Every condition that a rule can have has words of its own, in Dutch and English."""

import typing

import pytest

from services.contract.event import CHANNELS, EVENT_TYPES
from services.contract.phases import PHASES
from services.model import vocabulary
from services.model.condition_words import in_words
from services.model.rules import AllOf, AnyOf, Attribute, Not, RuleTree
from services.model.rules import tree as rules
from services.model.words import Language

KINDS = [one for one in typing.get_args(rules._Written) if one not in {AllOf, AnyOf, Not}]
LANGUAGES = typing.get_args(Language)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_condition_is_said_without_its_names(kind):
    for example in kind.model_config["json_schema_extra"]["examples"]:
        leaf = RuleTree.model_validate({"rule": example}).rule
        told = [in_words(leaf, language, {"almost-ready": "Bijna klaar"}) for language in LANGUAGES]
        assert all(told)
        for name in {*type(leaf).model_fields} - {"of", "value", "event", "topic", "answer"}:
            assert not any(f"{name} " in text for text in told if "_" in name), (name, told)
        assert leaf.type not in "".join(told) or "_" not in leaf.type


def test_whatever_is_known_has_a_word():
    assert vocabulary.EVENTS.keys() == EVENT_TYPES
    assert vocabulary.CHANNELS.keys() == CHANNELS
    assert vocabulary.PHASES.keys() == {*PHASES}


def test_a_segment_goes_by_its_name():
    leaf = RuleTree.model_validate({"rule": {"type": "in_segment", "segment": "own-staff"}}).rule
    assert in_words(leaf, "nl", {"own-staff": "Eigen mensen"}) == "in segment Eigen mensen"
    assert in_words(leaf, "en") == "in segment own-staff"


@pytest.mark.parametrize(
    ("name", "dutch", "english"),
    [
        ("region", "regio", "region"),
        ("jobTitle", "functie", "job title"),
        ("years_of_experience", "jaren ervaring", "years of experience"),
        ("VCA_diploma", "VCA diploma", "VCA diploma"),
        ("nightShift", "night shift", "night shift"),
        ("Rijbewijs BE", "Rijbewijs BE", "Rijbewijs BE"),
    ],
)
def test_an_attribute_goes_by_its_name_or_by_its_own(name: str, dutch: str, english: str) -> None:
    leaf = Attribute(type="attribute", name=name, op="known")
    assert in_words(leaf, "nl") == f"{dutch} is bekend"
    assert in_words(leaf, "en") == f"{english} is known"
