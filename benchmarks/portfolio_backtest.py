"""A rolling backtest on the real list price of AWS H100, December 2023 to July 2026, without looking ahead.

Each month a plan is made for the next twelve by the prices of that month alone, and what it signs in that
month is signed. Beside it: all by the hour, all reserved, 70 reserved and 30 by the hour, and the plan of
somebody who knew all prices. Demand is 64 accelerators, and 64 more in a third of the months, and is known.
A year's reservation costs 37.5 % less than the list of its month, the middle of a published range of low
confidence. There is one real jump of price among fifteen points: this is a demonstration, and says nothing
statistical.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

from measure import Figures, measured, report

from gigawatt.contract.portfolio import plan_portfolio
from gigawatt.domain.portfolio import (
    Chip,
    ContractOffer,
    Place,
    PriceStep,
    ResearchPool,
    Roadmap,
    Solving,
    month_index,
    month_text,
)

START, LAST = "2023-12", "2026-07"
HOURS = 8766 / 12
RESERVED_FRAC = 1 - 0.375
AHEAD = 12
BASE, MORE = 64, 64
Prices = list[float]


def list_prices() -> Prices:
    """USD by the hour, by month: the last change at or before it."""
    folder = Path(os.environ.get("GIGAWATT_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    with (folder / "aws_gpu_price_history.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["instance"] == "p5.48xlarge"]
    changes = sorted((row["first_seen_date"][:7], float(row["usd_per_gpu_hour"])) for row in rows)
    months = [month_text(m) for m in range(month_index(START), month_index(LAST) + 1)]
    return [max((date, price) for date, price in changes if date <= month)[1] for month in months]


def demand(month: int) -> int:
    """Accelerators needed; more in four months of each year."""
    return BASE + (MORE if month % 12 in (2, 3, 8, 9) else 0)


def roadmap(first: int, months: int, needs: list[int], prices: Prices) -> Roadmap:
    """The question of one month: what is needed from then on, at these prices."""

    def named(number: int) -> str:
        return month_text(month_index(START) + first + number)

    steps = tuple(
        PriceStep(month=named(n), change_frac=price / prices[0] - 1.0) for n, price in enumerate(prices) if n
    )
    terms = {"sites": ("us",), "provider": "aws", "steps": steps, "whole_blocks": False}
    work = tuple(
        ResearchPool(id=f"m{n}", num_equivalents=float(size), start=named(n), end=named(n))
        for n, size in enumerate(needs)
        if size > 0
    )
    return Roadmap(
        price_year=2026,
        start=named(0),
        months=months,
        places=(Place(id="us"),),
        chips=(Chip(id="h100", power_w=1300.0),),
        research=work,
        offers=(
            ContractOffer(
                id="hour", form="on-demand", term_months=1, price_usd_per_gpu_h={"h100": prices[0]}, **terms
            ),
            ContractOffer(
                id="year", form="reserved", term_months=AHEAD, **terms,
                price_usd_per_gpu_h={"h100": prices[0] * RESERVED_FRAC},
            ),
        ),
        solving=Solving(gap_frac=1e-6, time_limit_s=60.0),
    )  # fmt: skip


def rolled(prices: Prices) -> float:
    """What a plan a month costs, which knows no price but the month's."""
    months, cost = len(prices), 0.0
    standing = [0.0] * (months + AHEAD)
    for now in range(months):
        ahead = min(AHEAD, months - now)
        needs = [max(0, round(demand(m) - standing[m])) for m in range(now, now + ahead)]
        signed = 0.0
        if any(needs):
            plan, _ = plan_portfolio(roadmap(now, ahead, needs, [prices[now]] * ahead), questions=False)
            here = month_text(month_index(START) + now)
            signed = sum(
                row.num_accelerators for row in plan.signed if row.offer == "year" and row.month == here
            )
        for month in range(now, min(now + AHEAD, months)):
            standing[month] += signed
            cost += signed * prices[now] * RESERVED_FRAC * HOURS
        cost += max(0.0, demand(now) - standing[now]) * prices[now] * HOURS
    return cost


def fixed(prices: Prices, reserved: float) -> float:
    """A share of the greatest need reserved year by year, the rest by the hour."""
    cost, months = 0.0, len(prices)
    volume = reserved * (BASE + MORE)
    for now in range(months):
        cost += volume * prices[now - now % AHEAD] * RESERVED_FRAC * HOURS
        cost += max(0.0, demand(now) - volume) * prices[now] * HOURS
    return cost


def run() -> Figures:
    """All strategies over the whole history."""
    prices = list_prices()
    with measured() as spent:
        cost = rolled(prices)
    needs = [demand(month) for month in range(len(prices))]
    known, _ = plan_portfolio(roadmap(0, len(prices), needs, prices), questions=False)
    best = known.certificate.objective_usd
    ways = {
        "rolling plan": cost,
        "all by the hour": fixed(prices, 0.0),
        "all reserved": fixed(prices, 1.0),
        "70 / 30": fixed(prices, 0.7),
    }
    return Figures(
        name="portfolio_backtest",
        work={"plans": len(prices)},
        spent=spent,
        rates={"plans_per_cpu_s": len(prices) / spent.cpu_s},
        notes={"clairvoyant_usd": best, "regret_frac": {name: usd / best - 1 for name, usd in ways.items()}},
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
