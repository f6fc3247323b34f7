"""What nobody is known or chosen by here: health, age, origin and the like, or what stands for it.

Attributes, properties of events and topics are known by their names, and looked at as words, in
Dutch and English: one by one without their endings, and up to three together. What is told of a
person is known by stems too that lie in longer words, but a topic is not: *gehandicaptenzorg* is a
trade. Objects have names inside, which are looked at as well. Other values are not: a
department may be called *Health*. No list knows every proxy, so this keeps slips out, and who
writes rules is still answerable for them.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

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
    "skin color, skin colour, country of origin, country of birth, place of birth, "
    "land van herkomst, migration background, migratieachtergrond, "
    "migrant, migrants, migranten, immigrant, "
    "immigrants, allochtoon, status holder, status holders, statushouder, "
    "statushouders, refugee, refugees, vluchteling, vluchtelingen, mother tongue, "
    "moedertaal",
    "health": "health, gezondheid, gezondheidstoestand, illness, sick, sickness, ziek, ziekte, "
    "ziekteverzuim, disease, disability, disabilities, is disabled, disabled person, "
    "disabled people, disabled worker, disabled employee, disabled candidate, handicap, "
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
    "disabled": "health",
    "race": "origin",
    "ras": "origin",
    "origin": "origin",
    "herkomst": "origin",
    "sex": "sex and family",
    "sekse": "sex and family",
    "union": "union membership",
}
"""Words that among others mostly mean something else: *solar race*, *tracking disabled*."""
_STEMS: dict[str, Category] = {
    "birthplace|birthcountry|countryofbirth|placeofbirth|geboorteplaats|geboorteland": "origin",
    "birth|geboorte|leeftijd|verjaardag": "age",
    "nationalit|ethni|etni[cs]|immigra|allochto|vluchteling|refugee|statushouder|huidskleur|"
    "moedertaal": "origin",
    "handicap|disabilit|zwanger|pregnan|ziekteverzuim|arbeidsbeperk|arbeidsongeschikt": "health",
    "vakbond": "union membership",
    "religi|godsdienst|levensovertuig|geloofsovertuig": "belief",
    "geslacht|geaardheid|transgender|seksu|sexual": "sex and family",
    "strafblad": "crime",
    "biometri": "body data",
    "^bsn|burgerservice|sofinummer|socialsecuritynumber": "a national number",
}
"""What means nothing else wherever it stands in a word: *dateofbirth*, *vakbondslid*."""
_ENDINGS = ("s", "n", "en")
_HARMLESS = re.compile(
    "health(?: ?care\\b| and safety| safety| insurer)|gezondheid en veiligheid"
    "|\\b(?:good|bad) faith|\\b(?:faith|geloof) in (?!(?:god|christ|jesus|allah|islam)\\b)"
)
"""Trades, duties and trust that are called after what nobody is known by."""
_OF_AGE = re.compile("(?:^| )[3-8]\\d ?(?:plus|\\+)(?: |$)")

_STEM = re.compile("|".join(f"({stems})" for stems in _STEMS))
_OF_STEM = tuple(_STEMS.values())

_PHRASES: dict[str, Category] = {
    phrase: category for category, said in _SAID.items() for phrase in said.split(", ")
}


def category_of(name: str) -> Category | None:
    """What the name of an attribute or property is about; None: nothing of the kind.

    Args:
        name: as it is written: ``birth_year``, ``birthYear``, ``Geboortedatum``.
    """
    return _looked_up(name[:_NAME_LENGTH_MAX])


def category_of_topic(topic: str) -> Category | None:
    """What a topic is about; None: nothing of the kind."""
    return _by_words(_plain(topic[:_NAME_LENGTH_MAX]))


@lru_cache(maxsize=_CACHED_MAX)
def _looked_up(name: str) -> Category | None:
    plain = _plain(name)
    by_stem = (_STEM.search(word) for word in _words(plain))
    return _by_words(plain) or next((_of_stem(found) for found in by_stem if found), None)


def _words(plain: str) -> list[str]:
    return _HARMLESS.sub(" ", plain).split()


def _of_stem(found: re.Match[str]) -> Category:
    return _OF_STEM[(found.lastindex or 1) - 1]


def _by_words(plain: str) -> Category | None:
    if plain in _ALONE:
        return _ALONE[plain]
    if _OF_AGE.search(plain):
        return "age"
    words = _words(plain)
    for length in range(_WORDS_TOGETHER_MAX, 0, -1):
        for i in range(len(words) - length + 1):
            found = _PHRASES.get(" ".join(words[i : i + length]))
            if found is not None:
                return found
    bare = (word.removesuffix(ending) for word in words for ending in _ENDINGS)
    return next((_PHRASES[word] for word in bare if word in _PHRASES), None)


def names_within(told: dict[str, Any]) -> Iterator[str]:
    """The names in an object, and in those inside it, however deep."""
    waiting: list[Any] = [told]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def lawful_part(value: Any) -> Any:
    """A value without what is about the like, in the objects inside it too.

    Args:
        value: JSON, of bounded depth.
    """
    if isinstance(value, dict):
        return {name: lawful_part(one) for name, one in value.items() if not category_of(name)}
    return [lawful_part(one) for one in value] if isinstance(value, list) else value


def _plain(name: str) -> str:
    """Its words in lower case and without accents, with single spaces between."""
    apart = re.sub("(?<=[a-z0-9])(?=[A-Z])", " ", name)
    bare = unicodedata.normalize("NFKD", apart).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9+]+", " ", bare).strip()
