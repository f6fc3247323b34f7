"""The dashboard's own words, in Dutch and English."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from fastapi import Request

from services.api.dashboard.access_texts import ACCESS
from services.api.dashboard.audit_texts import DONE, FIELDS, SCOPES, VALUES
from services.api.dashboard.event_texts import EVENTS
from services.api.dashboard.import_texts import IMPORTS
from services.api.dashboard.job_texts import JOBS
from services.api.dashboard.keeping_texts import KEEPING
from services.api.dashboard.people_texts import PEOPLE
from services.api.dashboard.privacy_texts import PRIVACY
from services.api.dashboard.segment_texts import SEGMENTS
from services.api.dashboard.trigger_texts import TRIGGERS
from services.api.dashboard.webhook_texts import WEBHOOKS
from services.api.wire import YEAR_MAX, parse_moment
from services.contract.phases import DAY_MS, Phase
from services.model.vocabulary import CHANNELS, NAMESPACES, attribute
from services.model.words import Language

_YEAR_MIN = 1971
CalendarDay = date  # the class below has a method of that name
PHASES: dict[Phase, dict[Language, str]] = {
    "see": {"nl": "Leert ons kennen", "en": "Gets to know us"},
    "think": {"nl": "Overweegt iets nieuws", "en": "Is considering"},
    "do": {"nl": "Klaar voor een gesprek", "en": "Ready to talk"},
    "care": {"nl": "In dienst", "en": "Hired"},
}

_TEXTS: dict[str, tuple[str, str]] = {
    "lead": ("Wie beweegt er, en waarom?", "Who is moving, and why?"),
    "phases": ("Mensen per fase", "People in each phase"),
    "phases_hint": (
        "Getrokken lijn: wat was. Stippellijn: wat komt als er niets meer gebeurt.",
        "Solid line: what was. Dashed line: what comes if nothing more happens.",
    ),
    "week": ("in een week", "in a week"),
    "expected": ("over vier weken, als er niets gebeurt", "in four weeks, if nothing happens"),
    "table": ("Dezelfde cijfers als tabel", "The same numbers as a table"),
    "day": ("Dag", "Day"),
    "ahead": ("verwacht", "expected"),
    "movers": ("Net in beweging", "Just moved"),
    "no_movers": ("Nog niemand is van fase veranderd.", "Nobody has changed phase yet."),
    "segments": ("Segmenten", "Segments"),
    "no_segments": ("Er zijn nog geen segmenten.", "There are no segments yet."),
    "building": ("wordt gevuld", "being filled"),
    "people_number": ("{number} mensen", "{number} people"),
    "people_number_1": ("{number} mens", "{number} person"),
    "nobody": ("Nu niemand.", "Nobody now."),
    "more": ("Volgende", "Next"),
    "live": ("Bijgewerkt om", "Updated at"),
    "offline": (
        "Geen verbinding; dit zijn de laatste cijfers.",
        "No connection; these are the last numbers.",
    ),
    "dead_webhook": (
        "krijgt geen webhooks meer: er kwam niets aan. Hervat de webhook als dat is verholpen.",
        "gets no webhooks any more, for nothing arrived. Resume the webhook once that is mended.",
    ),
    "docs": ("API", "API"),
    "pages": ("Pagina's", "Pages"),
    "language": ("Taal", "Language"),
    "back": ("Overzicht", "Overview"),
    "from": ("van", "from"),
    "to": ("naar", "to"),
}  # fmt: skip

_TEXTS |= ACCESS | IMPORTS | JOBS | KEEPING | PEOPLE | PRIVACY | SEGMENTS | TRIGGERS | WEBHOOKS

_MONTHS: dict[Language, tuple[str, ...]] = {
    "nl": ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}


_WEEKDAYS: dict[Language, tuple[str, ...]] = {
    "nl": ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def language_of(request: Request) -> Language:
    """What ``?lang=`` asks for, else the first of the browser's that we speak, else Dutch."""
    asked = request.query_params.get("lang")
    if asked in {"nl", "en"}:
        return "nl" if asked == "nl" else "en"
    for part in request.headers.get("accept-language", "").split(",")[:10]:
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in {"nl", "en"}:
            return "nl" if tag == "nl" else "en"
    return "nl"


class Words:
    """Texts, numbers and moments in one language, at one place on earth."""

    def __init__(self, language: Language, time_zone: str) -> None:
        self.language, self.zone = language, ZoneInfo(time_zone)
        self._column = 0 if language == "nl" else 1

    def __getitem__(self, name: str) -> str:
        """A text by its name."""
        return _TEXTS[name][self._column]

    def counted(self, name: str, number: int, **others: str) -> str:
        """A text with a number in it; of one there is another text, ``name_1``."""
        text = self[f"{name}_1" if number == 1 else name]
        return text.format(number=self.number(number), **others)

    def maker(self, told: str) -> str:
        """Who made something, as the API tells it: a mail address, or ``key`` and its name."""
        kind, _, name = told.partition(" ")
        return f"{self['by_key']} {name}" if kind == "key" and name else told

    def done(self, what: str) -> str:
        """What a change of the audit is called."""
        return DONE[what][self.language] if what in DONE else _plain(what)

    def audit_field(self, name: str) -> str:
        """What a field of something that was changed is called."""
        return FIELDS[name][self.language] if name in FIELDS else _plain(name)

    def choice(self, field: str, value: str) -> str:
        """What a value of a closed list is called."""
        return VALUES[field][value][self.language]

    def scope(self, name: str) -> str:
        """What a scope allows."""
        return SCOPES[name][self.language] if name in SCOPES else name

    def channel(self, name: str) -> str:
        """What a channel is called."""
        return CHANNELS[name][self.language]

    def namespace(self, name: str) -> str:
        """What a kind of identity is called; of another system it goes by its own name."""
        return NAMESPACES[name][self.language] if name in NAMESPACES else name

    def attribute(self, name: str) -> str:
        """What an attribute is called; one of the employer's own goes by its own name."""
        return attribute(name, self.language)

    def event(self, type_: str) -> str:
        """What an event type is called."""
        return EVENTS[type_][self._column]

    def phase(self, phase: Phase) -> str:
        """What a phase means."""
        return PHASES[phase][self.language]

    def number(self, value: float) -> str:
        """A whole number with its thousands apart."""
        return f"{value:,.0f}".replace(",", "." if self.language == "nl" else ",")

    def signed(self, value: float) -> str:
        """A difference."""
        return ("+" if value > 0 else "−" if value < 0 else "±") + self.number(abs(value))

    def percent(self, share: float) -> str:
        """A share of 1."""
        return f"{share * 100:.0f}%"

    def decimal(self, value: float) -> str:
        """A number with one decimal and its sign."""
        text = f"{value:+.1f}".replace("-", "−")
        return text.replace(".", ",") if self.language == "nl" else text

    def value(self, value: str | float) -> str:
        """A value that an employer told us, as they wrote it."""
        return self["yes" if value else "no"] if isinstance(value, bool) else str(value).strip()

    def month(self, at_ms: int) -> str:
        """The month's short name."""
        return _MONTHS[self.language][self._local(at_ms).month - 1]

    def day(self, at_ms: int) -> str:
        """As ``22 nov 2026``."""
        local = self._local(at_ms)
        return f"{local.day} {self.month(at_ms)} {local.year}"

    def date(self, day: date) -> str:
        """The same of a day on the calendar."""
        return f"{day.day} {_MONTHS[self.language][day.month - 1]} {day.year}"

    def calendar_day(self, at_ms: int) -> CalendarDay:
        """The day on the workspace's calendar."""
        return self._local(at_ms).date()

    def midnight(self, day: str) -> int | None:
        """When a day of a form begins on the workspace's clock; None: it is no day."""
        try:
            begins = datetime.combine(date.fromisoformat(day), time(), self.zone)
        except ValueError:
            return None
        if not _YEAR_MIN <= begins.year <= YEAR_MAX:
            return None
        return round(begins.timestamp() * 1000)

    def weekday(self, number: int) -> str:
        """A weekday's name; 1 is Monday."""
        return _WEEKDAYS[self.language][number - 1]

    def tenths(self, value: float) -> str:
        """A number with one decimal, where it is not whole."""
        text = f"{value:.1f}".removesuffix(".0")
        return text.replace(".", ",") if self.language == "nl" else text

    def moment(self, at_ms: int) -> str:
        """As ``22 nov 2026, 09:30``."""
        local = self._local(at_ms)
        return f"{local.day} {self.month(at_ms)} {local.year}, {local:%H:%M}"

    def told_moment(self, told: str) -> str:
        """The same of a moment as the API tells it."""
        return self.moment(parse_moment(told))

    def told_day(self, told: str) -> str:
        """The day of a moment as the API tells it."""
        return self.day(parse_moment(told))

    def clock(self, at_ms: int) -> str:
        """As ``09:30:15``."""
        return f"{self._local(at_ms):%H:%M:%S}"

    def months_between(self, from_ms: int, to_ms: int) -> list[int]:
        """The first moments of the months in a span."""
        found: list[int] = []
        for at_ms in range(from_ms, to_ms, DAY_MS):
            local = self._local(at_ms)
            first = datetime(local.year, local.month, 1, tzinfo=self.zone)
            first_ms = round(first.timestamp() * 1000)
            if first_ms >= from_ms and first_ms not in found:
                found.append(first_ms)
        return found

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self.zone)


def _plain(name: str) -> str:
    return name.replace("_", " ").replace(".", ": ")
