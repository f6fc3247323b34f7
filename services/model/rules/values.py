"""How what is known is compared with what is asked: text, numbers, yes and no, lists."""

from collections.abc import Callable
from math import isfinite
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

TEXT_LENGTH_MAX = 500
WHOLE_MAX = 2**53
"""Beyond it a float stands for several whole numbers."""


def _one_value(value: object) -> object:
    """Hold that it is one, in one sentence: of a union every type says that it is another."""
    match value:
        case str():
            if len(value) > TEXT_LENGTH_MAX:
                raise ValueError(f"a text has at most {TEXT_LENGTH_MAX} characters")
        case bool():
            pass
        case int():
            if abs(value) > WHOLE_MAX:
                raise ValueError(f"a whole number lies between -{WHOLE_MAX} and {WHOLE_MAX}")
        case float():
            if not isfinite(value):
                raise ValueError("a number is finite")
        case _:
            raise ValueError("give one text, number, true or false")
    return value


Scalar = Annotated[
    Annotated[str, Field(max_length=TEXT_LENGTH_MAX)]
    | bool
    | Annotated[int, Field(ge=-WHOLE_MAX, le=WHOLE_MAX)]
    | Annotated[float, Field(allow_inf_nan=False)],
    BeforeValidator(_one_value),
]
Op = Literal[
    "is",
    "is_not",
    "any_of",
    "none_of",
    "contains",
    "less",
    "less_or_same",
    "greater",
    "greater_or_same",
    "known",
    "unknown",
]
Sort = Literal["text", "number", "yes_no"]
_LISTS = frozenset({"any_of", "none_of"})
_ALONE = frozenset({"known", "unknown"})


def check_operands(op: Op, value: object, values: tuple[Scalar, ...]) -> None:
    """Hold that an operation has what it compares with.

    Raises:
        ValueError: it has too much, or too little.
    """
    if (op in _LISTS) != bool(values):
        raise ValueError("values go with any_of and none_of, and these need them")
    if (op in _LISTS | _ALONE) != (value is None):
        raise ValueError(f"{op} {'takes no' if value is not None else 'needs a'} value")


def sort_of(value: object) -> Sort:
    """What a value is; values of two sorts are never the same, and neither is the greater."""
    if isinstance(value, bool):
        return "yes_no"
    return "text" if isinstance(value, str) else "number"


def compares(op: Op, found: object, value: object, values: tuple[Scalar, ...]) -> bool:
    """Whether what was found is as asked. None: nothing was."""
    if op in _LISTS:
        return any(_same(found, one) for one in values) is (op == "any_of")
    if op in _ALONE:
        return (found is None) is (op == "unknown")
    return _COMPARED[op](found, value)


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, list):
        return any(_same(item, wanted) for item in found)
    if isinstance(found, str) and isinstance(wanted, str):
        return found.casefold() == wanted.casefold()
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return found is not None and found == wanted


def _orders_same(found: object, wanted: object) -> bool:
    return not isinstance(found, bool | list) and _same(found, wanted)


def _contains(found: object, wanted: object) -> bool:
    if isinstance(found, list):
        return any(_same(item, wanted) for item in found)
    if isinstance(found, str) and isinstance(wanted, str):
        return wanted.casefold() in found.casefold()
    return False


def _less(a: object, b: object) -> bool:
    if isinstance(a, str) and isinstance(b, str):
        return a.casefold() < b.casefold()
    if isinstance(a, int | float) and isinstance(b, int | float):
        return not isinstance(a, bool) and not isinstance(b, bool) and a < b
    return False


_COMPARED: dict[Op, Callable[[object, object], bool]] = {
    "is": _same,
    "is_not": lambda found, value: not _same(found, value),
    "contains": _contains,
    "less": _less,
    "less_or_same": lambda found, value: _less(found, value) or _orders_same(found, value),
    "greater": lambda found, value: _less(value, found),
    "greater_or_same": lambda found, value: _less(value, found) or _orders_same(found, value),
}
