"""What was wrong with a job or with a row of its file, in the words of a page.

The API tells it in English; in Dutch it is told by the code of a row's error, and by how the
sentence of a job's problem begins. What is not known here stays as the API tells it.
"""

import re

from services.model.words import Language

_ROWS: dict[str, str] = {
    "no_identity": "Hier staat niemand: vul een kolom in die zegt wie het is.",
    "not_an_address": "Dit is geen e-mailadres: schrijf het als anna@example.org.",
    "no_consent": "Er staat geen ja op meten: de regel is overgeslagen. Een nee telt als antwoord "
    "van wie bekend is, met de datum erbij.",
    "withdrawn": "Deze persoon trok later de toestemming in: er is niets bewaard.",
    "before_consent": "Het gebeurde voordat deze persoon instemde.",
    "unknown_person": "Deze persoon is niet bekend: lees eerst de mensen in, met hun instemming.",
    "not_yes_or_no": "Schrijf hier ja of nee, of laat de cel leeg.",
    "not_a_date": "Dit is geen datum zoals bij het inlezen gekozen is.",
    "not_a_number": "Dit is geen getal zoals bij het inlezen gekozen is.",
    "not_text": "Hier moet een tekst of een getal staan.",
    "in_the_future": "Deze datum ligt in de toekomst.",
    "too_long_ago": "Deze datum ligt voor 2000.",
    "empty": "Hier moet iets staan.",
    "too_long": "Dit is te lang.",
    "shortened": "Het rekenblad kortte dit nummer in: maak van de kolom tekst en bewaar opnieuw.",
    "too_many_cells": "Er staan meer cellen dan kolommen: mist ergens een aanhalingsteken?",
    "quotes": "Er staat een aanhalingsteken in een cel: schrijf het twee keer, en zet de cel "
    "tussen aanhalingstekens.",
    "not_json": "Schrijf op deze regel één heel JSON-object, en niets anders.",
    "event_too_large": "De regel is te groot: lees minder kolommen in.",
    "vacancy": "Met dit veld van de vacature klopt iets niet.",
    "taken_id": "De catalogus heeft al een item met dit kenmerk, van een andere feed of van uzelf. "
    "Dat bleef zoals het is: geef de vacature een ander kenmerk, of haal dat item eerst weg.",
    "doubt_misspelt_name": "Bewaard als iets eigens, maar het lijkt op een bekende gebeurtenis: "
    "een tikfout?",
    "doubt_id_unusable": "Een van de herkenningstekens kan niet gebruikt worden, en is weggelaten.",
    "doubt_email_unusable": "Het e-mailadres kan niet gebruikt worden, en is weggelaten.",
    "doubt_special_category": "Iets over gezondheid, leeftijd, afkomst of iets dergelijks is "
    "weggelaten.",
    "doubt_shortened": "Een tekst was te lang of had tekens die niet bewaard kunnen worden.",
}
_REST = " De rest van de regel is wel ingelezen."
_JOBS: tuple[tuple[str, str], ...] = (
    (r"The file is empty", "Het bestand is leeg."),
    (
        r"Row 1, the header",
        (
            "De eerste regel, met de namen van de kolommen, is niet te lezen: kijk naar de "
            "aanhalingstekens."
        ),
    ),
    (r"A file has at most (\d+) columns", "Een bestand heeft hoogstens {0} kolommen."),
    (r"There is no column '(.*?)'\. ", "Er is geen kolom „{0}” in het bestand."),
    (
        r"The column '(.*?)' stands there twice",
        "De kolom „{0}” staat er twee keer: hernoem er een.",
    ),
    (
        r"A quotation mark in row (\d+)",
        "In regel {0} begint een aanhalingsteken dat nergens eindigt.",
    ),
    (
        r"Row (\d+) has more than (\d+) characters",
        (
            "Regel {0} heeft meer dan {1} tekens. Begint daar een aanhalingsteken dat nergens "
            "eindigt, of is dit geen CSV of NDJSON?"
        ),
    ),
    (
        r"This is a spreadsheet",
        "Dit is een rekenblad of een archief. Bewaar het als CSV UTF-8, en kies dat bestand.",
    ),
    (
        r"About row (\d+) the file is not",
        (
            "Rond regel {0} staan tekens die zo niet te lezen zijn. Bewaar het bestand als CSV "
            "UTF-8 (in Excel: Opslaan als, CSV UTF-8)."
        ),
    ),
    (r"Write one JSON object", "Schrijf op elke regel één heel JSON-object, en niets anders."),
    (
        r"It was begun (\d+) times",
        (
            "Het is {0} keer begonnen, en kwam nooit aan het eind. Meld het aan wie Kentering bij "
            "u beheert."
        ),
    ),
    (
        r"Its file was removed",
        (
            "Het bestand is weggehaald: iemand die erin kan staan is gewist, of trok de "
            "toestemming in. Maak op de pagina van het segment een nieuwe export."
        ),
    ),
    (
        r"The file has more than \d+ bytes",
        "Het bestand zou te groot worden. Neem een kleiner segment.",
    ),
    (r"A feed of vacancies has at most", "Het bestand met vacatures is te groot."),
    (r"A feed has at most (\d+) vacancies", "Een bestand heeft hoogstens {0} vacatures."),
    (r"The feed is not UTF-8", "Het bestand met vacatures is geen UTF-8."),
    (
        r"The feed has no vacancies",
        "Er staan geen vacatures in. Daarom is er ook geen gesloten.",
    ),
    (r"The feed is no (JSON|XML)", "Het bestand met vacatures is geen goede {0}."),
    (
        r"The feed has a DOCTYPE",
        "Het bestand heeft een DOCTYPE of eigen entiteiten: laat die weg.",
    ),
)


def error_in_words(code: str, message: str, language: Language) -> str:
    """What to do about a row."""
    if language == "en" or code not in _ROWS:
        return message
    return _ROWS[code] + (_REST if message.endswith("The rest of the row is taken.") else "")


def problem_in_words(problem: str, language: Language) -> str:
    """Why a job failed, or has no file any more."""
    if language == "nl":
        for begins, told in _JOBS:
            found = re.match(begins, problem)
            if found is not None:
                return told.format(*found.groups())
    return problem
