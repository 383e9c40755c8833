"""How long a portfolio takes: 60 months, 40 offers, 6 kinds, 10 sites to a proven 0.1 %, build and audit
included.

The instance is made up by a seed (`portfolio_instance.py`). `--size full` plans 120 months, 500 offers, 12
kinds and 40 sites to 0.5 % instead, `--size futures` the first size in 200 futures with CVaR to 1 %, and
`--size small-futures` as many futures of a small roadmap.
"""

from __future__ import annotations

import sys
from typing import Any

from measure import Figures, measured, report
from portfolio_instance import futures, instance

from gigawatt.contract.portfolio import portfolio_of, solve_portfolio
from gigawatt.domain.portfolio import Roadmap, Solving

SIZES: dict[str, tuple[tuple[int, int, int, int], float]] = {
    "usual": ((60, 40, 6, 10), 1e-3),
    "full": ((120, 500, 12, 40), 5e-3),
    "futures": ((60, 40, 6, 10), 1e-2),
    "small-futures": ((24, 12, 3, 4), 1e-2),
}
NUM_FUTURES = 200
RIVAL = {
    "name": "the same size as one MILP, built with numpy and solved by HiGHS 1.15",
    "work": {"months": 60, "offers": 40, "kinds": 6, "sites": 10},
    "wall_s": 34.0,
    "gap_frac": 0.0047,
    "source": "measured on one core of a 2-core x86-64 machine, another instance; linopy built it in 107 s",
}


def asked_size() -> str:
    """The word after `--size`."""
    if "--size" not in sys.argv:
        return "usual"
    at = sys.argv.index("--size")
    size = sys.argv[at + 1] if at + 1 < len(sys.argv) else ""
    if size not in SIZES:
        raise SystemExit(f"--size is one of {', '.join(SIZES)}, not {size!r}")
    del sys.argv[at : at + 2]
    return size


def roadmap(size: str) -> Roadmap:
    """The instance of that size."""
    shape, gap_frac = SIZES[size]
    changed: dict[str, Any] = {"solving": Solving(gap_frac=gap_frac, time_limit_s=3600.0)}
    if size.endswith("futures"):
        changed |= futures(shape[0], NUM_FUTURES, reveal=shape[0] // 4)
    return instance(*shape, **changed)


def run(size: str) -> Figures:
    """Build, solve, prove and audit once."""
    asked = roadmap(size)
    with measured() as spent:
        solved = solve_portfolio(asked)
    with measured() as audited:
        found = portfolio_of(solved)
    proof = found.certificate
    months, offers, kinds, sites = SIZES[size][0]
    return Figures(
        name="portfolio",
        work={
            "months": months,
            "offers": offers,
            "kinds": kinds,
            "sites": sites,
            "futures": max(1, len(asked.futures)),
            "signatures": proof.num_columns,
            "signatures_made": proof.num_made,
        },
        spent=spent,
        rates={"signatures_per_cpu_s": proof.num_columns / spent.cpu_s},
        peer=RIVAL if size == "usual" else {},
        notes={
            "gap_frac": proof.gap_frac,
            "objective_usd": proof.objective_usd,
            "bound_usd": proof.bound_usd,
            "build_s": solved.clock.build_s,
            "solve_s": solved.clock.solve_s,
            "audit_cpu_s": audited.cpu_s,
            "audit_holds": found.audit.holds,
        },
    )


if __name__ == "__main__":
    SIZE = asked_size()
    report(lambda: run(SIZE), __doc__ or "")
