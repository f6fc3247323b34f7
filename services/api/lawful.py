"""What nobody may be known or chosen by: refused where it is written down, not where it is read."""

from collections.abc import Iterable, Iterator

from services.api.problem import Problem
from services.contract.special_category import Category, category_of, category_of_topic
from services.model.rules import Attribute, AttributeDate, Engagement, Interest
from services.model.rules.condition import Node
from services.model.rules.happenings import Happening
from services.model.rules.membership import leaves


def must_be_lawful(names: Iterable[str] = (), topics: Iterable[str] = ()) -> None:
    """Refuse names of attributes and properties, and topics, about health, age and the like.

    Raises:
        Problem: 400, one is; the text names it.
    """
    found: list[tuple[str, Category | None]] = [(name, category_of(name)) for name in names]
    found += [(topic, category_of_topic(topic)) for topic in topics]
    for name, category in found:
        if category is not None:
            text = (
                f"`{name[:100]}` is about {category}: nobody is known or chosen by that here, nor "
                "by what stands for it. If it means something else, call it something else."
            )
            raise Problem(400, "special_category", text)


def names_in(rule: Node) -> Iterator[str]:
    """The attributes and properties that a rule asks for."""
    for leaf in leaves(rule):
        match leaf:
            case Attribute() | AttributeDate():
                yield leaf.name
            case Happening():
                yield from (one.name for one in leaf.properties)


def topics_in(rule: Node) -> Iterator[str]:
    """The topics that a rule asks for."""
    for leaf in leaves(rule):
        match leaf:
            case Happening() | Interest():
                yield from leaf.topic
            case Engagement():
                yield from () if leaf.topic is None else (leaf.topic,)
