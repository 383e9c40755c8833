"""Construction risk against closed forms, enumeration and plain Python."""

from __future__ import annotations

import itertools
import math
import random
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from gigawatt.contract import schedule_kernel as kernel
from gigawatt.contract.schedule import _new_block, _new_tally, _random, draw, simulate_schedule
from gigawatt.contract.schedule_durations import quantile_table_s, scores
from gigawatt.contract.schedule_network import compile_project, find_cycle
from gigawatt.contract.schedule_scenarios import date_scenarios, month_probabilities
from gigawatt.documents import load_yaml, parse_records
from gigawatt.domain.portfolio import Future
from gigawatt.domain.schedule import (
    Activity,
    BuildSite,
    ConstructionProject,
    DiscreteRisk,
    Duration,
    Link,
    Milestone,
    SharedFactor,
    Stop,
    WorkCalendar,
)
from gigawatt.errors import InputError
from gigawatt.project.schedule import read_project

DAY_S = 86400.0
START = date(2027, 1, 4)
SAMPLES = 60_000


def days(*points: float, shape: str = "pert") -> Duration:
    """One number is certain, two are P10 and P90, three are low, likely and high."""
    values = [point * DAY_S for point in points]
    if len(values) == 1:
        return Duration(fixed_s=values[0])
    if len(values) == 2:
        return Duration(p10_s=values[0], p90_s=values[1])
    return Duration(shape=shape, low_s=values[0], likely_s=values[1], high_s=values[2])


def project(
    activities: list[Activity], after: list[str] | None = None, **more: object
) -> ConstructionProject:
    names = after or [activities[-1].id]
    end = Milestone(id="end", after=tuple(Link(activity=name) for name in names), power_w=1e8)
    fields: dict[str, object] = {"milestones": (end,)} | more
    return ConstructionProject(
        title="t", start=START, price_year=2026, activities=tuple(activities), **fields
    )


def chain(*durations: Duration) -> list[Activity]:
    """One after the other."""
    return [
        Activity(id=f"a{n}", duration=one, after=(Link(activity=f"a{n - 1}"),) if n else ())
        for n, one in enumerate(durations)
    ]


def end_days(planned: ConstructionProject, seed: int = 1, samples: int = SAMPLES) -> np.ndarray:
    return draw(compile_project(planned), samples, seed).reached_days[:, 0]


def test_certain_activities_in_a_row_end_on_the_day_that_their_sum_says() -> None:
    risk = simulate_schedule(project(chain(days(10), days(5), days(17))), 64)
    (end,) = risk.milestones
    assert end.p10 == end.p50 == end.p90 == end.planned == START + timedelta(days=31)


@pytest.mark.parametrize(("low", "likely", "high"), [(10, 12, 40), (5, 5, 9), (3, 20, 20), (0, 50, 100)])
def test_a_pert_duration_is_the_beta_distribution_of_its_points(low, likely, high) -> None:
    alpha = 1 + 4 * (likely - low) / (high - low)
    table = quantile_table_s(days(low, likely, high), scores()) / DAY_S
    truth = stats.beta.ppf(stats.norm.cdf(scores()), alpha, 6 - alpha, low, high - low)
    assert table == pytest.approx(truth, abs=2e-5 * (high - low))


def test_a_triangular_duration_is_the_triangular_distribution() -> None:
    table = quantile_table_s(days(10, 12, 40, shape="triangular"), scores()) / DAY_S
    truth = stats.triang.ppf(stats.norm.cdf(scores()), 2 / 30, 10, 30)
    assert table == pytest.approx(truth, rel=1e-9)


def test_a_fit_is_lognormal_with_the_moments_of_the_logarithms() -> None:
    observed = (31.0, 36.0, 29.0, 44.0, 38.0)
    table = quantile_table_s(Duration(observed_s=tuple(one * DAY_S for one in observed)), scores()) / DAY_S
    logs = np.log(observed)
    truth = stats.lognorm.ppf(stats.norm.cdf(scores()), logs.std(ddof=1), scale=np.exp(logs.mean()))
    middle = np.abs(scores()) < 4
    assert table[middle] == pytest.approx(truth[middle], rel=1e-6)


def test_a_series_has_the_sum_of_means_and_of_variances() -> None:
    """PERT mean (a + 4m + b)/6 and variance (mean - a)(b - mean)/7, added up."""
    points = [(10, 12, 40), (5, 9, 11), (20, 40, 45), (1, 2, 30)]
    means = [(a + 4 * m + b) / 6 for a, m, b in points]
    variances = [(mean - a) * (b - mean) / 7 for mean, (a, _, b) in zip(means, points, strict=True)]
    end = end_days(project(chain(*(days(*one) for one in points))))
    deviation = math.sqrt(sum(variances))
    assert end.mean() == pytest.approx(sum(means), abs=4 * deviation / math.sqrt(SAMPLES))
    assert end.var() == pytest.approx(sum(variances), rel=4 * math.sqrt(3 / SAMPLES))


def test_in_parallel_the_probabilities_multiply() -> None:
    """Of independent activities all are done by t with the product of their probabilities."""
    pairs = [(10, 30), (12, 25), (8, 40)]
    activities = [Activity(id=f"a{n}", duration=days(*pair)) for n, pair in enumerate(pairs)]
    end = end_days(project(activities, ["a0", "a1", "a2"]))
    sides = [(math.sqrt(a * b), math.log(b / a) / 2 / stats.norm.ppf(0.9)) for a, b in pairs]
    for t in (15, 20, 25, 30, 40, 60):
        truth = math.prod(stats.lognorm.cdf(t, spread, scale=median) for median, spread in sides)
        assert np.mean(end <= t) == pytest.approx(
            truth, abs=4 * math.sqrt(truth * (1 - truth) / SAMPLES) + 1e-9
        )


def test_the_greater_of_two_correlated_durations_is_clarks() -> None:
    """C. Clark, The greatest of a finite set of random variables, Operations Research 9 (1961): moments of
    the maximum of two correlated normals. A lognormal of little spread is a normal to within a thousandth."""
    rho, mean, sd = 0.4, 1000.0, 10.0
    half = stats.norm.ppf(0.9) * sd
    one = days(mean - half, mean + half)
    activities = [Activity(id=name, duration=one, shares=("maker",)) for name in ("a", "b")]
    shared = SharedFactor(id="maker", correlation_frac=rho)
    end = end_days(project(activities, ["a", "b"], factors=(shared,)))
    theta = sd * math.sqrt(2 - 2 * rho)
    greatest = mean + theta * stats.norm.pdf(0)
    second = mean**2 + sd**2 + 2 * mean * theta * stats.norm.pdf(0)
    assert end.mean() == pytest.approx(greatest, abs=0.3)
    assert end.std() == pytest.approx(math.sqrt(second - greatest**2), rel=0.02)


def test_what_shares_a_supplier_correlates_as_it_was_told() -> None:
    rho = 0.6
    one = days(10, 40)
    activities = [Activity(id=name, duration=one, shares=("maker",)) for name in ("a", "b", "c")]
    activities[2] = Activity(id="c", duration=one)
    ends = tuple(Milestone(id=f"m{name}", after=(Link(activity=name),)) for name in ("a", "b", "c"))
    shared = SharedFactor(id="maker", correlation_frac=rho)
    planned = project(activities, milestones=ends, factors=(shared,))
    logs = np.log(draw(compile_project(planned), SAMPLES).reached_days)
    found = np.corrcoef(logs.T)
    assert found[0, 1] == pytest.approx(rho, abs=0.01)
    assert found[0, 2] == pytest.approx(0.0, abs=0.016)


def test_risks_are_the_distribution_that_enumeration_gives() -> None:
    """Three risks of certain delay, one of them on two activities: eight outcomes of known probability."""
    told = [("r0", 0.3, 7, ("a0",)), ("r1", 0.1, 20, ("a0", "a1")), ("r2", 0.5, 3, ("a1",))]
    risks = tuple(
        DiscreteRisk(id=id, probability_frac=p, delay=days(delay), activities=hit)
        for id, p, delay, hit in told
    )
    end = end_days(project(chain(days(10), days(10)), risks=risks))
    truth: dict[float, float] = {}
    for happens in itertools.product((0, 1), repeat=3):
        total = 20 + sum(on * delay * len(hit) for on, (_, _, delay, hit) in zip(happens, told, strict=True))
        share = math.prod(p if on else 1 - p for on, (_, p, _, _) in zip(happens, told, strict=True))
        truth[total] = truth.get(total, 0) + share
    found, counts = np.unique(end.round(9), return_counts=True)
    assert set(found) == set(truth)
    for total, count in zip(found, counts, strict=True):
        share = truth[total]
        assert count / SAMPLES == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / SAMPLES))


def longest_paths(planned: ConstructionProject, lasts: dict[str, float]) -> dict[str, float]:
    """Ends by plain recursion, every day a working day."""
    rows = {row.id: row for row in (*planned.activities, *planned.milestones)}
    known: dict[str, tuple[float, float]] = {}

    def span(name: str) -> tuple[float, float]:
        if name not in known:
            start, least_end = 0.0, 0.0
            for link in rows[name].after:
                before, done = span(link.activity)
                lag = link.lag_s / DAY_S
                if link.kind == "finish-start":
                    start = max(start, done + lag)
                elif link.kind == "start-start":
                    start = max(start, before + lag)
                else:
                    least_end = max(least_end, done + lag)
            known[name] = start, max(start + lasts.get(name, 0.0), least_end)
        return known[name]

    return {name: span(name)[1] for name in rows}


@pytest.mark.parametrize("seed", range(6))
def test_a_network_of_all_kinds_of_links_ends_as_recursion_says(seed: int) -> None:
    draws = random.Random(seed)
    lasts = {f"a{n}": float(draws.randrange(1, 40)) for n in range(30)}
    activities = []
    for n, name in enumerate(lasts):
        chosen = draws.sample(range(n), min(n, draws.randrange(4)))
        after = tuple(
            Link(
                activity=f"a{other}",
                kind=draws.choice(("finish-start", "start-start", "finish-finish")),
                lag_s=draws.choice((0.0, 3.0, 10.0)) * DAY_S,
            )
            for other in chosen
        )
        activities.append(Activity(id=name, duration=days(lasts[name]), after=after))
    draws.shuffle(activities)
    ends = tuple(Milestone(id=f"m-{name}", after=(Link(activity=name),)) for name in lasts)
    planned = project(activities, milestones=ends)
    found = draw(compile_project(planned), 4).reached_days[0]
    truth = longest_paths(planned, lasts)
    assert found == pytest.approx([truth[one.id] for one in ends])


@pytest.mark.parametrize("seed", range(8))
def test_calendars_are_those_of_somebody_who_crosses_days_off(seed: int) -> None:
    draws = random.Random(seed)
    working = tuple(draws.sample(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), draws.randrange(1, 7)))
    holidays = tuple(START + timedelta(days=draws.randrange(200)) for _ in range(5))
    stops = (Stop(first="02-20", last="03-09"), Stop(first="2027-05-01", last="2027-05-20"))
    calendar = WorkCalendar(id="here", working_days=working, holidays=holidays, stops=stops)
    lasts = [draws.randrange(1, 60) / 4 for _ in range(12)]
    activities = [
        Activity(
            id=f"a{n}",
            site="s",
            duration=days(one * 7 / len(working)),
            after=(Link(activity=f"a{n - 1}"),) if n else (),
        )
        for n, one in enumerate(lasts)
    ]
    site = BuildSite(id="s", calendar="here")
    ends = tuple(Milestone(id=f"m{n}", after=(Link(activity=f"a{n}"),)) for n in range(len(lasts)))
    planned = project(activities, milestones=ends, calendars=(calendar,), sites=(site,))
    found = draw(compile_project(planned), 1).reached_days[0]
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    now, truth = 0.0, []
    for left in lasts:
        while left > 1e-12:
            day = START + timedelta(days=math.floor(now + 1e-12))
            stopped = "02-20" <= day.isoformat()[5:] <= "03-09" or date(2027, 5, 1) <= day <= date(
                2027, 5, 20
            )
            works = names[day.weekday()] in working and day not in holidays and not stopped
            step = min(math.floor(now + 1e-12) + 1 - now, left if works else 9.0)
            left, now = left - step * works, now + step
        truth.append(now)
    assert found == pytest.approx(truth)


def test_a_stop_around_the_new_year_stops_on_both_sides_of_it() -> None:
    calendar = WorkCalendar(id="here", stops=(Stop(first="12-20", last="01-05"),))
    one = Activity(id="a", calendar="here", duration=days(10), not_before=date(2027, 12, 15))
    (end,) = simulate_schedule(project([one], calendars=(calendar,)), 1).milestones
    assert end.p50 == date(2028, 1, 10)


def test_what_is_done_stays_done_and_what_is_under_way_is_drawn_from_what_is_left() -> None:
    """Started 30 days ago: the lognormal given that it takes longer than 30 days."""
    done = Activity(id="done", duration=days(100), started=date(2026, 6, 1), finished=date(2026, 7, 10))
    begun = START - timedelta(days=30)
    going = Activity(id="going", duration=days(20, 60), started=begun, after=(Link(activity="done"),))
    planned = project([done, going])
    compiled_project = compile_project(planned)
    found = draw(compiled_project, SAMPLES).reached_days[:, 0] - (begun - compiled_project.epoch).days
    median, spread = math.sqrt(20 * 60), math.log(3) / 2 / stats.norm.ppf(0.9)
    law = stats.lognorm(spread, scale=median)
    assert found.min() >= 30
    for t in (35, 45, 60, 90):
        truth = (law.cdf(t) - law.cdf(30)) / law.sf(30)
        assert np.mean(found <= t) == pytest.approx(truth, abs=4 * math.sqrt(truth * (1 - truth) / SAMPLES))
    activity = simulate_schedule(planned, 512).activities[0]
    assert activity.finish_p10 == activity.finish_p90 == date(2026, 7, 10)


def test_of_two_alike_in_parallel_each_is_critical_half_of_the_time() -> None:
    activities = [Activity(id=name, duration=days(10, 30)) for name in ("a", "b")]
    activities.append(Activity(id="c", duration=days(5), after=(Link(activity="a"), Link(activity="b"))))
    a, b, c = simulate_schedule(project(activities), SAMPLES).activities
    assert a.criticality_frac["end"] + b.criticality_frac["end"] == 1.0
    assert a.criticality_frac["end"] == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(SAMPLES))
    assert c.criticality_frac["end"] == 1.0


def test_paths_to_many_milestones_are_told_apart() -> None:
    """More than fit into the bits of one word: each waits for its own activity and the first alone."""
    names = [f"a{n}" for n in range(70)]
    activities = [Activity(id="first", duration=days(1, 2, 9))]
    activities += [
        Activity(id=name, duration=days(1, 2, 9), after=(Link(activity="first"),)) for name in names
    ]
    ends = tuple(Milestone(id=f"m-{name}", after=(Link(activity=name),)) for name in names)
    first, *others = simulate_schedule(project(activities, milestones=ends), 700).activities
    assert set(first.criticality_frac.values()) == {1.0}
    for one in others:
        assert {name for name, share in one.criticality_frac.items() if share} == {f"m-{one.id}"}


def test_a_week_more_moves_the_mean_by_criticality() -> None:
    """To first order: a day more in one of three branches, drawn again from the same seed."""

    def planned(more: float) -> ConstructionProject:
        lengths = ((10 + more, 30 + more), (12, 25), (8, 40))
        branches = [
            Activity(id=f"a{n}", duration=days(a, (a + b) / 2, b)) for n, (a, b) in enumerate(lengths)
        ]
        return project(branches, ["a0", "a1", "a2"])

    before, after = end_days(planned(0.0)), end_days(planned(0.02))
    share = simulate_schedule(planned(0.0), SAMPLES).activities[0].criticality_frac["end"]
    assert (after.mean() - before.mean()) / 0.02 == pytest.approx(share, abs=0.01)


def test_the_share_of_a_driver_is_its_share_of_the_variance() -> None:
    """Normals in a row: each explains its part of the sum, of which tenths see what lies between them."""
    half = stats.norm.ppf(0.9)
    deviations = (1.0, 2.0, 3.0)
    row = chain(*(days(1000 - half * sd, 1000 + half * sd) for sd in deviations))
    risk = simulate_schedule(project(row), SAMPLES)
    edges = stats.norm.ppf(np.linspace(0, 1, 11))
    between = np.mean((10 * (stats.norm.pdf(edges[:-1]) - stats.norm.pdf(edges[1:]))) ** 2)
    for driver in risk.drivers:
        sd = deviations[int(driver.driver[1:])]
        assert driver.variance_frac == pytest.approx(between * sd**2 / 14, abs=0.01)
        tail = 10 * stats.norm.pdf(stats.norm.ppf(0.9)) * sd * 2
        assert driver.swing_s / DAY_S == pytest.approx(tail, rel=0.04)
    assert [driver.driver for driver in risk.drivers] == ["a2", "a1", "a0"]


def test_drivers_lie_on_the_way_to_the_milestone() -> None:
    shared = SharedFactor(id="maker", correlation_frac=0.6)
    activities = [Activity(id=name, duration=days(10, 40), shares=("maker",)) for name in ("a", "b")]
    risk = simulate_schedule(project(activities, ["a"], factors=(shared,)), 4096)
    assert {driver.driver for driver in risk.drivers} == {"a", "maker"}


def test_targets_and_the_cost_of_missing_them() -> None:
    """Certain to be four weeks late at a million a week."""
    one = Milestone(
        id="end",
        after=(Link(activity="a0"),),
        target=START + timedelta(days=71),
        delay_usd_per_year=1e6 * 365.25 / 7,
    )
    (end,) = simulate_schedule(project(chain(days(100)), milestones=(one,)), 256).milestones
    assert end.meets_target_frac == 0.0
    assert end.delay_s == pytest.approx(28 * DAY_S)
    assert end.delay_usd == pytest.approx(4e6)
    on_time = one.model_copy(update={"target": START + timedelta(days=99)})
    (end,) = simulate_schedule(project(chain(days(100)), milestones=(on_time,)), 256).milestones
    assert (end.meets_target_frac, end.delay_usd) == (1.0, 0.0)


def mixed() -> ConstructionProject:
    """A bit of everything."""
    calendar = WorkCalendar(id="five", working_days=("mon", "tue", "wed", "thu", "fri"))
    activities = chain(days(10, 30), days(5, 6, 20), days(4, 5, 9, shape="triangular"))
    activities[1] = activities[1].model_copy(update={"shares": ("maker",), "calendar": "five"})
    activities.append(
        Activity(
            id="b",
            duration=days(10, 60),
            shares=("maker",),
            after=(Link(activity="a0", kind="start-start"), Link(activity="a2", kind="finish-finish")),
        )
    )
    return project(
        activities,
        ["a2", "b"],
        calendars=(calendar,),
        factors=(SharedFactor(id="maker", correlation_frac=0.5),),
        risks=(DiscreteRisk(id="r", probability_frac=0.3, delay=days(3, 9), activities=("b",)),),
    )


def test_the_same_seed_gives_the_same_bytes_for_any_number_of_workers() -> None:
    texts = {simulate_schedule(mixed(), 5000, 7, workers).model_dump_json() for workers in (1, 2, 3, 5)}
    assert len(texts) == 1
    assert simulate_schedule(mixed(), 5000, 8).model_dump_json() not in texts


def test_the_compiled_kernel_counts_what_its_python_counts() -> None:
    made = compile_project(mixed())
    room, tally = _new_block(made, 512), _new_tally(made, 400)
    numbers, uniforms = _random(made, 3, 0)
    dates = np.empty((512, 1))
    kernel.draw_durations(made.draws, numbers, uniforms, room)
    kernel.pass_forward(made.network, made.calendars, room)
    kernel.count_days(room, tally, 512)
    kernel.trace(made.network, room, tally, dates)
    kernel.count_bins(room, tally, dates)
    drawn = draw(made, 512, 3, 1)
    assert (drawn.reached_days == dates).all()
    for name in ("critical", "sums", "counts"):
        assert (getattr(drawn.tally, name) == getattr(tally, name)).all()
    width = drawn.tally.finishes.shape[1]
    assert (drawn.tally.finishes == tally.finishes[:, :width]).all()


def test_months_add_up_and_are_those_of_the_dates() -> None:
    planned = mixed()
    risk = simulate_schedule(planned, 5000, 2)
    shares = month_probabilities(risk)["end"]
    assert sum(shares.values()) == pytest.approx(1.0)
    found = np.maximum(0, np.ceil(draw(compile_project(planned), 5000, 2).reached_days[:, 0]) - 1)
    in_january = np.mean([(START + timedelta(days=int(one))).isoformat()[:7] == "2027-01" for one in found])
    assert shares.get("2027-01", 0.0) == pytest.approx(in_january)


def test_scenarios_keep_what_is_late_together() -> None:
    """Two blocks behind one interconnection that is early or years late: never one without the other."""
    shared = Activity(id="grid", duration=days(10))
    risk = DiscreteRisk(id="r", probability_frac=0.25, delay=days(800), activities=("grid",))
    rest = [Activity(id=n, duration=days(20), after=(Link(activity="grid"),)) for n in ("x", "y")]
    ends = tuple(Milestone(id=f"m{n}", after=(Link(activity=n),), power_w=1e8) for n in ("x", "y"))
    found = date_scenarios(project([shared, *rest], milestones=ends, risks=(risk,)), 8, 8000)
    assert sum(one.probability_frac for one in found) == pytest.approx(1.0)
    assert all(len(set(one.months.values())) == 1 for one in found)
    late = sum(one.probability_frac for one in found if one.months["mx"] > "2028")
    assert late == pytest.approx(0.25, abs=0.13)


def test_futures_of_a_roadmap_slip_as_the_dates_do(run_gigawatt, tmp_path, repository) -> None:
    """Their mean slip is the capacity-weighted mean of what exceeds the plan, to the rounding of a month."""
    path, out = repository / "examples/campus-phases/project.yaml", tmp_path / "futures.yaml"
    done = run_gigawatt("contract", "schedule", str(path), "--samples", "8192", "--futures", str(out))
    assert done.exit_code == 0
    futures = parse_records(load_yaml(out), Future, ("futures",))
    assert sum(one.probability_frac for one in futures) == pytest.approx(1.0)
    planned = read_project(path)
    made = compile_project(planned)
    drawn = draw(made, 8192)
    rows = {row.id: n for n, row in enumerate(made.rows)}
    texas = [n for n, one in enumerate(planned.milestones) if one.site == "texas" and one.power_w]
    due = drawn.planned_days[[rows[planned.milestones[n].id] for n in texas]]
    late = (drawn.reached_days[:, texas] - due).mean(axis=1) / (365.25 / 12)
    slip = sum(
        one.probability_frac * change.slip_months
        for one in futures
        for change in one.changes
        if change.sites == ("texas",)
    )
    assert slip == pytest.approx(np.maximum(late, 0).mean(), abs=0.7)


def test_a_circle_is_named() -> None:
    assert find_cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ("b", "c", "b")
    assert find_cycle({"a": ["b", "c"], "b": ["c"], "c": []}) == ()
    activities = [
        Activity(id="a", duration=days(1), after=(Link(activity="b"),)),
        Activity(id="b", duration=days(1), after=(Link(activity="a"),)),
    ]
    with pytest.raises(InputError, match="a -> b -> a: each waits for the next"):
        simulate_schedule(project(activities), 1)


def test_a_risk_spares_what_is_done() -> None:
    done = Activity(id="done", duration=days(9), started=date(2026, 6, 1), finished=date(2026, 7, 10))
    risk = DiscreteRisk(id="r", probability_frac=1.0, delay=days(400), activities=("done",))
    (found,) = simulate_schedule(project([done], risks=(risk,)), 64).activities
    assert found.finish_p90 == date(2026, 7, 10)


def test_nothing_has_started_in_the_future() -> None:
    one = Activity(id="a", duration=days(5), started=START + timedelta(days=1))
    with pytest.raises(InputError, match="a: started 2027-01-05 is after the project's start 2027-01-04"):
        simulate_schedule(project([one]), 1)


def test_under_way_for_longer_than_its_longest_is_refused() -> None:
    one = Activity(id="a", duration=days(5, 10, 20), started=START - timedelta(days=30))
    with pytest.raises(InputError, match="a: under way for longer than its longest duration"):
        simulate_schedule(project([one]), 1)
