"""What the form of a rule calls its conditions, fields and choices."""

from services.api.dashboard.rule_drafts import GROUPS, RAW
from services.api.dashboard.rule_fields import Field
from services.api.dashboard.texts import PHASES, Words
from services.model.vocabulary import ANSWERS, CHANNELS, EVENTS, OF, OPS, PURPOSES, STATES

Both = tuple[str, str]

_CONDITIONS: dict[str, tuple[Both, Both]] = {
    "phase": (("Fase", "Phase"), ("Kies een of meer fasen.", "Choose one or more phases.")),
    "events": (
        ("Wat iemand deed of kreeg", "What somebody did or got"),
        (
            (
                "Binnen hoeveel dagen; minstens of hoogstens hoe vaak (hoogstens 0: helemaal "
                "niet). Zonder gebeurtenis telt alles."
            ),
            (
                "Within how many days; at least or at most how often (at most 0: not at all). "
                "Without an event everything counts."
            ),
        ),
    ),
    "attribute": (
        ("Kenmerk van de persoon", "Attribute of the person"),
        (
            (
                "Bij „is een van” staan komma's ertussen. Een getal telt als getal, true en false "
                "als ja en nee, en tussen aanhalingstekens is alles tekst."
            ),
            (
                "With “is one of” commas stand between. A number counts as a number, true and "
                "false as yes and no, and between quotes all is text."
            ),
        ),
    ),
    "interest": (
        ("Interesse", "Interest"),
        (
            (
                "Onderwerpen met komma's ertussen; en hoe sterk: bij de sterkste zoveel, of zoveel "
                "procent van alles."
            ),
            (
                "Topics with commas between; and how strong: among the strongest so many, or so "
                "many per cent of all."
            ),
        ),
    ),
    "probability": (
        ("Openheid of een andere kans", "Openness, or another probability"),
        ("Vul óf minstens óf onder in, 1-99%.", "Fill in either at least or below, 1-99%."),
    ),
    "latency_state": (
        ("Op zoek of niet", "Looking or not"),
        ("Kies een of meer.", "Choose one or more."),
    ),
    "time_in_phase": (
        ("Hoe lang al in een fase", "How long in a phase"),
        (
            "Kies fasen, en minstens of korter dan hoeveel dagen.",
            "Choose phases, and at least or less than how many days.",
        ),
    ),
    "last_event": (
        ("Wanneer voor het laatst", "When last"),
        (
            "Minstens of korter dan hoeveel dagen geleden.",
            "At least or less than how many days ago.",
        ),
    ),
    "engagement": (
        ("Betrokkenheid", "Engagement"),
        ("Vul óf minstens óf onder in.", "Fill in either at least or below."),
    ),
    "availability": (
        ("Beschikbaarheid", "Availability"),
        ("Bij beschikbaar: binnen hoeveel dagen.", "With available: within how many days."),
    ),
    "attribute_date": (
        ("Datum van de persoon", "Date of the person"),
        (
            (
                "Dagen vanaf vandaag: 7 is over een week, -7 een week geleden. Elk jaar heeft "
                "beide grenzen nodig."
            ),
            "Days from today: 7 is in a week, -7 a week ago. Every year needs both bounds.",
        ),
    ),
    "cadence": (
        ("Aan de beurt voor contact", "Due for contact"),
        ("Hoeveel dagen er niets gestuurd is.", "For how many days nothing was sent."),
    ),
    "pressure": (
        ("Hoeveel iemand van ons kreeg", "How much somebody was sent"),
        (
            "Minstens of hoogstens hoe vaak, binnen hoeveel dagen.",
            "At least or at most how often, within how many days.",
        ),
    ),
    "consent": (("Toestemming", "Consent"), ("", "")),
    "identity": (
        ("Waaraan iemand bekend is", "By what somebody is known"),
        (
            "email, user_id, of de naam van een ander systeem.",
            "email, user_id, or the name of another system.",
        ),
    ),
    "in_segment": (("Zit in een ander segment", "Is in another segment"), ("", "")),
    RAW: (
        ("Iets anders (JSON)", "Something else (JSON)"),
        ("Een voorwaarde zoals de API die kent.", "A condition as the API knows it."),
    ),
}
_FIELDS: dict[str, Both] = {
    "any_of": ("een van", "one of"),
    "event": ("gebeurtenis", "event"),
    "at_least": ("minstens", "at least"),
    "at_most": ("hoogstens", "at most"),
    "below": ("onder", "below"),
    "within_days": ("binnen dagen", "within days"),
    "topic": ("onderwerp", "topic"),
    "content_id": ("inhoud", "content"),
    "campaign": ("campagne of mailing", "campaign or mailing"),
    "channel": ("kanaal", "channel"),
    "name": ("kenmerk", "attribute"),
    "op": ("vergelijking", "comparison"),
    "value": ("waarde", "value"),
    "among_strongest": ("bij de sterkste", "among the strongest"),
    "share_at_least": ("minstens % van alles", "at least % of all"),
    "of": ("waarvan", "of what"),
    "at_least_days": ("minstens dagen", "at least days"),
    "less_than_days": ("korter dan dagen", "less than days"),
    "at_least_days_ago": ("minstens dagen geleden", "at least days ago"),
    "less_than_days_ago": ("korter dan dagen geleden", "less than days ago"),
    "answer": ("antwoord", "answer"),
    "source": ("hoe we het weten", "how we know"),
    "from_days": ("vanaf (dagen)", "from (days)"),
    "to_days": ("tot en met (dagen)", "up to (days)"),
    "every_year": ("elk jaar", "every year"),
    "every_days": ("dagen niets gestuurd", "days without anything sent"),
    "due": ("aan de beurt", "due"),
    "purpose": ("waarvoor", "purpose"),
    "namespace": ("soort", "kind"),
    "known": ("bekend", "known"),
    "segment": ("segment", "segment"),
    "json": ("JSON", "JSON"),
}
_CHOICES: dict[str, dict[str, Both]] = {
    "engagement.of": {
        "engaged": ("wat iemand deed", "what somebody did"),
        "against": ("wat tegen spreekt", "what speaks against"),
    },
    "availability.answer": {
        "available": ("beschikbaar", "available"),
        "unavailable": ("niet beschikbaar", "not available"),
        "unknown": ("onbekend", "not known"),
    },
    "availability.source": {
        "said": ("zelf gezegd", "said so"),
        "calendar": ("keek naar projecten", "looked at projects"),
    },
}
_LISTED = {
    "event": EVENTS,
    "op": OPS,
    "channel": CHANNELS,
    "purpose": PURPOSES,
    "answer": ANSWERS,
    "of": OF,
}


class Labels:
    """The form's words in one language."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._column = 0 if words.language == "nl" else 1

    def condition(self, kind: str) -> str:
        """A condition or a group."""
        if kind in GROUPS:
            return self._words[f"group_{kind}"]
        return _CONDITIONS[kind][0][self._column]

    def hint(self, kind: str) -> str:
        """What its fields need; may be empty."""
        return _CONDITIONS[kind][1][self._column]

    def field(self, name: str) -> str:
        """A field."""
        return _FIELDS[name][self._column]

    def choice(self, kind: str, field: Field, value: str) -> str:
        """One of a field's options."""
        own = _CHOICES.get(f"{kind}.{field.name}")
        if own is not None:
            return own[value][self._column]
        if field.kind == "yes_no":
            return self._words[value]
        if field.name == "any_of":
            return self._state_or_phase(value)
        return _LISTED[field.name][value][self._words.language]

    def _state_or_phase(self, value: str) -> str:
        for phase, meaning in PHASES.items():
            if phase == value:
                return f"{value.capitalize()} ({meaning[self._words.language].lower()})"
        return next(text[self._words.language] for name, text in STATES.items() if name == value)
