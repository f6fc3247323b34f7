"""The words of the page about how long people are kept, and what consent servers stand for."""

KEEPING: dict[str, tuple[str, str]] = {
    "keeping": ("Bewaren", "Keeping"),
    "keeping_title": ("Bewaren en toestemming", "Keeping and consent"),
    "keeping_how_long": ("Hoe lang mensen bewaard worden", "How long people are kept"),
    "keeping_silent": (
        "Van wie niets meer gehoord wordt",
        "Of whom nothing is heard any more",
    ),
    "keeping_rejected": (
        "Wie is afgewezen en zelf nergens mee instemde",
        "Who was rejected, and agreed to nothing themselves",
    ),
    "keeping_for_ever": ("voor altijd", "for ever"),
    "keeping_as_others": ("als ieder ander", "as everybody else"),
    "keeping_what": (
        (
            "Daarna wordt iemand gewist, en komt niet terug. Geteld vanaf de laatste gebeurtenis, "
            "en vanaf de afwijzing."
        ),
        (
            "Then somebody is erased, and does not come back. Counted from the last event, and "
            "from the rejection."
        ),
    ),
    "keeping_months": ("Maanden na de laatste gebeurtenis", "Months after the last event"),
    "keeping_days": ("Dagen na een afwijzing", "Days after a rejection"),
    "keeping_empty": (
        "Leeg: voor altijd, of als ieder ander.",
        "Empty: for ever, or as everybody else.",
    ),
    "keeping_sure": (
        "Ja: wie daar al voorbij is, wordt binnen het uur gewist",
        "Yes: who is past that already is erased within the hour",
    ),
    "keeping_not_sure": (
        "Korter bewaren wist mensen. Zet het vinkje als u dat wilt.",
        "Keeping for a shorter time erases people. Tick the box if that is what you want.",
    ),
    "keeping_go": ("Stel in", "Set"),
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
