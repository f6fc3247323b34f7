"""Where in a request's body something is wrong: as it was sent, and what might stand there."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def walked(kind: Any, place: Sequence[int | str]) -> tuple[list[str], set[str]]:
    """The way to a place as it was sent, and the fields that an object there may have.

    Args:
        kind: the type of the whole body.
        place: the way as pydantic tells it: where something may be one of several kinds it also
            names the kind that was tried, and it says of a key that it is one.
    """
    way: list[str] = []
    kinds = _kinds_in(kind)
    for part in place:
        if len(kinds) > 1:
            kinds = [one for one in kinds if _goes_by(one, part)]
        elif part != "[key]":
            way.append(str(part))
            kinds = [inner for one in kinds for inner in _kinds_in(_inside(one, part))]
    return way, {name for one in kinds for name in _fields_of(one)}


def _kinds_in(kind: Any) -> list[Any]:
    """What something may be: one kind, or those of a union; null is told of by none."""
    kind = getattr(kind, "__value__", kind)  # of a named alias
    origin = get_origin(kind)
    if origin is Annotated:
        return _kinds_in(get_args(kind)[0])
    if origin in {Union, UnionType}:
        return [inner for one in get_args(kind) for inner in _kinds_in(one)]
    return [] if kind in {None, NoneType} else [kind]


def _inside(kind: Any, part: int | str) -> Any:
    """The type of a field, of what stands under a key, or in a list; None: it is not known."""
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if get_origin(kind) in {list, tuple}:
        return get_args(kind)[0]
    return _fields_of(kind).get(str(part))


def _fields_of(kind: Any) -> dict[str, Any]:
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}


def _goes_by(kind: Any, tag: int | str) -> bool:
    """Whether a tag stands for this kind: its name, or a field's only value."""
    only = [get_args(field) for field in _fields_of(kind).values()]
    return tag == getattr(kind, "__name__", None) or (tag,) in only
