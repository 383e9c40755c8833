"""Break-evens over the ranges that a roadmap states: 10 and 90 % points, and the chance that renting wins.

Each range is drawn by itself, evenly over its quantiles, from its three stated points; nothing is drawn where
no range is stated. Kinds of one offer are dear or cheap together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gigawatt.contract.breakeven import break_evens
from gigawatt.domain.break_even import BreakEven, BreakEvenRange
from gigawatt.domain.dates import PortfolioDates
from gigawatt.domain.portfolio import Roadmap
from gigawatt.domain.ranges import padded, range_of
from gigawatt.domain.record import Record
from gigawatt.laws.chance import stated_quantile
from gigawatt.laws.schedule import MONTH_DAYS

Numbers = NDArray[np.float64]
Drawn = Callable[[Roadmap, float], Roadmap]
NUM_DRAWS = 256
LOW, HIGH = 0.1, 0.9
NEVER = 2.0**20
"""Months, for what does not come within the horizon."""


@dataclass(frozen=True)
class Input:
    """Something whose range is stated."""

    name: str
    drawn: Drawn
    """The roadmap where it stands at a normal score."""


def ranged_break_evens(roadmap: Roadmap, dates: PortfolioDates | None = None) -> Iterator[BreakEven]:
    """Every break-even, with what stated ranges make of it, and how likely a project is late enough."""
    for one in break_evens(roadmap):
        ranges = _ranges(roadmap, one)
        late = _late_frac(dates, one) if dates else None
        yield one.model_copy(update={"ranges": ranges, "late_frac": late})


def _ranges(roadmap: Roadmap, one: BreakEven) -> BreakEvenRange | None:
    """None where the roadmap states no range that matters here."""
    alone = _alone(roadmap, one)
    inputs = list(inputs_of(alone, one))
    if not inputs:
        return None
    rows = [found for changed in _draws(alone, inputs) if (found := _same(changed, one)) is not None]
    own, rent, price, use = (
        np.array([getattr(row, name) for row in rows])
        for name in (
            "own_usd_per_gpu_h", "rent_usd_per_gpu_h", "price_usd_per_gpu_h", "utilisation_frac"
        )
    )  # fmt: skip
    delay = np.array([NEVER if row.delay_months is None else row.delay_months for row in rows])
    return BreakEvenRange(
        inputs=tuple(one.name for one in inputs),
        num_draws=len(rows),
        low_own_usd_per_gpu_h=_point(own, LOW),
        high_own_usd_per_gpu_h=_point(own, HIGH),
        low_rent_usd_per_gpu_h=_point(rent, LOW),
        high_rent_usd_per_gpu_h=_point(rent, HIGH),
        low_price_usd_per_gpu_h=_point(price, LOW),
        high_price_usd_per_gpu_h=_point(price, HIGH),
        low_utilisation_frac=_point(use, LOW),
        high_utilisation_frac=_point(use, HIGH),
        low_delay_months=_months(_point(delay, LOW)),
        high_delay_months=_months(_point(delay, HIGH)),
        rent_cheaper_frac=float((rent < own).mean()),
    )


def _point(values: Numbers, share: float) -> float:
    return float(np.quantile(values, share, method="median_unbiased"))


def _months(value: float) -> int | None:
    return None if value >= NEVER / 2 else round(value)


def _alone(roadmap: Roadmap, one: BreakEven) -> Roadmap:
    """What one break-even is made of: the owned offer at its site, its power, and what could be rented."""
    offers = tuple(
        offer.model_copy(update={"sites": (one.site,)}) if offer.id == one.owned else offer
        for offer in roadmap.offers
        if offer.id == one.owned or (offer.form not in ("owned", "spot") and one.kind in offer.kinds)
    )
    power = tuple(offer for offer in roadmap.power if offer.site == one.site)
    return roadmap.model_copy(update={"offers": offers, "power": power, "futures": (), "reveals": ()})


def _same(roadmap: Roadmap, one: BreakEven) -> BreakEven | None:
    """The same break-even in another roadmap; None where hardware comes too late for it."""
    found = (
        row
        for row in break_evens(roadmap)
        if (row.owned, row.kind, row.site) == (one.owned, one.kind, one.site)
    )
    return next(found, None)


def _draws(roadmap: Roadmap, inputs: list[Input]) -> Iterator[Roadmap]:
    """Roadmaps by Latin hypercube: every input takes each of its quantiles once."""
    rng = np.random.default_rng(roadmap.seed)
    middles = special.ndtri((np.arange(NUM_DRAWS) + 0.5) / NUM_DRAWS)
    scores = [middles[rng.permutation(NUM_DRAWS)] for _ in inputs]
    for number in range(NUM_DRAWS):
        changed = roadmap
        for one, score in zip(inputs, scores, strict=True):
            changed = one.drawn(changed, float(score[number]))
        yield changed


def inputs_of(roadmap: Roadmap, one: BreakEven) -> Iterator[Input]:
    """Everything with a stated range, in the order of the roadmap."""
    for number, chip in enumerate(roadmap.chips):
        if chip.id == one.kind and range_of(chip, "resale_frac"):
            yield Input(f"what {chip.id} fetches second-hand", _member("chips", number, "resale_frac"))
    for number, place in enumerate(roadmap.places):
        if place.id == one.site and range_of(place, "power_price_usd_per_mwh"):
            yield Input(f"price of power at {place.id}", _member("places", number, "power_price_usd_per_mwh"))
    words = {"capex_usd": "capital of", "price_usd_per_gpu_h": "price of", "lead_months": "lead time of"}
    for number, offer in enumerate(roadmap.offers):
        for name, word in words.items():
            if range_of(offer, name):
                yield Input(f"{word} {offer.id}", _member("offers", number, name))
    for number, power in enumerate(roadmap.power):
        if range_of(power, "capex_usd_per_w"):
            yield Input(f"capital of {power.id}", _member("power", number, "capex_usd_per_w"))


def _member(owner: str, number: int, name: str) -> Drawn:
    """Puts one field of one record at a score."""

    def drawn(roadmap: Roadmap, score: float) -> Roadmap:
        members = list(getattr(roadmap, owner))
        members[number] = at_score(members[number], name, score)
        return roadmap.model_copy(update={owner: tuple(members)})

    return drawn


def at_score(record: Record, name: str, score: float) -> Record:
    """A record whose ranged field stands at a normal score."""
    ends = range_of(record, name)
    assert ends is not None
    value = _at(ends[0], getattr(record, name), ends[1], score)
    return record.model_copy(update={name: value})


def _at(low: Any, middle: Any, high: Any, score: float) -> Any:
    """A figure, or each member of a mapping or of a curve of shares, at a normal score."""
    if isinstance(middle, dict):
        return {key: _at(low[key], value, high[key], score) for key, value in middle.items()}
    if isinstance(middle, tuple):
        count = max(map(len, (low, middle, high)))
        rows = zip(*(padded(one, count) for one in (low, middle, high)), strict=True)
        return tuple(min(1.0, _at(least, value, most, score)) for least, value, most in rows)
    value = float(stated_quantile(score, low, middle, high))
    if isinstance(middle, int):
        return max(0, round(value))
    return value if low < 0 else max(0.0, value)


def _late_frac(dates: PortfolioDates, one: BreakEven) -> float | None:
    """Chance that a block of power at the site is later than planned by the delay from which renting wins.

    None where no project speaks of the site, or no delay within the horizon is enough.
    """
    blocks = [block for block in dates.blocks if block.site == one.site]
    if not blocks or one.delay_months is None:
        return None
    first = min(blocks, key=lambda block: block.planned)
    late = [(day - first.planned).days / MONTH_DAYS for day in (first.p10, first.p50, first.p90)]
    scores = special.ndtri((np.arange(NUM_DRAWS) + 0.5) / NUM_DRAWS)
    return float((stated_quantile(scores, *late) >= one.delay_months).mean())
