"""The words of a privacy officer's pages."""

PRIVACY: dict[str, tuple[str, str]] = {
    "privacy": ("Privacy", "Privacy"),
    "privacy_hint": (
        (
            "Iemand vraagt wat u weet, maakt bezwaar of wil gewist worden. Zoek op wat die persoon "
            "opgeeft: een e-mailadres, een gebruikersnummer."
        ),
        (
            "Somebody asks what you know, objects, or wants to be erased. Look them up by what "
            "they give you: a mail address, a user id."
        ),
    ),
    "privacy_kind": ("Wat is het?", "What is it?"),
    "privacy_value": ("Waarde", "Value"),
    "privacy_look": ("Zoek", "Look up"),
    "privacy_nobody": ("Niemand is hieraan bekend.", "Nobody is known by this."),
    "privacy_never": (
        "Er is ook nooit iemand gewist die zo bekend was.",
        "Nor was anybody erased who was known so.",
    ),
    "privacy_erased": ("Gewist op {moment} ({reason}).", "Erased on {moment} ({reason})."),
    "privacy_renewed": (
        "Op {moment} gaf deze persoon opnieuw toestemming.",
        "On {moment} this person gave consent anew.",
    ),
    "privacy_proofs": (
        "Bewijs van eerdere toestemming, bewaard zonder naam of adres",
        "Proof of earlier consent, kept without name or address",
    ),
    "privacy_proof_day": ("Gezegd op", "Said on"),
    "privacy_proof_purpose": ("Waarvoor", "For what"),
    "privacy_proof_answer": ("Antwoord", "Answer"),
    "privacy_anyway": (
        (
            "Ook van wie u nog niet kent, kunt u een bezwaar of wissing vastleggen: die geldt dan "
            "voor wat later binnenkomt."
        ),
        (
            "An objection or erasure can be recorded of somebody you do not know yet: it then "
            "holds for what comes in later."
        ),
    ),
    "privacy_open": ("Open de pagina van deze persoon", "Open this person's page"),
    "reason_erased": ("op verzoek", "on request"),
    "reason_retention": ("bewaartermijn voorbij", "kept long enough"),
    "object_title": ("Bezwaar vastleggen: {name}", "Record an objection: {name}"),
    "object_what": (
        (
            "Deze persoon verlaat direct alle segmenten en fasen. Van wat eerder gebeurde wordt "
            "geen schatting meer gemaakt. Gebeurtenissen blijven bewaard. Geeft deze persoon "
            "later opnieuw toestemming, dan begint het vanaf dat moment opnieuw."
        ),
        (
            "This person leaves every segment and phase at once. No estimate is made any more of "
            "what was before. Events are kept. If this person consents again later, it begins "
            "anew from that moment."
        ),
    ),
    "object_reason": ("Reden, zoals de persoon die gaf", "Reason, as the person gave it"),
    "object_day": ("Wanneer gezegd", "When it was said"),
    "object_go": ("Leg het bezwaar vast", "Record the objection"),
    "object_done": (
        "Het bezwaar is vastgelegd. Van {name} wordt geen schatting meer gemaakt.",
        "The objection is recorded. No estimate is made of {name} any more.",
    ),
    "erase_title": ("Wissen: {name}", "Erase: {name}"),
    "erase_what": (
        (
            "Alles wat van deze persoon bekend is verdwijnt, en komt niet terug: gebeurtenissen, "
            "kenmerken, schattingen, segmenten. Gekoppelde systemen horen dat zij hun kopie "
            "moeten wissen. Bewaard blijft, zonder naam of adres, dát er gewist is en dat er "
            "toestemming was. Dit kan niet ongedaan worden gemaakt."
        ),
        (
            "All that is known of this person goes, and does not come back: events, attributes, "
            "estimates, segments. Connected systems are told to erase their copy. Kept, without "
            "name or address, is that there was an erasure, and that there had been consent. It "
            "cannot be undone."
        ),
    ),
    "erase_known_as": (
        "Dit hoort bij deze persoon en gaat mee:",
        "This is the person's, and goes too:",
    ),
    "erase_which": ("Wat gaat er weg?", "What goes?"),
    "erase_whole": ("alles wat hierboven staat", "all that stands above"),
    "erase_core": (
        "niet wat alleen webpagina's aan deze persoon koppelden",
        "not what web pages alone tied to this person",
    ),
    "erase_done_partly": (
        "{name} is gewist. Wat alleen webpagina's koppelden, blijft staan.",
        "{name} is erased. What web pages alone tied stays.",
    ),
    "erase_sure": ("Ja, wis deze persoon voorgoed", "Yes, erase this person for good"),
    "erase_go": ("Wis", "Erase"),
    "erase_not_sure": (
        "Er is niets gewist: zet eerst het vinkje.",
        "Nothing was erased: tick the box first.",
    ),
    "erase_done": ("{name} is gewist.", "{name} is erased."),
    "erase_done_nobody": (
        "Vastgelegd. Er was niemand zo bekend, en dat komt ook niet.",
        "Recorded. Nobody was known so, and nobody will be.",
    ),
    "done_soon": (
        "Het is opgeschreven en wordt binnen enkele tellen verwerkt. Laad deze pagina zo opnieuw.",
        "It is written down, and will be worked off within seconds. Load this page again then.",
    ),
    "done_what_is_left": ("Wat er nu nog bekend is", "What is known now"),
    "cancel": ("Annuleren", "Cancel"),
}
