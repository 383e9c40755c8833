"""Where owning costs as much as renting, and how that spreads over stated ranges."""

from __future__ import annotations

from gigawatt.domain.record import Record


class BreakEvenRange(Record):
    """10 and 90 % points of a break-even over ranges that were stated; all that has none as stated."""

    inputs: tuple[str, ...]
    """What has a range, each drawn by itself."""
    num_draws: int
    low_own_usd_per_gpu_h: float
    high_own_usd_per_gpu_h: float
    low_rent_usd_per_gpu_h: float
    high_rent_usd_per_gpu_h: float
    low_price_usd_per_gpu_h: float
    """Of the quoted rent below which renting is cheaper."""
    high_price_usd_per_gpu_h: float
    low_utilisation_frac: float
    high_utilisation_frac: float
    low_delay_months: int | None
    """None: not within the horizon."""
    high_delay_months: int | None
    rent_cheaper_frac: float
    """Chance that renting all along is cheaper."""


class BreakEven(Record):
    """Where owning one kind at one site costs as much as renting it."""

    kind: str
    site: str
    owned: str
    rented: str
    own_usd_per_gpu_h: float
    """Capital less what is fetched, power and upkeep, over the delivered hours within the horizon,
    discounted.
    """
    rent_usd_per_gpu_h: float
    """Of the rent, over delivered hours."""
    price_usd_per_gpu_h: float
    """Quoted rent below which renting is cheaper."""
    utilisation_frac: float
    """Share of hours above which owning is cheaper than renting by the hour; above 1: never."""
    delay_months: int | None
    """Months of delay, rent paid meanwhile, from which owning is dearer; None: not within the horizon."""
    ranges: BreakEvenRange | None = None
    """Over the ranges that the roadmap states; None where it states none that matters here."""
    late_frac: float | None = None
    """Chance, by the dates of a construction project, that the site's first block is late by that delay."""
