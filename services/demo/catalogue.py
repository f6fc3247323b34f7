"""What the demonstration's employer, a grid operator that does not exist, publishes."""

from typing import NamedTuple

EMPLOYER = "Netbeheer Noordzee"


class Item(NamedTuple):
    """One item of content."""

    content_id: str
    content_type: str
    """story, behind_the_scenes, podcast, magazine, vacancy, project, meeting."""
    title: str
    phase: str
    """The phase it is meant for: see, think or do."""
    path: str
    """Where it stands, below the site's address."""
    topics: tuple[str, ...]
    """What it is about."""


def _items(
    content_type: str, phase: str, folder: str, told: dict[str, tuple[str, ...]]
) -> tuple[Item, ...]:
    """Items of one type: the slug of each, and its title and topics."""
    return tuple(
        Item(
            f"{content_type}-{slug}", content_type, title, phase,
            f"/{folder}/{slug}", tuple(topics),
        )
        for slug, (title, *topics) in told.items()
    )  # fmt: skip


STORIES = _items(
    "story",
    "see",
    "verhalen",
    {
        "nacht-op-het-station": ("Een nacht op het schakelstation", "storingen", "nachtdienst"),
        "laadplein-haven": ("Hoe het laadplein in de haven er kwam", "energietransitie", "laden"),
        "storm-in-november": ("Storm in november: 4.000 huizen weer aan in drie uur", "storingen"),
        "vol-net": ("Het net is vol, en wat wij daaraan doen", "energietransitie", "netcongestie"),
        "veertig-jaar-kabels": ("Veertig jaar kabels trekken: Wim vertelt", "vakmanschap"),
        "zon-op-school": (
            "Een schooldak vol zon, en een net dat het aankan",
            "energietransitie",
            "zonne-energie",
        ),
        "ethisch-hacken": ("Wie ons net mag hacken, en waarom", "cyberveiligheid"),
        "polder-onder-stroom": ("Polder onder stroom", "energietransitie"),
        "nieuwe-wijk": ("Een wijk zonder gas: zo leg je dat aan", "energietransitie", "nieuwbouw"),
        "eerste-meter": ("De eerste slimme meter van de straat", "slimme meters"),
    },
)
BEHIND_THE_SCENES = _items(
    "behind_the_scenes",
    "think",
    "achter-de-schermen",
    {
        "dag-met-samira": ("Een dag mee met storingsmonteur Samira", "storingen", "vakmanschap"),
        "bedrijfsschool": ("Zo leert de bedrijfsschool je middenspanning", "opleiding"),
        "veilig-werken": ("Waarom iedereen bij ons het werk mag stilleggen", "veiligheid"),
        "bus-van-binnen": ("De bus van binnen: gereedschap waar je blij van wordt", "vakmanschap"),
        "ploeg-noord": ("Ploeg Noord: twaalf collega's, één koffiepot", "collega's"),
        "van-bouw-naar-net": (
            "Van de bouw naar het net: drie overstappers",
            "opleiding",
            "overstappen",
        ),
    },
)
PODCASTS = _items(
    "podcast",
    "see",
    "podcast",
    {
        "hackers-op-het-net": ("Onder spanning 1: hackers op het net", "cyberveiligheid"),
        "de-kabelbreuk": ("Onder spanning 2: de kabelbreuk", "storingen"),
        "wind-op-zee": ("Onder spanning 3: wind op zee", "energietransitie"),
        "batterij-in-de-buurt": (
            "Onder spanning 4: een batterij in de buurt",
            "energietransitie",
            "netcongestie",
        ),
    },
)
VACANCIES = _items(
    "vacancy",
    "do",
    "vacatures",
    {
        "monteur-laagspanning-noord": ("Monteur laagspanning, regio Noord", "laagspanning"),
        "monteur-middenspanning-west": ("Monteur middenspanning, regio West", "middenspanning"),
        "storingsmonteur-oost": ("Storingsmonteur, regio Oost", "storingen"),
        "monteur-gas-zuid": ("Monteur gas, regio Zuid", "gas"),
        "werkvoorbereider-midden": ("Werkvoorbereider, regio Midden", "werkvoorbereiding"),
        "meettechnicus-noord": ("Meettechnicus, regio Noord", "slimme meters"),
        "engineer-hoogspanning": ("Engineer hoogspanning", "hoogspanning"),
        "uitvoerder-nieuwe-wijken": ("Uitvoerder nieuwe wijken", "nieuwbouw"),
    },
)
PROJECT_CALENDAR = Item(
    "project-kalender", "project", "Projectkalender: wat er de komende maanden begint", "think",
    "/projecten", ("projecten",),
)  # fmt: skip
HACKATHON = Item(
    "meeting-hackathon", "meeting", "24 uur hacken: houd jij het net aan?", "think", "/hackathon",
    ("cyberveiligheid",),
)  # fmt: skip
MAGAZINES = tuple(
    Item(
        f"magazine-{number:02}", "magazine", f"Spanning, nummer {number}", "see",
        f"/magazine/{number}", ("vakmanschap", "energietransitie"),
    )
    for number in range(1, 13)
)  # fmt: skip

ITEMS: dict[str, Item] = {
    item.content_id: item
    for item in (
        *STORIES, *BEHIND_THE_SCENES, *PODCASTS, *VACANCIES, PROJECT_CALENDAR, HACKATHON,
        *MAGAZINES,
    )
}  # fmt: skip


class Mailing(NamedTuple):
    """One mailing: what stands in it, the first item on top."""

    mailing_id: str
    channel: str
    subject: str
    items: tuple[Item, ...]


def mailing(number: int) -> Mailing:
    """The mailing of a fortnight: in turn a newsletter, and the magazine with the calendar."""
    if number % 2:
        issue = MAGAZINES[number // 2 % len(MAGAZINES)]
        return Mailing(f"magazine-{number:03}", "magazine", issue.title, (issue, PROJECT_CALENDAR))
    story = STORIES[number // 2 % len(STORIES)]
    behind = BEHIND_THE_SCENES[number // 2 % len(BEHIND_THE_SCENES)]
    vacancy = VACANCIES[number // 2 % len(VACANCIES)]
    items = (story, behind, HACKATHON) if number % 4 else (story, behind, vacancy)
    return Mailing(f"nieuwsbrief-{number:03}", "email", story.title, items)
