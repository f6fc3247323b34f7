"""Reads a feed of vacancies: JSON-LD as job sites want it, or XML."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import msgspec

from services.api.imports.asked import VacanciesImport, XmlNames
from services.api.jobs.hold import RefusedError
from services.api.wire import YEAR_MAX
from services.contract.phases import DAY_MS

FEED_BYTES_MAX = 32 * 2**20
"""A feed is read as a whole."""
VACANCIES_MAX = 20_000
TOPICS_MAX = 20
TEXT_LENGTH_MAX = 200
ADDRESS_LENGTH_MAX = 2_000


class VacancyError(ValueError):
    """A vacancy cannot be taken as it is."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field, self.text = field, text


class Vacancy(NamedTuple):
    """One of a feed."""

    content_id: str
    title: str
    address: str | None
    topics: tuple[str, ...]
    closes_ms: int | None
    """UTC milliseconds, from which on it is over."""


def read_feed(pieces: Iterable[bytes], asked: VacanciesImport) -> list[Vacancy | VacancyError]:
    """The vacancies of a feed, or what is wrong with one.

    Raises:
        RefusedError: it is no such feed, or too large.
    """
    data = b""
    for piece in pieces:
        data += piece
        if len(data) > FEED_BYTES_MAX:
            raise RefusedError(f"A feed of vacancies has at most {FEED_BYTES_MAX} bytes.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RefusedError("The feed is not UTF-8.") from None
    items = _postings(text) if asked.format == "jsonld" else _elements(text, asked.xml)
    found: list[Vacancy | VacancyError] = []
    for fields in items:
        if len(found) == VACANCIES_MAX:
            raise RefusedError(f"A feed has at most {VACANCIES_MAX} vacancies.")
        try:
            found.append(_vacancy(fields))
        except VacancyError as wrong:
            found.append(wrong)
    if not found:
        raise RefusedError("The feed has no vacancies: it was not taken to close all of them.")
    return found


class _Fields(NamedTuple):
    id: str
    title: str
    address: str
    closes: str
    topics: list[str]


def _postings(text: str) -> Iterator[_Fields]:
    """Each JobPosting in a JSON-LD document: alone, in a list, a graph or an ItemList."""
    try:
        waiting = [msgspec.json.decode(text)]
    except (msgspec.DecodeError, RecursionError) as error:
        raise RefusedError(f"The feed is no JSON: {error}"[:300]) from None
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            kinds = node.get("@type")
            if kinds == "JobPosting" or (isinstance(kinds, list) and "JobPosting" in kinds):
                yield _posting(node)
            else:
                inner = (node.get(name) for name in ("@graph", "itemListElement", "item"))
                waiting.extend(one for one in inner if one is not None)


def _posting(node: dict[str, Any]) -> _Fields:
    identifier = node.get("identifier")
    own = identifier.get("value") if isinstance(identifier, dict) else identifier
    topics: list[str] = []
    for name in ("occupationalCategory", "industry", "skills"):
        told = node.get(name)
        parts = told if isinstance(told, list) else [told]
        topics += [part for part in parts if isinstance(part, str) and part.strip()]
    return _Fields(
        _text(own) or _text(node.get("@id")) or _text(node.get("url")),
        _text(node.get("title")),
        _text(node.get("url")),
        _text(node.get("validThrough")),
        topics,
    )


def _elements(text: str, names: XmlNames) -> Iterator[_Fields]:
    """Each item of an XML document. Entities of its own making could fill the memory."""
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise RefusedError("The feed has a DOCTYPE or entities of its own: leave these out.")
    try:
        root = ET.fromstring(text.encode())  # noqa: S314 - without a DOCTYPE nothing expands
    except (ET.ParseError, ValueError, RecursionError) as error:
        raise RefusedError(f"The feed is no XML: {error}"[:300]) from None
    item, *single = map(_local, (names.item, names.id, names.title, names.address, names.closes))
    many = [_local(name) for name in names.topics]
    for element in _outermost(root, item):
        topics = [text for texts in _texts(element.iter(), many) for text in texts]
        id_, title, address, closes = (next(iter(texts), "") for texts in _texts(element, single))
        yield _Fields(id_, title, address, closes, topics)


def _local(name: str) -> str:
    """A name as it is looked for: ``g:id`` is ``id``, ``{uri}id`` is that alone."""
    return name if "{" in name else name.rpartition(":")[2]


def _names_of(element: ET.Element) -> set[str]:
    """With its namespace and without."""
    return {element.tag, element.tag.rpartition("}")[2]}


def _outermost(root: ET.Element, name: str) -> Iterator[ET.Element]:
    """The elements with a name, but for those within one of them: these tell of that one."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if name in _names_of(element):
            yield element
        else:
            waiting.extend(reversed(element))


def _texts(elements: Iterable[ET.Element], names: list[str]) -> list[list[str]]:
    """The texts of the elements with each of the names."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for element in elements:
        for name in _names_of(element) & found.keys():
            found[name].append("".join(element.itertext()).strip())
    return [found[name] for name in names]


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def _vacancy(fields: _Fields) -> Vacancy:
    for field in ("id", "title"):
        text = getattr(fields, field)
        if not text:
            raise VacancyError(field, f"A vacancy needs its {field}.")
        if len(text) > TEXT_LENGTH_MAX or not text.isprintable():
            raise VacancyError(field, f"One line of at most {TEXT_LENGTH_MAX} characters.")
    address = fields.address or None
    is_web = address is None or address.startswith(("https://", "http://"))
    if not is_web or (address is not None and len(address) > ADDRESS_LENGTH_MAX):
        raise VacancyError(
            "address", "An address begins with https:// or http://, and is not too long."
        )
    topics = [one.strip()[:TEXT_LENGTH_MAX].replace("\x00", "") for one in fields.topics]
    return Vacancy(
        fields.id,
        fields.title,
        address,
        tuple(dict.fromkeys(one for one in topics if one))[:TOPICS_MAX],
        _closes_ms(fields.closes),
    )


def _closes_ms(text: str) -> int | None:
    """When it is over. A day is open to its end, by UTC."""
    if not text:
        return None
    try:
        moment = _moment(text)
    except ValueError:
        raise VacancyError("closes", "Write the closing date as 2026-11-22.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if not 1971 < moment.year < YEAR_MAX - 1:
        raise VacancyError("closes", "The closing date lies too far away.")
    at_ms = round(moment.timestamp() * 1000)
    return at_ms + DAY_MS if len(text) == len("2026-11-22") else at_ms


def _moment(text: str) -> datetime:
    """A date or moment as ISO 8601 has it, or as mail and RSS do: Tue, 01 Dec 2026 12:00:00 GMT."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)
