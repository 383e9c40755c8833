"""Futures solved one by one against all of them in one program."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from gigawatt.contract.branches import Branch, Root, root_of
from gigawatt.contract.columns import Relaxed, relax
from gigawatt.contract.decompose import plan_by_futures, worth_decomposing
from gigawatt.contract.demand import demand_of
from gigawatt.contract.futures import Tree, in_two_stages, tree_of
from gigawatt.contract.portfolio import Solved, portfolio_of, solve_portfolio
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.stand_ins import stand_ins
from gigawatt.domain.portfolio import (
    Cancellation,
    Change,
    Chip,
    ContractOffer,
    Future,
    Limits,
    Place,
    PlannedRun,
    PowerOffer,
    PowerStep,
    Renewal,
    ResearchPool,
    Risk,
    Roadmap,
    Solving,
)

NEVER_S = 1e18
REVEAL = "2027-04"
FUTURES = (
    (0.1, 0.4, 0.2, 0, ""),
    (0.25, -0.3, -0.2, 0, ""),
    (0.2, 0.1, 0.0, 3, ""),
    (0.15, 0.8, 0.4, 6, ""),
    (0.2, 0.0, 0.1, 0, "provider1"),
    (0.1, -0.5, 0.0, 2, "provider1"),
)
"""Chance, change of demand, of prices, months late, who fails."""


def _offer(number: int, price: float, term: int, **changed: Any) -> ContractOffer:
    terms: dict[str, Any] = {
        "provider": f"provider{number % 3}",
        "form": "on-demand" if term == 1 else "reserved",
        "sites": ("here", "there"),
        "term_months": term,
        "block_accelerators": 1 if term == 1 else 8,
    }
    return ContractOffer(id=f"offer{number}", price_usd_per_gpu_h={"gpu": price}, **(terms | changed))


def _futures() -> tuple[Future, ...]:
    """Demand, prices, slips and a failure, each in some futures only."""
    made = []
    for number, (chance, demand, price, late, lost) in enumerate(FUTURES):
        changes = [Change(month=REVEAL, demand_change_frac=demand, price_change_frac=price)]
        if late:
            changes.append(Change(month=REVEAL, sites=("here",), slip_months=late))
        if lost:
            changes.append(Change(month="2027-06", lost_provider=lost))
        made.append(Future(id=f"f{number}", probability_frac=chance, changes=tuple(changes)))
    return tuple(made)


def _roadmap(**changed: Any) -> Roadmap:
    terms: dict[str, Any] = {
        "price_year": 2026,
        "start": "2027-01",
        "months": 14,
        "discount_frac": 0.08,
        "places": (
            Place(id="here", energised=(PowerStep(month="2027-01", power_w=3e5),)),
            Place(id="there", energised=(PowerStep(month="2027-01", power_w=6e5),), pue=1.2),
        ),
        "power": (
            PowerOffer(
                id="phase", provider="self", form="build", site="here", block_w=5e5, capex_usd_per_w=8.0,
                lead_months=4, term_months=120, most_blocks=2, sign_until="2027-03",
            ),
        ),
        "chips": (Chip(id="gpu", power_w=1000.0),),
        "research": (
            ResearchPool(id="lab", num_equivalents=500.0, growth_frac=0.5, start="2027-01",
                         unmet_usd_per_gpu_h=9.0),
        ),
        "training": (
            PlannedRun(id="run", work_gpu_h={"gpu": 6e5}, start="2027-03", deadline="2027-07",
                       undone_usd=8e6),
        ),
        "offers": (
            _offer(0, 4.0, 1),
            _offer(1, 2.2, 12, cancel=Cancellation(after_months=6, fee_frac=0.3)),
            _offer(2, 2.8, 3, renew=Renewal(months=3, price_change_frac=-0.1)),
            _offer(3, 2.4, 6, take_frac=0.5, make_up_months=2, most_accelerators=640),
            _offer(4, 2.0, 12, fee_usd=2e5, lead_months=3, price_locked=False),
        ),
        "limits": Limits(provider_frac=0.7),
        "futures": _futures(),
        "reveals": (REVEAL,),
        "solving": Solving(gap_frac=0.08, time_limit_s=120.0),
    }  # fmt: skip
    return Roadmap(**(terms | changed))


def _whole(asked: Roadmap) -> tuple[Tree, Model, Relaxed]:
    tree = tree_of(asked, demand_of(asked))
    model = build_model(asked, tree)
    return tree, model, relax(model)


def test_futures_after_the_root_of_one_program_cost_what_that_program_says() -> None:
    asked = _roadmap()
    tree, model, relaxed = _whole(asked)
    root = root_of(model, relaxed)
    costs = [
        Branch.of(asked, tree, number).relaxed_at(root, None, NEVER_S).answer.objective_usd
        for number in range(len(tree.courses))
    ]
    chances = [course.probability_frac for course in tree.courses]
    assert np.dot(chances, costs) == pytest.approx(relaxed.answer.objective_usd, rel=1e-6)


def _own_usd(branch: Branch, root: Root) -> float:
    """What a root costs by itself."""
    signed = float((branch.model.signatures.cash[0] * root.units).sum())
    return float(branch.program.cost[branch.root] @ root.values) + signed


def test_worths_bound_what_another_root_costs_in_a_future() -> None:
    """What comes after is convex in the root: no other root's cost lies below the plane of the worths."""
    asked = _roadmap()
    tree, model, relaxed = _whole(asked)
    here = root_of(model, relaxed)
    for number, other in product(range(3), range(3, 6)):
        alone = Branch.of(asked, tree, other)
        there = root_of(alone.model, alone.relaxed_with(np.zeros(len(alone.root)), None, NEVER_S))
        first, second = Branch.of(asked, tree, number), Branch.of(asked, tree, number)
        own = _own_usd(first, here), _own_usd(first, there)
        at_here = first.relaxed_at(here, None, NEVER_S)
        after_here = at_here.answer.objective_usd - own[0]
        after_there = second.relaxed_at(there, None, NEVER_S).answer.objective_usd - own[1]
        plane = after_here - first.worth(at_here) @ (there.values - here.values)
        assert after_there >= plane - 1e-6 * abs(after_here)


def test_a_branch_that_was_given_a_root_still_chooses_its_own() -> None:
    asked = _roadmap()
    _, model, relaxed = _whole(asked)
    branch = Branch.of(asked, tree_of(asked, demand_of(asked)), 0)
    prices = np.zeros(len(branch.root))
    before = branch.relaxed_with(prices, None, NEVER_S).bound
    branch.relaxed_at(root_of(model, relaxed), None, NEVER_S)
    assert branch.relaxed_with(prices, None, NEVER_S).bound == before


@pytest.mark.parametrize("weight_frac", [0.0, 0.4])
def test_bound_and_plan_enclose_the_optimum_of_one_program(weight_frac: float) -> None:
    risk = Risk(cvar_weight_frac=weight_frac, cvar_level_frac=0.7)
    asked = _roadmap(risk=risk)
    tree, _, relaxed = _whole(asked)
    plan = plan_by_futures(asked, tree, NEVER_S, lambda _d, _t, _l: None)
    assert 0.9 * relaxed.bound <= plan.bound <= relaxed.bound * (1 + 1e-7)
    assert relaxed.bound * (1 - 1e-7) <= plan.objective_usd <= relaxed.bound / (1 - 0.08)
    found = portfolio_of(Solved(asked, plan.model, plan))
    assert found.audit.holds, [check for check in found.audit.checks if not check.holds]
    assert found.audit.difference_frac < 1e-6
    assert found.audit.objective_usd == pytest.approx(plan.objective_usd)


def test_any_mean_free_prices_bound_from_below() -> None:
    """Weak duality: prices at random, as long as they cancel out, never prove more than is true."""
    asked = _roadmap()
    tree, _, relaxed = _whole(asked)
    rng = np.random.default_rng(5)
    chances = np.array([course.probability_frac for course in tree.courses])
    width = len(Branch.of(asked, tree, 0).root)
    prices = rng.normal(0.0, 20.0, (len(chances), width))
    prices -= chances @ prices
    bounds = [
        Branch.of(asked, tree, number).relaxed_with(prices[number], None, NEVER_S).bound
        for number in range(len(chances))
    ]
    assert chances @ bounds <= relaxed.bound * (1 + 1e-9)


def test_a_plan_is_the_same_on_any_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _roadmap()
    tree = tree_of(asked, demand_of(asked))
    found = []
    for count in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda count=count: count)
        plan = plan_by_futures(asked, tree, NEVER_S, lambda _d, _t, _l: None)
        found.append((plan.objective_usd, plan.bound, plan.values.tobytes()))
    assert found[0] == found[1]


def test_stand_ins_carry_all_chances_and_are_the_middles_of_their_groups() -> None:
    tree = tree_of(_roadmap(), demand_of(_roadmap()))
    assert in_two_stages(tree)
    for count in (1, 3, 6, 9):
        found = stand_ins(tree, count)
        assert len(found.futures) == min(count, 6)
        assert sum(found.chances_frac) == pytest.approx(1.0)
    assert found.chances_frac == pytest.approx([course.probability_frac for course in tree.courses])


def test_a_future_that_the_others_leave_stranded_has_a_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is signed before futures part comes in time for the boom, which no stand-in knows of."""
    boom = Change(month=REVEAL, demand_change_frac=2.0)
    usual = [Change(month=REVEAL, demand_change_frac=0.01 * number) for number in range(8)]
    futures = tuple(
        Future(id=f"f{number}", probability_frac=(0.01 if one is boom else 0.99 / 8), changes=(one,))
        for number, one in enumerate([*usual, boom])
    )
    work = (ResearchPool(id="lab", num_equivalents=100.0, start="2027-01"),)
    asked = _roadmap(
        futures=futures, research=work, training=(), power=(), places=(Place(id="here"), Place(id="there")),
        limits=Limits(), offers=(_offer(0, 4.0, 1, most_accelerators=120), _offer(1, 2.0, 12, lead_months=3)),
    )  # fmt: skip
    monkeypatch.setattr("gigawatt.contract.decompose.MOST_STAND_INS", 1)
    monkeypatch.setattr("gigawatt.contract.decompose.FEWEST_STAND_INS", 1)
    tree = tree_of(asked, demand_of(asked))
    plan = plan_by_futures(asked, tree, NEVER_S, lambda _d, _t, _l: None)
    best = _whole(asked)[2].bound
    assert plan.bound <= best * (1 + 1e-7)
    assert best * (1 - 1e-7) <= plan.objective_usd <= 1.05 * best
    assert portfolio_of(Solved(asked, plan.model, plan)).audit.holds


def _random(seed: int) -> Roadmap:
    """Rights, take or pay, ramps, fees, budgets, shares, slips and failures, drawn by a seed."""
    rng = np.random.default_rng(seed)
    offers = (
        _offer(0, rng.uniform(3, 6), 1),
        _offer(1, rng.uniform(1.5, 3), 12, cancel=Cancellation(after_months=5, fee_frac=0.3)),
        _offer(2, rng.uniform(2, 3.5), 3, renew=Renewal(months=3, price_change_frac=-0.1)),
        _offer(3, rng.uniform(1.8, 3), 6, take_frac=0.7, make_up_months=2, most_accelerators=640),
        _offer(4, rng.uniform(1.5, 2.5), 12, fee_usd=2e5, ramp_frac=(0.25, 1.0), price_locked=False),
    )
    chances = rng.dirichlet(np.full(4, 2.0))
    futures = []
    for number, chance in enumerate(chances):
        demand, price = float(rng.uniform(-0.6, 0.9)), float(rng.uniform(-0.4, 0.5))
        changes = [Change(month=REVEAL, demand_change_frac=demand, price_change_frac=price)]
        if rng.random() < 0.5:
            changes.append(Change(month=REVEAL, sites=("here",), slip_months=int(rng.integers(1, 8))))
        if rng.random() < 0.5:
            lost = f"provider{rng.integers(0, 3)}"
            changes.append(Change(month=f"2027-0{rng.integers(4, 9)}", lost_provider=lost))
        futures.append(Future(id=f"f{number}", probability_frac=float(chance), changes=tuple(changes)))
    limits = Limits(provider_frac=0.7, budget_usd_per_year={"2027": float(rng.uniform(15e6, 30e6))})
    risk = Risk(cvar_weight_frac=float(rng.choice([0.0, 0.4])), cvar_level_frac=0.8)
    return _roadmap(offers=offers, futures=tuple(futures), limits=limits, risk=risk)


@pytest.mark.parametrize("seed", range(6))
def test_no_bound_lies_above_and_no_plan_below_the_optimum_of_one_program(seed: int) -> None:
    asked = _random(seed)
    tree, _, relaxed = _whole(asked)
    plan = plan_by_futures(asked, tree, NEVER_S, lambda _d, _t, _l: None)
    assert plan.bound <= relaxed.bound * (1 + 1e-7)
    assert plan.objective_usd >= relaxed.bound * (1 - 1e-7)
    found = portfolio_of(Solved(asked, plan.model, plan))
    assert found.audit.holds, [check for check in found.audit.checks if not check.holds]


def test_a_slow_ramp_may_sign_ten_times_what_is_needed() -> None:
    """A tenth is there at once: what prices may buy at most has to leave room for it."""
    prices = (-0.2, -0.1, 0.1, 0.2)
    futures = tuple(
        Future(id=f"f{n}", probability_frac=0.25, changes=(Change(month=REVEAL, price_change_frac=price),))
        for n, price in enumerate(prices)
    )
    work = (ResearchPool(id="lab", num_equivalents=500.0, start="2027-01", end="2027-12"),)
    asked = _roadmap(
        futures=futures, research=work, training=(), power=(), limits=Limits(),
        places=(Place(id="here"), Place(id="there")),
        offers=(_offer(0, 2.0, 12, ramp_frac=(0.1, 1.0)), _offer(1, 3.0, 6, lead_months=2)),
    )  # fmt: skip
    tree, _, relaxed = _whole(asked)
    plan = plan_by_futures(asked, tree, NEVER_S, lambda _d, _t, _l: None)
    assert plan.bound <= relaxed.bound * (1 + 1e-7) <= plan.objective_usd * (1 + 2e-7)


def test_fees_count_in_the_budget_of_their_year() -> None:
    work = (ResearchPool(id="lab", num_equivalents=100.0, start="2027-01", unmet_usd_per_gpu_h=90.0),)
    asked = _roadmap(
        futures=(), reveals=(), research=work, training=(), power=(),
        limits=Limits(budget_usd_per_year={"2027": 9e6}), places=(Place(id="here"), Place(id="there")),
        offers=(_offer(0, 2.0, 1, fee_usd=1e6),),
    )  # fmt: skip
    found = portfolio_of(solve_portfolio(asked))
    assert found.audit.holds
    assert found.audit.futures[0].cash_usd_per_year["2027"] <= 9e6 * (1 + 1e-6)


def test_many_futures_are_solved_one_by_one_without_being_asked() -> None:
    few = tree_of(_roadmap(), demand_of(_roadmap()))
    assert not worth_decomposing(_roadmap(), few)
    many = tuple(
        one.model_copy(update={"id": f"{one.id} {number}", "probability_frac": one.probability_frac / 30})
        for number in range(30)
        for one in _futures()
    )
    asked = _roadmap(futures=many)
    assert worth_decomposing(asked, tree_of(asked, demand_of(asked)))
