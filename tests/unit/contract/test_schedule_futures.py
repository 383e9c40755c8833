"""Construction projects in a roadmap: what futures take of their dates, against closed forms and samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from gigawatt.contract.dates import date_assumptions, priced
from gigawatt.contract.portfolio import plan_portfolio, solve_portfolio
from gigawatt.contract.schedule import draw_blocks
from gigawatt.contract.schedule_futures import date_roadmap
from gigawatt.domain.dates import BlockDates, DelayCost, PortfolioDates
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
    month_index,
)
from gigawatt.domain.portfolio_plan import FutureCost
from gigawatt.domain.schedule import Activity, ConstructionProject, Duration, Link, Milestone, SharedFactor
from gigawatt.errors import InputError
from gigawatt.project.schedule import read_project

DAY_S = 86_400.0
SHARES = (0.1, 0.5, 0.9)
LOW, LIKELY, HIGH = 300.0, 420.0, 900.0


def triangular(low: float = LOW, likely: float = LIKELY, high: float = HIGH) -> Duration:
    return Duration(shape="triangular", low_s=low * DAY_S, likely_s=likely * DAY_S, high_s=high * DAY_S)


def built(
    *blocks: tuple[str, Duration], correlation_frac: float = 0.0, **changed: Any
) -> ConstructionProject:
    """One activity for each block of 10 kW; all share a supplier."""
    terms: dict[str, Any] = {
        "title": "Halls",
        "start": date(2027, 1, 1),
        "price_year": 2026,
        "factors": (SharedFactor(id="maker", correlation_frac=correlation_frac),),
        "activities": tuple(Activity(id=f"{n}-works", duration=d, shares=("maker",)) for n, d in blocks),
        "milestones": tuple(
            Milestone(id=n, after=(Link(activity=f"{n}-works"),), power_w=10_000.0) for n, _ in blocks
        ),
    }
    return ConstructionProject(**(terms | changed))


def asked(*places: Place, power: tuple[PowerOffer, ...] = (), **changed: Any) -> Roadmap:
    """Ten accelerators of 1 kW: at a dollar an hour in the cloud, or at places of one's own."""
    own = ContractOffer(
        id="own", provider="self", form="owned", capex_usd={"gpu": 0.001}, term_months=90,
        sites=tuple(one.id for one in places), block_accelerators=10, sign_until="2027-01",
    )  # fmt: skip
    hourly = ContractOffer(
        id="hourly", provider="cloud", form="on-demand", price_usd_per_gpu_h={"gpu": 1.0},
        sites=("cloud",), term_months=1,
    )  # fmt: skip
    terms: dict[str, Any] = {
        "price_year": 2026,
        "start": "2027-01",
        "months": 48,
        "places": (*places, Place(id="cloud")),
        "chips": (Chip(id="gpu", power_w=1000.0, resale_frac=(1.0, 1.0)),),
        "research": (ResearchPool(id="lab", num_equivalents=10.0, start="2027-01"),),
        "offers": (own, hourly),
        "power": power,
        "solving": Solving(gap_frac=1e-6, time_limit_s=60.0),
    }
    return Roadmap(**(terms | changed))


def campus(*blocks: str, name: str = "campus", **changed: Any) -> Place:
    return Place(id=name, schedule="p", blocks=blocks or ("hall",), **changed)


def hall(**changed: Any) -> PowerOffer:
    terms: dict[str, Any] = {
        "id": "hall", "provider": "self", "form": "build", "site": "campus", "block_w": 10_000.0,
        "capex_usd_per_w": 0.001, "schedule": "p", "blocks": ("hall",), "term_months": 200,
    }  # fmt: skip
    return PowerOffer(**(terms | changed))


def triangular_days(share: float) -> float:
    """Inverse of the distribution."""
    span, rise = HIGH - LOW, LIKELY - LOW
    if share * span <= rise:
        return LOW + math.sqrt(share * span * rise)
    return HIGH - math.sqrt((1 - share) * span * (HIGH - LIKELY))


def months(day: date) -> float:
    """Months since the year 0, evenly over each month's days."""
    after = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return day.year * 12 + day.month - 1 + (day.day - 1) / (after - day.replace(day=1)).days


def weighed(dates: PortfolioDates, roadmap: Roadmap, block: str) -> tuple[np.ndarray, np.ndarray]:
    """Months of a block over the futures, from early to late, and their chances."""
    chance = {one.id: one.probability_frac for one in roadmap.futures}
    found = next(one for one in dates.blocks if one.block == block).months
    pairs = sorted((month_index(month), chance[name]) for name, month in found.items())
    return np.array([month for month, _ in pairs]), np.array([one for _, one in pairs])


def quantiles(values: np.ndarray, chances: np.ndarray) -> list[int]:
    return [int(values[np.searchsorted(np.cumsum(chances), share - 1e-9)]) for share in SHARES]


def test_one_triangular_activity_comes_at_its_exact_quantiles() -> None:
    dated, dates = date_roadmap(asked(campus()), {"p": built(("hall", triangular()))}, seed=3)
    assert dates is not None
    values, chances = weighed(dates, dated, "hall")
    assert chances.sum() == pytest.approx(1.0)
    start = date(2027, 1, 1)
    for found, share in zip(quantiles(values, chances), SHARES, strict=True):
        exact = months(start + timedelta(days=triangular_days(share)))
        assert abs(found - exact) <= 0.5 + 0.1
    mean = months(start + timedelta(days=(LOW + LIKELY + HIGH) / 3))
    assert values @ chances == pytest.approx(mean, abs=0.35)
    (block,) = dates.blocks
    for day, share in ((block.p10, 0.1), (block.p50, 0.5), (block.p90, 0.9)):
        assert abs((day - start).days - triangular_days(share)) < 5


def test_futures_of_the_example_keep_quantiles_and_mean_of_every_block(repository: Path) -> None:
    """Four halls at one place and a second site behind the same maker of transformers, thinned out to 20."""
    project = read_project(repository / "examples/campus-phases/project.yaml")
    texas = Place(id="texas", schedule="p", blocks=("block-1", "block-2", "block-3", "block-4"))
    dakota = Place(id="dakota", schedule="p", blocks=("dakota-block",))
    futures = tuple(Future(id=f"f{n}", probability_frac=share) for n, share in enumerate((0.5, 0.3, 0.2)))
    roadmap = asked(texas, dakota, months=96, futures=futures, reveals=("2028-01",), most_futures=20)
    dated, dates = date_roadmap(roadmap, {"p": project}, seed=1)
    assert dates is not None
    assert dates.num_combinations > len(dated.futures) <= 20
    drawn = draw_blocks(project, dates.num_samples, 1)
    for column, block in enumerate(drawn.blocks):
        reached = np.array(
            [months(drawn.epoch + timedelta(days=int(day))) for day in drawn.reached_days[:4096, column]]
        )
        values, chances = weighed(dates, dated, block.id)
        for found, share in zip(quantiles(values, chances), SHARES, strict=True):
            assert abs(found - np.quantile(reached, share)) < 1.0, block.id
        assert values @ chances == pytest.approx(reached.mean(), abs=0.5), block.id
    for own in futures:
        mine = [one.probability_frac for one in dated.futures if dates.own[one.id] == own.id]
        assert sum(mine) == pytest.approx(own.probability_frac)


def test_places_of_one_project_are_late_together_as_far_as_they_share_a_supplier() -> None:
    """The bivariate normal's own chance of each pair of levels; none between projects."""
    halls = (("hall", triangular()), ("annexe", triangular()))
    shared = built(*halls, correlation_frac=0.8)
    one, other = campus(), campus("annexe", name="annexe")
    dated, dates = date_roadmap(asked(one, other, most_futures=30), {"p": shared}, seed=1)
    assert dates is not None
    months_of, chances = weighed(dates, dated, "hall")
    share = [float(chances[months_of == month].sum()) for month in np.unique(months_of)]
    edges = np.array([-8.0, *stats.norm.ppf(np.cumsum(share)[:-1]), 8.0])
    both = stats.multivariate_normal([0.0, 0.0], [[1.0, 0.8], [0.8, 1.0]])
    below = np.array([[both.cdf([x, y]) for y in edges] for x in edges])
    pairs = np.diff(np.diff(below, axis=0), axis=1)
    values = np.unique(months_of) - chances @ months_of
    expected = values @ pairs @ values / (share @ values**2)
    assert correlation(dated, dates) == pytest.approx(expected, abs=0.02)
    assert expected > 0.6
    apart = other.model_copy(update={"schedule": "q"})
    asking = asked(one, apart, most_futures=25)
    assert abs(correlation(*date_roadmap(asking, {"p": shared, "q": shared}, seed=1))) < 1e-9


def correlation(dated: Roadmap, dates: PortfolioDates | None) -> float:
    assert dates is not None
    chances = np.array([one.probability_frac for one in dated.futures])
    x, y = (
        np.array([month_index(one.months[future.id]) for future in dated.futures], float)
        for one in dates.blocks
    )
    x, y = x - chances @ x, y - chances @ y
    return float(chances @ (x * y) / np.sqrt((chances @ x**2) * (chances @ y**2)))


def test_a_place_is_energised_by_its_blocks_beyond_what_it_says() -> None:
    """Each block brings its power with the halls' own use; futures rent until then."""
    place = campus(pue=1.2, energised=(PowerStep(month="2027-02", power_w=2400.0),))
    dated, dates = date_roadmap(asked(place), {"p": built(("hall", triangular()))}, seed=1)
    assert dates is not None
    for future in dated.futures:
        (change,) = future.changes
        ready = next(one for one in dates.blocks).months[future.id]
        assert change.energised is not None
        assert [(one.month, one.power_w) for one in change.energised] == [
            ("2027-02", 2400.0),
            (ready, pytest.approx(2400.0 + 12_000.0)),
        ]
    found, _ = plan_portfolio(dated, questions=False, dates=dates)
    assert found.audit.holds
    rented = dict.fromkeys(dates.own, 0.0)
    for one in found.signed:
        for name in one.futures if one.offer == "hourly" else ():
            rented[name] += one.num_accelerators
    for name, month in next(one for one in dates.blocks).months.items():
        # Nothing of one's own in January, two with the first 2.4 kW, ten from when the hall is there.
        late = month_index(month) - month_index("2027-02")
        assert rented[name] == pytest.approx(10 + 8 * late, abs=0.2)


def test_a_phase_takes_as_long_as_its_block_from_whenever_it_is_signed() -> None:
    project = built(("hall", triangular()), start=date(2025, 6, 1))
    place = Place(id="campus", energised=())
    dated, dates = date_roadmap(asked(place, power=(hall(),)), {"p": project}, seed=1)
    assert dates is not None
    begun = month_index("2025-06")
    lead = {name: month_index(month) - begun for name, month in dates.blocks[0].months.items()}
    (offer,) = dated.power
    assert (offer.lead_months, offer.schedule) == (min(lead.values()), "")
    assert dated.reveals == (f"{2027 + offer.lead_months // 12}-{offer.lead_months % 12 + 1:02d}",)
    slips = {one.id: sum(change.slip_months for change in one.changes) for one in dated.futures}
    assert slips == {name: months - offer.lead_months for name, months in lead.items()}
    assert min(slips.values()) == 0
    found, _ = plan_portfolio(dated, questions=False, dates=dates)
    assert found.audit.holds
    costs = {one.future: one.present_usd for one in found.audit.futures}
    waits = [costs[name] / (10 * 8766 / 12) for name in lead]
    assert waits == pytest.approx([min(months, 48) for months in lead.values()], abs=0.2)


def test_a_week_costs_what_the_futures_differ_by(repository: Path) -> None:
    """In the lab above a month of delay is ten accelerators rented for a month."""
    dated, dates = date_roadmap(asked(campus()), {"p": built(("hall", triangular()))}, seed=1)
    found, _ = plan_portfolio(dated, questions=False, dates=dates)
    assert found.dates is not None
    (cost,) = found.dates.costs
    assert cost.week_usd == pytest.approx(10 * 7 * 24, rel=1e-3)
    assert (cost.promised_week_usd, cost.worth_week_usd) == (None, None)


def made_up(names: Sequence[str], late: dict[str, dict[str, str]], own: dict[str, str]) -> PortfolioDates:
    day = date(2028, 1, 1)
    blocks = tuple(
        BlockDates(
            owner=owner, site=owner, file="p", project="p", block=owner, power_w=1.0,
            p10=day, p50=day, p90=day, planned=day, months=taken,
        )
        for owner, taken in late.items()
    )  # fmt: skip
    costs = tuple(DelayCost(owner=owner, file="p") for owner in late)
    return PortfolioDates(
        num_samples=1, seed=1, num_combinations=len(names), own=own, blocks=blocks, costs=costs
    )


def test_what_two_sites_and_the_own_futures_do_is_told_apart() -> None:
    """Costs of 3 a month at one site, 5 at the other, 1000 in the bad future, where both are later too."""
    months_a = {"g1": "2028-01", "g2": "2028-03", "g3": "2028-03", "b1": "2028-06", "b2": "2028-09"}
    months_b = {"g1": "2028-05", "g2": "2028-05", "g3": "2028-08", "b1": "2028-11", "b2": "2028-09"}
    own = {name: {"g": "good", "b": "bad"}[name[0]] for name in months_a}
    costs = tuple(
        FutureCost(
            future=name,
            probability_frac=0.2,
            present_usd=3.0 * month_index(months_a[name])
            + 5.0 * month_index(months_b[name])
            + 1000.0 * (own[name] == "bad"),
            cash_usd_per_year={},
        )
        for name in own
    )
    made = made_up(list(own), {"a": months_a, "b": months_b}, own)
    dates = priced(made, costs, 0.0)
    weeks = 7 / (365.25 / 12)
    assert [one.week_usd for one in dates.costs] == pytest.approx([3.0 * weeks, 5.0 * weeks])
    assert [one.gap_week_usd for one in dates.costs] == [0.0, 0.0]
    # A gap of 10 on average is 50 in one of five futures: whichever it is, it moves the slope no further.
    doubtful = priced(made, costs, 10.0)
    for number in range(5):
        moved = [one.model_copy(update={"present_usd": one.present_usd + 50.0 * (n == number)})
                 for n, one in enumerate(costs)]  # fmt: skip
        for first, other in zip(doubtful.costs, priced(made, moved, 0.0).costs, strict=True):
            assert abs(first.week_usd - other.week_usd) <= first.gap_week_usd * (1 + 1e-9)


def test_what_is_certain_costs_no_week() -> None:
    dated, dates = date_roadmap(
        asked(campus()), {"p": built(("hall", Duration(fixed_s=400 * DAY_S)))}, seed=1
    )
    assert [one.id for one in dated.futures] == ["p50"]
    assert dated.reveals == ()
    found, _ = plan_portfolio(dated, questions=False, dates=dates)
    assert found.dates is not None
    assert found.dates.costs[0].week_usd is None
    assert not any("one date" in text for text in found.assumptions)


def test_own_futures_keep_their_paths_and_learn_of_dates_when_they_come() -> None:
    futures = (
        Future(id="up", probability_frac=0.5, path=("boom", "up")),
        Future(id="down", probability_frac=0.5, path=("boom", "down")),
    )
    reveals = ("2027-06", "2029-06")
    roadmap = asked(campus(), futures=futures, reveals=reveals)
    dated, dates = date_roadmap(roadmap, {"p": built(("hall", triangular()))}, seed=1)
    assert dates is not None
    first = min(dates.blocks[0].months.values())
    assert dated.reveals == tuple(sorted({*reveals, first}))
    early = next(one for one in dated.futures if one.id == "up.early")
    assert early.path == ("boom", "early", "up")
    known, _ = date_roadmap(
        roadmap.model_copy(update={"dates_known": "2027-06"}), {"p": built(("hall", triangular()))}, seed=1
    )
    assert known.reveals == reveals
    assert next(one for one in known.futures if one.id == "up.early").path == ("early boom", "up")


def test_what_comes_after_the_horizon_is_one_future() -> None:
    dated, dates = date_roadmap(asked(campus(), months=9), {"p": built(("hall", triangular()))}, seed=1)
    assert dates is not None
    assert set(dates.blocks[0].months.values()) == {"2027-10"}
    found, _ = plan_portfolio(dated, questions=False, dates=dates)
    assert found.audit.holds


def test_the_same_seed_gives_the_same_futures() -> None:
    projects = {"p": built(("hall", triangular()))}
    first, second, third = (date_roadmap(asked(campus()), projects, seed)[0] for seed in (1, 1, 2))
    assert first == second
    assert first.futures != third.futures


SLIP = Change(month="2027-06", sites="campus", slip_months=3)
STEP = Change(month="2027-06", sites="campus", energised=())
OPEN = Place(id="campus", energised=())


@pytest.mark.parametrize(
    ("roadmap", "key", "words"),
    [
        (asked(campus("hal")), "places[0].blocks", '"hal" of p is not there; its blocks are hall, annexe'),
        (asked(campus("go")), "places[0].blocks", "is a milestone without power_w"),
        (asked(campus("hall", "hall")), "places[0].blocks", "counted twice"),
        (asked(campus(), campus(name="b")), "places[1].blocks", "counted twice"),
        (asked(campus("annexe", "hall")), "places[0].blocks", "phases out of order: hall"),
        (asked(campus(), start="2028-04"), "places[0].blocks", "hall may be there from 2028-01"),
        (asked(OPEN, power=(hall(blocks="done"),)), "power[0].blocks", "nothing is left to be built"),
        (asked(campus(), dates_known="2029-01"), "dates_known", "2029-01 is not between the start, 2027-01"),
        (asked(campus(), most_futures=4), "most_futures", "that takes 5 or more"),
        (
            asked(OPEN, power=(hall(),), reveals=("2027-06",),
                  futures=(Future(id="late", probability_frac=1.0, changes=(SLIP,)),)),
            "power[0].schedule", "future late has dates of hall too, by slip_months",
        ),
        (
            asked(campus(energised=()), reveals=("2027-06",),
                  futures=(Future(id="dark", probability_frac=1.0, changes=(STEP,)),)),
            "places[0].schedule", "future dark has dates of campus too, by energised",
        ),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(roadmap: Roadmap, key: str, words: str) -> None:
    project = built(("hall", triangular()), ("annexe", triangular(500, 600, 1200)))
    rest = (
        Milestone(id="go", after=(Link(activity="hall-works"),)),
        Milestone(id="done", after=(Link(activity="old"),), power_w=1.0),
    )
    old = Activity(
        id="old", started=date(2026, 1, 1), finished=date(2026, 12, 1), duration=Duration(fixed_s=DAY_S)
    )
    project = project.model_copy(
        update={"milestones": (*project.milestones, *rest), "activities": (*project.activities, old)}
    )
    with pytest.raises(InputError) as found:
        date_roadmap(roadmap, {"p": project}, seed=1)
    (problem,) = found.value.problems
    assert problem.key == key
    assert words in problem.message


def test_dates_that_are_not_drawn_are_refused() -> None:
    with pytest.raises(InputError, match="dates of campus are not drawn yet"):
        solve_portfolio(asked(campus()))


def test_building_works_with_one_date_are_named() -> None:
    by_lead = hall(schedule="", blocks=(), lead_months=14)
    steps = (PowerStep(month="2027-01", power_w=1.0), PowerStep(month="2028-03", power_w=2.0))
    told = list(date_assumptions(asked(Place(id="campus", energised=steps), power=(by_lead,)), None))
    assert [text.partition(":")[0] for text in told] == ["hall", "campus"]
    assert "one date (14 months after its signature); no distribution" in told[0]
    assert "2028-03 for its steps of power" in told[1]
    late = asked(OPEN, power=(by_lead,), reveals=("2027-06",),
                 futures=(Future(id="late", probability_frac=1.0, changes=(SLIP,)),))  # fmt: skip
    assert "and delays by hand in futures" in next(date_assumptions(late, None))
