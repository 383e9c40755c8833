"""How long the worth of 100 offers takes: dual, left, right and whole, each by re-solves from the optimum.

60 months, 100 offers, 6 kinds and 10 sites, made up by a seed. The share whose dual price its own re-solve
confirms within 1 % is in `notes`: where duals are not unique the re-solve is the price, and both are
reported.
"""

from __future__ import annotations

from measure import Figures, measured, report
from portfolio_instance import instance

from gigawatt.contract.columns import relax
from gigawatt.contract.indifference import appraise_all
from gigawatt.contract.portfolio_model import build_model

SHAPE = (60, 100, 6, 10)
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


if __name__ == "__main__":
    report(run, __doc__ or "")
