"""What whole offers are worth: against every plan that there is, by hand, and by planning at that price."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from gigawatt.contract.indifference import appraise_all
from gigawatt.contract.portfolio import plan_portfolio, solve_portfolio
from gigawatt.contract.replan import Allowance
from gigawatt.contract.reservation import block_worths, questions_of
from gigawatt.domain.portfolio import (
    Change,
    Chip,
    ContractOffer,
    Future,
    Place,
    PowerOffer,
    ResearchPool,
    Risk,
    Roadmap,
    Solving,
)
from gigawatt.domain.portfolio_plan import OfferWorth
from gigawatt.domain.whole_blocks import BlockWorth

HOURS = 8766 / 12
NEEDS = (3, 7, 5)
HOURLY_USD = 3.0
BLOCK, LEAST_BLOCKS, TERM = 4, 2, 2


def offer(name: str, price: float, term: int = 1, **changed: Any) -> ContractOffer:
    terms: dict[str, Any] = {
        "provider": name, "form": "on-demand" if term == 1 else "reserved", "sites": ("here",)
    }  # fmt: skip
    return ContractOffer(id=name, price_usd_per_gpu_h={"gpu": price}, term_months=term, **(terms | changed))


def roadmap(*offers: ContractOffer, **changed: Any) -> Roadmap:
    pools = tuple(
        ResearchPool(
            id=f"lab{n}", num_equivalents=float(size), start=f"2027-{n + 1:02d}", end=f"2027-{n + 1:02d}"
        )
        for n, size in enumerate(NEEDS)
    )
    terms: dict[str, Any] = {
        "price_year": 2026, "start": "2027-01", "months": len(NEEDS), "places": (Place(id="here"),),
        "chips": (Chip(id="gpu", power_w=1000.0),), "research": pools,
        "solving": Solving(gap_frac=1e-6, time_limit_s=60.0),
    }  # fmt: skip
    return Roadmap(offers=offers, **(terms | changed))


def blocks_offer(price: float) -> ContractOffer:
    return offer(
        "blocks",
        price,
        TERM,
        block_accelerators=BLOCK,
        least_accelerators=LEAST_BLOCKS * BLOCK,
        lead_months=0,
    )


def ways(price: float) -> Iterator[tuple[tuple[int, ...], float, float]]:
    """Blocks signed by month, what all of it costs, and what of that goes to the blocks."""
    for signed in product(range(5), repeat=len(NEEDS)):
        if any(0 < count < LEAST_BLOCKS for count in signed):
            continue
        standing = [BLOCK * sum(signed[max(0, m - TERM + 1) : m + 1]) for m in range(len(NEEDS))]
        paid = sum(standing) * price * HOURS
        rest = sum(max(0, need - size) for need, size in zip(NEEDS, standing, strict=True))
        yield signed, paid + rest * HOURLY_USD * HOURS, paid


def worth(asked: Roadmap, name: str) -> OfferWorth:
    found, _ = plan_portfolio(asked)
    return next(one for one in found.worth if one.offer == name)


def test_the_worth_of_what_is_bought_by_trying_every_plan() -> None:
    price = 1.7
    _, cost, paid = min(ways(price), key=lambda one: one[1])
    without = sum(NEEDS) * HOURLY_USD * HOURS
    assert paid > 0
    whole = worth(roadmap(offer("hourly", HOURLY_USD), blocks_offer(price)), "blocks").whole
    assert whole is not None
    assert (whole.bought, whole.outcome) == (True, "told apart")
    assert whole.low_usd <= whole.high_usd
    assert (whole.low_usd, whole.high_usd) == pytest.approx((without - cost, without - cost), rel=1e-4)
    assert whole.low_usd_per_gpu_h == pytest.approx(price * (1 + (without - cost) / paid), rel=1e-4)


def test_the_entry_price_of_what_is_not_bought_by_trying_every_plan() -> None:
    """And by planning: just below it is signed, just above it is not."""
    price = 2.9
    without = min(cost for _, cost, _ in ways(price))
    row = worth(roadmap(offer("hourly", HOURLY_USD), blocks_offer(price)), "blocks")
    entry = max(price * (1 + (without - cost) / paid) for _, cost, paid in ways(price) if paid)
    whole = row.whole
    assert whole is not None
    assert (whole.bought, whole.outcome) == (False, "told apart")
    assert whole.low_usd_per_gpu_h == pytest.approx(entry, rel=1e-4)
    assert whole.high_usd_per_gpu_h == pytest.approx(entry, rel=1e-4)
    # The relaxed figure takes parts of blocks and thinks more of it.
    assert row.dual_usd_per_gpu_h > entry * 1.05
    for quoted, signed in ((0.99 * entry, True), (1.01 * entry, False)):
        plan, _ = plan_portfolio(roadmap(offer("hourly", HOURLY_USD), blocks_offer(quoted)), questions=False)
        assert ("blocks" in {one.offer for one in plan.signed}) is signed


def some_roadmap(seed: int, gap_frac: float) -> Roadmap:
    """Six months, four offers in blocks of several sizes, demand as it comes."""
    rng = np.random.default_rng(seed)
    offers = [offer("hourly", HOURLY_USD)]
    for number in range(3):
        term = int(rng.integers(2, 5))
        price = float(rng.uniform(0.55, 1.0)) * HOURLY_USD
        blocks = {
            "block_accelerators": int(rng.integers(2, 6)),
            "sign_until": f"2027-{rng.integers(2, 6):02d}",
        }
        offers.append(offer(f"term{number}", price, term, **blocks))
    needs = rng.integers(1, 14, 6)
    pools = tuple(
        ResearchPool(id=f"lab{n}", num_equivalents=float(size), start=f"2027-0{n + 1}", end=f"2027-0{n + 1}")
        for n, size in enumerate(needs)
    )
    return roadmap(*offers, months=6, research=pools, solving=Solving(gap_frac=gap_frac, time_limit_s=60.0))


def whole_worths(asked: Roadmap) -> dict[int, BlockWorth]:
    """Of every offer, without the other questions."""
    plan = solve_portfolio(asked).plan
    questions = questions_of(plan.model, list(appraise_all(plan.model, plan.relaxed)))
    return block_worths(asked, plan, questions, Allowance.of(60.0, len(questions)), lambda _d, _t, _l: None)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_known_to_within_a_wide_gap_holds_what_is_known_exactly(seed: int) -> None:
    exact, wide = (whole_worths(some_roadmap(seed, gap)) for gap in (1e-8, 0.05))
    compared = 0
    for number, sharp in exact.items():
        loose = wide[number]
        if sharp.bought != loose.bought or sharp.low_usd_per_gpu_h is None:
            continue
        compared += 1
        if sharp.bought:
            assert loose.low_usd <= sharp.high_usd * (1 + 1e-6) + 0.01
            assert loose.high_usd >= sharp.low_usd * (1 - 1e-6) - 0.01
        else:
            assert loose.low_usd_per_gpu_h <= sharp.high_usd_per_gpu_h * (1 + 1e-6)
            assert loose.high_usd_per_gpu_h >= sharp.low_usd_per_gpu_h * (1 - 1e-6)
    assert compared


def test_an_offer_without_which_nothing_works_is_called_that() -> None:
    whole = worth(roadmap(offer("hourly", HOURLY_USD)), "hourly").whole
    assert whole is not None
    assert (whole.outcome, whole.low_usd) == ("indispensable", None)


def test_where_the_gap_is_wider_than_the_worth_no_number_is_told() -> None:
    """Two offers that differ by a ten-thousandth, to a gap of a tenth."""
    asked = roadmap(
        offer("hourly", HOURLY_USD), offer("other", HOURLY_USD * 1.0001), blocks_offer(1.7),
        solving=Solving(gap_frac=0.1, time_limit_s=60.0),
    )  # fmt: skip
    whole = worth(asked, "hourly").whole
    assert whole is not None
    assert whole.low_usd <= 0.0001 * sum(NEEDS) * HOURLY_USD * HOURS
    exact = whole.high_usd - whole.low_usd <= (whole.high_usd + whole.low_usd) / 2
    assert (whole.outcome == "told apart") is exact


def test_with_risk_a_whole_offer_is_worth_what_the_worst_future_would_pay() -> None:
    """A year is signed at once for 10 or 0 from the second month on. All weight on the dearer half.

    With it the dear future costs 13 months of 10; without it 13 months by the hour. By the mean alone it is
    not signed: half of the later months would be paid for nothing, at half the price.
    """
    months, size, year, hour = 13, 10, 1.4, 2.0
    futures = (
        Future(id="high", probability_frac=0.5),
        Future(id="low", probability_frac=0.5, changes=(Change(month="2027-02", demand_change_frac=-1.0),)),
    )
    asked = roadmap(
        offer("hourly", hour), offer("year", year, months, sign_until="2027-01"),
        months=months, futures=futures, reveals=("2027-02",),
        risk=Risk(cvar_weight_frac=1.0, cvar_level_frac=0.5),
        research=(ResearchPool(id="lab", num_equivalents=float(size), start="2027-01"),),
    )  # fmt: skip
    row = worth(asked, "year")
    assert row.whole_with_risk is not None
    assert row.whole is not None
    saved = HOURS * months * size * (hour - year)
    assert row.whole_with_risk.bought
    assert (row.whole_with_risk.low_usd, row.whole_with_risk.high_usd) == pytest.approx(
        (saved, saved), rel=1e-4
    )
    # Paid in every future alike, so that one price says it.
    assert row.whole_with_risk.low_usd_per_gpu_h == pytest.approx(hour, rel=1e-4)
    assert not row.whole.bought
    mean_months = 1 + (months - 1) / 2
    assert row.whole.high_usd_per_gpu_h == pytest.approx(hour * mean_months / months, rel=1e-4)


def test_with_risk_a_price_is_the_certainty_equivalent_where_futures_pay_unlike() -> None:
    """Signed once the dear future is known, and paid in no other: all weight is on that future, which takes
    the offer as long as it is cheaper than the hour. By the mean the price is the same, of half the worth.
    """
    months, size, year, hour = 13, 10, 1.4, 2.0
    futures = (
        Future(id="high", probability_frac=0.5),
        Future(id="low", probability_frac=0.5, changes=(Change(month="2027-02", demand_change_frac=-1.0),)),
    )
    asked = roadmap(
        offer("hourly", hour), offer("year", year, months - 1, sign_from="2027-02", sign_until="2027-02"),
        months=months, futures=futures, reveals=("2027-02",),
        risk=Risk(cvar_weight_frac=1.0, cvar_level_frac=0.5),
        research=(ResearchPool(id="lab", num_equivalents=float(size), start="2027-01"),),
    )  # fmt: skip
    row = worth(asked, "year")
    assert row.whole_with_risk is not None
    assert row.whole is not None
    saved = HOURS * (months - 1) * size * (hour - year)
    assert (row.whole_with_risk.low_usd, row.whole.low_usd) == pytest.approx((saved, saved / 2), rel=1e-4)
    for whole in (row.whole_with_risk, row.whole):
        assert whole.low_usd_per_gpu_h == pytest.approx(hour, rel=1e-4)
        assert whole.high_usd_per_gpu_h == pytest.approx(hour, rel=1e-4)


def test_an_offer_that_power_leaves_no_room_for_cannot_be_signed() -> None:
    """Its least signature draws more than a hall can hold, and there is one hall."""
    hall = PowerOffer(
        id="hall", provider="self", form="build", site="here", block_w=10_000.0, most_blocks=1,
        capex_usd_per_w=0.01, lead_months=0, term_months=12,
    )  # fmt: skip
    places = (Place(id="here", energised=()), Place(id="there"))
    large = offer("large", 9.0, 3, block_accelerators=8, least_accelerators=16)
    asked = roadmap(offer("hourly", HOURLY_USD, sites=("there",)), large, places=places, power=(hall,))
    whole = worth(asked, "large").whole
    assert whole is not None
    assert whole.outcome == "cannot be signed"
