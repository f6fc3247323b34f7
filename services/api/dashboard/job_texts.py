"""The words of the pages about imports and exports."""

from services.model.words import Language

Both = dict[Language, str]

JOBS: dict[str, tuple[str, str]] = {
    "jobs": ("Bestanden", "Files"),
    "jobs_hint": (
        (
            "Wat werd ingelezen en geëxporteerd, het nieuwste boven. Een export begint op de "
            "pagina van een segment. Andere bestanden dan van mensen komen binnen over de API of "
            "met „kentering import”."
        ),
        (
            "What was brought in and taken out, the newest on top. An export begins on a "
            "segment's page. Files of other things than people come in over the API or by "
            "“kentering import”."
        ),
    ),
    "jobs_none": ("Er is nog niets.", "There is nothing yet."),
    "job_what": ("Wat", "What"),
    "job_status": ("Toestand", "State"),
    "job_progress": ("Voortgang", "Progress"),
    "job_rows": ("Regels", "Rows"),
    "job_by": ("Door", "By"),
    "job_when": ("Begonnen", "Begun"),
    "job_finished": ("Klaar", "Ended"),
    "job_counting": ("wordt geteld", "being counted"),
    "job_of": ("{done} van {total}", "{done} of {total}"),
    "job_import": ("Import: {what}", "Import: {what}"),
    "job_dry_run": ("proef: er is niets bewaard", "trial: nothing was kept"),
    "job_export": ("Export: {segment}, {use}", "Export: {segment}, {use}"),
    "job_counts": ("Wat ervan kwam", "What came of it"),
    "job_errors": ("Regels waar iets mee was", "Rows that something was wrong with"),
    "job_errors_more": ("Volgende regels", "Next rows"),
    "job_file_name": ("Bestand", "File"),
    "job_trial": ("proef", "trial"),
    "job_wrong": ("Fouten", "Errors"),
    "job_row": ("Regel", "Row"),
    "job_level": ("Soort", "Kind"),
    "job_level_error": ("fout", "error"),
    "job_level_notice": ("melding", "notice"),
    "job_levels_hint": (
        "Bij een fout is iets te verbeteren. Een melding vraagt niets, en telt niet als fout.",
        "An error asks for a correction. A notice asks for nothing, and counts as no error.",
    ),
    "job_column": ("Kolom", "Column"),
    "job_error": ("Wat eraan te doen is", "What to do about it"),
    "job_problem": ("Waarom het niet lukte", "Why it did not work"),
    "job_cancel": ("Breek af", "End it"),
    "job_file_gone": (
        "Het bestand is er niet meer: het wordt een dag bewaard. Maak het opnieuw.",
        "The file is gone: it is kept for a day. Make it again.",
    ),
    "job_to_segment": ("Naar het segment", "To the segment"),
    "job_awaits": (
        "Het bestand is nog niet gestuurd.",
        "The file was not sent yet.",
    ),
}

JOB_STATUS: dict[str, Both] = {
    "awaiting_file": {"nl": "wacht op het bestand", "en": "waits for the file"},
    "waiting": {"nl": "wacht op een beurt", "en": "waits for its turn"},
    "running": {"nl": "bezig", "en": "being done"},
    "done": {"nl": "klaar", "en": "done"},
    "failed": {"nl": "mislukt", "en": "failed"},
    "cancelled": {"nl": "afgebroken", "en": "ended early"},
}

IMPORTED: dict[str, Both] = {
    "people": {"nl": "mensen", "en": "people"},
    "events": {"nl": "wat mensen deden", "en": "what people did"},
    "sends": {"nl": "verstuurde mails", "en": "mails that were sent"},
    "vacancies": {"nl": "vacatures", "en": "vacancies"},
}

_COUNTS: dict[str, Both] = {
    "told": {"nl": "ingelezen", "en": "brought in"},
    "repeated": {"nl": "waren er al", "en": "were there already"},
    "would_be_told": {"nl": "zouden ingelezen worden", "en": "would be brought in"},
    "can_be_scored": {"nl": "kunnen een fase krijgen", "en": "can be scored"},
    "no_consent_to_profile": {
        "nl": "gaven geen toestemming voor een schatting",
        "en": "gave no consent to an estimate",
    },
    "not_followed_no_consent": {
        "nl": "niet gevolgd: geen toestemming",
        "en": "not followed: no consent",
    },
    "not_followed_withdrawn": {
        "nl": "niet gevolgd: toestemming ingetrokken",
        "en": "not followed: consent was taken back",
    },
    "not_followed_before_consent": {
        "nl": "niet bewaard: van vóór de toestemming",
        "en": "not kept: from before consent",
    },
    "refusals": {"nl": "nee gezegd, en bewaard als antwoord", "en": "said no, kept as an answer"},
    "written": {"nl": "in het bestand", "en": "in the file"},
    "left_out_no_consent": {
        "nl": "weggelaten: geen toestemming voor dit gebruik",
        "en": "left out: no consent to this use",
    },
    "closed": {"nl": "vacatures gesloten", "en": "vacancies closed"},
    "new": {"nl": "nieuw", "en": "new"},
    "changed": {"nl": "veranderd", "en": "changed"},
    "unchanged": {"nl": "onveranderd", "en": "unchanged"},
}


def count_in_words(name: str, language: Language) -> str:
    """What became of rows that a job counted."""
    return _COUNTS[name][language] if name in _COUNTS else name.replace("_", " ")
