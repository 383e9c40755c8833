"""Cooling plants: every watt that goes in comes out, counts by hand, weather that only ever costs more."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.catalog import load_catalog
from gigawatt.design.facility.cooling import cooling_failures, hourly, plan_cooling
from gigawatt.design.facility.cooling_loop import Loop, Stage, run_loop
from gigawatt.design.facility.weather import Weather, design_hour, hourly_weather
from gigawatt.domain.facility import Climate, Equipment, Site
from gigawatt.errors import InfeasibleError, InputError

CATALOG = load_catalog()
EQUIPMENT = {
    row.id: row
    for id in CATALOG.ids("equipment")
    for row in [CATALOG.equipment(id)]
    if row.kind in ("cdu", "crah", "pump") or row.kind.endswith(("cooler", "tower", "chiller"))
}
MOVERS = ("cdu-row-1300kw", "fan-wall-500kw", "facility-pump-6000lpm")
DRY, PADS, TOWER = "dry-cooler-1mw", "adiabatic-cooler-1mw", "cooling-tower-3500kw"
AIR_COOLED, WATER_COOLED = "air-cooled-chiller-1500kw", "water-cooled-chiller-3500kw"
PLANTS = [(DRY, AIR_COOLED), (PADS, AIR_COOLED), (TOWER, WATER_COOLED), (DRY, WATER_COOLED), (AIR_COOLED,)]


def site(*plant: str, **changes: object) -> Site:
    return CATALOG.site("generic").model_copy(update={"plant": (*MOVERS, *plant), **changes})


def climate(
    mean_c: float = 15.0, swing_k: float = 10.0, humidity: float = 0.6, record_c: float = 38.0
) -> Climate:
    """The same month twelve times."""
    return Climate(
        id="made-up",
        name="Made up",
        source="made-up",
        basis="estimate",
        date="2026",
        latitude=40.0,
        mean_high_c=(mean_c + swing_k / 2,) * 12,
        mean_low_c=(mean_c - swing_k / 2,) * 12,
        mean_relative_humidity_frac=(humidity,) * 12,
        record_high_c=max(record_c, mean_c + swing_k),
    )


@settings(max_examples=30, deadline=None)
@given(
    liquid_w=st.floats(1e5, 2e8),
    air_w=st.floats(1e5, 5e7),
    mean_c=st.floats(-10, 30),
    supply_c=st.floats(20, 45),
    kit=st.sampled_from(PLANTS),
)
def test_heat_in_is_heat_out_in_every_hour(
    liquid_w: float, air_w: float, mean_c: float, supply_c: float, kit: tuple[str, ...]
) -> None:
    where, place = climate(mean_c), site(*kit, supply_c=supply_c)
    plant = plan_cooling(liquid_w, air_w, place, where, EQUIPMENT)
    hours = hourly(plant, place, where, EQUIPMENT)
    put_in = liquid_w + air_w + hours.power_w
    assert np.abs(hours.rejected_w - put_in).max() / put_in.max() < 1e-12
    assert not hours.unmet_w.any()
    assert hours.node_power_w.sum(axis=0) == pytest.approx(hours.power_w)
    assert plant.rejected_w == pytest.approx(liquid_w + air_w + plant.peak_power_w)


@pytest.mark.parametrize("kit", PLANTS)
def test_heat_in_is_heat_out_at_every_stage(kit: tuple[str, ...]) -> None:
    """Terminals and pumps warm the water, rejectors and chillers cool it by as much."""
    rejector = next((EQUIPMENT[id] for id in kit if id in (DRY, PADS, TOWER)), None)
    chiller = next((EQUIPMENT[id] for id in kit if id in (AIR_COOLED, WATER_COOLED)), None)
    loop = Loop(
        "liquid", 20e6, 26.0, 10.0,
        Stage(EQUIPMENT[MOVERS[0]], 16), Stage(EQUIPMENT[MOVERS[2]], 5),
        Stage(rejector, 22) if rejector else None, Stage(chiller, 15) if chiller else None,
    )  # fmt: skip
    outside = np.linspace(-20.0, 45.0, 131)
    run = run_loop(loop, Weather(outside, outside - 5.0))
    assert run.load_w == pytest.approx(20e6 + run.terminal_w + run.pump_w)
    from_water = np.where(run.direct_w > 0, run.rejector_heat_w + run.chiller_heat_w, run.load_w)
    assert from_water == pytest.approx(run.load_w)
    assert run.outside_w == pytest.approx(run.load_w + run.fan_w + run.compressor_w)
    if chiller is EQUIPMENT[AIR_COOLED]:
        assert run.direct_w == pytest.approx(run.chiller_heat_w + run.compressor_w)


@pytest.mark.parametrize("kit", PLANTS)
@pytest.mark.parametrize("loop_name", ["liquid", "air"])
def test_hotter_weather_never_needs_less(kit: tuple[str, ...], loop_name: str) -> None:
    liquid_w, air_w = (30e6, 0.0) if loop_name == "liquid" else (0.0, 30e6)
    place = site(*kit)
    plants = [
        plan_cooling(liquid_w, air_w, place, climate(c, record_c=48.0), EQUIPMENT) for c in range(-10, 33, 3)
    ]
    energy = [plant.energy_j_per_year for plant in plants]
    water = [plant.water_m3_per_year for plant in plants]
    free = [plant.num_free_hours for plant in plants]
    assert np.all(np.diff(energy) >= -1e-9 * energy[0])
    assert np.all(np.diff(free) <= 0)
    if PADS not in kit:  # Pads stand still in hours that are too hot for them to be worth their fans.
        assert np.all(np.diff(water) >= -1e-9)


def test_warmer_coolant_never_needs_more() -> None:
    where = CATALOG.climate("phoenix")
    energy = [
        plan_cooling(50e6, 0.0, site(DRY, AIR_COOLED, supply_c=c), where, EQUIPMENT).energy_j_per_year
        for c in (20.0, 25.0, 30.0, 35.0, 40.0, 45.0)
    ]
    assert np.all(np.diff(energy) <= 0)


def test_counts_are_those_of_the_heat() -> None:
    """One hall of 10 MW on liquid: 8 CDUs of 1.3 MW, and one to spare."""
    place = site(DRY, AIR_COOLED, hall_it_w=20e6, redundancy="n+1")
    plant = plan_cooling(10e6, 0.0, place, climate(), EQUIPMENT)
    cdus = next(node for node in plant.nodes if node.kind == "cdu")
    assert (cdus.num_needed, cdus.num_installed) == (ceil(10 / 1.3), ceil(10 / 1.3) + 1)
    # 1.43 L/min per kW at 10 K.
    assert cdus.flow_m3_per_s * 60e3 == pytest.approx(1.433 * 10e3, rel=1e-3)


@pytest.mark.parametrize(("redundancy", "installed"), [("n", 8), ("n+1", 9), ("2n", 16), ("block", 9)])
def test_spares_are_those_of_the_site(redundancy: str, installed: int) -> None:
    place = site(DRY, AIR_COOLED, hall_it_w=20e6, redundancy=redundancy)
    plant = plan_cooling(10e6, 0.0, place, climate(), EQUIPMENT)
    assert next(node for node in plant.nodes if node.kind == "cdu").num_installed == installed


def test_every_hall_has_its_own_plant() -> None:
    place = site(DRY, AIR_COOLED, hall_it_w=10e6)
    plant = plan_cooling(38e6, 2e6, place, climate(), EQUIPMENT)
    assert plant.num_blocks == 4
    assert all(node.num_installed % 4 == 0 for node in plant.nodes)


def test_a_cold_place_buys_no_chillers_and_says_so() -> None:
    plant = plan_cooling(
        10e6, 0.0, site(DRY, AIR_COOLED, supply_c=45.0), climate(0.0, record_c=25.0), EQUIPMENT
    )
    assert {node.kind for node in plant.nodes} == {"cdu", "pump", "dry cooler"}
    assert plant.num_free_hours == 8760
    assert any("no chillers" in note for note in plant.notes)


def test_free_hours_are_those_below_the_economisers_limit() -> None:
    """Water returns at 46 °C and the coolers, full to a fraction, need so many of their 20 K."""
    where = CATALOG.climate("dallas")
    plant = plan_cooling(40e6, 0.0, site(DRY, AIR_COOLED, supply_c=40.0), where, EQUIPMENT)
    coolers = next(node for node in plant.nodes if node.kind == "dry cooler")
    load_w = next(node for node in plant.nodes if node.kind == "pump").heat_w
    limit_c = 40 - 4 + 10 - 20 * load_w / (coolers.num_needed * 1e6)
    assert 4000 < plant.num_free_hours < 8760
    assert plant.num_free_hours == pytest.approx((hourly_weather(where).outside_c <= limit_c).sum(), abs=2)


def test_the_floor_plan_has_the_last_word_on_halls() -> None:
    plant = plan_cooling(38e6, 2e6, site(DRY, AIR_COOLED), climate(), EQUIPMENT, num_halls=5)
    assert plant.num_blocks == 5


def test_coolers_alone_are_oversized_as_far_as_it_helps() -> None:
    """At 38 °C outside, water that enters at 51 °C has 13 K instead of the 20 K of the rating."""
    plant = plan_cooling(10e6, 0.0, site(DRY, supply_c=45.0, hall_it_w=20e6), climate(), EQUIPMENT)
    coolers = next(node for node in plant.nodes if node.kind == "dry cooler")
    hottest = design_hour(climate()).outside_c[0]
    assert coolers.num_needed == ceil(coolers.heat_w / 1e6 * 20 / (45 - 4 + 10 - hottest))
    assert coolers.load_frac <= 1


def test_weather_that_beats_the_coolers_is_said_to() -> None:
    with pytest.raises(InfeasibleError, match=r"dry coolers alone.*48\.7 °C.*Supply it .* K warmer"):
        plan_cooling(10e6, 0.0, site(DRY, supply_c=30.0), CATALOG.climate("phoenix"), EQUIPMENT)


def test_the_advice_works() -> None:
    """What the message calls warm enough is."""
    cold = site(DRY, supply_c=30.0)
    with pytest.raises(InfeasibleError) as refused:
        plan_cooling(10e6, 0.0, cold, CATALOG.climate("phoenix"), EQUIPMENT)
    warmer_k = float(str(refused.value).split("Supply it ")[1].split(" K")[0])
    plan_cooling(10e6, 0.0, site(DRY, supply_c=30.1 + warmer_k), CATALOG.climate("phoenix"), EQUIPMENT)


@pytest.mark.parametrize(
    ("plant", "missing"),
    [
        (("fan-wall-500kw", "facility-pump-6000lpm", DRY), "needs a cdu"),
        (("cdu-row-1300kw", DRY), "needs a pump"),
        (MOVERS, "needs a dry cooler"),
        ((*MOVERS, WATER_COOLED), "needs a dry cooler"),
        ((*MOVERS, "ice-rink"), "ice-rink"),
    ],
)
def test_a_plant_that_lacks_something_says_what(plant: tuple[str, ...], missing: str) -> None:
    with pytest.raises(InputError, match=missing):
        plan_cooling(
            1e6, 0.0, CATALOG.site("generic").model_copy(update={"plant": plant}), climate(), EQUIPMENT
        )


@pytest.mark.parametrize(("liquid_w", "air_w"), [(0.0, 0.0), (-1.0, 2.0)])
def test_heat_that_is_none_is_refused(liquid_w: float, air_w: float) -> None:
    with pytest.raises(InputError, match="positive watts"):
        plan_cooling(liquid_w, air_w, site(DRY), climate(), EQUIPMENT)


def test_equipment_without_a_figure_is_refused() -> None:
    lame = {**EQUIPMENT, DRY: EQUIPMENT[DRY].model_copy(update={"approach_k": None})}
    with pytest.raises(InputError, match="dry-cooler-1mw: approach_k is not stated"):
        plan_cooling(1e6, 0.0, site(DRY), climate(), lame)


def test_loops_may_have_coolers_of_their_own() -> None:
    plant = plan_cooling(10e6, 5e6, site(DRY, TOWER, supply_c=45.0), climate(), EQUIPMENT)
    assert {node.loop: node.kind for node in plant.nodes if node.kind in ("dry cooler", "cooling tower")} == {
        "liquid": "dry cooler",
        "air": "cooling tower",
    }


# -- failures --------------------------------------------------------------------------------


def test_spares_carry_what_one_failure_takes() -> None:
    plant = plan_cooling(40e6, 5e6, site(DRY, AIR_COOLED), CATALOG.climate("ashburn"), EQUIPMENT)
    one = [effect for effect in cooling_failures(plant, 24_000) if effect.failing.startswith("one")]
    assert len(one) == len(plant.nodes)
    assert all(effect.power_left_w == 45e6 and not effect.num_accelerators_cut_off for effect in one)


def test_without_spares_a_unit_takes_its_share_along() -> None:
    """10.4 MW are exactly eight CDUs: the loss of one leaves seven eighths."""
    place = site(DRY, AIR_COOLED, redundancy="n", hall_it_w=20e6)
    plant = plan_cooling(10.4e6, 0.0, place, climate(), EQUIPMENT)
    lost = next(effect for effect in cooling_failures(plant, 8000) if "distribution units" in effect.failing)
    assert lost.power_left_w == pytest.approx(10.4e6 * 7 / 8, rel=1e-3)
    assert lost.num_accelerators_cut_off == pytest.approx(1000, abs=2)
    assert lost.num_alike == 8


def test_all_pumps_of_a_hall_take_the_hall_along_and_say_how_soon() -> None:
    place = site(DRY, AIR_COOLED, hall_it_w=10e6)
    plant = plan_cooling(36e6, 4e6, place, climate(), EQUIPMENT)
    lost = [e for e in cooling_failures(plant, 4000, EQUIPMENT) if e.failing.startswith("all")]
    assert [effect.num_accelerators_cut_off for effect in lost] == [1000, 1000]
    assert lost[0].power_left_w == pytest.approx(30e6)
    # 7 CDUs of 0.8 m3 hold 5.6 m3: 9 MW warm them by 10 K in 26 s.
    assert "10 K warmer after 26 s" in lost[0].note


# -- weather --------------------------------------------------------------------------------


def test_a_year_has_its_hours_and_its_means() -> None:
    where = CATALOG.climate("ashburn")
    weather = hourly_weather(where)
    assert weather.outside_c.shape == (8760,)
    july = weather.outside_c[24 * 181 : 24 * 212]
    assert july.mean() == pytest.approx((where.mean_high_c[6] + where.mean_low_c[6]) / 2, abs=0.05)
    assert july.reshape(31, 24).max(axis=1).mean() == pytest.approx(where.mean_high_c[6], abs=0.05)
    assert np.all(weather.wet_bulb_c <= weather.outside_c)


@pytest.mark.parametrize("id", CATALOG.ids("climates"))
def test_every_climate_of_the_catalogue_holds_together(id: str) -> None:
    where = CATALOG.climate(id)
    assert all(high > low for high, low in zip(where.mean_high_c, where.mean_low_c, strict=True))
    assert where.record_high_c > max(where.mean_high_c)
    if where.hot_c is not None:
        assert all(
            hot > (h + low) / 2
            for hot, h, low in zip(where.hot_c, where.mean_high_c, where.mean_low_c, strict=True)
        )
    hottest, usual = design_hour(where), hourly_weather(where)
    assert hottest.outside_c[0] >= usual.outside_c.max()
    assert hottest.wet_bulb_c[0] >= usual.wet_bulb_c.max()


@pytest.mark.parametrize("id", CATALOG.ids("sites"))
def test_every_site_of_the_catalogue_can_be_cooled(id: str) -> None:
    place = CATALOG.site(id)
    rows: dict[str, Equipment] = {name: CATALOG.equipment(name) for name in place.plant}
    plant = plan_cooling(85e6, 15e6, place, CATALOG.climate(place.climate), rows)
    assert plant.energy_j_per_year > 0
