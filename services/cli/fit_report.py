"""What a fit found, as tables."""

from collections.abc import Iterator

import numpy as np
from rich.console import Console
from rich.table import Table

from services.model.fitting.compare import OUTCOMES_MIN, Comparison
from services.model.fitting.history import Histories, site_codes
from services.model.fitting.judge import FALSE_PER_YEAR
from services.model.parameters import Parameters, Three


def show_comparison(before: Parameters, after: Parameters, found: Comparison) -> None:
    """Both versions' numbers, and how they did on held-out people."""
    console = Console()
    console.print(_numbers(before, after))
    console.print(_judged(found))
    console.print(
        f"Held out: {found.people:,} people, {found.person_years:,.0f} person-years, "
        f"{found.outcomes:,} with an application or a hire. Log-likelihood gained: "
        f"{found.gain_per_person:+.3f} ± {found.gain_error:.3f} nats per spell."
    )
    if found.outcomes < OUTCOMES_MIN:
        console.print(
            f"Fewer than {OUTCOMES_MIN} applications and hires among them: nothing is concluded "
            "from these; the prior and the look at vacancies alone keep active from turning "
            "into busy."
        )


def show_echo(before: Parameters, after: Parameters, histories: Histories) -> None:
    """The echo's strength."""
    visits = int(np.isin(histories.codes, site_codes(before)).sum())
    Console().print(
        f"A visit calls forth {after.echo.visits_per_visit:.3f} further visits "
        f"(before: {before.echo.visits_per_visit:.3f}), by {visits:,} visits of "
        f"{len(np.unique(histories.person)):,} people; what was believed before counts as 100."
    )


def _numbers(before: Parameters, after: Parameters) -> Table:
    table = Table(title="Numbers, for latent-latent, actively latent, active")
    for heading in ("", "before", "after"):
        table.add_column(heading)
    for name, one, other in _pairs(before, after):
        table.add_row(name, one, other)
    return table


def _pairs(before: Parameters, after: Parameters) -> Iterator[tuple[str, str, str]]:
    yield "start", _three(before.start), _three(after.start)
    for state, targets in before.mean_days_until.items():
        for target, days in targets.items():
            found = after.mean_days_until[state][target]
            yield f"days {state} → {target}", f"{days:,.0f}", f"{found:,.0f}"
    for kind, rates in before.rates_per_day.items():
        yield f"{kind} per day", _three(rates), _three(after.rates_per_day[kind])
    for name in ("mail", "magazine_issue"):
        one, other = getattr(before, name), getattr(after, name)
        yield f"{name} opened", _three(one.open), _three(other.open)
        clicked = _three(one.click_given_open), _three(other.click_given_open)
        yield f"{name} clicked if opened", *clicked
    echo = before.echo.visits_per_visit, after.echo.visits_per_visit
    yield "visits per visit (echo)", f"{echo[0]:.3f}", f"{echo[1]:.3f}"


def _three(values: Three) -> str:
    return "  ".join(f"{value:.3g}" for value in values)


def _judged(found: Comparison) -> Table:
    table = Table(
        title=f"On held-out people, at {FALSE_PER_YEAR:.2f} alarms per person-year that no "
        "application or hire followed within 90 days"
    )
    points = f"decayed points, half-life {found.points_half_life_days:.0f} days"
    for heading in ("", "before", "after", points):
        table.add_column(heading, justify="left" if not heading else "right")
    for row in _rows(found):
        table.add_row(*row)
    return table


def _rows(found: Comparison) -> Iterator[list[str]]:
    b, a = found.before, found.after
    judged = (b.judged, a.judged, found.points)
    likelihoods = [f"{side.log_likelihood_per_year:.2f}" for side in (b, a)]
    yield ["log-likelihood, nats per person-year", *likelihoods, "—"]
    yield ["applies or is hired in 4 weeks: expected", _share(b.expected), _share(a.expected), "—"]
    yield ["… observed", _share(b.observed), _share(a.observed), "—"]
    yield ["calibration error", _share(b.calibration_error), _share(a.calibration_error), "—"]
    ranking = [f"{auc:.3f}" for auc in (b.auc, a.auc, found.points.auc)]
    yield [f"ranks these first (AUC; activity {found.activity_auc:.3f})", *ranking]
    yield ["… by P(active)", *(f"{side.judged.auc:.3f}" for side in (b, a)), "—"]
    alike = [f"{side.auc_among_alike:.3f}" for side in (b, a)]
    yield ["… by P(active), among people of like activity", *alike, "—"]
    yield ["all alarms per person-year", *(f"{one.alarms_per_year:.2f}" for one in judged)]
    yield ["alarm before application or hire", *(_share(one.caught) for one in judged)]
    yield ["days ahead, mean (a miss is 0)", *(f"{one.lead_days:.1f}" for one in judged)]
    shares = [f"{side.looking_share:.2f}" for side in (b, a)]
    yield ["active: share of acts about vacancies", *shares, "—"]
    likeness = [f"{side.like_activity:.2f}" for side in (b, a)]
    yield ["active: likeness to plain activity", *likeness, "—"]


def _share(value: float) -> str:
    return f"{value:.2%}"
