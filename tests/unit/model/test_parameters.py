"""A version's data: what is refused, how that is said, and that every number is documented."""

import copy
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from services.model.evidence import SITE_TYPES
from services.model.parameters import KINDS, VersionError, read
from services.model.version import build, load

DATA = json.loads(files("services.model").joinpath("day_one.json").read_text())
DOCUMENT = Path(__file__).parents[3] / "docs" / "model.md"


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every number, or row of numbers, with where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "about":
                yield from numbers(inner, f"{path}.{key}" if path else key)
    else:
        yield path, json.dumps(value)


def changed(path: str, value: Any) -> bytes:
    """Day one with something else in one place; ``...`` takes it out."""
    data = copy.deepcopy(DATA)
    *way, last = path.split(".")
    at = data
    for key in way:
        at = at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return json.dumps(data).encode()


def test_every_number_is_documented_as_it_is_and_none_that_is_not_there():
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(numbers(DATA))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("echo", ..., "missing required field `echo`"),
        ("mail.open", ..., "missing required field `open` - at `$.mail`"),
        ("mail.opened", [0.1, 0.2, 0.3], "unknown field `opened` - at `$.mail`"),
        ("half_life", 3, "unknown field `half_life`"),
        ("start", [0.8, 0.2], "length 3"),
        ("start", [0.8, 0.2, 0.1], "start adds up to 1.1, not to 1"),
        ("mail.open", [0.1, 0.2, 1.5], "`$.mail.open"),
        ("mail.open", [0.1, 0.2, "much"], "got `str` - at `$.mail.open[2]`"),
        ("echo.visits_per_visit", 1, "`$.echo.visits_per_visit`"),
        ("rates_per_day.page", [0.0, 0.1, 0.2], "`$.rates_per_day[...][0]`"),
        ("rates_per_day.page", ..., "rates_per_day lacks page"),
        ("rates_per_day.dance", [1, 1, 1], "rates_per_day has dance, which is unknown"),
        ("site_kinds", ["page", "shop"], "site_kinds has shop"),
        ("mean_days_until.active", ..., "mean_days_until lacks active"),
        ("mean_days_until.active.active", 3, "mean_days_until.active has active"),
        ("mean_days_until.resting", {}, "mean_days_until has resting, which is unknown"),
        ("frailty.points", [0.5, 0.6, 0.7, 0.8, 0.9], "mean of frailty.points is 0.7"),
        ("frailty.points", [1.5, 0.5, 1, 1, 1], "do not ascend"),
        ("signals.active.leave", 0.9, "signals.active is left above where it is entered"),
        ("milestone_days.danced", 3, "Invalid enum value 'danced'"),
        ("engagement.weights.danced", 3, "Invalid enum value 'danced'"),
        ("engagement.weights.page", -2, "`$.engagement.weights[...]`"),
    ],
)
def test_what_is_wrong_is_said(path, value, said):
    with pytest.raises(VersionError) as raised:
        read(changed(path, value))
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "added", ["magazine_issue", "telling", "engagement.against", "engagement.unopened"]
)
def test_a_version_written_before_something_was_added_is_read_and_scores_as_it_did(added):
    parameters = read(changed(added, ...))
    build(parameters)
    if added == "magazine_issue":
        assert parameters.magazine_issue == parameters.mail
    elif added == "telling":
        assert parameters == load().parameters
    else:
        assert not getattr(parameters.engagement, added.removeprefix("engagement."))


def test_all_that_contradicts_is_said_at_once():
    data = json.loads(changed("start", [0.8, 0.2, 0.1]))
    data["site_kinds"] = ["shop"]
    with pytest.raises(VersionError, match=r"start adds up .*; site_kinds has shop"):
        read(json.dumps(data).encode())


def test_no_json_is_no_version():
    with pytest.raises(VersionError, match="not a model version"):
        read(b"{")


def test_every_kind_is_one_that_events_can_be():
    assert set(SITE_TYPES.values()) | {"vacancy_click"} == set(KINDS)
    assert tuple(load().parameters.rates_per_day) == KINDS
