"""What an import is asked to do: what the file is, and which column means what."""

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from services.api.wire import Body, Moment
from services.contract.consent import Purpose
from services.contract.event import Channel
from services.contract.file_name import FILE_NAME_LENGTH_MAX, FILE_NAME_PATTERN
from services.contract.spelling import KEY_PATTERN, NAMESPACE_PATTERN

IDENTITIES_MAX = 5
FIELDS_MAX = 100
COLUMN_LENGTH_MAX = 200
VALUE_LENGTH_MAX = 200
EARLIEST_MS = 946_684_800_000
"""2000-01-01, as for all events."""

Column = Annotated[str, Field(min_length=1, max_length=COLUMN_LENGTH_MAX, examples=["E-mail"])]
Namespace = Annotated[str, Field(pattern=NAMESPACE_PATTERN)]
FileName = Annotated[str, Field(max_length=FILE_NAME_LENGTH_MAX, pattern=FILE_NAME_PATTERN)]
FieldName = Annotated[str, Field(min_length=1, max_length=100)]
ValueKind = Literal["text", "number", "date", "yes_no", "list"]


def _not_too_long_ago(at_ms: int) -> int:
    if at_ms < EARLIEST_MS:
        raise ValueError("it lies before 2000, as no event does")
    return at_ms


class Cell(Body):
    """What stands in a column of each row."""

    column: Column


def _text_or_answer(value: object) -> object:
    """Hold that it is one, in one sentence: of a union every type says that it is another."""
    match value:
        case str():
            if not 1 <= len(value) <= VALUE_LENGTH_MAX:
                raise ValueError(f"a text has 1 to {VALUE_LENGTH_MAX} characters")
        case bool():
            pass
        case _:
            raise ValueError("give one text, true or false")
    return value


class Always(Body):
    """The same for every row."""

    value: Annotated[
        Annotated[str, Field(min_length=1, max_length=VALUE_LENGTH_MAX)] | bool,
        BeforeValidator(_text_or_answer),
    ]


def _kind_of_source(told: object) -> str | None:
    """By what stands in it. Of a union without this both kinds tell what is wrong with a value."""
    match told:
        case Cell() | Always():
            return type(told).__name__
        case {"column": _, "value": _}:
            return None
        case {"column": _}:
            return "Cell"
        case {"value": _}:
            return "Always"
    return None


Source = Annotated[
    Annotated[Cell, Tag("Cell")] | Annotated[Always, Tag("Always")],
    Discriminator(
        _kind_of_source,
        custom_error_type="source",
        custom_error_message="give an object with either `column` or `value`",
    ),
]


class TypedCell(Body):
    """What stands in a column, and how it is meant."""

    column: Column
    type: ValueKind = Field(
        default="text",
        description="`list`: several texts with `;` or `|` between them. NDJSON's own numbers, "
        "lists and yes or no stay what they are as `text` too.",
    )


class Dialect(Body):
    """How a CSV file is written, where that cannot be seen by itself."""

    delimiter: Literal[",", ";", "\t", "|"] | None = Field(
        default=None, description="Left out: whichever the header has most of."
    )
    encoding: Literal["utf-8", "utf-16", "windows-1252"] | None = Field(
        default=None,
        description="Left out: UTF-8, or what the file's first bytes say. Windows-1252 is never "
        "guessed: a file that is no UTF-8 is refused.",
    )
    dates: Literal["iso", "day_first", "month_first"] = Field(
        default="iso", description="`iso`: 2026-11-22. `day_first`: 22-11-2026 or 22/11/2026."
    )
    decimal: Literal[".", ","] = Field(default=".", description="What stands before the tenths.")


class Basis(Body):
    """The consent that a file's people gave, and its proof. Without it nobody is followed."""

    purposes: dict[Purpose, Source] = Field(
        description="`measure` at least. A cell says yes or no in its own words: yes, true, 1, x, "
        "ja, waar; no, false, 0, nee, onwaar. Empty: nothing was said."
    )
    given_at: Source = Field(description="When it was given: a date, or a moment.")
    text_version: Source = Field(description="Which words were agreed to.")
    source: Annotated[
        str, Field(min_length=1, max_length=200, description="Where it is asked, and kept.")
    ]

    @model_validator(mode="after")
    def _follows(self) -> "Basis":
        if "measure" not in self.purposes:
            raise ValueError("consent to `measure` is needed: without it nobody is followed")
        return self


class _Named(Body):
    """What all imports have in common."""

    file_name: FileName | None = Field(
        default=None, description="Of the file: by it people know the job in the list."
    )


class _Rows(_Named):
    """What all files of rows have in common."""

    format: Literal["csv", "ndjson"] = "csv"
    dialect: Dialect = Dialect()
    identities: dict[Namespace, Column] = Field(
        min_length=1,
        max_length=IDENTITIES_MAX,
        description="By which namespace each of these columns names the person; at least one "
        "cell of a row is filled.",
        examples=[{"email": "E-mail", "user_id": "Number"}],
    )
    dry_run: bool = Field(default=False, description="Check every row, and tell nothing.")


class PeopleImport(_Rows):
    """People, with what is known of them and what they agreed to."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "people",
                    "as_of": "2026-11-22T09:00:00Z",
                    "identities": {"email": "E-mail"},
                    "attributes": {"region": {"column": "Region"}},
                    "consent": {
                        "purposes": {
                            "measure": {"value": True},
                            "profile": {"column": "May be profiled"},
                        },
                        "given_at": {"column": "Agreed on"},
                        "text_version": {"value": "privacy statement 3"},
                        "source": "the form at the open day",
                    },
                }
            ]
        }
    )
    kind: Literal["people"]
    as_of: Annotated[Moment, AfterValidator(_not_too_long_ago)] = Field(
        description="When the file was made: its values hold from then on. What was told later "
        "stays, and the same file of the same moment changes nothing."
    )
    attributes: dict[FieldName, TypedCell] = Field(default={}, max_length=FIELDS_MAX)
    consent: Basis


class EventsImport(_Rows):
    """What people did before. Only of people who are known and had agreed by then."""

    kind: Literal["events"]
    type: Source = Field(description="As an event's name in a `track` call.")
    at: Source = Field(description="When it happened: a moment, or a day.")
    properties: dict[FieldName, TypedCell] = Field(
        default={}, max_length=FIELDS_MAX, examples=[{"content_id": {"column": "Story"}}]
    )
    id: Column | None = Field(
        default=None,
        description="A column with the event's own id; left out: rows that are equal in all that "
        "is read count once.",
    )


class SendsImport(_Rows):
    """Mails that a mailer sent. Only of people who are known and had agreed by then."""

    kind: Literal["sends"]
    at: Source = Field(description="When it was sent.")
    mailing: Source = Field(description="The mailing's id, as opens and clicks carry it.")
    channel: Channel = "email"


class XmlNames(Body):
    """By which names an XML feed says what; as job sites take it where nothing is said."""

    item: Column = "job"
    id: Column = "referencenumber"
    title: Column = "title"
    address: Column = "url"
    closes: Column = "expirationdate"
    topics: Annotated[list[Column], Field(max_length=10)] = Field(default=["category"])


class VacanciesImport(_Named):
    """A whole feed of vacancies. What it has no more is over from then on."""

    kind: Literal["vacancies"]
    format: Literal["jsonld", "xml"] = Field(
        default="jsonld", description="`jsonld`: JobPosting of schema.org, one or many."
    )
    feed: Annotated[str, Field(pattern=KEY_PATTERN, examples=["carerix"])] = Field(
        description="Its name: another feed's vacancies are left alone."
    )
    xml: XmlNames = XmlNames()
    dry_run: bool = Field(default=False, description="Check every vacancy, and change nothing.")


ImportIn = Annotated[
    PeopleImport | EventsImport | SendsImport | VacanciesImport, Field(discriminator="kind")
]
RowsImport = PeopleImport | EventsImport | SendsImport


def columns_of(asked: RowsImport) -> set[str]:
    """All columns that an import reads."""
    sources: list[Source | TypedCell] = []
    match asked:
        case PeopleImport():
            basis = asked.consent
            sources = [*basis.purposes.values(), basis.given_at, basis.text_version]
            sources += asked.attributes.values()
        case EventsImport():
            sources = [asked.type, asked.at, *asked.properties.values()]
        case SendsImport():
            sources = [asked.at, asked.mailing]
    found = {source.column for source in sources if not isinstance(source, Always)}
    if isinstance(asked, EventsImport) and asked.id is not None:
        found.add(asked.id)
    return found | set(asked.identities.values())
