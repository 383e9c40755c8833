"""What a portfolio says of the dates that it plans with: where they are from, and what a week costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.dates import PortfolioDates
from gigawatt.domain.portfolio import Roadmap, month_index
from gigawatt.domain.portfolio_plan import FutureCost
from gigawatt.laws.schedule import MONTH_DAYS, WEEK_DAYS

Floats = NDArray[np.float64]


def date_assumptions(roadmap: Roadmap, dates: PortfolioDates | None) -> Iterator[str]:
    """How distributions became futures, and which building works have none."""
    if dates:
        yield from _taken(dates)
    owners = {one.owner for one in dates.costs} if dates else set[str]()
    for offer in roadmap.power:
        if offer.form == "build" and offer.lead_months and offer.id not in owners:
            by_hand = any(change.delays(offer) for future in roadmap.futures for change in future.changes)
            yield _single(offer.id, f"{offer.lead_months} months after its signature", by_hand)
    begin = month_index(roadmap.start)
    for place in roadmap.places:
        later = [step.month for step in place.energised or () if month_index(step.month) > begin]
        if later and place.id not in owners:
            by_hand = any(
                change.energised is not None and (not change.sites or place.id in change.sites)
                for future in roadmap.futures
                for change in future.changes
            )
            yield _single(place.id, f"{', '.join(later)} for its steps of power", by_hand)


def _taken(dates: PortfolioDates) -> Iterator[str]:
    owners = ", ".join(one.owner for one in dates.costs)
    yield (
        f"dates of {owners} are five levels of {dates.num_samples:,} outcomes (seed {dates.seed}) that keep "
        "mean, P10, P50 and P90, to the month; blocks of one place come early and late together"
    )
    if len({one.file for one in dates.costs}) > 1:
        yield "projects in different files are late independently: what shares a supplier goes into one file"
    if dates.num_combinations > len(dates.own):
        yield (
            f"{len(dates.own)} futures stand for {dates.num_combinations} combinations of dates and own "
            "futures: the chance of every date and of every own future is as it was"
        )


def _single(owner: str, when: str, by_hand: bool) -> str:
    beside = ", and delays by hand in futures" if by_hand else ""
    return (
        f"{owner}: one date ({when}){beside}; no distribution: `schedule` would name a construction project"
    )


def priced(dates: PortfolioDates, futures: Sequence[FutureCost], gap_usd: float) -> PortfolioDates:
    """What a week later costs the portfolio: the slope of what its futures cost over their months.

    By least squares over futures, each by its chance; what the roadmap's own futures differ in is left to
    them, and what several owners' dates do is told apart as far as they are not late together. The plan costs
    at most `gap_usd` too much; how far that may move the slope, if all of it lies in one future, is told.
    """
    names = [one.future for one in futures]
    chances = np.array([one.probability_frac for one in futures])
    own = [dates.own[name] for name in names]
    late = [_mean_months(dates, one.owner, names) for one in dates.costs]
    groups = np.array([[float(one == other) for one in own] for other in dict.fromkeys(own)])
    within = [row - sum(g * (chances * g @ row) / (chances @ g) for g in groups) for row in late]
    weight = np.sqrt(chances)
    spent = np.array([one.present_usd for one in futures])
    fit = np.linalg.pinv((np.array([*within, *groups]) * weight).T)
    week = WEEK_DAYS / MONTH_DAYS
    costs = tuple(
        one.model_copy(
            update={
                "week_usd": float(row @ (spent * weight)) * week,
                "gap_week_usd": float(np.abs(row / weight).max()) * gap_usd * week,
            }
        )
        if moves.any()
        else one
        for one, row, moves in zip(dates.costs, fit, within, strict=False)
    )
    return dates.model_copy(update={"costs": costs})


def _mean_months(dates: PortfolioDates, owner: str, names: Sequence[str]) -> Floats:
    """[futures] month in which an owner's blocks are there, by their power."""
    blocks = [one for one in dates.blocks if one.owner == owner]
    months = np.array([[month_index(one.months[name]) for name in names] for one in blocks])
    power = np.array([one.power_w for one in blocks])
    return np.asarray(power @ months / power.sum(), np.float64)
