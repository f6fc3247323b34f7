"""An explanation in words that a recruiter and the person concerned understand."""

from collections.abc import Sequence
from typing import Literal

from services.contract.phases import DAY_MS
from services.model.amounts import amount
from services.model.explain import Contribution

Language = Literal["nl", "en"]
Audience = Literal["recruiter", "person"]
"""Who reads it: of the person concerned it speaks as *you*."""

YOU: dict[Language, str] = {"nl": "u", "en": "you"}

_EVENTS: dict[str, dict[Language, str]] = {
    "page": {"nl": "keek rond op de website", "en": "looked around on the website"},
    "magazine": {"nl": "las in het magazine", "en": "read the magazine"},
    "social": {"nl": "reageerde via sociale media", "en": "came by on social media"},
    "podcast": {"nl": "luisterde naar een podcast", "en": "listened to a podcast"},
    "vacancy_view": {"nl": "bekeek een vacature", "en": "looked at a vacancy"},
    "vacancy_click": {"nl": "klikte door bij een vacature", "en": "clicked on a vacancy"},
    "sign_up": {"nl": "meldde zich ergens voor aan", "en": "signed up for something"},
    "application_start": {"nl": "begon aan een sollicitatie", "en": "began an application"},
    "application": {"nl": "solliciteerde", "en": "applied"},
    "mail_open": {"nl": "opende een mail", "en": "opened a mail"},
    "mail_click": {"nl": "klikte in een mail", "en": "clicked in a mail"},
    "mail_not_opened": {"nl": "liet een mail ongeopend", "en": "left a mail unopened"},
    "mail_not_clicked": {
        "nl": "opende een mail, maar klikte niet",
        "en": "opened a mail but did not click",
    },
    "issue_open": {"nl": "opende het magazine", "en": "opened the magazine"},
    "issue_click": {"nl": "klikte in het magazine", "en": "clicked in the magazine"},
    "issue_not_opened": {
        "nl": "liet een nummer van het magazine ongeopend",
        "en": "left an issue of the magazine unopened",
    },
    "issue_not_clicked": {
        "nl": "opende het magazine, maar klikte niet",
        "en": "opened the magazine but did not click",
    },
    "unsubscribe": {"nl": "meldde zich af", "en": "unsubscribed"},
    "silence": {"nl": "liet niets van zich horen", "en": "was not heard from"},
}

_MANY: dict[str, dict[Language, str]] = {
    "page": {
        "nl": "keek {n} keer rond op de website",
        "en": "looked around on the website {n} times",
    },
    "magazine": {"nl": "las {n} keer in het magazine", "en": "read the magazine {n} times"},
    "social": {
        "nl": "reageerde {n} keer via sociale media",
        "en": "came by on social media {n} times",
    },
    "podcast": {"nl": "luisterde {n} keer naar een podcast", "en": "listened to {n} podcasts"},
    "vacancy_view": {
        "nl": "bekeek {n} keer een vacature",
        "en": "looked at a vacancy {n} times",
    },
    "vacancy_click": {
        "nl": "klikte {n} keer door bij een vacature",
        "en": "clicked on a vacancy {n} times",
    },
    "sign_up": {
        "nl": "meldde zich {n} keer ergens voor aan",
        "en": "signed up for something {n} times",
    },
    "application_start": {
        "nl": "begon {n} keer aan een sollicitatie",
        "en": "began an application {n} times",
    },
    "application": {"nl": "solliciteerde {n} keer", "en": "applied {n} times"},
    "mail_open": {"nl": "opende {n} mails", "en": "opened {n} mails"},
    "mail_click": {"nl": "klikte {n} keer in een mail", "en": "clicked in a mail {n} times"},
    "mail_not_opened": {"nl": "liet {n} mails ongeopend", "en": "left {n} mails unopened"},
    "mail_not_clicked": {
        "nl": "opende {n} mails zonder te klikken",
        "en": "opened {n} mails without clicking",
    },
    "issue_open": {
        "nl": "opende {n} nummers van het magazine",
        "en": "opened {n} issues of the magazine",
    },
    "issue_click": {
        "nl": "klikte {n} keer in het magazine",
        "en": "clicked in the magazine {n} times",
    },
    "issue_not_opened": {
        "nl": "liet {n} nummers van het magazine ongeopend",
        "en": "left {n} issues of the magazine unopened",
    },
    "issue_not_clicked": {
        "nl": "opende {n} nummers van het magazine zonder te klikken",
        "en": "opened {n} issues of the magazine without clicking",
    },
    "unsubscribe": {"nl": "meldde zich {n} keer af", "en": "unsubscribed {n} times"},
    "silence": {
        "nl": "bleef {n} keer stil tussen wat er gebeurde, bij elkaar opgeteld {days}",
        "en": "was quiet {n} times between what happened, {days} added up",
    },
}

_NO_DAY: dict[Language, str] = {"nl": "korter dan een dag", "en": "less than a day"}

_STRENGTHS: tuple[tuple[float, dict[Language, tuple[str, str]]], ...] = (
    (
        1.5,
        {
            "nl": ("een sterk teken", "een sterk tegenteken"),
            "en": ("a strong sign", "a strong sign against"),
        },
    ),
    (0.5, {"nl": ("een teken", "een tegenteken"), "en": ("a sign", "a sign against")}),
    (
        0.05,
        {
            "nl": ("een zwak teken", "een zwak tegenteken"),
            "en": ("a weak sign", "a weak sign against"),
        },
    ),
)
_NOTHING: dict[Language, str] = {"nl": "zegt bijna niets", "en": "says almost nothing"}


def what(contribution: Contribution, language: Language, audience: Audience = "recruiter") -> str:
    """What the person did or did not do: a phrase with the person as its subject.

    To a recruiter the subject is left out, to the person concerned it is *you*.
    """
    phrase = _addressed(_EVENTS[contribution.kind][language], language, audience)
    if contribution.kind == "silence":
        return f"{phrase} ({length(contribution.to_ms - contribution.from_ms, language)})"
    title = contribution.event.properties.get("title") if contribution.event else None
    return f"{phrase}: {title}" if isinstance(title, str) and title else phrase


def together(
    contributions: Sequence[Contribution], language: Language, audience: Audience = "recruiter"
) -> str:
    """The same for one or more contributions of one kind, as one phrase."""
    if len(contributions) == 1:
        return what(contributions[0], language, audience)
    silent_ms = sum(c.to_ms - c.from_ms for c in contributions)
    phrase = _addressed(_MANY[contributions[0].kind][language], language, audience)
    return phrase.format(n=len(contributions), days=length(silent_ms, language))


def strength(log_odds: float, language: Language) -> str:
    """How much it says for (above 0) or against that somebody is turning, in a few words."""
    for bound, words in _STRENGTHS:
        if abs(log_odds) >= bound:
            return words[language][log_odds < 0]
    return _NOTHING[language]


def _addressed(phrase: str, language: Language, audience: Audience) -> str:
    """Dutch has one form for both; English has two of one verb."""
    if audience == "recruiter":
        return phrase
    return f"{YOU[language]} {phrase}".replace("you was ", "you were ")


def length(span_ms: int, language: Language) -> str:
    """So many days, in words."""
    if span_ms < DAY_MS:
        return _NO_DAY[language]
    return amount(round(span_ms / DAY_MS), "day", language)
