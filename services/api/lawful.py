"""What nobody may be known or chosen by: refused where it is written down, not where it is read."""

from collections.abc import Iterable, Iterator

from services.api.problem import Problem
from services.contract.special_category import category_of
from services.model.rules import Attribute, AttributeDate, Engagement, Interest
from services.model.rules.condition import Node
from services.model.rules.happenings import Happening
from services.model.rules.membership import leaves


def must_be_lawful(names: Iterable[str]) -> None:
    """Refuse names of attributes, properties or topics that are about health, age and the like.

    Raises:
        Problem: 400, one is; the text names it.
    """
    for name in names:
        category = category_of(name)
        if category is not None:
            text = (
                f"`{name[:100]}` is about {category}: nobody is known or chosen by that here, nor "
                "by what stands for it. If it means something else, call it something else."
            )
            raise Problem(400, "special_category", text)


def names_in(rule: Node) -> Iterator[str]:
    """The attributes, properties and topics that a rule asks for."""
    for leaf in leaves(rule):
        match leaf:
            case Attribute() | AttributeDate():
                yield leaf.name
            case Happening():
                yield from leaf.topic
                yield from (one.name for one in leaf.properties)
            case Engagement():
                yield from () if leaf.topic is None else (leaf.topic,)
            case Interest():
                yield from leaf.topic
