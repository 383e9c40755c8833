"""Three stages, two reveals: the optimum by trying every way to sign blocks at every node, with CVaR."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from gigawatt.contract.audit import PlanLists, audit_plan
from gigawatt.contract.portfolio import plan_portfolio
from gigawatt.domain.portfolio import (
    Change,
    Chip,
    ContractOffer,
    Future,
    Place,
    ResearchPool,
    Risk,
    Roadmap,
    Solving,
)
from gigawatt.domain.portfolio_plan import Portfolio

HOURS = 8766 / 12
FIRST = 6
LATER = {"up": 10, "down": 4}
LAST = {("up", "up"): 15, ("up", "down"): 7, ("down", "up"): 8, ("down", "down"): 1}
CHANCES = {("up", "up"): 0.42, ("up", "down"): 0.18, ("down", "up"): 0.1, ("down", "down"): 0.3}
BLOCK, BLOCK_USD, HOUR_USD = 3, 1.0, 2.2
LEVEL = 0.7
FORESIGHT = "nothing is decided by what is not known"


def asked(weight: float) -> Roadmap:
    """Blocks to the end of three months, at the root and after the first reveal; else by the hour."""
    hourly: dict[str, Any] = {"price_usd_per_gpu_h": {"gpu": HOUR_USD}, "term_months": 1}
    blocks: dict[str, Any] = {
        "price_usd_per_gpu_h": {"gpu": BLOCK_USD}, "term_months": 3, "block_accelerators": BLOCK,
        "sign_until": "2027-02",
    }  # fmt: skip
    futures = tuple(
        Future(
            id="-".join(path), path=path, probability_frac=CHANCES[path],
            changes=(
                Change(month="2027-02", demand_change_frac=LATER[path[0]] / FIRST - 1),
                Change(month="2027-03", demand_change_frac=size / LATER[path[0]] - 1),
            ),
        )
        for path, size in LAST.items()
    )  # fmt: skip
    return Roadmap(
        price_year=2026, start="2027-01", months=3, places=(Place(id="here"),),
        chips=(Chip(id="gpu", power_w=1000.0),),
        offers=(
            ContractOffer(id="hourly", provider="cloud", form="on-demand", sites=("here",), **hourly),
            ContractOffer(id="blocks", provider="other", form="reserved", sites=("here",), **blocks),
        ),
        research=(ResearchPool(id="lab", num_equivalents=float(FIRST), start="2027-01"),),
        reveals=("2027-02", "2027-03"), futures=futures,
        risk=Risk(cvar_weight_frac=weight, cvar_level_frac=LEVEL),
        solving=Solving(gap_frac=1e-7, time_limit_s=60.0),
    )  # fmt: skip


def ways() -> Iterator[tuple[tuple[int, int, int], dict[tuple[str, str], float]]]:
    """Blocks at the root, after "up" and after "down"; and what each future then costs."""
    for root, up, down in product(range(6), repeat=3):
        costs = {}
        for path, last in LAST.items():
            first, later = BLOCK * root, BLOCK * (root + (up if path[0] == "up" else down))
            stood = first + later + later
            rented = max(0, FIRST - first) + max(0, LATER[path[0]] - later) + max(0, last - later)
            costs[path] = HOURS * (stood * BLOCK_USD + rented * HOUR_USD)
        yield (root, up, down), costs


def weighed(costs: dict[tuple[str, str], float], weight: float) -> float:
    """Mean and mean of the worst, the outcome at the edge with the share of it that lies in the tail."""
    mean = sum(CHANCES[path] * usd for path, usd in costs.items())
    left, tail = 1 - LEVEL, 0.0
    for path in sorted(costs, key=lambda path: -costs[path]):
        share = min(left, CHANCES[path])
        tail += share * costs[path]
        left -= share
    return (1 - weight) * mean + weight * tail / (1 - LEVEL)


def signed_blocks(found: Portfolio, month: str, future: str) -> float:
    rows = [one for one in found.signed if one.offer == "blocks" and one.month == month]
    return sum(one.num_accelerators for one in rows if future in one.futures) / BLOCK


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_plan_is_the_best_of_all_ways(weight: float) -> None:
    found, _ = plan_portfolio(asked(weight), questions=False)
    assert found.audit.holds
    best = min(weighed(costs, weight) for _, costs in ways())
    assert found.certificate.objective_usd == pytest.approx(best, rel=1e-6)
    # What it signs is one of those ways, and costs in every future what that way costs.
    root = signed_blocks(found, "2027-01", "up-up")
    up, down = (signed_blocks(found, "2027-02", name) for name in ("up-up", "down-up"))
    costs = dict(ways())[round(root), round(up), round(down)]
    assert weighed(costs, weight) == pytest.approx(best, rel=1e-9)
    if weight < 1:
        for one in found.audit.futures:
            assert one.present_usd == pytest.approx(costs[tuple(one.future.split("-"))], rel=1e-6)


def test_minding_the_tail_signs_otherwise_than_the_mean() -> None:
    """Else the cases above would not tell stages, mean and tail apart."""
    choices = {weight: min(ways(), key=lambda way: weighed(way[1], weight))[0] for weight in (0.0, 0.5, 1.0)}
    assert len(set(choices.values())) > 1
    assert choices[0.0][1] != choices[0.0][2]


@pytest.mark.parametrize("month", ["2027-01", "2027-02"])
def test_the_audit_finds_what_was_decided_by_what_is_not_known(month: str) -> None:
    """A signature that one future of a node has and its sister has not, at the root and after one reveal."""
    roadmap = asked(0.5)
    found, _ = plan_portfolio(roadmap, questions=False)
    place = next(n for n, one in enumerate(found.signed) if one.month == month and len(one.futures) > 1)
    row = found.signed[place]
    cheated = (
        *found.signed[:place], row.model_copy(update={"futures": row.futures[:1]}), *found.signed[place + 1 :]
    )  # fmt: skip
    lists = PlanLists(cheated, found.used, found.taken, found.waiting, found.unmet)
    audit = audit_plan(roadmap, lists, found.certificate.objective_usd)
    assert FORESIGHT in {check.rule for check in audit.checks if not check.holds}
    honest = PlanLists(found.signed, found.used, found.taken, found.waiting, found.unmet)
    checks = audit_plan(roadmap, honest, found.certificate.objective_usd).checks
    assert next(check.holds for check in checks if check.rule == FORESIGHT)


def test_the_audit_finds_work_that_is_placed_by_what_is_not_known() -> None:
    """The first month's use in one future alone, though nothing tells the futures apart by then."""
    roadmap = asked(0.5)
    found, _ = plan_portfolio(roadmap, questions=False)
    first = next(one for one in found.used if one.month == "2027-01")
    halves = [first.model_copy(update={"futures": part}) for part in (first.futures[:1], first.futures[1:])]
    used = (*halves, *(one for one in found.used if one is not first))
    audit = audit_plan(roadmap, PlanLists(found.signed, used), found.certificate.objective_usd)
    assert [check.rule for check in audit.checks if not check.holds] == [FORESIGHT]
