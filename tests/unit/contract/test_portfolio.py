"""Portfolios against answers by hand, by closed form and by trying everything."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from gigawatt.contract.audit import PlanLists, audit_plan
from gigawatt.contract.portfolio import plan_portfolio, portfolio_of, solve_portfolio
from gigawatt.domain.portfolio import (
    Cancellation,
    Change,
    Chip,
    ContractOffer,
    Future,
    Limits,
    Needs,
    Place,
    PlannedRun,
    PowerOffer,
    PowerStep,
    Renewal,
    ResearchPool,
    Risk,
    Roadmap,
    Solving,
    Swap,
    Tier,
)
from gigawatt.domain.portfolio_plan import Portfolio
from gigawatt.errors import InfeasibleError, InputError

HOURS = 8766 / 12


def chip(name: str = "gpu", **changed: Any) -> Chip:
    return Chip(id=name, power_w=1000.0, **changed)


def hourly(price: float, name: str = "hourly", **changed: Any) -> ContractOffer:
    terms: dict[str, Any] = {"provider": "cloud", "form": "on-demand", "sites": ("here",), "term_months": 1}
    return ContractOffer(id=name, price_usd_per_gpu_h={"gpu": price}, **(terms | changed))


def reserved(price: float, term: int, name: str = "reserved", **changed: Any) -> ContractOffer:
    terms: dict[str, Any] = {
        "provider": "neocloud",
        "form": "reserved",
        "sites": ("here",),
        "term_months": term,
    }
    return ContractOffer(id=name, price_usd_per_gpu_h={"gpu": price}, **(terms | changed))


def pool(size: float, **changed: Any) -> ResearchPool:
    terms: dict[str, Any] = {"id": "lab", "num_equivalents": size, "start": "2027-01"}
    return ResearchPool(**(terms | changed))


def roadmap(*offers: ContractOffer, months: int = 12, **changed: Any) -> Roadmap:
    terms: dict[str, Any] = {
        "price_year": 2026,
        "start": "2027-01",
        "months": months,
        "places": (Place(id="here"),),
        "chips": (chip(),),
        "research": (pool(10.0),),
        "solving": Solving(gap_frac=1e-6, time_limit_s=60.0),
    }
    return Roadmap(offers=offers, **(terms | changed))


def planned(asked: Roadmap) -> Portfolio:
    found, _ = plan_portfolio(asked, questions=False)
    assert found.audit.holds, [check for check in found.audit.checks if not check.holds]
    assert found.audit.difference_frac < 1e-6
    assert found.certificate.bound_usd <= found.certificate.objective_usd * (1 + 1e-9)
    return found


@pytest.mark.parametrize(("used_months", "offer"), [(5, "hourly"), (7, "reserved")])
def test_a_year_is_reserved_when_it_is_used_more_than_it_is_discounted(used_months: int, offer: str) -> None:
    """At half the hourly price, twelve months cost six: the break-even is in between."""
    work = (pool(10.0, end=f"2027-{used_months:02d}"),)
    found = planned(roadmap(hourly(4.0), reserved(2.0, 12), research=work))
    assert {one.offer for one in found.signed} == {offer}
    months = min(used_months, 6)
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * 4.0 * months)


def test_payments_are_discounted_by_the_month() -> None:
    found = planned(roadmap(hourly(1.0), discount_frac=0.12, months=3))
    worth = sum(1.12 ** -(month / 12) for month in range(3))
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * worth)


def test_every_way_to_sign_blocks_is_tried_and_none_is_cheaper() -> None:
    """Three months, blocks of 4 for two months or 1 by the month, demand 3, 7, 5: by brute force."""
    needs = (3, 7, 5)
    work = tuple(
        pool(float(size), id=f"lab{n}", start=f"2027-{n + 1:02d}", end=f"2027-{n + 1:02d}")
        for n, size in enumerate(needs)
    )
    asked = roadmap(
        hourly(3.0), reserved(1.7, 2, block_accelerators=4, least_accelerators=8), months=3, research=work
    )
    best = np.inf
    for blocks in product(range(4), repeat=3):
        if any(0 < count < 2 for count in blocks):
            continue
        standing = [4 * (blocks[m] + (blocks[m - 1] if m else 0)) for m in range(3)]
        paid = sum(1.7 * size for size in standing)
        paid += sum(3.0 * max(0, need - size) for need, size in zip(needs, standing, strict=True))
        best = min(best, paid * HOURS)
    assert planned(asked).certificate.objective_usd == pytest.approx(best)


def test_capacity_that_is_owned_comes_late_and_is_sold_at_the_end() -> None:
    """Two accelerators at $1000, a month's lead, half their price back after the year that is left."""
    owned = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 1000.0}, sites=("here",),
        term_months=60, lead_months=1,
    )  # fmt: skip
    chips = (chip(resale_frac=(1.0, 0.5)),)
    work = (pool(2.0, start="2027-02"),)
    found = planned(roadmap(hourly(9.0), owned, months=13, chips=chips, research=work))
    assert found.certificate.objective_usd == pytest.approx(2 * (1000.0 - 500.0))


def test_power_of_owned_hardware_is_paid_by_the_megawatt_hour() -> None:
    owned = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 1.0}, sites=("here",), term_months=12
    )
    places = (Place(id="here", pue=1.25, power_price_usd_per_mwh=40.0),)
    found = planned(roadmap(owned, places=places))
    energy_mwh = 10 * 1e3 * 1.25 * 8766 / 1e6
    assert found.certificate.objective_usd == pytest.approx(10.0 + energy_mwh * 40.0)


def test_no_more_is_installed_than_is_energised() -> None:
    """6 kW hold five accelerators of 1 kW at PUE 1.2; the rest comes from elsewhere."""
    places = (
        Place(id="here", pue=1.2, energised=(PowerStep(month="2027-01", power_w=6000.0),)),
        Place(id="there"),
    )
    asked = roadmap(hourly(1.0), hourly(2.0, "far", sites=("there",)), places=places, months=2)
    found = planned(asked)
    assert {(one.site, one.num_accelerators) for one in found.signed} == {("here", 5.0), ("there", 5.0)}
    price = next(one for one in found.certificate.binding if "power energised at here" in one.limit)
    assert price.price_usd == pytest.approx(HOURS * (2.0 - 1.0) / 1.2e-3)


def test_phases_of_power_are_built_whole_and_in_time() -> None:
    phase = PowerOffer(
        id="hall", provider="self", form="build", site="here", block_w=5000.0, most_blocks=3,
        capex_usd_per_w=2.0, lead_months=2, term_months=20, spend_frac=(0.5, 0.5),
    )  # fmt: skip
    asked = roadmap(
        hourly(1.0), places=(Place(id="here", energised=()),), power=(phase,), months=12,
        research=(pool(7.0, start="2027-03"),),
    )  # fmt: skip
    found = planned(asked)
    (built,) = [one for one in found.signed if not one.kind]
    assert (built.power_w, built.month) == (10_000.0, "2027-01")
    left = 1 - 10 / 20
    assert found.certificate.objective_usd == pytest.approx(7 * HOURS * 10 + 2.0 * 10_000 * (1 - left))


def test_a_run_is_done_where_it_is_cheapest_by_the_work_done() -> None:
    """A faster kind at 1.8 times the price does twice the work."""
    chips = (chip(), Chip(id="fast", power_w=2000.0, equivalents_per_gpu=2.0))
    run = PlannedRun(
        id="run", work_gpu_h={"gpu": 4 * HOURS, "fast": 2 * HOURS}, start="2027-01", deadline="2027-02"
    )
    quick = hourly(1.8, "quick").model_copy(update={"price_usd_per_gpu_h": {"fast": 1.8}})
    found = planned(roadmap(hourly(1.0), quick, chips=chips, training=(run,), research=()))
    assert {one.kind for one in found.signed} == {"fast"}
    assert found.certificate.objective_usd == pytest.approx(1.8 * 2 * HOURS)


def test_interruptions_are_paid_for_in_work_not_done() -> None:
    """A goodput of 50 % makes half the price no bargain, a little less makes it one."""
    spot = {"form": "spot", "goodput_frac": 0.5}
    assert {one.offer for one in planned(roadmap(hourly(2.0), hourly(1.01, "spot", **spot))).signed} == {
        "hourly"
    }
    assert {one.offer for one in planned(roadmap(hourly(2.0), hourly(0.99, "spot", **spot))).signed} == {
        "spot"
    }


def test_tenancy_regions_and_spot_are_no_matter_of_price() -> None:
    places = (Place(id="here", region="us"), Place(id="there", region="eu"))
    cheap = hourly(0.5, "cheap", sites=("there",))
    shared = hourly(1.0, "shared")
    fickle = hourly(0.1, "fickle", form="spot", goodput_frac=1.0, single_tenant=True)
    alone = hourly(3.0, "alone", single_tenant=True)
    work = (pool(4.0, needs=Needs(single_tenant=True, regions="us"), interruptible_frac=0.25),)
    found = planned(roadmap(cheap, shared, fickle, alone, places=places, research=work, months=1))
    assert {(one.offer, one.num_accelerators) for one in found.signed} == {("alone", 3.0), ("fickle", 1.0)}


def test_tiers_take_or_pay_and_fees() -> None:
    """8 at a discount of 30 % cost less than 6 without; half is paid anyhow, use is paid by the month."""
    tiers = (Tier(accelerators=8, discount_frac=0.3),)
    found = planned(roadmap(reserved(1.0, 12, tiers=tiers), research=(pool(6.0),)))
    assert [(one.right, one.num_accelerators) for one in found.signed] == [("tier 8", 8.0)]
    assert found.certificate.objective_usd == pytest.approx(8 * 0.7 * 12 * HOURS)
    half = reserved(1.0, 12, take_frac=0.5, fee_usd=100.0, whole_blocks=False)
    work = (pool(10.0, end="2027-03"),)
    found = planned(roadmap(half, research=work))
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * (3 + 9 * 0.5) + 100.0)


def test_what_was_paid_and_not_used_is_made_up() -> None:
    """Ten stand all year, half is paid anyhow: nothing in January, all in February and March."""
    offer = reserved(1.0, 3, take_frac=0.5, make_up_months=2, sign_until="2027-01")
    work = (pool(10.0, start="2027-02", end="2027-03"),)
    found = planned(roadmap(offer, research=work, months=3))
    # Paid: 5 each month. Used 20: 15 paid, 5 more; without make-up 10 more would be paid.
    assert found.certificate.objective_usd == pytest.approx(20 * HOURS)
    bare = planned(roadmap(offer.model_copy(update={"make_up_months": 0}), research=work, months=3))
    assert bare.certificate.objective_usd == pytest.approx(25 * HOURS)


def test_rights_are_used_when_they_pay() -> None:
    """Ended after 6 of 12 months for half of what was left; cheaper than half a year by the hour."""
    work = (pool(10.0, end="2027-06"),)
    offer = reserved(1.0, 12, cancel=Cancellation(after_months=6, fee_frac=0.5))
    found = planned(roadmap(hourly(1.6), offer, research=work))
    assert [one.right for one in found.signed] == ["", "cancel 6"]
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * (6 + 3))
    renewed = reserved(1.0, 6, renew=Renewal(months=6, price_change_frac=-0.2), sign_until="2027-01")
    found = planned(roadmap(hourly(3.0), renewed))
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * (6 + 6 * 0.8))
    chips = (chip(), Chip(id="fast", power_w=1.0, equivalents_per_gpu=2.0))
    swap = reserved(
        1.0, 12, swap=Swap(after_months=6, to="fast", price_change_frac=0.5), sign_until="2027-01"
    )
    work = (pool(10.0, end="2027-06"), pool(20.0, id="late", start="2027-07"))
    found = planned(roadmap(hourly(3.0), swap, chips=chips, research=work))
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * (6 + 6 * 1.5))


def test_offers_that_exclude_each_other() -> None:
    one = reserved(1.0, 12, most_accelerators=6, exclusive="west")
    two = reserved(1.1, 12, "other", provider="rival", most_accelerators=6, exclusive="west")
    found = planned(roadmap(hourly(3.0), one, two))
    assert {(row.offer, row.num_accelerators) for row in found.signed} >= {("reserved", 6.0), ("hourly", 4.0)}


def test_shares_and_the_loss_of_a_provider() -> None:
    other = hourly(2.0, "other", provider="rival")
    found = planned(roadmap(hourly(1.0), other, months=1, limits=Limits(provider_frac=0.6)))
    assert {(one.provider, one.num_accelerators) for one in found.signed} == {("cloud", 6.0), ("rival", 4.0)}
    found = planned(roadmap(hourly(1.0), other, months=1, research=(pool(10.0, survive_frac=0.7),)))
    # Either of the two must carry 7 alone.
    assert {(one.provider, one.num_accelerators) for one in found.signed} == {("cloud", 7.0), ("rival", 7.0)}


def test_moving_costs_data_and_effort() -> None:
    """Cheaper next door from month 2 on, but the move costs more than is saved; then less."""
    places = (Place(id="here", petabyte_egress_usd=50.0), Place(id="there"))
    near = hourly(1.0)
    far = hourly(0.9, "far", sites=("there",), sign_from="2027-02")
    saved = 10 * HOURS * 0.1 * 2
    for effort, moves in ((saved, False), (saved - 200, True)):
        work = (pool(10.0, data_bytes=2e15, move_usd=effort),)
        found = planned(roadmap(near, far, places=places, research=work, months=3))
        assert ("far" in {one.offer for one in found.signed}) is moves
    assert found.certificate.objective_usd == pytest.approx(10 * HOURS * (1 + 1.8) + 2 * 50 + saved - 200)


def test_a_budget_binds_by_the_calendar_year() -> None:
    """What cannot be paid in 2027 is left undone at its price."""
    work = (pool(10.0, unmet_usd_per_gpu_h=5.0),)
    limits = Limits(budget_usd_per_year={"2027": 6 * HOURS * 12})
    found = planned(roadmap(hourly(1.0, whole_blocks=False), research=work, limits=limits))
    assert found.certificate.objective_usd == pytest.approx(12 * HOURS * (6 + 4 * 5.0))
    (future,) = found.audit.futures
    assert future.cash_usd_per_year["2027"] == pytest.approx(6 * HOURS * 12)


def two_futures(high: float, low: float, chance: float, **changed: object) -> Roadmap:
    """Demand parts in month 2; a year's contract has to be signed in month 1."""
    futures = (
        Future(
            id="high", probability_frac=chance, changes=(Change(month="2027-02", demand_change_frac=high),)
        ),
        Future(
            id="low", probability_frac=1 - chance, changes=(Change(month="2027-02", demand_change_frac=low),)
        ),
    )
    year = reserved(1.0, 13, whole_blocks=False, sign_until="2027-01")
    terms = {"months": 13, "reveals": ("2027-02",), "futures": futures, **changed}
    return roadmap(hourly(2.5, whole_blocks=False), year, **terms)  # type: ignore[arg-type]


@pytest.mark.parametrize(("chance", "volume"), [(0.2, 5.0), (0.6, 15.0)])
def test_two_futures_are_the_newsvendor(chance: float, volume: float) -> None:
    """Reserved up to the demand that is exceeded with a chance above price over price: 1 / 2.5 = 0.4."""
    found = planned(two_futures(0.5, -0.5, chance))
    signed = sum(one.num_accelerators for one in found.signed if one.offer == "reserved")
    assert signed == pytest.approx(volume)
    first = 10 * 2.5 - min(volume, 10) * 2.5 if volume < 10 else 0
    later = 12 * chance * max(0, 15 - volume) * 2.5
    assert found.certificate.objective_usd == pytest.approx(HOURS * (13 * volume + first + later))


def test_minding_the_tail_reserves_for_it() -> None:
    """With all weight on the worst fifth, the dear future is what counts."""
    risk = Risk(cvar_weight_frac=1.0, cvar_level_frac=0.8)
    found = planned(two_futures(0.5, -0.5, 0.2, risk=risk))
    assert sum(one.num_accelerators for one in found.signed if one.offer == "reserved") == pytest.approx(15.0)
    worst = max(one.present_usd for one in found.audit.futures)
    assert found.certificate.objective_usd == pytest.approx(worst)


def test_foresight_and_planning_for_the_mean_have_their_price() -> None:
    """EVPI and VSS of the newsvendor by hand: chance 0.2 of 15, else 5; mean 7."""
    found, _ = plan_portfolio(two_futures(0.5, -0.5, 0.2))
    assert found.risk is not None
    planned_usd = 13 * 5 + 5 * 2.5 + 12 * 0.2 * 10 * 2.5
    # Known to be 15: reserve 15. Known to be 5: reserve 5, and 5 more by the hour in month 1.
    known_usd = 0.2 * 13 * 15 + 0.8 * (13 * 5 + 5 * 2.5)
    assert found.risk.mean_usd == pytest.approx(HOURS * planned_usd)
    assert found.risk.evpi_usd == pytest.approx(HOURS * (planned_usd - known_usd))
    # Made for the mean: 10 in month 1, then 7: reserve 7, 3 by the hour in month 1.
    of_mean_usd = 13 * 7 + 3 * 2.5 + 12 * 0.2 * 8 * 2.5
    assert found.risk.vss_usd == pytest.approx(HOURS * (of_mean_usd - planned_usd))
    regret = next(one for one in found.strategies if one.name == "the plan").regret_by_future_usd
    assert regret["low"] == pytest.approx(0.0, abs=1.0)
    means = [one.mean_usd for one in found.risk.frontier]
    tails = [one.cvar_usd for one in found.risk.frontier]
    assert means == sorted(means)
    assert tails == sorted(tails, reverse=True)


def test_a_phase_may_slip_and_a_provider_may_fail() -> None:
    phase = PowerOffer(
        id="hall", provider="self", form="build", site="here", block_w=10_000.0, capex_usd_per_w=0.1,
        lead_months=2, term_months=10, sign_until="2027-01",
    )  # fmt: skip
    owned = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 50.0}, sites=("here",), term_months=10
    )
    places = (Place(id="here", energised=()), Place(id="there"))
    slip = Change(month="2027-02", sites="here", slip_months=3)
    futures = (
        Future(id="ok", probability_frac=0.5),
        Future(id="late", probability_frac=0.5, changes=(slip,)),
    )
    asked = roadmap(
        owned, hourly(1.0, sites=("there",)), places=places, power=(phase,), months=10,
        research=(pool(10.0, start="2027-03"),), futures=futures, reveals=("2027-02",),
    )  # fmt: skip
    found = planned(asked)
    rented = {"ok": 0.0, "late": 0.0}
    for one in found.signed:
        for name in one.futures if one.offer == "hourly" else ():
            rented[name] += one.num_accelerators
    assert rented == {"ok": 0.0, "late": 30.0}


def test_a_lost_provider_is_paid_and_delivers_no_more() -> None:
    lost = Change(month="2027-03", lost_provider="neocloud")
    futures = (
        Future(id="ok", probability_frac=0.9),
        Future(id="lost", probability_frac=0.1, changes=(lost,)),
    )
    asked = roadmap(hourly(3.0), reserved(1.0, 12), futures=futures, reveals=("2027-03",))
    costs = {one.future: one.present_usd for one in planned(asked).audit.futures}
    assert costs["ok"] == pytest.approx(10 * HOURS * 12)
    assert costs["lost"] == pytest.approx(10 * HOURS * (2 + 10 * 3.0))


def test_what_cannot_hold_together_is_named() -> None:
    asked = roadmap(hourly(1.0, most_accelerators=6), limits=Limits(budget_usd_per_year={"2027": 1e9}))
    with pytest.raises(InfeasibleError) as found:
        plan_portfolio(asked)
    assert "work lab is served" in str(found.value)
    assert "no more of hourly than there is" in str(found.value)
    assert "budget" not in str(found.value)


def test_a_run_outside_the_horizon_is_refused() -> None:
    run = PlannedRun(id="run", work_gpu_h={"gpu": 1.0}, start="2030-01", deadline="2030-02")
    with pytest.raises(InputError, match="outside the horizon"):
        plan_portfolio(roadmap(hourly(1.0), training=(run,)))


@pytest.mark.parametrize(
    ("field", "change", "rule"),
    [
        ("signed", {"num_accelerators": 3.0}, "work fits into what is delivered"),
        ("signed", {"month": "2027-02"}, "work fits into what is delivered"),
        ("signed", {"right": "tier 8"}, "cash flows add up to the objective"),
        ("used", {"num_accelerators": 30.0}, "work fits into what is delivered"),
        ("used", {"num_accelerators": 1.0}, "traffic and research are served"),
    ],
)
def test_the_audit_finds_what_was_tampered_with(field: str, change: dict[str, object], rule: str) -> None:
    tiers = (Tier(accelerators=8, discount_frac=0.3),)
    solved = solve_portfolio(roadmap(hourly(5.0), reserved(1.0, 12, tiers=tiers, least_accelerators=2)))
    found = portfolio_of(solved)
    rows = getattr(found, field)
    changed = (rows[0].model_copy(update=change), *rows[1:])
    if change.get("right"):
        changed = (rows[0].model_copy(update={"right": ""}), *rows[1:])
    lists = {"signed": found.signed, "used": found.used, field: changed}
    audit = audit_plan(solved.roadmap, PlanLists(**lists), found.certificate.objective_usd)
    assert rule in {check.rule for check in audit.checks if not check.holds}


def test_the_audit_finds_a_false_objective() -> None:
    solved = solve_portfolio(roadmap(hourly(1.0)))
    found = portfolio_of(solved)
    audit = audit_plan(
        solved.roadmap, PlanLists(found.signed, found.used), found.certificate.objective_usd * 0.999
    )
    assert not audit.holds


def test_same_roadmap_same_bytes() -> None:
    asked = two_futures(0.5, -0.5, 0.2)
    first, second = (plan_portfolio(asked)[0].model_dump_json() for _ in range(2))
    assert first == second


def worth(found: Portfolio, offer: str) -> Any:
    return next(one for one in found.worth if one.offer == offer)


def test_an_offer_that_is_not_bought_is_worth_what_it_would_save() -> None:
    """A year for six months of need is worth six hourly prices over twelve, a little of it or a block."""
    work = (pool(10.0, end="2027-06"),)
    found, _ = plan_portfolio(roadmap(hourly(4.0), reserved(3.0, 12), research=work))
    year = worth(found, "reserved")
    assert year.verdict == "not needed"
    assert (year.dual_usd_per_gpu_h, year.right_usd_per_gpu_h) == (pytest.approx(2.0), pytest.approx(2.0))
    assert year.block_price_usd_per_gpu_h == pytest.approx(2.0)
    assert worth(found, "hourly").verdict == "sign now"


def test_an_offer_that_is_bought_is_worth_what_would_replace_it() -> None:
    work = (pool(10.0, end="2027-06"),)
    found, _ = plan_portfolio(roadmap(hourly(4.0), reserved(1.5, 12), research=work))
    year = worth(found, "reserved")
    assert year.block_usd == pytest.approx(10 * HOURS * (6 * 4.0 - 12 * 1.5))
    assert year.block_price_usd_per_gpu_h == pytest.approx(2.0)
    assert year.left_usd_per_gpu_h == pytest.approx(2.0)
    # All need is met: more of it is worth nothing.
    assert year.right_usd_per_gpu_h == pytest.approx(0.0, abs=1e-6)
    assert year.num_accelerators == 10.0


def test_worth_counts_what_is_delivered_and_not_ones_own_limit() -> None:
    """Nine tenths delivered are worth nine tenths; a limit is no reason to pay less."""
    weak = reserved(1.0, 12, goodput_frac=0.9, most_accelerators=4)
    found, _ = plan_portfolio(roadmap(hourly(2.0), weak))
    year = worth(found, "reserved")
    assert year.dual_usd_per_gpu_h == pytest.approx(1.8)
    assert year.right_usd_per_gpu_h == pytest.approx(1.8)
    assert year.delivered_usd_per_gpu_h == pytest.approx(1.0 / 0.9)


def test_a_flip_is_where_the_break_even_is() -> None:
    """The year is signed while twelve of its months cost less than seven by the hour."""
    work = (pool(10.0, end="2027-07"),)
    found, _ = plan_portfolio(roadmap(hourly(2.0), reserved(1.0, 12), research=work))
    flip = next(one for one in found.flips if one.assumption == "price of reserved")
    # Six months of it and one by the hour would do, could the contract begin earlier: it cannot.
    assert flip.change_frac == pytest.approx(7 * 2.0 / 12 - 1.0, abs=0.5 / 2**5)
    assert (flip.before, flip.after) == ("reserved", "hourly")


def test_build_or_rent_by_hand() -> None:
    """43,830 dollars over 5 years without interest are one dollar an hour; rent is two, by the hour four."""
    owned = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 43_830.0}, sites=("here",), term_months=60
    )
    found, _ = plan_portfolio(roadmap(hourly(4.0), reserved(2.0, 12), owned, months=60))
    (even,) = found.break_evens
    assert even.own_usd_per_gpu_h == pytest.approx(1.0)
    assert (even.rented, even.price_usd_per_gpu_h) == ("reserved", pytest.approx(1.0))
    assert even.utilisation_frac == pytest.approx(0.25)
    assert even.delay_months == 31


def test_waiting_costs_what_is_paid_meanwhile() -> None:
    found, _ = plan_portfolio(roadmap(hourly(2.0), reserved(1.0, 12), months=12, now_months=3))
    # Three months by the hour, then nine reserved: payments beyond the horizon are left out.
    assert found.waiting_usd == pytest.approx(10 * HOURS * 3)
