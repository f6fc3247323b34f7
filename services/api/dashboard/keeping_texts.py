"""The words of the page about how long people are kept, and what consent servers stand for."""

KEEPING: dict[str, tuple[str, str]] = {
    "keeping": ("Bewaren", "Keeping"),
    "keeping_title": ("Bewaren en toestemming", "Keeping and consent"),
    "keeping_how_long": ("Hoe lang mensen bewaard worden", "How long people are kept"),
    "keeping_after": (
        "{time} nadat voor het laatst iets gebeurde",
        "{time} after something last happened",
    ),
    "keeping_after_rejection": ("{time} na de afwijzing", "{time} after the rejection"),
    "keeping_for_ever": ("voor altijd", "for ever"),
    "keeping_as_others": ("even lang als ieder ander", "as long as everybody else"),
    "keeping_what": (
        (
            "Als die tijd om is, wordt de persoon binnen het uur gewist: naam, kenmerken, wat die "
            "deed en de schatting. Alleen aantallen zonder naam blijven. Een mail die u stuurt "
            "telt ook als iets dat gebeurde."
        ),
        (
            "When that time is over, the person is erased within the hour: name, attributes, what "
            "they did and the estimate. Only numbers without a name stay. A mail that you send "
            "counts as something that happened, too."
        ),
    ),
    "keeping_months": (
        "Wis mensen van wie zoveel maanden niets gehoord is",
        "Erase people of whom nothing was heard for so many months",
    ),
    "keeping_days": (
        "Wis afgewezen sollicitanten na zoveel dagen",
        "Erase rejected applicants after so many days",
    ),
    "keeping_empty": (
        (
            "Leeg bij maanden: nooit. Leeg bij dagen: afgewezen sollicitanten blijven even lang "
            "als ieder ander. Die dagen gelden alleen voor wie zelf nergens mee instemde en niet "
            "opnieuw solliciteerde."
        ),
        (
            "Months left empty: never. Days left empty: rejected applicants stay as long as "
            "everybody else. Those days are only for who agreed to nothing themselves and did not "
            "apply again."
        ),
    ),
    "kept_what": ("Wat", "What"),
    "kept_why": ("Op grond waarvan", "On what basis"),
    "kept_how_long": ("Hoe lang", "How long"),
    "kept_people": (
        "Mensen: kenmerken, wat ze deden, de schatting",
        "People: attributes, what they did, the estimate",
    ),
    "kept_people_why": (
        "hun toestemming: voor meten, en apart voor een schatting",
        "their consent: to being measured, and apart to an estimate",
    ),
    "kept_rejected": (
        "Afgewezen sollicitanten die zelf nergens mee instemden",
        "Rejected applicants who agreed to nothing themselves",
    ),
    "kept_rejected_why": ("uw verklaring hieronder", "your declaration below"),
    "kept_proof": (
        "Bewijs van toestemming en van wissen, na het wissen zonder naam",
        "Proof of consent and of erasure, without a name after erasure",
    ),
    "kept_proof_why": ("om het te kunnen aantonen", "to be able to show it"),
    "kept_proof_long": ("{time} na het wissen", "{time} after the erasure"),
    "kept_files": ("Bestanden van exports", "Files of exports"),
    "kept_files_why": ("een collega vroeg erom", "a colleague asked for them"),
    "kept_files_long": (
        "{time}; weg zodra er iemand gewist wordt",
        "{time}; gone as soon as anybody is erased",
    ),
    "kept_jobs": (
        "Dat er ingelezen, geëxporteerd of overgedragen is, en door wie",
        "That people were brought in, taken out or handed over, and by whom",
    ),
    "kept_jobs_why": ("om het na te kunnen gaan", "to be able to look it up"),
    "kept_audit": ("Het logboek", "The audit"),
    "kept_audit_why": ("om het na te kunnen gaan", "to be able to look it up"),
    "keeping_sure": (
        "Ja: wie daar al voorbij is, wordt binnen het uur gewist",
        "Yes: who is past that already is erased within the hour",
    ),
    "keeping_not_sure": (
        "Korter bewaren wist mensen. Zet het vinkje als u dat wilt.",
        "Keeping for a shorter time erases people. Tick the box if that is what you want.",
    ),
    "keeping_go": ("Bewaar deze tijden", "Save these times"),
    "keeping_set": ("Ingesteld.", "It is set."),
    "declared": ("Toestemming volgens uw eigen systemen", "Consent by your own systems"),
    "declared_hint": (
        (
            "Systemen met een serversleutel mogen gebeurtenissen sturen zonder iets over "
            "toestemming te zeggen. Staat hier een verklaring, dan gelden die als ja op meten en "
            "op een schatting; zonder verklaring wordt zo niemand gevolgd."
        ),
        (
            "Systems with a server key may send events that say nothing of consent. Where a "
            "declaration stands here they count as a yes to being measured and to an estimate; "
            "without one nobody is followed by them."
        ),
    ),
    "declared_none": ("Er is geen verklaring.", "There is no declaration."),
    "declared_text": ("Tekst waarmee mensen instemden", "Words that people agreed to"),
    "declared_source": ("Waar dat gevraagd en bewaard wordt", "Where that is asked, and kept"),
    "declared_since": ("Sinds", "Since"),
    "declared_go": ("Leg de verklaring vast", "Record the declaration"),
    "declared_back": ("Trek de verklaring in", "Take the declaration back"),
    "declared_done": ("De verklaring is vastgelegd.", "The declaration is recorded."),
    "declared_gone": ("De verklaring is ingetrokken.", "The declaration is taken back."),
    "keeping_rights": (
        "Wat één persoon zei, staat op de eigen pagina van die persoon.",
        "What one person said stands on that person's own page.",
    ),
}
