"""The words of lists of people, and of a person's page."""

PEOPLE: dict[str, tuple[str, str]] = {
    "skip": ("Naar de inhoud", "Skip to the content"),
    "search": ("Zoek iemand", "Find somebody"),
    "search_by": ("e-mailadres of gebruikersnummer", "mail address or user id"),
    "search_short": ("exact adres of nummer", "exact address or id"),
    "search_go": ("Zoek", "Search"),
    "search_hint": (
        "Op een volledig e-mailadres, gebruikersnummer, cookie of nummer uit een mail.",
        "By a whole mail address, user id, cookie or token from a mail.",
    ),
    "search_none": ("Niemand is bekend als {value}.", "Nobody is known as {value}."),
    "search_here_none": (
        "In deze lijst is niemand bekend als {value}.",
        "Nobody in this list is known as {value}.",
    ),
    "search_all": ("Zoek bij iedereen", "Search everybody"),
    "search_clear": ("Toon iedereen in de lijst", "Show everybody in the list"),
    "search_list": ("Zoek in deze lijst", "Search this list"),
    "visitor": ("Bezoeker", "Visitor"),
    "column_name": ("Naam", "Name"),
    "column_phase": ("Fase", "Phase"),
    "column_openness": ("Openheid", "Openness"),
    "column_engagement": ("Betrokkenheid", "Engagement"),
    "column_since": ("Hier sinds", "Here since"),
    "column_until": ("Verwacht tot", "Expected until"),
    "order_hint": (
        (
            "Openheid: hoe waarschijnlijk iemand openstaat voor iets nieuws. Betrokkenheid: wat "
            "iemand deed, recent telt zwaarder. Stand van {moment}."
        ),
        (
            "Openness: how probably somebody is open to something new. Engagement: what somebody "
            "did, the recent counting for more. As of {moment}."
        ),
    ),
    "ranked_among": (
        (
            "De volgorde is die van de {number} mensen die hier het laatst bij kwamen; wie er "
            "langer is, vindt u in de volgorde van binnenkomst."
        ),
        (
            "The order is that of the {number} people who came here last; who has been here "
            "longer is found in the order of coming."
        ),
    ),
    "sorted": ("gesorteerd", "sorted"),
    "sort_by": ("Sorteer op {name}", "Sort by {name}"),
    "not_soon": ("blijft", "stays"),
    "standing": ("Waar staat deze persoon?", "Where does this person stand?"),
    "stands": ("{meaning}, sinds {day}", "{meaning}, since {day}"),
    "stands_inferred": (
        "Vanaf die dag zeggen de tekens het sterk genoeg; het is afgeleid uit gedrag.",
        "From that day on the signs say so strongly enough; it is inferred from behaviour.",
    ),
    "stands_observed": (
        "Op die dag meldde deze persoon zich aan of solliciteerde.",
        "On that day this person signed up or applied.",
    ),
    "stands_see": (
        "Sindsdien volgen we deze persoon, of was er geen teken van een omslag meer.",
        "Since then we follow this person, or there was no sign of a turn any more.",
    ),
    "stands_care": (
        "Op die dag kwam deze persoon in dienst.",
        "On that day this person was hired.",
    ),
    "turn_was": (
        "De omslag zelf was naar schatting rond {day}: die gaat vooraf aan de tekens.",
        "The turn itself was, by estimate, around {day}: it comes before the signs.",
    ),
    "changes_on": (
        "Gebeurt er niets meer, dan verandert dit rond {day}.",
        "If nothing more happens, this changes around {day}.",
    ),
    "how_sure": ("Hoe zeker", "How sure"),
    "as_of": ("Stand van {moment}.", "As of {moment}."),
    "how_sure_hint": (
        "Drie kansen, samen 100%. Een schatting, geen oordeel.",
        "Three probabilities, together 100%. An estimate, not a verdict.",
    ),
    "identity_other": ("en 1 ander herkenningsteken", "and 1 other identifier"),
    "identities_other": ("en {number} andere herkenningstekens", "and {number} other identifiers"),
    "rights": ("Rechten van deze persoon", "This person's rights"),
    "rights_known": (
        "Download alles wat we weten (JSON)",
        "Download all that is known (JSON)",
    ),
    "rights_object": ("Bezwaar vastleggen", "Record an objection"),
    "rights_erase": ("Wissen", "Erase"),
}
