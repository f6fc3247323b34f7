"""Names of what nobody is chosen by, told from names that only look like them."""

import pytest

from services.contract.special_category import (
    category_of,
    category_of_topic,
    lawful_part,
    names_within,
)


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("age", "age"),
        ("minAge", "age"),
        ("Geboortedatum", "age"),
        ("date_of_birth", "age"),
        ("55+", "age"),
        ("campagne 50 plus", "age"),
        ("generation-z", "age"),
        ("Nationaliteit", "origin"),
        ("country of origin", "origin"),
        ("statushouders", "origin"),
        ("Race", "origin"),
        ("health", "health"),
        ("health_status", "health"),
        ("ziekteverzuim 2025", "health"),
        ("trade-union", "union membership"),
        ("geloof", "belief"),
        ("political_views", "politics"),
        ("gender", "sex and family"),
        ("Burgerlijke staat", "sex and family"),
        ("criminalRecord", "crime"),
        ("biometric", "body data"),
        ("BSN", "a national number"),
        ("ÉTNICITEIT", "origin"),
        ("dateofbirth", "age"),
        ("DateOfBirth", "age"),
        ("leeftijdInJaren", "age"),
        ("geboorte-datum", "age"),
        ("placeofbirth", "origin"),
        ("country_of_birth", "origin"),
        ("nationalities", "origin"),
        ("candidate.nationality", "origin"),
        ("nationaliteiten", "origin"),
        ("ethnicBackground", "origin"),
        ("disabled", "health"),
        ("is_disabled", "health"),
        ("disabled worker", "health"),
        ("arbeidsongeschiktheid", "health"),
        ("vakbondslid_sinds", "union membership"),
        ("religions", "belief"),
        ("faith in God", "belief"),
        ("faith", "belief"),
        ("genders", "sex and family"),
        ("geslachten", "sex and family"),
        ("bsnNummer", "a national number"),
        ("bsnnummer", "a national number"),
    ],
)
def test_what_nobody_is_chosen_by(name: str, about: str) -> None:
    assert category_of(name) == about


@pytest.mark.parametrize(
    "name",
    [
        "page", "engagement", "average", "language", "region", "years_of_experience", "seniority",
        "health care", "Health and Safety", "gezondheidszorg", "solar race", "savings union",
        "tracking_disabled", "accountDisabled", "disabled-features", "faith in technology",
        "good faith", "geloof in techniek", "team_building", "rewards", "message", "managers",
        "international", "national grid", "unions of savings", "politie", "packages", "stages",
        "transport", "wind", "technical_background", "original", "voltage_classes", "birch",
        "traffic_origin", "contract_start", "sickle", "2026+", "", "energy transition", "mechanic",
    ],
)  # fmt: skip
def test_what_only_looks_like_it(name: str) -> None:
    assert category_of(name) is None


@pytest.mark.parametrize(
    "topic",
    [
        "gehandicaptenzorg", "geboortezorg", "vluchtelingenwerk", "seksuologie", "biometrie",
        "vakbondsbestuurder", "religieonderwijs", "rebirth", "health care", "grid",
    ],
)  # fmt: skip
def test_a_trade_is_a_topic(topic: str) -> None:
    assert category_of_topic(topic) is None


@pytest.mark.parametrize("topic", ["zwangerschap", "religie", "vakbond", "50+", "Health", "geloof"])
def test_what_nobody_is_to_be_interested_in(topic: str) -> None:
    assert category_of_topic(topic) is not None


def test_a_long_name_is_looked_at_by_its_beginning() -> None:
    assert category_of("age " + "x" * 100_000) == "age"
    assert category_of("x" * 100_000 + " age") is None


def test_names_inside_are_looked_at_too() -> None:
    told = {"region": "Utrecht", "more": {"birthYear": 1990, "skills": [{"sex": 1, "name": "x"}]}}
    assert {*names_within(told)} == {"region", "more", "birthYear", "skills", "sex", "name"}
    assert lawful_part(told) == {"region": "Utrecht", "more": {"skills": [{"name": "x"}]}}
