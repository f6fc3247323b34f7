"""The words of the pages about triggers: their moments, and why somebody was not handed over."""

from collections.abc import Mapping
from typing import Any

from services.model.amounts import amount, lasting
from services.model.words import Language

Both = dict[Language, str]

TRIGGERS: dict[str, tuple[str, str]] = {
    "triggers": ("Triggers", "Triggers"),
    "triggers_hint": (
        (
            "Een trigger draagt wie een fase of segment in komt over aan een gekoppeld systeem, "
            "met inhoud, op een goed moment. Een vacature gaat pas in Do naar iemand toe."
        ),
        (
            "A trigger hands whoever comes into a phase or segment to a connected tool, with "
            "content, at a good moment. A vacancy goes to nobody before Do."
        ),
    ),
    "triggers_none": ("Er zijn nog geen triggers.", "There are no triggers yet."),
    "triggers_no_webhook": (
        "Triggers worden verteld over webhooks, en er is er nog geen.",
        "Triggers are told over webhooks, and there is none yet.",
    ),
    "trigger_new": ("Nieuwe trigger", "New trigger"),
    "trigger_name": ("Naam", "Name"),
    "trigger_place": ("Wie komt in", "Who comes into"),
    "trigger_phases": ("Fasen", "Phases"),
    "trigger_content": ("Met welke inhoud", "With what content"),
    "trigger_next": ("wat voor iemand het beste volgt", "what comes next for them"),
    "trigger_when": ("Wanneer", "When"),
    "trigger_at_once": ("meteen", "at once"),
    "trigger_after": ("een tijd later, als ze er nog in zijn", "later, if they are still in it"),
    "trigger_best": ("op hun beste moment, binnen", "at their best moment, within"),
    "trigger_number": ("Hoeveel", "How many"),
    "trigger_unit": ("Eenheid", "Unit"),
    "trigger_minutes": ("minuten", "minutes"),
    "trigger_hours": ("uur", "hours"),
    "trigger_days": ("dagen", "days"),
    "trigger_number_hint": (
        "Bij „een tijd later” tot 90 dagen, bij „beste moment” tot 14 dagen.",
        "With “later” up to 90 days, with “best moment” up to 14 days.",
    ),
    "trigger_channel": ("Het systeem benadert ze per", "The tool approaches them by"),
    "trigger_no_channel": ("het benadert niemand", "it approaches nobody"),
    "trigger_per_week": (
        "Niet wie in 7 dagen al zoveel berichten kreeg",
        "Not who was sent so many messages in 7 days",
    ),
    "trigger_webhook": ("Over welke webhook", "Over which webhook"),
    "trigger_any_webhook": ("elke die triggers vertelt", "every one that tells of triggers"),
    "trigger_make": ("Maak de trigger", "Make the trigger"),
    "trigger_what": ("Wat hij doet", "What it does"),
    "trigger_state": ("Toestand", "State"),
    "trigger_by": ("Gemaakt door {name}, {day}", "Made by {name}, {day}"),
    "trigger_pause": ("Pauzeer", "Pause"),
    "trigger_resume": ("Hervat", "Resume"),
    "trigger_pause_hint": (
        "Wie intussen binnenkomt krijgt geen moment, en wie wacht wordt niet overgedragen.",
        "Who comes in meanwhile gets no moment, and who waits is not handed over.",
    ),
    "trigger_change_what": ("Verander wat hij doet", "Change what it does"),
    "trigger_change_hint": (
        (
            "Wie al wacht houdt het eigen moment, en krijgt mee wat hier dan staat. Waar iemand in "
            "komt verandert niet: maak daarvoor een andere trigger."
        ),
        (
            "Who waits already keeps their moment, and is handed over with what stands here then. "
            "What people come into does not change: make another trigger for that."
        ),
    ),
    "trigger_change": ("Bewaar", "Save"),
    "trigger_delete": ("Verwijder deze trigger", "Delete this trigger"),
    "trigger_delete_sure": (
        "Ja, verwijder hem. Wie nog wacht wordt niet meer overgedragen.",
        "Yes, delete it. Who still waits is not handed over any more.",
    ),
    "fired": ("Wie er binnenkwam", "Who came in"),
    "fired_none": (
        "Er kwam nog niemand binnen sinds de trigger werkt.",
        "Nobody came in since the trigger works.",
    ),
    "fired_none_so": ("Er is niemand van deze soort.", "There is nobody of this kind."),
    "fired_who": ("Wie", "Who"),
    "fired_entered": ("Kwam binnen", "Came in"),
    "fired_due": ("Moment", "Moment"),
    "fired_status": ("Hoe het afliep", "What became of it"),
    "fired_content": ("Inhoud", "Content"),
    "fired_strip": (
        "{fired} overgedragen, {waiting} nog te gaan, {withheld} niet overgedragen",
        "{fired} handed over, {waiting} waiting, {withheld} not handed over",
    ),
}

FIRED: dict[str, Both] = {
    "waiting": {"nl": "wacht", "en": "waits"},
    "fired": {"nl": "overgedragen", "en": "handed over"},
    "withheld": {"nl": "niet overgedragen", "en": "not handed over"},
}

WITHHELD: dict[str, Both] = {
    "left": {"nl": "was er niet meer in", "en": "was in it no more"},
    "paused": {"nl": "de trigger stond op pauze", "en": "the trigger was paused"},
    "late": {"nl": "het moment was te lang voorbij", "en": "the moment was over too long"},
    "not_followed": {"nl": "wordt niet gevolgd", "en": "is not followed"},
    "employed": {"nl": "is in dienst", "en": "is employed"},
    "no_consent": {
        "nl": "geen toestemming voor dit kanaal",
        "en": "no consent to this channel",
    },
    "unsubscribed": {"nl": "heeft zich afgemeld", "en": "unsubscribed"},
    "pressure": {"nl": "kreeg al genoeg van ons", "en": "was sent enough by us"},
    "seen": {"nl": "zag deze inhoud al", "en": "saw this content already"},
    "no_content": {"nl": "er was geen passende inhoud", "en": "there was no fitting content"},
    "vacancy_before_do": {
        "nl": "een vacature past pas in Do",
        "en": "a vacancy is only for Do",
    },
    "in_procedure": {
        "nl": "zit al in een procedure",
        "en": "is in a procedure already",
    },
}
"""Why somebody was not handed over."""

_AT_ONCE: Both = {"nl": "meteen", "en": "at once"}
_AFTER: Both = {"nl": "na {0}", "en": "after {0}"}
_BEST: Both = {
    "nl": "op hun beste moment, binnen {0}",
    "en": "at their best moment, within {0}",
}


def when_in_words(when: Mapping[str, Any], language: Language) -> str:
    """A trigger's moment as the API tells it; empty: it is of later code."""
    match when:
        case {"type": "at_once"}:
            return _AT_ONCE[language]
        case {"type": "after", "minutes": int(minutes)}:
            return _AFTER[language].format(lasting(minutes, language))
        case {"type": "best_moment", "within_days": int(days)}:
            return _BEST[language].format(amount(days, "day", language))
    return ""
