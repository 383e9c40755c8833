"""The hours of an energy plan: they add up to the load, and the weeks shown are the ones that are meant."""

from __future__ import annotations

import numpy as np
import pytest

from gigawatt import plan_energy

YEAR_H = 8760
HOURS = 28 * 24
KW = 1e3


def planned(campuses, site, year=None):
    year = year or campuses.made_up_year(HOURS, 2)
    return plan_energy(site, campuses.technologies(HOURS / YEAR_H), campuses.tariff(), [year])


@pytest.fixture
def everything(campuses):
    """A campus with something of every kind."""
    build = tuple({"technology": id} for id in ("solar", "wind", "gas", "battery"))
    return campuses.campus(
        load=campuses.FLEXIBLE,
        purchases=campuses.PURCHASES,
        build=build,
        grid={"limit_w": 40e6, "tariff": "tariff", "feed_in_w": 20e6},
        carbon={"cap_kgco2_per_mwh": 60.0},
    )


def test_every_hour_adds_up_to_the_load(campuses, everything) -> None:
    found = planned(campuses, everything).dispatch
    kinds = {one.kind for one in found.year.series}
    assert {"solar", "wind", "storage", "shifted", "grid", "purchase"} <= kinds
    for stretch in (found.year, *found.weeks):
        total = np.sum([one.values_w for one in stretch.series], axis=0)
        assert total == pytest.approx(np.array(stretch.load_w), abs=KW * (len(stretch.series) + 1))


def test_nothing_gives_and_takes_in_one_hour(campuses, everything) -> None:
    found = planned(campuses, everything).dispatch
    for week in found.weeks:
        given = {one.name: np.array(one.values_w) for one in week.series}
        for name in ("battery", "shifted"):
            assert np.all(given[name] * given.get(f"{name}, taken", 0.0) == 0.0)


def test_sums_of_the_year_are_those_of_the_plan(campuses, everything) -> None:
    plan = planned(campuses, everything)
    year = plan.dispatch.year
    assert sum(year.emitted_kgco2) == pytest.approx(plan.kgco2_per_year, rel=1e-4)
    assert sum(year.load_w) * year.step_s == pytest.approx(plan.load_j_per_year, rel=1e-6)
    wind = next(one for one in year.series if one.name == "wind")
    assert sum(wind.values_w) * year.step_s == pytest.approx(plan.flows["wind"].energy_j_per_year, rel=1e-4)


def test_what_could_have_been_given_is_given_or_spilled(campuses) -> None:
    """Wind alone, three times the load: what is spilled is what it could give less what is used."""
    site = campuses.campus(
        build=({"technology": "wind", "existing_w": 300e6, "limit_w": 0.0},), load=campuses.FLEXIBLE
    )
    year = campuses.made_up_year(HOURS, 2)
    found = planned(campuses, site, year).dispatch.year
    wind = np.array(next(one for one in found.series if one.name == "wind").values_w)
    could = 300e6 * year.wind_frac.reshape(-1, 24).mean(axis=1)
    assert wind + np.array(found.spilled_w) == pytest.approx(could, abs=4 * KW)


def test_the_dearest_week_holds_the_dear_hours(campuses) -> None:
    year = campuses.made_up_year(HOURS, 2)
    year.price_usd_per_mwh[:] = 30.0
    year.price_usd_per_mwh[400:424] = 900.0
    site = campuses.campus(build=(), grid={"limit_w": 200e6, "tariff": "tariff"})
    typical, dearest = planned(campuses, site, year).dispatch.weeks
    begin = (np.datetime64(dearest.begin) - year.stamps[0]).astype(int)
    assert begin <= 400
    assert begin + 168 >= 424
    assert begin % 24 == 0
    assert len(typical.load_w) == len(dearest.load_w) == 168


def test_durations_fall_from_the_highest_hour_to_the_lowest(campuses, everything) -> None:
    for one in planned(campuses, everything).dispatch.durations:
        assert np.all(np.diff(one.values_w) <= 0.0)
        assert len(one.values_w) == 101


def test_less_than_a_week_is_shown_whole(campuses) -> None:
    year = campuses.made_up_year(48, 2)
    plan = plan_energy(campuses.campus(), campuses.technologies(48 / YEAR_H), campuses.tariff(), [year])
    (week,) = plan.dispatch.weeks
    assert len(week.load_w) == 48
