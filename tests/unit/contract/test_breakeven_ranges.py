"""Break-evens over stated ranges: against the points that a single range maps to, and a normal sum."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from gigawatt.contract.breakeven_ranges import ranged_break_evens
from gigawatt.domain.break_even import BreakEven
from gigawatt.domain.dates import BlockDates, PortfolioDates
from gigawatt.domain.portfolio import Chip, ContractOffer, Place, ResearchPool, Roadmap

HOURS = 8766 * 5
NEAR = {"rel": 0.005}


def even(own: dict[str, Any] | None = None, rent: dict[str, Any] | None = None, **changed: Any) -> BreakEven:
    """43,830 dollars over five years are one dollar an hour; rent is two."""
    owned = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 43_830.0}, sites=("here",), term_months=60,
        **(own or {}),
    )  # fmt: skip
    rented = ContractOffer(
        id="rent", provider="cloud", form="reserved", price_usd_per_gpu_h={"gpu": 2.0}, sites=("here",),
        term_months=1, **(rent or {}),
    )  # fmt: skip
    return one(roadmap(owned, rented, **changed))


def roadmap(*offers: ContractOffer, **changed: Any) -> Roadmap:
    terms: dict[str, Any] = {"places": (Place(id="here"),), "chips": (Chip(id="gpu", power_w=1000.0),)}
    return Roadmap(
        price_year=2026, start="2027-01", months=60, offers=offers,
        research=(ResearchPool(id="lab", num_equivalents=1.0, start="2027-01"),), **(terms | changed),
    )  # fmt: skip


def one(asked: Roadmap, dates: PortfolioDates | None = None) -> BreakEven:
    (found,) = ranged_break_evens(asked, dates)
    return found


def test_where_no_range_is_stated_none_is_shown() -> None:
    assert even().ranges is None


def test_one_range_maps_point_by_point() -> None:
    """Capital from 35,064 to 65,745: 0.8 to 1.5 dollars an hour, and 40 to 75 % of the rent."""
    ranges = even({"low_capex_usd": {"gpu": 35_064.0}, "high_capex_usd": {"gpu": 65_745.0}}).ranges
    assert ranges is not None
    assert ranges.inputs == ("capital of own",)
    assert ranges.low_own_usd_per_gpu_h == pytest.approx(0.8, **NEAR)
    assert ranges.high_own_usd_per_gpu_h == pytest.approx(1.5, **NEAR)
    assert ranges.low_price_usd_per_gpu_h == pytest.approx(0.8, **NEAR)
    assert ranges.high_utilisation_frac == pytest.approx(0.75, **NEAR)
    assert (ranges.low_rent_usd_per_gpu_h, ranges.high_rent_usd_per_gpu_h) == pytest.approx((2.0, 2.0))
    # Own 0.8: the rent of 60 months less 24 pays for it; own 1.5: of 60 less 45. The month after is dearer.
    assert 60 - 24 <= ranges.high_delay_months <= 60 - 24 + 1
    assert 60 - 45 <= ranges.low_delay_months <= 60 - 45 + 1
    # Renting wins above two dollars: (2 - 1) / (1.5 - 1) times the score of the 90 % point, 2.563.
    assert ranges.rent_cheaper_frac == pytest.approx(0.0052, abs=1 / 256)


def test_two_normal_ranges_add_up_by_their_squares() -> None:
    """Capital of 1 +- 0.3 and power of 0.4 +- 0.4 dollars an hour at the 90 % point: 1.4 +- 0.5."""
    places = (
        Place(
            id="here", power_price_usd_per_mwh=400.0, low_power_price_usd_per_mwh=0.0,
            high_power_price_usd_per_mwh=800.0,
        ),
    )  # fmt: skip
    ranges = even(
        {"low_capex_usd": {"gpu": 0.7 * HOURS}, "high_capex_usd": {"gpu": 1.3 * HOURS}}, places=places
    ).ranges
    assert ranges is not None
    # A price of power below zero is cut off: less than 10 % of draws, and none near the 90 % point.
    assert ranges.high_own_usd_per_gpu_h == pytest.approx(1.9, rel=0.02)
    assert ranges.inputs == ("price of power at here", "capital of own")


def test_a_curve_of_resale_and_a_lead_time_have_ranges_too() -> None:
    """Sold after four years for 0 to 50 %; a month of lead takes one of 60 from what is delivered."""
    chips = (
        Chip(
            id="gpu", power_w=1.0, resale_frac=(1.0, 0.25), low_resale_frac=(1.0, 0.0),
            high_resale_frac=(1.0, 0.5),
        ),
    )  # fmt: skip
    ranges = even(chips=chips).ranges
    assert ranges is not None
    assert ranges.low_own_usd_per_gpu_h == pytest.approx(0.5, **NEAR)
    assert ranges.high_own_usd_per_gpu_h == pytest.approx(1.0, **NEAR)
    late = even({"lead_months": 6, "low_lead_months": 3, "high_lead_months": 12}).ranges
    assert late is not None
    assert late.low_own_usd_per_gpu_h == pytest.approx(60 / 57, rel=0.01)
    assert late.high_own_usd_per_gpu_h == pytest.approx(60 / 48, rel=0.01)


def test_the_chance_of_a_delay_that_matters_is_that_of_the_project() -> None:
    """Rent wins from 31 months late on. Planned for 2027-01-01, half of the time 31 months late or more."""
    block = BlockDates(
        owner="hall", site="here", file="campus.yaml", project="campus", block="hall", power_w=1e6,
        p10=date(2028, 1, 1), p50=date(2029, 8, 1), p90=date(2031, 1, 1), planned=date(2027, 1, 1), months={},
    )  # fmt: skip
    dates = PortfolioDates(num_samples=1, seed=0, num_combinations=1, own={}, blocks=(block,))
    owned = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 43_830.0}, sites=("here",), term_months=60
    )
    rented = ContractOffer(
        id="rent", provider="cloud", form="reserved", price_usd_per_gpu_h={"gpu": 2.0}, sites=("here",),
        term_months=1,
    )  # fmt: skip
    found = one(roadmap(owned, rented), dates)
    assert found.delay_months == 31
    assert found.late_frac == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"low_capex_usd": {"gpu": 1.0}}, "belong together"),
        ({"low_capex_usd": {"gpu": 9e4}, "high_capex_usd": {"gpu": 9.5e4}}, "is not between"),
        ({"low_capex_usd": {"tpu": 1.0}, "high_capex_usd": {"gpu": 9e4}}, "the same kinds"),
        ({"low_lead_months": 1, "high_lead_months": 2}, "is not between"),
    ],
)
def test_a_range_that_does_not_hold_its_figure_is_refused(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        even(terms)
