"""The sample site's words: labels and body texts per kind of content."""

LABELS = {
    "story": "Verhaal",
    "behind_the_scenes": "Achter de schermen",
    "podcast": "Podcast",
    "magazine": "Magazine",
    "vacancy": "Vacature",
    "project": "Projecten",
    "meeting": "Bijeenkomst",
}

PARAGRAPHS: dict[str, str] = {
    "story": """
Om kwart over twee valt in drie straten het licht uit. Wie slaapt, merkt er niets van. Wie
dienst heeft, zit op dat moment al in de bus.

Het is werk met je handen en met je hoofd: meten, uitsluiten, nog eens meten. En dan die ene mof
vinden die na veertig jaar vocht heeft gelaten.

Tegen de ochtend springt de straatverlichting weer aan. Niemand zwaait. Toch rijdt de ploeg met
een grijns naar huis.
""",
    "behind_the_scenes": """
Hoe ziet zo'n dag er echt uit? We liepen mee, van de eerste koffie tot de laatste handtekening
op de werkvergunning.

Wat opvalt: niemand hoeft iets te doen wat niet veilig voelt. Wie twijfelt, stopt, en dat is het
beste gesprek van de dag.
""",
    "podcast": """
In Onder spanning praten monteurs, engineers en een enkele hacker over het net van morgen.
Zonder jargon, met veel koffie.
""",
    "magazine": """
Spanning is ons magazine over techniek, mensen en de grond waarin het allemaal ligt. Blader door
dit nummer.
""",
    "vacancy": """
Je werkt in een vaste ploeg aan kabels, stations en aansluitingen in je eigen regio. Je leert
bij op onze bedrijfsschool, met een meester die het vak kent.

Wat we bieden: een contract voor onbepaalde tijd, 38 uur, een bus met goed gereedschap, en de
vrijheid om werk stil te leggen als het niet veilig is.
""",
    "project": """
Wat begint er de komende maanden, waar, en wie zoeken we erbij? De kalender laat het zien, zodat
jij ziet wat bij je past en wanneer.
""",
    "meeting": """
Vierentwintig uur, één nagebouwd schakelstation en vijf teams die proberen binnen te komen. Je
hoeft geen hacker te zijn: wie een net kan bouwen, kan het ook verdedigen.

We beginnen vrijdag om twaalf uur. Slapen mag, hoeft niet. Eten is er altijd.
""",
}
"""Per kind of content; an empty line parts paragraphs."""


def paragraphs_of(content_type: str) -> list[str]:
    """The body of a page about such content."""
    return PARAGRAPHS[content_type].strip().split("\n\n")
