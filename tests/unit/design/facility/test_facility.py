"""A facility as a whole: watts in are watts out, heat in is heat out, and no figure is assumed."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.fabric import plan_fabric
from gigawatt.design.facility import design_facility
from gigawatt.design.facility.cooling import hourly
from gigawatt.design.facility.facility import meter_power_w
from gigawatt.design.facility.power_graph import power_flow, power_graph
from gigawatt.domain.facility import FacilityDesign
from gigawatt.errors import InfeasibleError
from gigawatt.project.parts import default_fabric, fabric_parts, facility_parts

CASES = [("gb200-nvl72", 576, "generic"), ("gb200-nvl72", 9216, "virginia"), ("hgx-h100", 1024, "colocation")]


@cache
def designed(system_id: str, number: int, site_id: str, available_w: float | None = None) -> FacilityDesign:
    catalogue = load_catalog()
    system = catalogue.system(system_id)
    parts = fabric_parts(catalogue, default_fabric(catalogue, system), system)
    site, climate, equipment = facility_parts(catalogue, site_id)
    site = site.model_copy(update={"available_w": available_w or site.available_w})
    accelerator = catalogue.accelerator(system.accelerator)
    fabric = plan_fabric(system, number, parts)
    return design_facility(system, accelerator, number, fabric, site, climate, equipment, parts)


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def design(request: Any) -> FacilityDesign:
    return designed(*request.param)


def test_watts_in_are_watts_out(design: FacilityDesign) -> None:
    power = design.power
    assert power.utility_w == pytest.approx(power.it_w + power.cooling_w + power.loss_w, rel=1e-9)
    assert power.loss_w == pytest.approx(sum(node.loss_w for node in power.nodes), rel=1e-6)
    for node in power.nodes:
        assert node.input_w == pytest.approx(node.output_w + node.loss_w, rel=1e-6, abs=1e-3)


def test_the_plant_carries_the_racks_and_what_power_loses_beside_them(design: FacilityDesign) -> None:
    plant = design.cooling
    indoors = sum(n.loss_w for n in design.power.nodes if n.kind in ("ups", "busway", "pdu", "breaker"))
    assert plant.liquid_heat_w + plant.air_heat_w == pytest.approx(design.it_w + indoors, rel=1e-6)
    liquid = sum(k.num_racks * k.power_w * k.liquid_frac for k in design.floor.racks)
    assert plant.liquid_heat_w == pytest.approx(liquid, rel=1e-9)
    assert design.power.cooling_w == pytest.approx(plant.peak_power_w, rel=1e-6)


def test_heat_in_is_heat_out_in_every_hour(design: FacilityDesign) -> None:
    site, climate, equipment = facility_parts(load_catalog(), design.site)
    hours = hourly(design.cooling, site, climate, equipment)
    heat_w = design.cooling.liquid_heat_w + design.cooling.air_heat_w
    assert hours.unmet_w.max() == 0
    np.testing.assert_allclose(hours.rejected_w, heat_w + hours.power_w, rtol=1e-6)


def test_pue_is_what_the_hours_add_up_to(design: FacilityDesign) -> None:
    site, climate, equipment = facility_parts(load_catalog(), design.site)
    hours = hourly(design.cooling, site, climate, equipment)
    meter_w = meter_power_w(design.power, hours.power_w)
    assert len(meter_w) == 8760
    assert design.pue == pytest.approx(float(meter_w.mean()) / design.it_w, rel=1e-9)
    assert design.peak_pue == pytest.approx(design.peak_w / design.it_w, rel=1e-12)
    assert 1 < design.pue < design.peak_pue
    losses_w = meter_w - design.it_w - hours.power_w
    assert losses_w.min() > 0
    assert losses_w.max() <= design.power.loss_w * (1 + 1e-9)


def test_water_per_energy_is_water_over_energy(design: FacilityDesign) -> None:
    used_j = design.it_w * 8760 * 3600
    assert design.wue_m3_per_j == pytest.approx(design.cooling.water_m3_per_year / used_j, rel=1e-12)
    assert (design.wue_m3_per_j > 0) == any(
        "tower" in n.kind or "adiabatic" in n.kind for n in design.cooling.nodes
    )


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_the_meter_agrees_with_the_flow_through_every_piece(share: float) -> None:
    """The other way to the same number: each transformer and busbar of the one-line graph by itself."""
    chain = designed("gb200-nvl72", 576, "generic").power
    cooler = chain.model_copy(update={"cooling_w": share * chain.cooling_w})
    graph = power_graph(cooler)
    flow = power_flow(graph, cooler)
    source = int(np.flatnonzero(graph.node_stage == 0)[0])
    closed = float(meter_power_w(chain, np.array([share * chain.cooling_w]))[0])
    assert closed == pytest.approx(float(flow.input_w[source]), rel=2e-3)


def test_a_unit_of_eight_racks_draws_less_than_its_maker_allows_for() -> None:
    """DGX GB200 SuperPOD: 1.2 MW for a scalable unit of eight racks, storage and control included."""
    design = designed("gb200-nvl72", 576, "generic")
    assert 0.8 < design.it_w / 1.2e6 < 1


def test_the_cost_is_the_markets_rate_with_the_premium_for_liquid() -> None:
    """Cushman & Wakefield: $11.7M per MW; Turner & Townsend: 7 to 10 % more for what liquid cools."""
    design = designed("gb200-nvl72", 576, "generic")
    assert sum(cost.usd_per_w for cost in design.costs) == pytest.approx(11.7 * 1.07, rel=0.02)
    assert design.cost_usd == pytest.approx(sum(cost.cost_usd for cost in design.costs))
    air = designed("hgx-h100", 1024, "colocation")
    assert air.cost_usd / air.it_w == pytest.approx(11.7, rel=1e-9)


def test_redundancy_costs_the_pieces_that_it_takes() -> None:
    """The market's cost is of N+1: 2N costs what it has more on its bill, N less what it lacks."""
    catalogue = load_catalog()
    site, climate, equipment = facility_parts(catalogue, "generic")
    system = catalogue.system("hgx-h100")
    parts = fabric_parts(catalogue, default_fabric(catalogue, system), system)
    accelerator, fabric = catalogue.accelerator(system.accelerator), plan_fabric(system, 1024, parts)
    built = {
        kind: design_facility(
            system, accelerator, 1024, fabric, site.model_copy(update={"redundancy": kind}),
            climate, equipment, parts,
        )
        for kind in ("n", "n+1", "2n")
    }  # fmt: skip
    priced = {
        kind: sum(line.quantity * line.price_usd for line in one.bill if line.price_usd)
        for kind, one in built.items()
    }
    assert priced["n"] < priced["n+1"] < priced["2n"]
    assert built["n+1"].cost_usd == pytest.approx(11.7 * built["n+1"].it_w, rel=1e-9)
    for kind in ("n", "2n"):
        more_usd = built[kind].cost_usd - built["n+1"].cost_usd
        assert more_usd == pytest.approx(priced[kind] - priced["n+1"], rel=1e-9)


def test_phases_hand_over_everything_once(design: FacilityDesign) -> None:
    assert sum(phase.num_accelerators for phase in design.phases) == design.num_accelerators
    assert sum(phase.num_halls for phase in design.phases) == design.floor.num_halls
    assert sum(phase.it_w for phase in design.phases) == pytest.approx(design.it_w)
    assert sum(phase.cost_usd for phase in design.phases) == pytest.approx(design.cost_usd)
    months = [phase.months for phase in design.phases]
    assert months == sorted(months)


def test_failures_leave_no_more_than_there_is(design: FacilityDesign) -> None:
    for effect in design.failures:
        assert 0 <= effect.num_accelerators_cut_off <= design.num_accelerators
        assert effect.power_left_w is not None
        assert effect.power_left_w <= design.it_w * (1 + 1e-9)


def test_a_breaker_takes_the_accelerators_of_its_rack() -> None:
    """Four nodes of eight H100 to a rack on one breaker; the racks of switches hold none of them."""
    effects = {effect.failing: effect for effect in designed("hgx-h100", 1024, "generic").failures}
    assert effects["breaker"].num_accelerators_cut_off == 32
    assert effects["feed from breaker to rack"].num_accelerators_cut_off == 32


@pytest.mark.parametrize(
    ("system_id", "number", "area_m2"), [("gb200-nvl72", 9216, 300.0), ("hgx-h100", 8192, 500.0)]
)
def test_too_little_floor_is_named_with_what_fits(system_id: str, number: int, area_m2: float) -> None:
    """What fits is a design that works, and not half of what would (smaller fabrics have fewer tiers)."""
    catalogue = load_catalog()
    system = catalogue.system(system_id)
    parts = fabric_parts(catalogue, default_fabric(catalogue, system), system)
    site, climate, equipment = facility_parts(catalogue, "generic")
    site = site.model_copy(update={"floor_area_m2": area_m2})
    accelerator = catalogue.accelerator(system.accelerator)

    def built(count: int) -> FacilityDesign:
        fabric = plan_fabric(system, count, parts)
        return design_facility(system, accelerator, count, fabric, site, climate, equipment, parts)

    with pytest.raises(InfeasibleError, match="floor area binds") as refused:
        built(number)
    fits = int(str(refused.value).split("about ")[1].split(" accelerators")[0].replace(",", ""))
    assert 0.5 * area_m2 < built(fits).floor.area_m2 <= area_m2


def test_too_little_power_is_named_with_what_fits() -> None:
    with pytest.raises(InfeasibleError, match="utility power binds") as refused:
        designed("gb200-nvl72", 1152, "generic", available_w=2e6)
    words = str(refused.value).split("about ")[1].split(" accelerators")[0]
    fits = int(words.replace(",", ""))
    assert fits % 72 == 0
    assert designed("gb200-nvl72", fits, "generic", available_w=2e6).peak_w <= 2e6


def test_a_hotter_place_takes_more_energy() -> None:
    """Luleå, Virginia and Phoenix with the same plant would rank by heat; each has its own, and cold wins."""
    cold, hot = (designed("gb200-nvl72", 576, site) for site in ("nordic", "phoenix"))
    assert cold.pue < hot.pue
    assert cold.cooling.num_free_hours > hot.cooling.num_free_hours


def test_the_same_question_has_the_same_answer() -> None:
    first = designed("gb200-nvl72", 576, "generic")
    designed.cache_clear()
    assert designed("gb200-nvl72", 576, "generic") == first
