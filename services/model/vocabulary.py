"""What the closed lists of events, channels, purposes and states are called, in both languages.

Attributes are no closed list: those that systems usually tell have a name here, all others go by
their own.
"""

import re
from typing import Literal

from services.contract.phases import LatencyState, Phase

Language = Literal["nl", "en"]
Both = dict[Language, str]
"""A text in each language."""

PHASES: dict[Phase, str] = {"see": "See", "think": "Think", "do": "Do", "care": "Care"}
STATES: dict[LatencyState, Both] = {
    "latent_latent": {"nl": "niet op zoek", "en": "not looking"},
    "actively_latent": {"nl": "open voor iets nieuws", "en": "open to something new"},
    "active": {"nl": "op zoek", "en": "looking"},
}
OF: dict[str, Both] = {
    "openness": {"nl": "openheid", "en": "openness"},
    "latent_latent": {"nl": "kans op niet op zoek", "en": "probability of not looking"},
    "actively_latent": {"nl": "kans op open voor iets nieuws", "en": "probability of open"},
    "active": {"nl": "kans op zoek te zijn", "en": "probability of looking"},
}
EVENTS: dict[str, Both] = {
    "page": {"nl": "pagina bekeken", "en": "page viewed"},
    "site_search": {"nl": "gezocht op de site", "en": "site searched"},
    "read": {"nl": "verhaal gelezen", "en": "story read"},
    "play": {"nl": "afgespeeld", "en": "played"},
    "magazine_page": {"nl": "magazine gelezen", "en": "magazine read"},
    "download": {"nl": "gedownload", "en": "downloaded"},
    "sign_up": {"nl": "aangemeld", "en": "signed up"},
    "question": {"nl": "vraag gesteld", "en": "question asked"},
    "comment": {"nl": "gereageerd", "en": "commented"},
    "ambassador_contacted": {"nl": "ambassadeur benaderd", "en": "ambassador contacted"},
    "share": {"nl": "gedeeld", "en": "shared"},
    "attend": {"nl": "aanwezig geweest", "en": "attended"},
    "vacancy_viewed": {"nl": "vacature bekeken", "en": "vacancy viewed"},
    "application_started": {"nl": "sollicitatie begonnen", "en": "application begun"},
    "applied": {"nl": "gesolliciteerd", "en": "applied"},
    "stage_changed": {"nl": "stap in de procedure", "en": "stage of the procedure"},
    "rejected": {"nl": "afgewezen", "en": "rejected"},
    "hired": {"nl": "aangenomen", "en": "hired"},
    "left": {"nl": "vertrokken", "en": "left"},
    "sent": {"nl": "mail gestuurd", "en": "mail sent"},
    "delivered": {"nl": "mail bezorgd", "en": "mail delivered"},
    "open": {"nl": "mail geopend", "en": "mail opened"},
    "click": {"nl": "op een link geklikt", "en": "link clicked"},
    "bounce": {"nl": "mail niet bezorgd", "en": "mail bounced"},
    "unsubscribe": {"nl": "afgemeld voor mail", "en": "unsubscribed"},
    "complaint": {"nl": "mail als spam gemeld", "en": "mail reported as spam"},
    "identified": {"nl": "bekend geworden", "en": "identified"},
    "consent_changed": {"nl": "toestemming gewijzigd", "en": "consent changed"},
    "custom": {"nl": "iets anders", "en": "something else"},
    "segment_listed": {"nl": "met de hand ingedeeld", "en": "put in a segment by hand"},
    "identity_decision": {"nl": "beslist wie het is", "en": "decided who it is"},
    "erased": {"nl": "gewist", "en": "erased"},
}
OPS: dict[str, Both] = {
    "is": {"nl": "is", "en": "is"},
    "is_not": {"nl": "is niet", "en": "is not"},
    "any_of": {"nl": "is een van", "en": "is one of"},
    "none_of": {"nl": "is geen van", "en": "is none of"},
    "contains": {"nl": "bevat", "en": "contains"},
    "less": {"nl": "is minder dan", "en": "is less than"},
    "less_or_same": {"nl": "is hoogstens", "en": "is at most"},
    "greater_or_same": {"nl": "is minstens", "en": "is at least"},
    "greater": {"nl": "is meer dan", "en": "is more than"},
    "known": {"nl": "is bekend", "en": "is known"},
    "unknown": {"nl": "is onbekend", "en": "is not known"},
}
CHANNELS: dict[str, Both] = {
    "website": {"nl": "website", "en": "website"},
    "email": {"nl": "mail", "en": "mail"},
    "magazine": {"nl": "magazine", "en": "magazine"},
    "social": {"nl": "sociale media", "en": "social media"},
    "ads": {"nl": "advertenties", "en": "advertisements"},
    "podcast": {"nl": "podcast", "en": "podcast"},
    "messaging": {"nl": "berichten", "en": "messages"},
    "meeting": {"nl": "bijeenkomst", "en": "meeting"},
    "referral": {"nl": "aanbeveling", "en": "referral"},
    "ats": {"nl": "sollicitatiesysteem", "en": "applicant tracking system"},
}
PURPOSES: dict[str, Both] = {
    "measure": {"nl": "meten", "en": "being measured"},
    "profile": {"nl": "een schatting maken", "en": "an estimate"},
    "contact": {"nl": "contact opnemen", "en": "being contacted"},
    "contact_mail": {"nl": "contact per mail", "en": "contact by mail"},
    "contact_phone": {"nl": "contact per telefoon", "en": "contact by telephone"},
    "contact_messaging": {"nl": "contact per bericht", "en": "contact by message"},
    "share": {"nl": "delen met anderen", "en": "sharing with others"},
}
ANSWERS: dict[str, Both] = {
    "yes": {"nl": "ja gezegd", "en": "said yes"},
    "no": {"nl": "nee gezegd", "en": "said no"},
    "none": {"nl": "niets gezegd", "en": "said nothing"},
}
NAMESPACES: dict[str, Both] = {
    "user_id": {"nl": "gebruikersnummer", "en": "user id"},
    "email": {"nl": "e-mailadres", "en": "mail address"},
    "anonymous_id": {"nl": "cookie", "en": "cookie"},
    "person_token": {"nl": "link in een mail", "en": "link in a mail"},
}
ATTRIBUTES: dict[str, Both] = {
    "name": {"nl": "naam", "en": "name"},
    "full_name": {"nl": "naam", "en": "name"},
    "first_name": {"nl": "voornaam", "en": "first name"},
    "last_name": {"nl": "achternaam", "en": "last name"},
    "title": {"nl": "titel", "en": "title"},
    "email": {"nl": "e-mailadres", "en": "mail address"},
    "phone": {"nl": "telefoon", "en": "telephone"},
    "company": {"nl": "werkgever", "en": "employer"},
    "employer": {"nl": "werkgever", "en": "employer"},
    "department": {"nl": "afdeling", "en": "department"},
    "industry": {"nl": "branche", "en": "industry"},
    "profession": {"nl": "beroep", "en": "profession"},
    "job_title": {"nl": "functie", "en": "job title"},
    "position": {"nl": "functie", "en": "position"},
    "function": {"nl": "functie", "en": "function"},
    "role": {"nl": "rol", "en": "role"},
    "level": {"nl": "niveau", "en": "level"},
    "education": {"nl": "opleiding", "en": "education"},
    "skills": {"nl": "vaardigheden", "en": "skills"},
    "experience": {"nl": "ervaring", "en": "experience"},
    "years": {"nl": "jaren ervaring", "en": "years of experience"},
    "years_of_experience": {"nl": "jaren ervaring", "en": "years of experience"},
    "hours": {"nl": "uren per week", "en": "hours a week"},
    "contract_start": {"nl": "begin van het contract", "en": "start of the contract"},
    "contract_end": {"nl": "einde van het contract", "en": "end of the contract"},
    "region": {"nl": "regio", "en": "region"},
    "address": {"nl": "adres", "en": "address"},
    "city": {"nl": "woonplaats", "en": "city"},
    "postal_code": {"nl": "postcode", "en": "postal code"},
    "country": {"nl": "land", "en": "country"},
    "language": {"nl": "taal", "en": "language"},
    "source": {"nl": "bron", "en": "source"},
    "website": {"nl": "website", "en": "website"},
    "description": {"nl": "omschrijving", "en": "description"},
    "created_at": {"nl": "bekend sinds", "en": "known since"},
}
_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])[A-Z](?=[a-z])")


def attribute(name: str, language: Language) -> str:
    """What an attribute is called; of one that has no name here its own, as words."""
    words = _WORD_BEGINS.sub(lambda match: f"_{match[0].lower()}", name)
    known = ATTRIBUTES.get(words)
    return words.replace("_", " ") if known is None else known[language]
