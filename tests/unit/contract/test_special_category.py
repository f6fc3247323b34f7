"""Names of what nobody is chosen by, told from names that only look like them."""

import pytest

from services.contract.special_category import category_of


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
    ],
)
def test_what_nobody_is_chosen_by(name: str, about: str) -> None:
    assert category_of(name) == about


@pytest.mark.parametrize(
    "name",
    [
        "page", "engagement", "average", "language", "region", "years_of_experience", "seniority",
        "health care", "Health and Safety", "gezondheidszorg", "solar race", "savings union",
        "traffic_origin", "contract_start", "sickle", "2026+", "", "energy transition", "mechanic",
    ],
)  # fmt: skip
def test_what_only_looks_like_it(name: str) -> None:
    assert category_of(name) is None


def test_a_long_name_is_looked_at_by_its_beginning() -> None:
    assert category_of("age " + "x" * 100_000) == "age"
    assert category_of("x" * 100_000 + " age") is None
