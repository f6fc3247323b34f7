"""The demonstration's target group: technicians who do not exist."""

from typing import NamedTuple

import numpy as np

from services.contract.phases import DAY_MS

FIRST_NAMES = (
    "Aafke", "Ali", "Anouk", "Bas", "Bilal", "Bram", "Carlijn", "Daan", "Demi", "Dirk", "Elif",
    "Esra", "Femke", "Fenna", "Gijs", "Hanna", "Hidde", "Ilse", "Jasper", "Jelle", "Jochem",
    "Karim", "Kees", "Lieke", "Lotte", "Maaike", "Maud", "Milan", "Naima", "Niels", "Noor",
    "Okke", "Pim", "Ravi", "Rens", "Roos", "Ruben", "Saar", "Samira", "Sjoerd", "Stijn", "Teun",
    "Tess", "Tim", "Wessel", "Wout", "Yara", "Youssef", "Zoë",
)  # fmt: skip
PROFESSIONS = {
    "monteur": 0.42, "storingsmonteur": 0.18, "werkvoorbereider": 0.14, "meettechnicus": 0.10,
    "engineer": 0.09, "uitvoerder": 0.07,
}  # fmt: skip
REGIONS = {"Noord": 0.24, "Oost": 0.20, "Midden": 0.18, "West": 0.22, "Zuid": 0.16}
LEVELS = {"mbo-2": 0.22, "mbo-3": 0.33, "mbo-4": 0.31, "hbo": 0.14}

KNOWN_AT_START = 0.75
"""The share that came with the first import; the others sign up in the course of the year."""
FRAILTY_SHAPE = 2.0


class Technician(NamedTuple):
    """One invented technician."""

    user_id: str
    anonymous_id: str
    activity: float
    """How much more or less than others this one does; mean 1."""
    joined_ms: int
    """When we came to know this one's name."""
    traits: dict[str, str]


def technicians(
    rng: np.random.Generator, count: int, start_ms: int, end_ms: int
) -> list[Technician]:
    """The target group, the same for the same generator, start and end."""
    activity = rng.gamma(FRAILTY_SHAPE, 1 / FRAILTY_SHAPE, count)
    # The last two months bring nobody new: the year's end then shows moves, not arrivals.
    later = rng.integers(start_ms, end_ms - 60 * DAY_MS, count)
    joined = np.where(rng.random(count) < KNOWN_AT_START, start_ms, later)
    names = rng.integers(0, len(FIRST_NAMES), count)
    initials = rng.integers(0, 26, count)
    cookies = rng.integers(0, 2**63, count)
    chosen = {
        trait: rng.choice(list(shares), count, p=list(shares.values()))
        for trait, shares in (("profession", PROFESSIONS), ("region", REGIONS), ("level", LEVELS))
    }
    return [
        Technician(
            user_id=f"t-{index:04}",
            anonymous_id=f"c-{int(cookies[index]):016x}",
            activity=float(activity[index]),
            joined_ms=int(joined[index]),
            traits={
                "name": f"{FIRST_NAMES[names[index]]} {chr(65 + int(initials[index]))}.",
                "email": f"t-{index:04}@post.example",
                **{trait: str(values[index]) for trait, values in chosen.items()},
            },
        )
        for index in range(count)
    ]
