"""The words of the pages about webhooks, and of what becomes of their messages."""

from services.model.words import Language

Both = dict[Language, str]

WEBHOOKS: dict[str, tuple[str, str]] = {
    "webhooks": ("Webhooks", "Webhooks"),
    "webhooks_hint": (
        (
            "Een webhook vertelt een ander systeem meteen wat er verandert: wie een segment in "
            "komt of uit gaat, wie van fase verandert, wie gewist is."
        ),
        (
            "A webhook tells another system at once what changes: who comes into a segment or "
            "leaves it, who changes phase, who is erased."
        ),
    ),
    "webhooks_none": ("Er zijn nog geen webhooks.", "There are no webhooks yet."),
    "webhook_new": ("Nieuwe webhook", "New webhook"),
    "webhook_url": ("Adres (https)", "Address (https)"),
    "webhook_description": ("Omschrijving", "Description"),
    "webhook_types": (
        "Waarover (niets aangevinkt: over alles)",
        "About what (nothing ticked: about everything)",
    ),
    "webhook_segments": (
        "Van welke segmenten (niets aangevinkt: van alle)",
        "Of which segments (nothing ticked: of all)",
    ),
    "webhook_late": (
        "Stuur ook wat later dan een dag na dato bleek, zoals ingelezen geschiedenis",
        "Also send what was found out more than a day late, as imported history",
    ),
    "webhook_make": ("Maak de webhook", "Make the webhook"),
    "webhook_secret_shown": (
        (
            "Met dit geheim controleert de ontvanger dat een bericht van ons komt. Het staat hier "
            "één keer; bewaar het op een veilige plek:"
        ),
        (
            "By this secret the receiver checks that a message is ours. It stands here once; keep "
            "it in a safe place:"
        ),
    ),
    "webhook_how_it_does": ("Hoe het gaat", "How it does"),
    "webhook_status": ("Toestand", "State"),
    "webhook_about": ("Vertelt over", "Tells of"),
    "webhook_all": ("alles", "everything"),
    "webhook_last_success": ("Laatst aangekomen", "Last arrived"),
    "webhook_never": ("nog nooit", "never yet"),
    "webhook_failing": ("Niets komt aan sinds", "Nothing arrives since"),
    "webhook_waiting": ("Wacht op verzending", "Waiting to be sent"),
    "webhook_secrets": ("Geheimen die tekenen", "Secrets that sign"),
    "webhook_secret_of": ("van {day}", "of {day}"),
    "webhook_secret_until": ("van {day}, tot {until}", "of {day}, until {until}"),
    "webhook_test": ("Stuur een testbericht", "Send a test"),
    "webhook_pause": ("Pauzeer", "Pause"),
    "webhook_resume": ("Hervat", "Resume"),
    "webhook_pause_hint": (
        "Wat intussen gebeurt wacht, en komt na het hervatten alsnog aan, op volgorde.",
        "What happens meanwhile waits, and arrives in its order once it is resumed.",
    ),
    "webhook_rotate": ("Vervang het geheim", "Rotate the secret"),
    "webhook_overlap": ("Het oude tekent nog", "The old one signs for"),
    "webhook_overlap_24": ("24 uur mee", "24 hours more"),
    "webhook_overlap_168": ("7 dagen mee", "7 days more"),
    "webhook_overlap_0": ("niet meer: het is uitgelekt", "no longer: it leaked"),
    "webhook_change": ("Verander", "Change"),
    "webhook_change_what": ("Verander deze webhook", "Change this webhook"),
    "webhook_delete": ("Verwijder deze webhook", "Delete this webhook"),
    "webhook_delete_sure": (
        "Ja, verwijder hem. Wat nog wacht wordt niet meer gestuurd.",
        "Yes, delete it. What still waits is not sent any more.",
    ),
    "deliveries": ("Laatste berichten", "Latest messages"),
    "deliveries_none": ("Er is nog niets verstuurd.", "Nothing was sent yet."),
    "deliveries_none_so": ("Er zijn er geen van deze soort.", "There are none of this kind."),
    "deliveries_shown": ("Toon", "Show"),
    "deliveries_all": ("alle", "all"),
    "deliveries_strip": (
        "{delivered} aangekomen, {waiting} nog te sturen, {failed} niet aangekomen",
        "{delivered} arrived, {waiting} waiting, {failed} not arrived",
    ),
    "deliveries_strip_hint": (
        "Elk streepje is een bericht, het nieuwste rechts; hoger is trager.",
        "Each bar is a message, the newest on the right; higher is slower.",
    ),
    "delivery_when": ("Wanneer", "When"),
    "delivery_what": ("Wat", "What"),
    "delivery_status": ("Hoe het afliep", "What became of it"),
    "delivery_attempts": ("Pogingen", "Attempts"),
    "delivery_answer": ("Antwoord", "Answer"),
    "delivery_again": ("Stuur opnieuw", "Send again"),
    "delivery_next": ("opnieuw om {moment}", "again at {moment}"),
    "delivery_forgotten": ("gewist", "erased"),
    "actions": ("Wat u kunt doen", "What you can do"),
    "reload": ("Ververs", "Load again"),
    "only_who_may": (
        "Uw rol mag dit zien, en niet veranderen.",
        "Your role may see this, and not change it.",
    ),
}

MESSAGES: dict[str, Both] = {
    "phase.moved": {"nl": "Van fase veranderd", "en": "Changed phase"},
    "latency.moved": {"nl": "Op zoek of juist niet meer", "en": "Looking, or no longer"},
    "segment.entered": {"nl": "Een segment in", "en": "Came into a segment"},
    "segment.left": {"nl": "Een segment uit", "en": "Left a segment"},
    "identity.linked": {"nl": "Een herkenningsteken gekoppeld", "en": "An identity linked"},
    "identity.unlinked": {"nl": "Een herkenningsteken losgemaakt", "en": "An identity unlinked"},
    "identity.merged": {"nl": "Twee bleken één persoon", "en": "Two proved to be one person"},
    "identity.parted": {"nl": "Eén bleek twee personen", "en": "One proved to be two people"},
    "person.erased": {"nl": "Iemand gewist", "en": "Somebody erased"},
    "trigger.fired": {"nl": "Trigger: iemand overgedragen", "en": "Trigger: somebody handed over"},
    "webhook.test": {"nl": "Test", "en": "Test"},
}
"""What messages are about, by their types."""

OUTCOMES: dict[str, Both] = {
    "waiting": {"nl": "wacht", "en": "waits"},
    "delivered": {"nl": "aangekomen", "en": "arrived"},
    "failed": {"nl": "opgegeven", "en": "given up"},
    "gone": {"nl": "vervallen: gewist", "en": "void: erased"},
}

_ERRORS: dict[str, Both] = {
    "timeout": {"nl": "geen antwoord binnen 15 seconden", "en": "no answer within 15 seconds"},
    "no connection": {"nl": "geen verbinding", "en": "no connection"},
    "not HTTP": {"nl": "het antwoord was geen HTTP", "en": "the answer was no HTTP"},
}
_ANSWERED: Both = {"nl": "antwoordde met {0}", "en": "answered {0}"}
_BAD_ADDRESS: Both = {
    "nl": "daarheen mag een webhook niet",
    "en": "a webhook may not go there",
}
_STATUS = "status "
_GONE = "it answered 410 Gone"
_SILENT = "nothing arrived for a day: "
_DEAD: Both = {
    "nl": "een dag lang kwam niets aan: {0}",
    "en": "nothing arrived for a day: {0}",
}
_ENDED: Both = {
    "nl": "de ontvanger zei dat dit adres er niet meer is (410)",
    "en": "the receiver said that this address is no more (410)",
}


def error_in_words(error: str, language: Language) -> str:
    """Why an attempt was none."""
    if error.startswith(_STATUS):
        return _ANSWERED[language].format(error.removeprefix(_STATUS))
    return _ERRORS.get(error, _BAD_ADDRESS)[language]


def notice_in_words(notice: str, language: Language) -> str:
    """Why a webhook was found dead."""
    if notice == _GONE:
        return _ENDED[language]
    if notice.startswith(_SILENT):
        return _DEAD[language].format(error_in_words(notice.removeprefix(_SILENT), language))
    return notice
