"""Plans in whole blocks of a roadmap that differs a little: what is proven of each, and in bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gigawatt.contract.blocks import Plan, plan_blocks
from gigawatt.contract.columns import Pinned, Relaxed, relax
from gigawatt.contract.futures import Tree
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.pricing import score_of
from gigawatt.contract.signatures import Choice
from gigawatt.contract.solver import Unsolvable
from gigawatt.domain.portfolio import Roadmap
from gigawatt.errors import InfeasibleError

FINEST_FRAC = 2.0**-14
TELLING = 4.0
MANY_SHARES = 2**10
NEAR_FRAC = 1e-5


@dataclass
class Allowance:
    """Seconds for a number of questions: what one of them leaves, the others share."""

    deadline_s: float
    num_left: int
    most_shares: int = MANY_SHARES
    """A question may take this part of what is left, however many are to come: some answers are better than
    none.
    """

    @classmethod
    def of(cls, budget_s: float, num_questions: int, most_shares: int = MANY_SHARES) -> Allowance:
        """From now on."""
        return cls(time.monotonic() + budget_s, num_questions, most_shares)

    @property
    def spent(self) -> bool:
        """Whether nothing is left."""
        return time.monotonic() >= self.deadline_s

    def next_deadline_s(self) -> float:
        """When the next question has to be answered."""
        now = time.monotonic()
        share_s = (self.deadline_s - now) / max(1, min(self.num_left, self.most_shares))
        self.num_left -= 1
        return now + max(share_s, 0.0)


def telling_gap_frac(roadmap: Roadmap, worth_usd: float, cost_usd: float) -> float:
    """A gap that is small beside what is asked about; never above the roadmap's, never absurdly fine."""
    needed = abs(worth_usd) / (TELLING * max(abs(cost_usd), 1.0))
    return min(roadmap.solving.gap_frac, max(FINEST_FRAC, needed))


def replanned(roadmap: Roadmap, gap_frac: float, deadline_s: float, tree: Tree | None = None) -> Plan | None:
    """The best plan found, with its bound; None where time ran out before there was one.

    Raises InfeasibleError where nothing meets the roadmap.
    """
    return _in_time(lambda: plan_blocks(build_model(roadmap, tree), gap_frac, deadline_s), deadline_s)


def replanned_model(
    model: Model,
    gap_frac: float,
    deadline_s: float,
    pinned: Pinned | None = None,
    first: Choice | None = None,
) -> Plan | None:
    """The same for a model that was built already, with what is signed at its root where that is given.

    `first` are signatures to begin with.
    """

    def solve() -> Plan:
        return plan_blocks(model, gap_frac, deadline_s, relax(model, deadline_s, first, pinned))

    return _in_time(solve, deadline_s)


def _in_time(solve: Callable[[], Plan], deadline_s: float) -> Plan | None:
    try:
        return solve()
    except (Unsolvable, InfeasibleError) as reason:
        if time.monotonic() >= deadline_s:
            return None
        raise InfeasibleError(str(reason)) from None


def near_signatures(relaxed: Relaxed) -> Choice:
    """Signatures that a relaxed plan uses or nearly uses: those that a plan much like it begins with."""
    choice = relaxed.choice
    reduced = score_of(relaxed.reduced, choice)
    used = relaxed.answer.values[relaxed.fixed :] > 0
    return choice.taken(np.flatnonzero(used | (reduced < NEAR_FRAC * abs(relaxed.bound))))
