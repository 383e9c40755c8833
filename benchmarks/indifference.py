"""How long the worth of 100 offers takes: dual, left, right and whole, each by re-solves from the optimum.

60 months, 100 offers, 6 kinds and 10 sites, made up by a seed. The share whose dual price its own re-solve
confirms within 1 % is in `notes`: where duals are not unique the re-solve is the price, and both are
reported. `--blocks` asks for the worth of 40 offers in whole blocks instead, within 256 seconds on the wall:
those that are bought first, then the nearest; `notes` counts what came of it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable

from measure import Figures, measured, report
from portfolio_instance import instance

from gigawatt.contract.answers import MOST_SHARES
from gigawatt.contract.columns import relax
from gigawatt.contract.indifference import appraise_all
from gigawatt.contract.portfolio import solve_portfolio
from gigawatt.contract.portfolio_model import build_model
from gigawatt.contract.replan import Allowance
from gigawatt.contract.reservation import block_worths, questions_of

SHAPE = (60, 100, 6, 10)
BLOCKS_SHAPE = (60, 40, 6, 10)
BLOCKS_S = 256.0
CLOSE_FRAC = 0.01
RIVAL = {
    "name": "leave-one-out by warm starts of the whole LP in HiGHS 1.15",
    "work": {"offers": 40},
    "wall_s": 13.7,
    "source": "measured on one core of a 2-core x86-64 machine, another instance; one figure each",
}


def run() -> Figures:
    """Build, relax and appraise once."""
    asked = instance(*SHAPE)
    with measured() as spent:
        model = build_model(asked)
        relaxed = relax(model)
        found = list(appraise_all(model, relaxed))
    checked = [one for one in found if one.right_ratio is not None]
    close = [one for one in checked if abs(one.right_ratio - one.nearest.ratio) <= CLOSE_FRAC]
    return Figures(
        name="indifference",
        work={"offers": len(found), "bought": sum(one.bought > 0 for one in found)},
        spent=spent,
        rates={"offers_per_cpu_s": len(found) / spent.cpu_s},
        peer=RIVAL,
        notes={"dual_confirmed_frac": len(close) / len(checked)},
    )


def run_blocks() -> Figures:
    """Plan, appraise in parts of blocks, and then in whole ones as far as time goes."""
    plan = solve_portfolio(instance(*BLOCKS_SHAPE)).plan
    asked = questions_of(plan.model, list(appraise_all(plan.model, plan.relaxed)))
    with measured() as spent:
        allowance = Allowance.of(BLOCKS_S, len(asked), MOST_SHARES)
        found = block_worths(plan.model.roadmap, plan, asked, allowance, lambda _d, _t, _l: None)
    answered = [one for one in found.values() if one.outcome != "out of time"]
    kinds = Counter(f"{'bought' if one.bought else 'not bought'}: {one.outcome}" for one in found.values())
    return Figures(
        name="indifference in whole blocks",
        work={"offers": len(found), "answered": len(answered)},
        spent=spent,
        rates={"answered_per_cpu_s": len(answered) / spent.cpu_s},
        peer=RIVAL,
        notes={"plan_gap_frac": plan.gap_frac, **kinds},
    )


def asked_run() -> Callable[[], Figures]:
    """By the word `--blocks`."""
    if "--blocks" not in sys.argv:
        return run
    sys.argv.remove("--blocks")
    return run_blocks


if __name__ == "__main__":
    report(asked_run(), __doc__ or "")
