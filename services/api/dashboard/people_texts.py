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
    "column_why": ("Waarom hier", "Why here"),
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
    "journey_told": (
        "Sinds {begin}: {number} keer iets gedaan, hoogstens {most} keer in een week.",
        "Since {begin}: did something {number} ×, at most {most} × in a week.",
    ),
    "journey_hint": (
        "Staafjes: hoe vaak per week. Daaronder de fase; lichter is wat verwacht wordt.",
        "Bars: how often in a week. Below them the phase; lighter is what is expected.",
    ),
    "memberships": ("Zit in deze segmenten", "Is in these segments"),
    "memberships_none": ("In geen segment.", "In no segment."),
    "next_title": ("Wat u nu kunt doen", "What to do now"),
    "next_see": (
        "Laat van u horen met iets dat deze persoon wat oplevert. Nog geen vacature.",
        "Be heard with something that is of use to this person. No vacancy yet.",
    ),
    "next_think": (
        (
            "Nodig uit: een bijeenkomst, een verhaal, een collega om mee te praten. Een vacature "
            "komt pas als deze persoon daar klaar voor is."
        ),
        (
            "Invite: a meeting, a story, a colleague to talk to. A vacancy comes only when this "
            "person is ready for one."
        ),
    ),
    "next_do": (
        "Neem contact op over een vacature of project. Het moment is kort.",
        "Get in touch about a vacancy or project. The moment is short.",
    ),
    "in_procedure": (
        (
            "Zit in een procedure ({what}, {day}). Stem af met wie die doet, voordat u een andere "
            "vacature aanbiedt."
        ),
        (
            "Is in a procedure ({what}, {day}). Agree with whoever runs it before you offer "
            "another vacancy."
        ),
    ),
    "next_none": (
        "Er is niets in de catalogus dat deze persoon nog niet zag en dat nu past.",
        "There is nothing in the catalogue that fits now and was not seen yet.",
    ),
    "hold_pressure": (
        "Wacht met mailen: kreeg in 7 dagen al {number} berichten.",
        "Wait with mail: was sent {number} messages in 7 days.",
    ),
    "hold_pressure_1": (
        "Wacht met mailen: kreeg in 7 dagen al 1 bericht.",
        "Wait with mail: was sent 1 message in 7 days.",
    ),
    "hold_unsubscribed": (
        "Mail deze persoon niet: er is afgemeld.",
        "Do not mail this person: they unsubscribed.",
    ),
    "hold_unsubscribed_1": (
        "Mail deze persoon niet: er is afgemeld.",
        "Do not mail this person: they unsubscribed.",
    ),
    "rights": ("Rechten van deze persoon", "This person's rights"),
    "rights_known": (
        "Download alles wat we weten (JSON)",
        "Download all that is known (JSON)",
    ),
    "rights_object": ("Bezwaar vastleggen", "Record an objection"),
    "rights_erase": ("Wissen", "Erase"),
    "openness": ("openheid voor iets nieuws", "openness to something new"),
    "not_scored": (
        "Van deze persoon maken we geen schatting: {cause}.",
        "We make no estimate of this person: {cause}.",
    ),
    "not_agreed": ("er is geen toestemming voor", "there is no consent to it"),
    "employed": ("er is een dienstverband", "they are employed"),
    "left": (
        "er was een dienstverband, en daarna is geen toestemming gegeven",
        "they were employed, and gave no consent since",
    ),
    "consent": ("Toestemming", "Consent"),
    "said": ("gezegd op {day}", "said on {day}"),
    "repeated": ("zo gemeld op {day}", "so reported on {day}"),
    "repeated_since": (
        "zo gemeld sinds {first}, het laatst op {day}",
        "so reported since {first}, last on {day}",
    ),
    "never_said": ("nooit gezegd", "never said"),
    "purpose_measure": ("Meten", "To be measured"),
    "purpose_profile": ("Een schatting maken", "An estimate"),
    "purpose_contact": ("Contact opnemen", "To be contacted"),
    "purpose_contact_mail": ("Contact per mail", "By mail"),
    "purpose_contact_phone": ("Contact per telefoon", "By telephone"),
    "purpose_contact_messaging": ("Contact per bericht", "By message"),
    "purpose_share": ("Delen met anderen", "To be shared with others"),
    "why": ("Waarom", "Why"),
    "why_hint": (
        "Voor (rechts) of tegen (links), kleine sporen per soort. Samen zijn ze de schatting.",
        "For (right) or against (left), small traces by kind. Together they are the estimate.",
    ),
    "why_cut": (
        "De balk van stilte is afgebroken: hij is langer dan hier past. Het getal ernaast telt.",
        "The bar of silence is broken off: it is longer than fits here. Its number is what counts.",
    ),
    "prior": ("Vertrekpunt", "Starting point"),
    "total": ("Samen", "Together"),
    "latent_latent": ("Niet op zoek", "Not looking"),
    "actively_latent": ("Open voor iets nieuws", "Open to something new"),
    "active": ("Op zoek", "Looking"),
    "habits": ("Gewoonten", "Habits"),
    "interests": ("Leest over", "Reads about"),
    "availability": ("Beschikbaar", "Available"),
    "available": ("ja", "yes"),
    "available_from": ("vanaf {day}", "from {day}"),
    "unavailable": ("nee", "no"),
    "availability_said": ("gezegd", "said so"),
    "availability_calendar": ("bekeek projecten", "looked at projects"),
    "rhythm": ("Komt langs", "Comes by"),
    "every_days": ("ongeveer om de {days} dagen", "about every {days} days"),
    "every_day": ("ongeveer elke dag", "about every day"),
    "best_moment": ("Goed moment", "Good moment"),
    "moment": ("{weekday} rond {hour}", "{weekday} around {hour}"),
    "pressure": ("Berichten van ons", "Messages from us"),
    "contacts": (
        "in 7 dagen {week}, in 30 dagen {month}",
        "{week} in 7 days, {month} in 30 days",
    ),
    "journey": ("Fasen", "Phases"),
    "since": ("sinds", "since"),
    "until": ("tot", "until"),
    "expects": ("verwacht vanaf", "expected from"),
    "latest": ("De laatste {shown} van {all}.", "The latest {shown} of {all}."),
    "unknown_title": ("Deze persoon kennen we niet", "We do not know this person"),
    "unknown_hint": (
        "Misschien klopt het adres niet, of is de persoon verwijderd.",
        "The address may be wrong, or the person was removed.",
    ),
    "yes": ("ja", "yes"),
    "no": ("nee", "no"),
    "timeline": ("Wat er gebeurde", "What happened"),
    "machine": ("waarschijnlijk software", "probably software"),
    "silence": ("liet niets van zich horen", "was not heard from"),
    "hired": ("werd aangenomen", "was hired"),
    "known_as": ("Bekend als", "Known as"),
}  # fmt: skip
