"""What foresight is worth in whole blocks, against every volume that could be signed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gigawatt.contract.portfolio import plan_portfolio
from gigawatt.domain.portfolio import (
    Change,
    Chip,
    ContractOffer,
    Future,
    Place,
    ResearchPool,
    Roadmap,
    Solving,
)
from gigawatt.domain.portfolio_plan import Portfolio

HOURS = 8766 / 12
MONTHS, SIZE, HIGH, LOW, CHANCE = 13, 10, 15, 5, 0.1
YEAR_USD, HOUR_USD, BLOCK = 1.0, 2.5, 4


def asked(**changed: Any) -> Roadmap:
    """Demand of 10 becomes 15 or 5 in month 2; a contract for all months comes in fours, in month 1 only."""
    terms: dict[str, Any] = {"sites": ("here",), "provider": "cloud"}
    hourly = ContractOffer(
        id="hourly", form="on-demand", price_usd_per_gpu_h={"gpu": HOUR_USD}, term_months=1, **terms
    )
    year = ContractOffer(
        id="year", form="reserved", price_usd_per_gpu_h={"gpu": YEAR_USD}, term_months=MONTHS,
        sign_until="2027-01", block_accelerators=BLOCK, **terms,
    )  # fmt: skip
    futures = tuple(
        Future(
            id=name, probability_frac=chance, changes=(Change(month="2027-02", demand_change_frac=change),)
        )
        for name, chance, change in (("high", CHANCE, HIGH / SIZE - 1), ("low", 1 - CHANCE, LOW / SIZE - 1))
    )
    settings: dict[str, Any] = {"solving": Solving(gap_frac=1e-6, time_limit_s=60.0)} | changed
    return Roadmap(
        price_year=2026, start="2027-01", months=MONTHS, places=(Place(id="here"),),
        chips=(Chip(id="gpu", power_w=1000.0),), offers=(hourly, year), futures=futures, reveals=("2027-02",),
        research=(ResearchPool(id="lab", num_equivalents=float(SIZE), start="2027-01"),), **settings,
    )  # fmt: skip


def cost_usd(volume: int, later: int) -> float:
    """Of a volume signed at once, where so many are needed from month 2 on."""
    rented = max(0, SIZE - volume) + (MONTHS - 1) * max(0, later - volume)
    return HOURS * (MONTHS * volume * YEAR_USD + rented * HOUR_USD)


def mean_usd(volume: int) -> float:
    return CHANCE * cost_usd(volume, HIGH) + (1 - CHANCE) * cost_usd(volume, LOW)


VOLUMES = range(0, 5 * BLOCK, BLOCK)


@pytest.fixture(scope="module")
def found() -> Portfolio:
    return plan_portfolio(asked())[0]


def test_foresight_and_planning_for_all_futures_by_trying_every_volume(found: Portfolio) -> None:
    assert found.risk is not None
    whole = found.risk.whole
    assert whole is not None
    best = min(map(mean_usd, VOLUMES))
    known = CHANCE * min(cost_usd(v, HIGH) for v in VOLUMES) + (1 - CHANCE) * min(
        cost_usd(v, LOW) for v in VOLUMES
    )
    for_mean = min(VOLUMES, key=lambda v: cost_usd(v, round(CHANCE * HIGH + (1 - CHANCE) * LOW)))
    near = {"rel": 1e-4}
    assert (whole.low_mean_usd, whole.high_mean_usd) == pytest.approx((best, best), **near)
    assert whole.low_wait_and_see_usd == pytest.approx(known, **near)
    assert (whole.low_evpi_usd, whole.high_evpi_usd) == pytest.approx((best - known, best - known), **near)
    assert whole.low_vss_usd == pytest.approx(mean_usd(for_mean) - best, **near)
    assert whole.high_vss_usd == pytest.approx(mean_usd(for_mean) - best, **near)
    # In parts of blocks a forecast is worth less here: five can be signed, where blocks allow four or eight.
    assert found.risk.evpi_usd != pytest.approx(best - known, rel=0.01)


def test_regret_in_whole_blocks_is_over_whole_blocks(found: Portfolio) -> None:
    volume = min(VOLUMES, key=mean_usd)
    ways = {one.name: one.whole for one in found.strategies}
    plan, rented = ways["the plan"], ways["month by month only"]
    assert plan is not None
    assert rented is not None
    for name, later in (("high", HIGH), ("low", LOW)):
        known = min(cost_usd(v, later) for v in VOLUMES)
        for way, signed in ((plan, volume), (rented, 0)):
            assert way.cost_by_future_usd[name] == pytest.approx(cost_usd(signed, later), rel=1e-6)
            regret = cost_usd(signed, later) - known
            assert way.low_regret_by_future_usd[name] == pytest.approx(regret, rel=1e-4, abs=1.0)
            assert way.high_regret_by_future_usd[name] == pytest.approx(regret, rel=1e-4, abs=1.0)
    assert rented.mean_usd == pytest.approx(mean_usd(0))
    assert np.isclose(rented.high_usd, mean_usd(0))


def test_without_time_the_answer_stays_in_parts_of_blocks() -> None:
    """A plan may come of it or not; whatever is answered in whole blocks is a true interval."""
    hurried = plan_portfolio(asked(solving=Solving(gap_frac=1e-6, time_limit_s=1e-3)))[0]
    assert hurried.risk is not None
    whole = hurried.risk.whole
    best = min(map(mean_usd, VOLUMES))
    if whole is not None:
        assert whole.low_mean_usd <= best * (1 + 1e-6)
        assert whole.high_mean_usd >= best * (1 - 1e-6)
