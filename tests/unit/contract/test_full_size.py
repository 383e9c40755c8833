"""The ways of full size, taken by a small roadmap: against the program with all its signatures at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.sparse import csc_matrix

from gigawatt.contract import portfolio_model
from gigawatt.contract.columns import relax
from gigawatt.contract.portfolio import portfolio_of, solve_portfolio
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.settled import dual_usd, settled_duals
from gigawatt.contract.signatures import Choice, make_columns, reduced_costs
from gigawatt.domain.portfolio import (
    Chip,
    ContractOffer,
    Limits,
    Place,
    PlannedRun,
    PowerStep,
    ResearchPool,
    Roadmap,
    Solving,
)

MONTHS = 24
HOURS = 8766 / 12


def offer(rng: np.random.Generator, number: int) -> ContractOffer:
    hourly = number % 4 == 0
    term = 1 if hourly else int(rng.choice((6, 12)))
    price = float(rng.uniform(2.5, 3.5)) * (1.0 if hourly else 0.6)
    return ContractOffer(
        id=f"offer{number}",
        provider=f"provider{number % 3}",
        form="on-demand" if hourly else "reserved",
        price_usd_per_gpu_h={"slow": price, "fast": 1.9 * price * float(rng.uniform(0.9, 1.1))},
        sites=("north", "south") if number % 2 else ("south",),
        site_change_frac={"north": float(rng.uniform(-0.05, 0.05))},
        term_months=term,
        lead_months=0 if hourly else int(rng.integers(0, 4)),
        block_accelerators=8,
        least_accelerators=0 if hourly or number % 3 else 64,
        most_accelerators=int(rng.integers(100, 400)),
        ramp_frac=(0.5, 1.0) if number % 5 == 1 else (1.0,),
    )


@pytest.fixture
def asked() -> Roadmap:
    """Twelve offers with limits, least amounts and ramps, of two kinds at two sites of which one is small."""
    rng = np.random.default_rng(4)
    work = {"slow": 900.0 * HOURS, "fast": 450.0 * HOURS}
    return Roadmap(
        start="2027-01",
        price_year=2026,
        months=MONTHS,
        discount_frac=0.08,
        places=(Place(id="north", energised=(PowerStep(month="2027-01", power_w=0.3e6),)), Place(id="south")),
        chips=(Chip(id="slow", power_w=1000.0), Chip(id="fast", power_w=1500.0, equivalents_per_gpu=2.0)),
        training=tuple(
            PlannedRun(id=f"run{n}", work_gpu_h=work, start=first, deadline=last)
            for n, (first, last) in enumerate([("2027-03", "2027-08"), ("2028-02", "2028-09")])
        ),
        research=(ResearchPool(id="lab", num_equivalents=300.0, growth_frac=0.3, start="2027-01"),),
        offers=tuple(offer(rng, number) for number in range(12)),
        limits=Limits(provider_frac=0.5),
        solving=Solving(gap_frac=3e-2, time_limit_s=60.0),
    )


@pytest.fixture
def vast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every roadmap counts as one of full size."""
    monkeypatch.setattr(portfolio_model, "MANY_SIGNATURES", 0)


def least_usd(model: Model) -> float:
    """The relaxed program with all signatures, solved in one piece by another interface."""
    position, month = np.nonzero(model.signatures.plain[0])
    everything = Choice(position, month, np.zeros(len(position), dtype=np.int64))
    program = model.costed(model.program()).with_columns(make_columns(model, everything))
    shape = (program.num_rows, program.num_columns)
    matrix = csc_matrix((program.values, program.rows, program.starts), shape=shape)
    equal = program.row_lower == program.row_upper
    above, below = np.isfinite(program.row_upper) & ~equal, np.isfinite(program.row_lower) & ~equal
    rows = matrix.tocsr()
    found = linprog(
        program.cost,
        A_ub=csc_matrix(np.vstack([rows[above].toarray(), -rows[below].toarray()])),
        b_ub=np.concatenate([program.row_upper[above], -program.row_lower[below]]),
        A_eq=rows[equal],
        b_eq=program.row_upper[equal],
        bounds=np.stack([program.lower, program.upper], axis=1),
    )
    assert found.success
    return float(found.fun)


@pytest.mark.usefixtures("vast")
def test_approached_from_within_the_relaxed_optimum_is_that_of_all_signatures(asked: Roadmap) -> None:
    model = build_model(asked)
    assert model.vast
    assert model.compact
    relaxed = relax(model)
    assert len(relaxed.choice) < model.signatures.plain[0].sum()
    assert relaxed.answer.objective_usd == pytest.approx(least_usd(model), rel=1e-7)
    assert relaxed.bound == pytest.approx(relaxed.answer.objective_usd, rel=1e-7)


@pytest.mark.usefixtures("vast")
def test_a_plan_of_full_size_keeps_every_rule_and_is_never_below_the_bound(asked: Roadmap) -> None:
    solved = solve_portfolio(asked)
    found = portfolio_of(solved)
    assert found.audit.holds, [check for check in found.audit.checks if not check.holds]
    assert found.audit.difference_frac < 1e-6
    least = least_usd(solved.model)
    assert least * (1 - 1e-9) <= found.certificate.bound_usd <= found.certificate.objective_usd
    assert found.certificate.gap_frac <= asked.solving.gap_frac


def test_both_ways_lead_to_the_same_relaxed_optimum(asked: Roadmap, monkeypatch: pytest.MonkeyPatch) -> None:
    pivoted = relax(build_model(asked))
    monkeypatch.setattr(portfolio_model, "MANY_SIGNATURES", 0)
    approached = relax(build_model(asked))
    assert approached.answer.objective_usd == pytest.approx(pivoted.answer.objective_usd, rel=1e-9)


def test_settled_prices_prove_as_much_and_make_nothing_look_better(asked: Roadmap) -> None:
    """A bound by weak duality, summed up without the solver."""
    model = build_model(asked)
    relaxed = relax(model)
    duals = settled_duals(model, relaxed.program, relaxed.answer)
    proven_usd = dual_usd(relaxed.program, duals, slack_usd=1e-3)
    assert proven_usd == pytest.approx(relaxed.answer.objective_usd, rel=1e-9)
    assert reduced_costs(model, 0, duals).min() > -1e-3
    assert relaxed.reduced[0].min() > -1e-3


def test_a_pool_that_nothing_feeds_is_worth_what_it_would_save_and_no_more() -> None:
    """Of two kinds one comes with a month's lead: in the first month its pool is empty, and one accelerator
    of it would do the work of two that cost 3 USD an hour.
    """
    terms = {"provider": "cloud", "sites": ("here",)}
    slow = ContractOffer(
        id="hourly", form="on-demand", price_usd_per_gpu_h={"slow": 3.0}, term_months=1, **terms
    )
    fast = ContractOffer(
        id="late", form="reserved", price_usd_per_gpu_h={"fast": 4.0}, term_months=2, lead_months=1, **terms
    )
    model = build_model(
        Roadmap(
            start="2027-01",
            price_year=2026,
            months=3,
            discount_frac=0.0,
            places=(Place(id="here"),),
            chips=(Chip(id="slow", power_w=1e3), Chip(id="fast", power_w=1e3, equivalents_per_gpu=2.0)),
            research=(ResearchPool(id="lab", num_equivalents=10.0, start="2027-01"),),
            offers=(slow, fast),
            solving=Solving(gap_frac=1e-6, time_limit_s=60.0),
        )
    )
    relaxed = relax(model)
    pools = model.builder.rows.blocks["pool 0"].index
    kinds = [pool.kind for pool in model.families.pools]
    wild = relaxed.answer.row_duals.copy()
    wild[pools[kinds.index(1), 0]] = -1e9
    duals = settled_duals(model, relaxed.program, replace(relaxed.answer, row_duals=wild))
    assert duals[pools[kinds.index(1), 0]] == pytest.approx(-2 * 3.0 * HOURS)
