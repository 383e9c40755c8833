"""Dates in a portfolio: what comes when, future by future, against sums by hand."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gigawatt.contract.audit import PlanLists, audit_plan
from gigawatt.contract.demand import demand_of
from gigawatt.contract.futures import expected_course, tree_of
from gigawatt.contract.portfolio import plan_portfolio
from gigawatt.domain.portfolio import (
    Change,
    Chip,
    ContractOffer,
    Future,
    Place,
    PowerOffer,
    PowerStep,
    ResearchPool,
    Roadmap,
    Solving,
)
from gigawatt.domain.portfolio_plan import Portfolio
from gigawatt.errors import InputError

HOURS = 8766 / 12


def phase(name: str, price: float = 0.1) -> PowerOffer:
    return PowerOffer(
        id=name, provider="self", form="build", site="here", block_w=5000.0, capex_usd_per_w=price,
        lead_months=2, term_months=10, sign_until="2027-01",
    )  # fmt: skip


def lab(**changed: Any) -> Roadmap:
    """Ten accelerators of 1 kW, free at a place of one's own, at a dollar an hour elsewhere."""
    terms: dict[str, Any] = {
        "price_year": 2026,
        "start": "2027-01",
        "months": 10,
        "places": (Place(id="here", energised=()), Place(id="there")),
        "chips": (Chip(id="gpu", power_w=1000.0, resale_frac=(1.0, 1.0)),),
        "research": (ResearchPool(id="lab", num_equivalents=10.0, start="2027-03"),),
        "offers": (
            ContractOffer(
                id="own", provider="self", form="owned", capex_usd={"gpu": 0.001}, sites=("here",),
                term_months=10, block_accelerators=10, sign_until="2027-01",
            ),
            ContractOffer(
                id="hourly", provider="cloud", form="on-demand", price_usd_per_gpu_h={"gpu": 1.0},
                sites=("there",), term_months=1,
            ),
        ),
        "solving": Solving(gap_frac=1e-6, time_limit_s=60.0),
    }  # fmt: skip
    return Roadmap(**(terms | changed))


def rented(found: Portfolio) -> dict[str, float]:
    """Accelerator-months by the hour, by future."""
    assert found.audit.holds
    total = dict.fromkeys((one.future for one in found.audit.futures), 0.0)
    for one in found.signed:
        for name in one.futures if one.offer == "hourly" else ():
            total[name] += one.num_accelerators
    return total


def steps(*energised: tuple[str, float]) -> tuple[PowerStep, ...]:
    return tuple(PowerStep(month=month, power_w=power_w) for month, power_w in energised)


def ready(name: str, chance: float, *energised: tuple[str, float]) -> Future:
    change = Change(month="2027-03", sites="here", energised=steps(*energised))
    return Future(id=name, probability_frac=chance, changes=(change,))


def test_a_site_is_energised_when_its_future_says() -> None:
    """Half the power in March and the rest in June, or half in May and the rest after the end."""
    futures = (
        ready("early", 0.5, ("2027-03", 5000.0), ("2027-06", 10_000.0)),
        ready("late", 0.5, ("2027-05", 5000.0), ("2028-06", 10_000.0)),
    )
    found, _ = plan_portfolio(lab(futures=futures, reveals=("2027-03",)), questions=False)
    assert rented(found) == {"early": 5.0 * 3, "late": 10.0 * 2 + 5.0 * 6}
    costs = {one.future: one.present_usd for one in found.audit.futures}
    assert costs["late"] - costs["early"] == pytest.approx((50 - 15) * HOURS)


def test_what_a_future_does_not_change_stays_as_the_place_says() -> None:
    futures = (Future(id="as-said", probability_frac=0.5), ready("never", 0.5))
    places = (Place(id="here", energised=steps(("2027-02", 10_000.0))), Place(id="there"))
    found, _ = plan_portfolio(lab(futures=futures, places=places, reveals=("2027-03",)), questions=False)
    assert rented(found) == {"as-said": 0.0, "never": 10.0 * 8}


def test_futures_whose_power_differs_before_they_part_are_refused() -> None:
    futures = (ready("early", 0.5, ("2027-03", 10_000.0)), ready("late", 0.5, ("2027-05", 10_000.0)))
    with pytest.raises(InputError, match="early and late differ before they can be told apart"):
        plan_portfolio(lab(futures=futures, reveals=("2027-04",)), questions=False)


def test_one_of_two_phases_at_a_site_slips() -> None:
    slip = Change(month="2027-02", offers="one", slip_months=4)
    futures = (
        Future(id="ok", probability_frac=0.5),
        Future(id="late", probability_frac=0.5, changes=(slip,)),
    )
    asked = lab(power=(phase("one"), phase("two")), futures=futures, reveals=("2027-02",))
    found, _ = plan_portfolio(asked, questions=False)
    assert rented(found) == {"ok": 0.0, "late": 5.0 * 4}


def test_the_mean_future_is_late_by_the_mean() -> None:
    """Two months with 50 % are one; half of 10 MW months from March to May are half of each."""
    slip = Change(month="2027-02", offers="one", slip_months=2)
    futures = (
        ready("early", 0.5, ("2027-03", 10_000.0)),
        Future(id="late", probability_frac=0.5, changes=(*ready("late", 1.0).changes, slip)),
    )
    asked = lab(power=(phase("one"),), futures=futures, reveals=("2027-02",))
    (course,) = expected_course(tree_of(asked, demand_of(asked)), 10).courses
    assert course.slips == ((2, 1, 1),)
    assert course.energised_mw[0].tolist() == [0.0, 0.0, *[0.005] * 8]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"offers": "own", "slip_months": 2}, "slip_months of own, of which none is power"),
        ({"sites": "there", "energised": ()}, "energised at there, whose power is its provider's concern"),
        ({"energised": steps(("2027-05", 1.0), ("2027-04", 2.0))}, "must rise"),
    ],
)
def test_changes_of_dates_that_meet_nothing_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        lab(
            reveals=("2027-02",),
            futures=(Future(id="f", probability_frac=1.0, changes=(Change(month="2027-02", **change),)),),
        )


def test_phases_are_signed_in_a_future_whose_dates_are_known() -> None:
    """Power that is dear before it is known to be early: signed for the early future alone, where it pays."""
    slip = Change(month="2027-11", offers="one", slip_months=7)
    futures = (
        Future(id="early", probability_frac=0.5),
        Future(id="late", probability_frac=0.5, changes=(slip,)),
    )
    hall = phase("one").model_copy(update={"sign_from": "2027-02", "sign_until": "2027-06"})
    racks = lab().offers[0].model_copy(update={"sign_until": None})
    asked = lab(
        power=(hall, phase("two")), offers=(racks, lab().offers[1]), futures=futures, reveals=("2027-02",)
    )
    found, _ = plan_portfolio(asked, questions=False)
    assert found.audit.holds
    one = [row for row in found.signed if row.offer == "one"]
    assert {row.futures for row in one} == {("early",)}
    assert rented(found) == {"early": 5.0, "late": 5.0 * 8}


def test_the_audit_finds_power_that_comes_later_than_the_plan_says() -> None:
    """The plan of one roadmap, held against another in which the late future is later by two months."""

    def told(late: str) -> Roadmap:
        futures = (ready("early", 0.5, ("2027-03", 10_000.0)), ready("late", 0.5, (late, 10_000.0)))
        return lab(futures=futures, reveals=("2027-03",))

    found, _ = plan_portfolio(told("2027-05"), questions=False)
    lists = PlanLists(found.signed, found.used, found.taken, found.waiting, found.unmet)
    checks = audit_plan(told("2027-07"), lists, found.certificate.objective_usd).checks
    (broken,) = [check for check in checks if not check.holds]
    assert broken.rule == "power drawn is energised"
    assert broken.where == "here, 2027-05, future late"
