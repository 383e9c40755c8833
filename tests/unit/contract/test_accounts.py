"""Cash and accounts: by hand, and as an identity in every future of plans with every kind of contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.contract.accounts import accounts_of
from gigawatt.contract.portfolio import plan_portfolio
from gigawatt.domain.accounts import BookLives, FutureAccounts
from gigawatt.domain.portfolio import (
    Cancellation,
    Change,
    Chip,
    ContractOffer,
    Future,
    Place,
    PowerOffer,
    ResearchPool,
    Roadmap,
)
from gigawatt.domain.portfolio_plan import Portfolio
from gigawatt.project.portfolio import published_lives, read_roadmap

YEAR_S = 365.25 * 86400.0
LIVES = BookLives(servers_s=(6 * YEAR_S, 5 * YEAR_S, 3 * YEAR_S), building_s=39 * YEAR_S)
HOURS = 8766 / 12
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def offer(name: str, **terms: Any) -> ContractOffer:
    return ContractOffer(**({"id": name, "provider": name, "sites": ("here",)} | terms))


def owned(**changed: Any) -> ContractOffer:
    return offer("own", **({"form": "owned", "capex_usd": {"gpu": 60_000.0}, "term_months": 72} | changed))


def roadmap(*offers: ContractOffer, months: int = 36, **changed: Any) -> Roadmap:
    terms: dict[str, Any] = {
        "places": (Place(id="here"),), "chips": (Chip(id="gpu", power_w=1000.0),),
        "research": (ResearchPool(id="lab", num_equivalents=1.0, start="2027-01"),),
    }  # fmt: skip
    return Roadmap(price_year=2026, start="2027-01", months=months, offers=offers, **(terms | changed))


def booked(asked: Roadmap) -> tuple[Portfolio, tuple[FutureAccounts, ...]]:
    plan, _ = plan_portfolio(asked, questions=False)
    assert plan.audit.holds
    return plan, accounts_of(asked, plan, LIVES)


def check(plan: Portfolio, accounts: tuple[FutureAccounts, ...]) -> None:
    """What was paid is what was expensed and what is left; and it is what the audit saw being paid."""
    for future, audited in zip(accounts, plan.audit.futures, strict=True):
        cash = sum(one.cash_usd for one in future.years)
        last = future.years[-1]
        scale = sum(abs(one.cash_usd) for one in future.years)
        for life, book in last.book_usd.items():
            expense = sum(one.expense_usd[life] for one in future.years)
            assert cash == pytest.approx(expense + book + last.prepaid_usd, abs=1e-9 * scale)
        for one in future.years:
            assert one.cash_usd == pytest.approx(audited.cash_usd_per_year[one.year], abs=1e-9 * scale)


def test_hardware_is_written_off_over_each_life() -> None:
    """60,000 dollars over 6, 5 and 3 years: after three, a half, two fifths and nothing are left."""
    plan, (future,) = booked(roadmap(owned()))
    check(plan, (future,))
    assert [one.cash_usd for one in future.years] == pytest.approx([60_000.0, 0.0, 0.0])
    for life, yearly in (("6 years", 10_000.0), ("5 years", 12_000.0), ("3 years", 20_000.0)):
        assert [one.depreciation_usd[life] for one in future.years] == pytest.approx([yearly] * 3)
        assert future.years[-1].book_usd[life] == pytest.approx(60_000.0 - 3 * yearly, abs=1e-6)


def test_a_life_of_ones_own_takes_the_place_of_those_that_are_tried() -> None:
    chips = (Chip(id="gpu", power_w=1000.0, book_life_s=4 * YEAR_S),)
    _, (future,) = booked(roadmap(owned(), chips=chips))
    assert list(future.years[0].depreciation_usd) == ["as stated"]
    assert future.years[0].depreciation_usd["as stated"] == pytest.approx(15_000.0)


def test_what_is_given_up_is_written_off_with_what_it_does_not_fetch() -> None:
    """After two of five years 36,000 stand in the books, and 30,000 are paid for it: 6,000 are lost."""
    chips = (Chip(id="gpu", power_w=1000.0, resale_frac=(1.0, 0.75, 0.5, 0.5)),)
    work = (ResearchPool(id="lab", num_equivalents=1.0, start="2027-01", end="2028-12"),)
    plan, (future,) = booked(roadmap(owned(term_months=24), chips=chips, research=work))
    check(plan, (future,))
    assert [one.cash_usd for one in future.years] == pytest.approx([60_000.0, 0.0, -30_000.0])
    written = [one.depreciation_usd["5 years"] for one in future.years]
    assert written == pytest.approx([12_000.0, 12_000.0, 6_000.0])
    assert future.years[-1].book_usd["5 years"] == pytest.approx(0.0, abs=1e-6)


def test_a_prepayment_is_used_up_as_it_is_used() -> None:
    """Half of two years ahead: three quarters of the cash in the first, half of the expense in either."""
    lease = offer("lease", form="lease", price_usd_per_gpu_h={"gpu": 1.0}, term_months=24, prepay_frac=0.5)
    plan, (future,) = booked(roadmap(lease, months=24))
    check(plan, (future,))
    total = 24 * HOURS
    assert [one.cash_usd for one in future.years] == pytest.approx([0.75 * total, 0.25 * total])
    assert [one.rent_usd for one in future.years] == pytest.approx([total / 2, total / 2])
    assert [one.prepaid_usd for one in future.years] == pytest.approx([total / 4, 0.0], abs=1e-6)


def test_capital_waits_in_the_books_until_what_it_pays_for_is_ready() -> None:
    """A building of 39 years, paid in halves a year apart, ready after 18 months: six are written off."""
    hall = PowerOffer(
        id="hall", provider="self", form="build", site="here", block_w=1000.0, capex_usd_per_w=39.0,
        spend_frac=(0.5, *[0.0] * 11, 0.5), lead_months=18, term_months=480,
    )  # fmt: skip
    work = (ResearchPool(id="lab", num_equivalents=1.0, start="2028-07"),)
    places = (Place(id="here", energised=()),)
    asked = roadmap(
        offer("rent", form="lease", price_usd_per_gpu_h={"gpu": 1e-6}, term_months=1),
        months=24, power=(hall,), places=places, research=work,
    )  # fmt: skip
    plan, (future,) = booked(asked)
    check(plan, (future,))
    assert [one.cash_usd for one in future.years] == pytest.approx([19_500.0, 19_500.0], abs=0.1)
    assert [one.depreciation_usd["as stated"] for one in future.years] == pytest.approx([0.0, 500.0])


def test_sums_agree_with_every_kind_of_contract_in_every_future() -> None:
    """Rights, take or pay, fees, prepayments, a provider that is lost and a phase that is late."""
    hall = PowerOffer(
        id="hall", provider="self", form="build", site="here", block_w=20_000.0, most_blocks=2,
        capex_usd_per_w=1.0, lead_months=3, term_months=240, sign_until="2027-02",
    )  # fmt: skip
    rent: dict[str, Any] = {"form": "reserved", "sites": ("there",)}
    offers = (
        owned(capex_usd={"gpu": 9_000.0}, term_months=18, lead_months=1, spend_frac=(0.3, 0.7)),
        offer("hourly", form="on-demand", price_usd_per_gpu_h={"gpu": 4.0}, term_months=1, sites=("there",)),
        offer(
            "year", price_usd_per_gpu_h={"gpu": 1.5}, term_months=12, prepay_frac=0.3, fee_usd=500.0,
            most_accelerators=4, cancel=Cancellation(after_months=6, fee_frac=0.2), **rent,
        ),
        offer(
            "campaign", price_usd_per_gpu_h={"gpu": 1.2}, term_months=24, take_frac=0.5, most_accelerators=5,
            **rent,
        ),
    )  # fmt: skip
    futures = (
        Future(id="even", probability_frac=0.4),
        Future(
            id="late", probability_frac=0.3, changes=(Change(month="2027-06", sites="here", slip_months=5),)
        ),
        Future(
            id="lost", probability_frac=0.3,
            changes=(
                Change(month="2027-06", lost_provider="year"),
                Change(month="2027-06", demand_change_frac=-0.4, price_change_frac=0.2),
            ),
        ),
    )  # fmt: skip
    asked = roadmap(
        *offers, months=30, power=(hall,), futures=futures, reveals=("2027-06",), discount_frac=0.08,
        places=(Place(id="here", energised=(), power_price_usd_per_mwh=50.0), Place(id="there")),
        research=(ResearchPool(id="lab", num_equivalents=30.0, growth_frac=0.3, start="2027-01"),),
        chips=(Chip(id="gpu", power_w=1000.0, resale_frac=(1.0, 0.6, 0.3, 0.0)),),
    )  # fmt: skip
    plan, accounts = booked(asked)
    signed = {one.offer for one in plan.signed}
    assert signed >= {"own", "year", "campaign", "hall"}
    check(plan, accounts)


def test_lives_are_those_that_were_published() -> None:
    lives = published_lives(load_catalog())
    assert [life / YEAR_S for life in lives.servers_s] == [6.0, 5.0, 3.0]
    assert lives.building_s == 39 * YEAR_S


def test_an_example_adds_up() -> None:
    asked = read_roadmap(EXAMPLES / "university" / "portfolio.yaml")
    check(*booked(asked))
