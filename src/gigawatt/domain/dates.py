"""Which dates of construction projects a portfolio plans with, and what a week of delay costs it."""

from __future__ import annotations

from gigawatt.domain.record import Record
from gigawatt.domain.scenario import Day


class BlockDates(Record):
    """When one block of capacity is ready, by its project, and what the portfolio takes of that."""

    owner: str
    """The place or the offer of power that it feeds."""
    site: str
    file: str
    """Of the project, as the roadmap names it."""
    project: str
    block: str
    power_w: float
    """Of IT."""
    p10: Day
    p50: Day
    p90: Day
    planned: Day
    """By the single-date plan."""
    months: dict[str, str]
    """By future, from when on its power is there; of an offer's phase, if signed at the project's start."""


class DelayCost(Record):
    """What a week of delay costs, by the portfolio and by the project itself."""

    owner: str
    file: str
    week_usd: float | None = None
    """Present value, by the difference of the portfolio's futures; None where they do not differ in this."""
    gap_week_usd: float | None = None
    """How far that may be off: the plan's gap, if all of it lay in the future that moves this most."""
    promised_week_usd: float | None = None
    """What the project says that a week after the targets of these blocks costs."""
    worth_week_usd: float | None = None
    """What the mean worth of all blocks of the project loses in a week."""


class PortfolioDates(Record):
    """Distributions of dates, as a portfolio plans with them."""

    num_samples: int
    seed: int
    num_combinations: int
    """Of the roadmap's own futures and the levels of dates, before they were thinned out."""
    own: dict[str, str]
    """By future, the roadmap's own future that it belongs to; blank where it names none."""
    blocks: tuple[BlockDates, ...]
    costs: tuple[DelayCost, ...] = ()
