"""What nobody is known or chosen by here: health, age, origin and the like, or what stands for it.

Attributes, properties of events and topics are known by their names, and looked at as words, in
Dutch and English. Values are not looked at: a department may be called *Health*. No list knows
every proxy, so this keeps slips out, and who writes rules is still answerable for them.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Category = Literal[
    "age",
    "origin",
    "health",
    "union membership",
    "belief",
    "politics",
    "sex and family",
    "crime",
    "body data",
    "a national number",
]
_CACHED_MAX = 10_000
_NAME_LENGTH_MAX = 200
"""Of a name the beginning counts: names are remembered, and anybody may write long ones."""
_WORDS_TOGETHER_MAX = 3

_SAID: dict[Category, str] = {
    "age": "age, ages, aged, leeftijd, leeftijdsgroep, leeftijdscategorie, leeftijdsklasse, "
    "birth, birthday, birthdate, birthyear, born, dob, geboren, geboorte, "
    "geboortedatum, geboortedag, geboortejaar, verjaardag, millennial, millennials, "
    "babyboomer, babyboomers, gen z, gen y, generation z, generatie z",
    "origin": "ethnic, ethnicity, etnisch, etnische, etniciteit, racial, nationality, "
    "nationaliteit, afkomst, birthplace, geboorteplaats, geboorteland, huidskleur, "
    "skin color, skin colour, country of origin, land van herkomst, migration "
    "background, migratieachtergrond, migrant, migrants, migranten, immigrant, "
    "immigrants, allochtoon, status holder, status holders, statushouder, "
    "statushouders, refugee, refugees, vluchteling, vluchtelingen, mother tongue, "
    "moedertaal",
    "health": "health, gezondheid, gezondheidstoestand, illness, sick, sickness, ziek, ziekte, "
    "ziekteverzuim, disease, disability, disabilities, disabled, handicap, "
    "handicapped, medical condition, medical history, medische gegevens, medisch "
    "dossier, arbeidsbeperking, arbeidshandicap, wajong, wia, pregnant, pregnancy, "
    "zwanger, zwangerschap, burnout, burn out",
    "union membership": "trade union, labour union, labor union, union member, "
    "union membership, vakbond, vakbondslid, vakbondslidmaatschap",
    "belief": "religion, religious, religie, religieus, geloof, geloofsovertuiging, "
    "levensovertuiging, godsdienst, faith, denomination",
    "politics": "political, politics, politiek, politieke, stemgedrag, partijlidmaatschap",
    "sex and family": "gender, geslacht, sexual, sexuality, seksueel, seksuele, seksualiteit, "
    "geaardheid, lgbt, lgbti, lhbti, transgender, marital status, burgerlijke staat",
    "crime": "criminal, criminal record, strafblad, strafrechtelijk, strafrechtelijke",
    "body data": "genetic, genetisch, genetische, biometric, biometrics, biometrisch, biometrische",
    "a national number": "bsn, burgerservicenummer, sofinummer, ssn, social security number",
}
_ALONE: dict[str, Category] = {
    "race": "origin",
    "ras": "origin",
    "origin": "origin",
    "herkomst": "origin",
    "sex": "sex and family",
    "sekse": "sex and family",
    "union": "union membership",
}
"""Words that among others mostly mean something else: *solar race*, *savings union*."""
_HARMLESS = re.compile("health(?: ?care\\b| and safety| safety| insurer)|gezondheid en veiligheid")
"""Trades and duties that are called after what nobody is known by."""
_OF_AGE = re.compile("(?:^| )[3-8]\\d ?(?:plus|\\+)(?: |$)")

_PHRASES: dict[str, Category] = {
    phrase: category for category, said in _SAID.items() for phrase in said.split(", ")
}


def category_of(name: str) -> Category | None:
    """What the name of an attribute, property or topic is about; None: nothing of the kind.

    Args:
        name: as it is written: ``birth_year``, ``birthYear``, ``Geboortedatum``.
    """
    return _looked_up(name[:_NAME_LENGTH_MAX])


@lru_cache(maxsize=_CACHED_MAX)
def _looked_up(name: str) -> Category | None:
    plain = _plain(name)
    if plain in _ALONE:
        return _ALONE[plain]
    if _OF_AGE.search(plain):
        return "age"
    words = _HARMLESS.sub(" ", plain).split()
    for length in range(_WORDS_TOGETHER_MAX, 0, -1):
        for i in range(len(words) - length + 1):
            found = _PHRASES.get(" ".join(words[i : i + length]))
            if found is not None:
                return found
    return None


def _plain(name: str) -> str:
    """Its words in lower case and without accents, with single spaces between."""
    apart = re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", name)
    bare = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9+]+", " ", bare).strip()
