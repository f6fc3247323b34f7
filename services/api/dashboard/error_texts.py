"""Problems in the words of a page: what is the matter, and what to do."""

from services.api.dashboard.import_texts import IMPORT_PROBLEMS
from services.api.problem import Problem
from services.model.words import Language

Both = dict[Language, str]


class FormError(Problem):
    """A form of a page is not filled in right.

    Args:
        told: the name of the text that says what is wrong with it, and what to do.
    """

    def __init__(self, told: str) -> None:
        super().__init__(400, "invalid", "The form is not right.")
        self.told = told


_TITLES: dict[int, Both] = {
    400: {"nl": "Zo kan het niet", "en": "It does not work like this"},
    403: {"nl": "Dat mag u hier niet", "en": "You may not do this here"},
    404: {"nl": "Dat is hier niet", "en": "It is not here"},
    409: {"nl": "Dat botst met wat er is", "en": "It clashes with what there is"},
    412: {"nl": "Iemand anders was u voor", "en": "Somebody else was before you"},
    413: {"nl": "Dat is te veel ineens", "en": "That is too much at once"},
    429: {"nl": "Even te vaak", "en": "Too often just now"},
    500: {"nl": "Er ging bij ons iets mis", "en": "Something went wrong on our side"},
    503: {"nl": "Het lukt nu even niet", "en": "It does not work just now"},
}
_BY_STATUS: dict[int, Both] = {
    400: {
        "nl": "Het adres of het formulier klopt niet. Ga terug, en kies opnieuw.",
        "en": "The address or the form is not right. Go back, and choose again.",
    },
    403: {
        "nl": "Vraag een eigenaar van uw werkruimte om een rol die dit mag.",
        "en": "Ask an owner of your workspace for a role that may.",
    },
    404: {
        "nl": "Misschien klopt het adres niet, of is het verwijderd.",
        "en": "The address may be wrong, or it was removed.",
    },
    409: {
        "nl": "Er is niets veranderd. Ga terug, en kijk wat er nu is.",
        "en": "Nothing was changed. Go back, and look at what there is now.",
    },
    413: {
        "nl": "Er is niets veranderd. Vul minder in, of doe het in delen.",
        "en": "Nothing was changed. Fill in less, or do it in parts.",
    },
    429: {
        "nl": "Er is niets veranderd. Wacht een minuut, en probeer het opnieuw.",
        "en": "Nothing was changed. Wait a minute, and try again.",
    },
    500: {
        "nl": "Het staat in ons logboek. Probeer het opnieuw; blijft het misgaan, meld het dan aan "
        "wie Kentering bij u beheert.",
        "en": "It stands in our log. Try again; if it goes on, tell whoever runs Kentering for "
        "you.",
    },
    503: {
        "nl": "Er is niets veranderd. Probeer het over een halve minuut opnieuw.",
        "en": "Nothing was changed. Try again in half a minute.",
    },
}
_BY_CODE: dict[str, Both] = IMPORT_PROBLEMS | {
    "not_sure": {
        "nl": "Er is niets veranderd. Ga terug, en zet eerst het vinkje.",
        "en": "Nothing was changed. Go back, and tick the box first.",
    },
    "cross_site": {
        "nl": "Dit formulier hoort niet bij uw sessie. Laad de pagina opnieuw en stuur het dan.",
        "en": "This form is not of your session. Load the page again, and then send it.",
    },
    "bad_cursor": {
        "nl": "Deze bladzijde van de lijst bestaat niet. Begin de lijst opnieuw.",
        "en": "There is no such page of the list. Begin the list again.",
    },
    "cursor_expired": {
        "nl": "De lijst is ouder dan een dag. Begin opnieuw.",
        "en": "The list is older than a day. Begin it again.",
    },
    "changed_meanwhile": {
        "nl": "Iemand heeft dit veranderd terwijl u bezig was. Er is niets overschreven: open het "
        "opnieuw, kijk wat er nu staat, en breng uw verandering dan aan.",
        "en": "Somebody changed this while you were busy. Nothing was overwritten: open it again, "
        "see what it says now, and then make your change.",
    },
    "beyond_own_scopes": {
        "nl": "U kunt niemand meer laten doen dan u zelf mag.",
        "en": "You cannot let anybody do more than you may yourself.",
    },
    "last_owner": {
        "nl": "Er moet iemand eigenaar zijn. Maak eerst een ander eigenaar.",
        "en": "Somebody must be owner. Give the role to another first.",
    },
    "account_exists": {
        "nl": "Wie dit adres heeft, kan al inloggen. Geef een andere rol, of nodig opnieuw uit.",
        "en": "Who has this address can log in already. Change their role, or invite them again.",
    },
    "too_many_accounts": {
        "nl": "Er kunnen niet meer mensen inloggen. Beëindig eerst iemands toegang.",
        "en": "No more people can log in. End somebody's access first.",
    },
    "too_many_keys": {
        "nl": "Er zijn zoveel sleutels als er kunnen zijn. Beëindig er eerst een.",
        "en": "There are as many keys as there can be. End one first.",
    },
    "segment_exists": {
        "nl": "Er is al een segment met deze sleutel. Kies een andere sleutel.",
        "en": "There is a segment with this key already. Choose another key.",
    },
    "segment_in_use": {
        "nl": "Andere segmenten of triggers verwijzen naar dit segment. Verander die eerst.",
        "en": "Other segments or triggers refer to this one. Change these first.",
    },
    "segment_circle": {
        "nl": "Segmenten mogen niet in een kring naar elkaar verwijzen: niemand zou erin zitten.",
        "en": "Segments may not refer to each other in a circle: nobody would be in them.",
    },
    "segment_chain": {
        "nl": "Te veel segmenten verwijzen achter elkaar naar elkaar. Voeg een paar regels samen.",
        "en": "Too many segments refer to each other in a row. Put some of the rules into one.",
    },
    "segment_not_filled": {
        "nl": "Het segment wordt nog gevuld. Probeer het over een minuut opnieuw.",
        "en": "The segment is still being filled. Try again in a minute.",
    },
    "rule_too_large": {
        "nl": "Samen met de segmenten waar de regel naar verwijst heeft hij te veel voorwaarden.",
        "en": "With the segments that it refers to the rule has too many conditions.",
    },
    "unknown_segment": {
        "nl": "Er wordt een segment genoemd dat er niet is.",
        "en": "A segment is named that is not there.",
    },
    "special_category": {
        "nl": "De regel vraagt naar gezondheid, leeftijd, afkomst of iets dergelijks. Daar wordt "
        "hier niemand op gekozen. Haal het uit de regel; gaat het over iets anders, noem het dan "
        "anders.",
        "en": "The rule asks about health, age, origin or the like. Nobody is chosen by that here. "
        "Take it out of the rule; if it is about something else, call it something else.",
    },
    "too_many_segments": {
        "nl": "Er zijn zoveel segmenten als er kunnen zijn. Verwijder er eerst een.",
        "en": "There are as many segments as there can be. Delete one first.",
    },
    "too_many_jobs": {
        "nl": "Er lopen al veel exports en imports. Wacht tot er een klaar is.",
        "en": "Many exports and imports are running. Wait until one has ended.",
    },
    "bad_target": {
        "nl": "Daarheen kan een webhook niet. Geef een adres dat met https:// begint, van een "
        "server die buiten uw netwerk te bereiken is. Staat hij in uw eigen netwerk, laat dan wie "
        "Kentering bij u beheert dat netwerk noemen in KENTERING_WEBHOOK_NETWORKS, bij api en "
        "dispatch.",
        "en": "A webhook cannot go there. Give an address that begins with https://, of a server "
        "that is reached outside your network. If it is in a network of your own, let whoever "
        "runs Kentering for you name that network in KENTERING_WEBHOOK_NETWORKS, of api and "
        "dispatch.",
    },
    "too_many_webhooks": {
        "nl": "Er zijn zoveel webhooks als er kunnen zijn. Verwijder er eerst een.",
        "en": "There are as many webhooks as there can be. Delete one first.",
    },
    "too_many_waiting": {
        "nl": "Er wachten al veel tests en herhalingen. Wacht tot die verstuurd zijn.",
        "en": "Many tests and repeats are waiting already. Wait until they were sent.",
    },
    "too_many_triggers": {
        "nl": "Er zijn zoveel triggers als er kunnen zijn. Verwijder er eerst een.",
        "en": "There are as many triggers as there can be. Delete one first.",
    },
    "busy": {
        "nl": "Er wordt net iets groots uitgerekend. Probeer het over tien seconden opnieuw.",
        "en": "Something large is being worked out just now. Try again in ten seconds.",
    },
    "in_the_future": {
        "nl": "De datum ligt in de toekomst.",
        "en": "The date lies in the future.",
    },
    "tied_by_pages": {
        "nl": "Dit adres hoort bij iemand die nu bekend is. Zoek op, en wis op de eigen pagina.",
        "en": "Somebody who is known now has this. Look them up, and erase them on their own page.",
    },
    "unusable_identity": {
        "nl": "Niemand kan hieraan herkend worden. Controleer wat u invulde.",
        "en": "Nobody can be known by this. Check what you filled in.",
    },
    "tracker_away": {
        "nl": "Het deel dat veranderingen opschrijft is even niet bereikbaar. Er is niets gedaan; "
        "probeer het over een halve minuut opnieuw.",
        "en": "The part that writes changes down cannot be reached. Nothing was done; try again in "
        "half a minute.",
    },
}


def title_of(status: int, language: Language) -> str:
    """What is the matter, in a few words."""
    return _TITLES.get(status, _TITLES[500 if status >= 500 else 400])[language]


def what_to_do(problem: Problem, language: Language) -> str:
    """What is the matter here, and what helps."""
    named = problem.told if isinstance(problem, FormError) else problem.code
    told = _BY_CODE.get(named) or _BY_STATUS.get(problem.status)
    return (told or _BY_STATUS[500 if problem.status >= 500 else 400])[language]
