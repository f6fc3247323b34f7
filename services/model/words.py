"""An explanation in words that a recruiter and the person concerned understand."""

from typing import Literal

from services.model.explain import Contribution

Language = Literal["nl", "en"]

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
    "unsubscribe": {"nl": "meldde zich af voor mail", "en": "unsubscribed from mail"},
    "silence": {"nl": "liet niets van zich horen", "en": "was not heard from"},
}

_DAYS: dict[Language, tuple[str, str]] = {"nl": ("dag", "dagen"), "en": ("day", "days")}

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


def what(contribution: Contribution, language: Language) -> str:
    """What the person did or did not do: a phrase with the person as its subject."""
    phrase = _EVENTS[contribution.kind][language]
    if contribution.kind == "silence":
        days = max(1, round((contribution.to_ms - contribution.from_ms) / 86_400_000))
        one, many = _DAYS[language]
        return f"{phrase} ({days} {one if days == 1 else many})"
    title = contribution.event.properties.get("title") if contribution.event else None
    return f"{phrase}: {title}" if isinstance(title, str) and title else phrase


def strength(log_odds: float, language: Language) -> str:
    """How much it says for (above 0) or against that somebody is turning, in a few words."""
    for bound, words in _STRENGTHS:
        if abs(log_odds) >= bound:
            return words[language][log_odds < 0]
    return _NOTHING[language]
