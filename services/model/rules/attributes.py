"""Conditions about what was told of somebody: by ``identify``, an import or the API."""

from calendar import isleap
from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, model_validator

from services.contract.phases import DAY_MS
from services.model.rules.condition import Condition, Subject, Verdict
from services.model.rules.values import Op, Scalar, check_operands, compares

_EPOCH = date(1970, 1, 1).toordinal()
_YEARS = range(1900, 2200)
_YEARS_AHEAD = 10
"""Between two leap years there are at most eight."""
_LONGEST_YEAR = 366


class Attribute(Condition):
    """Something that was told about the person.

    Text is compared without regard to case. `less` and `greater` compare numbers with numbers
    and text (dates as 2026-11-22 among them) with text; other pairs are not true. Of a list it is
    enough that one item is as asked.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "attribute", "name": "region", "op": "any_of", "values": ["Utrecht"]},
                {"type": "attribute", "name": "years_of_experience", "op": "greater", "value": 5},
            ]
        }
    )
    touching: ClassVar[frozenset[str] | None] = frozenset({"identified"})
    type: Literal["attribute"]
    name: str = Field(min_length=1, max_length=100)
    op: Op
    value: Scalar | None = None
    values: tuple[Scalar, ...] = Field(default=(), max_length=1000, strict=False)

    @model_validator(mode="after")
    def _operands(self) -> "Attribute":
        check_operands(self.op, self.value, self.values)
        return self

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`."""
        found = subject.state.attributes.get(self.name)
        return compares(self.op, found, self.value, self.values), None


class AttributeDate(Condition):
    """A date that was told of the person lies between two days, counted from today.

    0 is today, 7 in a week, -7 a week ago. With `every_year` its anniversaries count, from the
    first on: *the contract's birthday is within 60 days*. The 29th of February is then the 28th
    in other years. Days begin at midnight UTC.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "attribute_date",
                    "name": "contract_start",
                    "every_year": True,
                    "from_days": 0,
                    "to_days": 60,
                },
                {"type": "attribute_date", "name": "contract_end", "to_days": 90},
            ]
        }
    )
    touching: ClassVar[frozenset[str] | None] = frozenset({"identified"})
    type: Literal["attribute_date"]
    name: str = Field(min_length=1, max_length=100)
    from_days: int | None = Field(default=None, ge=-36_500, le=36_500)
    to_days: int | None = Field(default=None, ge=-36_500, le=36_500)
    every_year: bool = False

    @model_validator(mode="after")
    def _bounds(self) -> "AttributeDate":
        begin, end = self.from_days, self.to_days
        if begin is None and end is None:
            raise ValueError("give from_days, to_days or both")
        if begin is not None and end is not None and end < begin:
            raise ValueError("to_days must not be before from_days")
        if self.every_year and (begin is None or end is None or begin < -365 or end > 365):
            raise ValueError("every_year needs from_days and to_days, from -365 to 365")
        return self

    def recurs(self) -> bool:
        """Anniversaries come back for ever."""
        return self.every_year

    def verdict(self, subject: Subject, at_ms: int) -> Verdict:
        """See :class:`Condition`. Whoever has no such date is not meant."""
        day = day_in(subject.state.attributes.get(self.name))
        if day is None:
            return False, None
        today = at_ms // DAY_MS
        if not self.every_year:
            begin = None if self.to_days is None else day - self.to_days
            end = None if self.from_days is None else day - self.from_days + 1
            return _within(today, begin, end)
        return self._each_year(day, today)

    def _each_year(self, first_day: int, today: int) -> Verdict:
        assert self.from_days is not None  # noqa: S101  the validator holds it
        assert self.to_days is not None  # noqa: S101
        begin = end = None
        for day in _anniversaries(first_day, today):
            if end is not None and today < end and day - self.to_days > end:
                break
            if end is None or day - self.to_days > end:  # else it goes on from the one before
                begin = day - self.to_days
            end = day - self.from_days + 1
        without_end = self.to_days - self.from_days >= _LONGEST_YEAR - 1
        return _within(today, begin, None if without_end else end)


def day_in(told: object) -> int | None:
    """The day, counted from 1970, in ``2026-11-22``, or of a moment written so; None: no date."""
    if not isinstance(told, str):
        return None
    try:
        day = date.fromisoformat(told[:10])
    except ValueError:
        return None
    return day.toordinal() - _EPOCH if day.year in _YEARS else None


def _anniversaries(day: int, today: int) -> Iterator[int]:
    """Those about today, and enough of them ahead to find where windows that touch end."""
    first = date.fromordinal(day + _EPOCH)
    this_year = date.fromordinal(today + _EPOCH).year
    begin = max(first.year + 1, this_year - 2)
    for year in range(begin, max(begin, this_year) + _YEARS_AHEAD):
        in_february = (first.month, first.day) == (2, 29) and not isleap(year)
        one = date(year, 2, 28) if in_february else first.replace(year=year)
        yield one.toordinal() - _EPOCH


def _within(today: int, begin: int | None, end: int | None) -> Verdict:
    """Whether a day lies in [begin, end), and the midnight at which that changes."""
    if begin is not None and today < begin:
        return False, begin * DAY_MS
    if end is None:
        return True, None
    return (True, end * DAY_MS) if today < end else (False, None)
