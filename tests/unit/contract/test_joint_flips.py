"""Flips of several assumptions against closed forms; flips in whole blocks against every plan there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gigawatt.contract.demand import demand_of
from gigawatt.contract.futures import tree_of
from gigawatt.contract.portfolio import plan_portfolio
from gigawatt.contract.questions import assumptions
from gigawatt.contract.risk import outcome_of
from gigawatt.domain.portfolio import Chip, ContractOffer, Place, ResearchPool, Roadmap, Solving
from gigawatt.project.portfolio import read_roadmap

NEEDS = (3, 7, 5)
HOURLY_USD, BLOCKS_USD, BLOCK, TERM = 3.0, 1.7, 4, 2
STEP = 0.5 / 2**6
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def offer(name: str, price: float, term: int = 1, **changed: Any) -> ContractOffer:
    form = "on-demand" if term == 1 else "reserved"
    return ContractOffer(
        id=name, provider=name, form=form, price_usd_per_gpu_h={"gpu": price}, sites=("here",),
        term_months=term, **changed,
    )  # fmt: skip


def roadmap(*offers: ContractOffer, months: int, research: tuple[ResearchPool, ...]) -> Roadmap:
    return Roadmap(
        price_year=2026, start="2027-01", months=months, places=(Place(id="here"),),
        chips=(Chip(id="gpu", power_w=1000.0),), offers=offers, research=research,
        solving=Solving(gap_frac=1e-6, time_limit_s=120.0),
    )  # fmt: skip


def test_two_prices_at_once_flip_where_both_meet() -> None:
    """A year at 1 against 7 months at 2: 12 (1 + x) = 14 (1 - x) at a thirteenth; alone at 1/6 and 1/7."""
    work = (ResearchPool(id="lab", num_equivalents=10.0, start="2027-01", end="2027-07"),)
    found, _ = plan_portfolio(roadmap(offer("hourly", 2.0), offer("year", 1.0, 12), months=12, research=work))
    alone = {one.assumption: one.change_frac for one in found.flips}
    assert alone["price of reserved"] == pytest.approx(1 / 6, abs=STEP)
    assert alone["price of on-demand"] == pytest.approx(-1 / 7, abs=STEP)
    pair = next(
        one
        for one in found.joint_flips
        if set(one.changes_frac) == {"price of reserved", "price of on-demand"}
    )
    assert pair.holds_frac <= 1 / 13 <= pair.largest_frac
    assert pair.largest_frac - pair.holds_frac <= STEP
    assert pair.changes_frac["price of reserved"] == -pair.changes_frac["price of on-demand"] > 0
    assert (pair.before, pair.after) == ("year", "hourly")
    # Blocks are single accelerators here, so that whole ones flip where parts do.
    assert pair.whole is not None
    assert pair.whole.holds_frac <= 1 / 13 <= pair.whole.flips_frac
    # Signing as now: by the hour no more than a quarter of what is signed in three months. With h by the
    # hour and y for a year, 3 h <= (3 h + 12 y) / 4, so that five of ten go by the hour, which is cheaper.
    dearer = 5 * 8766 / 12 * (12 * (1 + pair.whole.flips_frac) - 14 * (1 - pair.whole.flips_frac))
    assert pair.whole.low_keeping_usd == pytest.approx(dearer, rel=0.05)
    assert pair.whole.high_keeping_usd == pytest.approx(dearer, rel=0.05)
    assert min(abs(change) for change in alone.values() if change) > pair.largest_frac


def ways(price: float) -> Iterator[tuple[float, str]]:
    """What every way to sign blocks costs, and what carries a quarter of the volume."""
    for signed in product(range(5), repeat=len(NEEDS)):
        standing = [BLOCK * sum(signed[max(0, m - TERM + 1) : m + 1]) for m in range(len(NEEDS))]
        rented = sum(max(0, need - size) for need, size in zip(NEEDS, standing, strict=True))
        volumes = {"blocks": BLOCK * TERM * sum(signed), "hourly": rented}
        kept = sorted(n for n, size in volumes.items() if size and size >= sum(volumes.values()) / 4)
        yield sum(standing) * price + rented * HOURLY_USD, " and ".join(kept)


def test_flips_in_whole_blocks_are_where_every_plan_says() -> None:
    pools = tuple(
        ResearchPool(id=f"lab{n}", num_equivalents=float(size), start=month, end=month)
        for n, (size, month) in enumerate(zip(NEEDS, ("2027-01", "2027-02", "2027-03"), strict=True))
    )
    blocks = offer("blocks", BLOCKS_USD, TERM, block_accelerators=BLOCK)
    found, _ = plan_portfolio(roadmap(offer("hourly", HOURLY_USD), blocks, months=3, research=pools))
    flip = next(one for one in found.flips if one.assumption == "price of reserved")
    assert flip.whole is not None
    side = -1.0 if (flip.change_frac or 0.0) < 0 else 1.0
    now = min(ways(BLOCKS_USD))[1]
    assert flip.whole.before == now
    for change in np.linspace(0.0, flip.whole.holds_frac, 50):
        assert min(ways(BLOCKS_USD * (1 + side * change)))[1] == now
    assert flip.whole.flips_frac is not None
    assert min(ways(BLOCKS_USD * (1 + side * flip.whole.flips_frac)))[1] == flip.whole.after != now


def test_prices_that_ask_again_for_what_is_there_come_to_an_end() -> None:
    """The start-up at half its demand: a signature once made is not made for ever."""
    asked = read_roadmap(EXAMPLES / "start-up" / "portfolio.yaml")
    halved = assumptions(asked)["all demand"](asked, -0.5)
    relaxed = outcome_of(halved, tree_of(halved, demand_of(halved))).relaxed
    assert len(relaxed.answer.values) == relaxed.fixed + len(relaxed.choice)
