"""What plans in whole blocks answer: each figure lies between two ends, by what is proven of the plans."""

from __future__ import annotations

from typing import Literal

from gigawatt.domain.record import Record

BlockOutcome = Literal[
    "told apart", "not told apart at this gap", "indispensable", "cannot be signed", "out of time"
]


class BlockWorth(Record):
    """What an offer is worth in whole blocks: two plans compared, each known to within its gap."""

    bought: bool
    """True: all that the plan has of the offer, against the best plan without it. False: the plan has none,
    and the price is that at which a plan would begin to sign it.
    """
    outcome: BlockOutcome
    """"not told apart": the gaps of the two plans are wider than what is asked; "indispensable": no plan
    meets the roadmap without it; "cannot be signed": none meets it with its least signature.
    """
    num_accelerators: float | None = None
    """Valued, over all signatures."""
    low_usd: float | None = None
    """What is bought saves no less than this at the quoted price, by what is proven of both plans."""
    high_usd: float | None = None
    """And no more than this."""
    low_usd_per_gpu_h: float | None = None
    """Price at which nothing is saved, or signing begins: no less than this."""
    high_usd_per_gpu_h: float | None = None
    """And no more than this; None where nothing bounds it."""
    gap_frac: float | None = None
    """The wider of the two plans' gaps."""


class WholeStrategy(Record):
    """One way to go about it in whole blocks: the best plan found that keeps to it."""

    low_usd: float
    """By mean and tail as the roadmap weighs them: no plan of this kind costs less."""
    high_usd: float
    """What was found."""
    mean_usd: float
    cvar_usd: float
    cost_by_future_usd: dict[str, float]
    low_regret_by_future_usd: dict[str, float]
    """Over perfect foresight: no less than this."""
    high_regret_by_future_usd: dict[str, float]


class WholeRisk(Record):
    """What knowing more is worth to plans in whole blocks, by the mean: each figure between two ends.

    Where time did not suffice for a plan of its own, the ends are those of relaxed plans and of the plan at
    hand, which bound it as well, only wider.
    """

    low_mean_usd: float
    """No plan costs less."""
    high_mean_usd: float
    """What was found."""
    low_wait_and_see_usd: float
    high_wait_and_see_usd: float
    low_expected_value_usd: float | None
    """Of what the plan for the mean future signs first; None: no plan was found that follows from it."""
    high_expected_value_usd: float | None
    low_evpi_usd: float
    high_evpi_usd: float
    low_vss_usd: float | None
    high_vss_usd: float | None


class WholeFlip(Record):
    """How far things may change before plans in whole blocks sign otherwise, by planning there."""

    holds_frac: float
    """Largest change, in size, at which a plan still signs as now."""
    flips_frac: float | None
    """Smallest at which signing as now is proven to cost more; None: at no change that was looked at. Between
    the two the gaps leave it open.
    """
    low_keeping_usd: float | None = None
    """What signing as now costs more there: no less than this. As now: at least a block of each offer that is
    dropped, and nothing of those that are added, within the first months. None: no plan does and meets the
    roadmap.
    """
    high_keeping_usd: float | None = None
    """And no more than this."""
    before: str
    """What the plan in whole blocks signs now."""
    after: str
    gap_frac: float
    """The widest of these plans' gaps."""


class JointFlip(Record):
    """The smallest step that changes what is signed now when several assumptions take it at once.

    Measured by the largest change: each of them changes by no more than this.
    """

    changes_frac: dict[str, float]
    """By assumption."""
    largest_frac: float
    holds_frac: float
    """Largest common step, in size, that was found to change nothing."""
    before: str
    after: str
    whole: WholeFlip | None = None
    """Along the same way in whole blocks; None: time did not suffice."""
