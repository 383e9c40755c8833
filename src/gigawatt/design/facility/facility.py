"""The whole facility: racks on a floor, their heat led away, all of it fed with power; its cost and phases.

Power and heat close on each other: what power equipment loses indoors has to be cooled, and what cools has to
be fed. A few rounds settle both. Nothing here assumes how efficient the facility is: PUE and WUE are results.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.facility.cooling import cooling_failures, hourly, plan_cooling
from gigawatt.design.facility.floor import plan_floor, rack_positions
from gigawatt.design.facility.power import plan_power, power_failures
from gigawatt.design.facility.racks import Parts, rack_kinds
from gigawatt.domain.fabric import BillLine, FabricDesign, FailureEffect
from gigawatt.domain.facility import (
    Climate,
    CoolingNode,
    CoolingPlant,
    Equipment,
    FacilityDesign,
    FloorPlan,
    Phase,
    PowerChain,
    PowerNode,
    Site,
    Trade,
    TradeCost,
)
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.errors import InfeasibleError
from gigawatt.laws.finance import HOUR_S
from gigawatt.units import format_quantity

Floats = NDArray[np.float64]

_MOST_ROUNDS = 8
_SETTLED = 1e-9
_INDOORS = frozenset({"ups", "busway", "pdu", "breaker"})
"""Power equipment whose losses warm the air of halls and electrical rooms."""
_AHEAD_OF_COOLING = frozenset({"utility", "transformer", "switchgear"})
"""Stages that carry the cooling plant too."""
_TRADES: tuple[Trade, ...] = ("power", "cooling", "shell", "white space")


def design_facility(
    system: System,
    accelerator: Accelerator,
    num_accelerators: int,
    fabric: FabricDesign,
    site: Site,
    climate: Climate,
    equipment: Mapping[str, Equipment],
    parts: Parts,
) -> FacilityDesign:
    """Halls, power and cooling of a cluster whose fabric is designed, at full load through a year.

    `equipment` holds what the site's chain and plant name, `parts` the switches that the fabric names. Raises
    InputError where too little is known of a part, and InfeasibleError that names the limit which binds
    (floor load or area, a hall, the utility, a rack's feeds, the climate) and the nearest design that works.
    """
    plan = plan_floor(rack_kinds(system, accelerator, fabric, parts, site), fabric, site)
    chain, plant = _settled(plan, site, climate, equipment)
    _require_power(chain, num_accelerators, plan, site)
    plan = _with_gallery(plan, plant)
    hours = hourly(plant, site, climate, equipment)
    meter_w = meter_power_w(chain, hours.power_w)
    it_j = chain.it_w * HOUR_S * len(meter_w)
    energy_j = float(meter_w.sum()) * HOUR_S
    spares = _spares_usd(chain, plant, plan, site, climate, equipment)
    costs = tuple(_costs(chain.it_w, plant, site, spares))
    cost_usd = sum(cost.cost_usd for cost in costs)
    return FacilityDesign(
        site=site.id,
        system=system.id,
        num_accelerators=num_accelerators,
        it_w=chain.it_w,
        peak_w=chain.utility_w,
        pue=energy_j / it_j,
        peak_pue=chain.utility_w / chain.it_w,
        wue_m3_per_j=plant.water_m3_per_year / it_j,
        energy_j_per_year=energy_j,
        floor=plan,
        power=chain,
        cooling=plant,
        costs=costs,
        cost_usd=cost_usd,
        price_year=int(site.provenance_of("costs_usd_per_w.power").date[:4]),
        phases=tuple(_phases(plan, num_accelerators, cost_usd, site)),
        bill=(*_rack_lines(plan), *_equipment_lines(chain, plant, equipment)),
        failures=tuple(_failures(chain, plant, num_accelerators, equipment)),
        notes=tuple(_notes(plan, plant, site, equipment)),
    )


def _settled(
    plan: FloorPlan, site: Site, climate: Climate, equipment: Mapping[str, Equipment]
) -> tuple[PowerChain, CoolingPlant]:
    """The power chain that feeds the plant that cools the racks and what the chain loses indoors.

    Raises InfeasibleError where the two never agree: their figures would not add up.
    """
    it_w = sum(kind.num_racks * kind.power_w for kind in plan.racks)
    liquid_w = sum(kind.num_racks * kind.power_w * kind.liquid_frac for kind in plan.racks)
    offered = site.model_copy(update={"available_w": None})
    indoors_w, cooling_w = 0.0, 0.0
    for _ in range(_MOST_ROUNDS):
        chain = plan_power(it_w, cooling_w, plan, offered, equipment)
        lost_w = sum(node.loss_w for node in chain.nodes if node.kind in _INDOORS)
        air_w = it_w - liquid_w + lost_w
        # Each hall has its own plant, whatever its rating in critical power says of its heat.
        halls = site.model_copy(update={"hall_it_w": (liquid_w + air_w) / plan.num_halls * (1 + _SETTLED)})
        plant = plan_cooling(liquid_w, air_w, halls, climate, equipment)
        if (
            abs(lost_w - indoors_w) <= _SETTLED * it_w
            and abs(plant.peak_power_w - cooling_w) <= _SETTLED * it_w
        ):
            return chain, plant
        indoors_w, cooling_w = lost_w, plant.peak_power_w
    raise InfeasibleError(
        f"power and cooling do not settle each other in {_MOST_ROUNDS} rounds: "
        f"{format_quantity(abs(plant.peak_power_w - cooling_w), '_w')} of cooling come and go; "
        "choose equipment of other ratings"
    )


def _require_power(chain: PowerChain, num_accelerators: int, plan: FloorPlan, site: Site) -> None:
    if site.available_w is None or chain.utility_w <= site.available_w:
        return
    in_rack = max(kind.num_accelerators for kind in plan.racks)
    most = floor(num_accelerators * site.available_w / chain.utility_w / in_rack) * in_rack
    nearest = f"about {most:,} accelerators" if most else "less than one rack of them"
    raise InfeasibleError(
        f"utility power binds: {num_accelerators:,} accelerators draw "
        f"{format_quantity(chain.utility_w, '_w')} at the meter in the hottest hour, "
        f"{site.id} offers {format_quantity(site.available_w, '_w')}; "
        f"nearest that works: {nearest}"
    )


def _with_gallery(plan: FloorPlan, plant: CoolingPlant) -> FloorPlan:
    def per_hall(kinds: tuple[str, ...]) -> int:
        return ceil(sum(n.num_installed for n in plant.nodes if n.kind in kinds) / plan.num_halls)

    update = {
        "coolant_units_per_hall": per_hall(("cdu",)),
        "air_units_per_hall": per_hall(("crah", "fan wall")),
    }
    return plan.model_copy(update=update)


def meter_power_w(chain: PowerChain, cooling_w: Floats) -> Floats:
    """At the utility's meter when the plant draws `cooling_w` (an array) and the racks their full load.

    Losses ahead of the plant are a constant and a square of what passes; behind it nothing changes.
    """
    below = chain.cooling_w - np.asarray(cooling_w, float)
    for node in reversed(chain.nodes):
        if node.kind in _AHEAD_OF_COOLING:
            below = _input_below(node, below)
    return chain.utility_w - below


def _input_below(node: PowerNode, output_below_w: Floats) -> Floats:
    """How much less a stage takes in when so much less leaves it than at the peak."""
    if not node.output_w:
        return output_below_w
    constant_w = min(node.no_load_loss_w * node.num_installed, node.loss_w)
    share = 1 - output_below_w / node.output_w
    loss_w = constant_w + (node.loss_w - constant_w) * share**2
    below: Floats = output_below_w + node.loss_w - loss_w
    return below


def _spares_usd(
    chain: PowerChain,
    plant: CoolingPlant,
    plan: FloorPlan,
    site: Site,
    climate: Climate,
    equipment: Mapping[str, Equipment],
) -> dict[Trade, float]:
    """By trade, what more pieces cost than the redundancy takes that the market's costs are of."""
    if site.redundancy == site.costs_redundancy:
        return {}
    usual = site.model_copy(update={"redundancy": site.costs_redundancy})
    usual_chain, usual_plant = _settled(plan, usual, climate, equipment)
    return {
        "power": _price_usd(chain.nodes, equipment) - _price_usd(usual_chain.nodes, equipment),
        "cooling": _price_usd(plant.nodes, equipment) - _price_usd(usual_plant.nodes, equipment),
    }


def _price_usd(nodes: Iterable[PowerNode | CoolingNode], equipment: Mapping[str, Equipment]) -> float:
    """Of all pieces, as far as prices are known."""
    installed = ((equipment.get(node.equipment), node.num_installed) for node in nodes)
    return sum((piece.price_usd or 0.0) * number for piece, number in installed if piece)


def _costs(
    it_w: float, plant: CoolingPlant, site: Site, spares_usd: Mapping[Trade, float]
) -> Iterator[TradeCost]:
    """Each trade by the market's cost per watt; liquid-cooled halls cost their premium."""
    liquid = plant.liquid_heat_w / (plant.liquid_heat_w + plant.air_heat_w)
    premium = 1 + site.liquid_premium_frac * liquid
    for trade in _TRADES:
        if trade not in site.costs_usd_per_w:
            continue
        cost_usd = site.costs_usd_per_w[trade] * premium * it_w + spares_usd.get(trade, 0.0)
        said = site.provenance_of(f"costs_usd_per_w.{trade}")
        yield TradeCost(
            trade=trade,
            cost_usd=cost_usd,
            usd_per_w=cost_usd / it_w,
            basis="estimate" if spares_usd else said.basis,
            source=said.source,
        )


def _phases(plan: FloorPlan, num_accelerators: int, cost_usd: float, site: Site) -> Iterator[Phase]:
    """Whole halls, in their order, as many at a time as the site hands over."""
    places = rack_positions(plan)
    watts = np.array([kind.power_w for kind in plan.racks])[places.kind]
    held = np.array([kind.num_accelerators for kind in plan.racks])[places.kind]
    it_w = np.bincount(places.hall, weights=watts, minlength=plan.num_halls)
    room = np.bincount(places.hall, weights=held, minlength=plan.num_halls)
    together = max(1, floor(site.phase_it_w / plan.hall_it_w))
    placed = 0
    for number, first in enumerate(range(0, plan.num_halls, together)):
        halls = slice(first, min(first + together, plan.num_halls))
        last = halls.stop == plan.num_halls
        count = (
            num_accelerators - placed if last else round(num_accelerators * room[halls].sum() / room.sum())
        )
        placed += count
        phase_w = float(it_w[halls].sum())
        yield Phase(
            name=f"phase {number + 1}",
            num_halls=halls.stop - halls.start,
            it_w=phase_w,
            num_accelerators=count,
            months=site.build_months + number * site.phase_months,
            cost_usd=cost_usd * phase_w / float(it_w.sum()),
        )


def _failures(
    chain: PowerChain, plant: CoolingPlant, num_accelerators: int, equipment: Mapping[str, Equipment]
) -> Iterator[FailureEffect]:
    """Of power and of cooling; what is left is told in watts of racks, of which the plant carries more."""
    yield from power_failures(chain, num_accelerators)
    racks = chain.it_w / (plant.liquid_heat_w + plant.air_heat_w)
    for effect in cooling_failures(plant, num_accelerators, equipment):
        left_w = None if effect.power_left_w is None else effect.power_left_w * racks
        yield effect.model_copy(update={"power_left_w": left_w})


def _rack_lines(plan: FloorPlan) -> Iterator[BillLine]:
    for kind in plan.racks:
        yield BillLine(
            part="",
            name=f"rack: {kind.name}",
            category="rack",
            quantity=kind.num_racks,
            power_w=kind.power_w,
            basis=kind.basis,
        )


def _equipment_lines(
    chain: PowerChain, plant: CoolingPlant, equipment: Mapping[str, Equipment]
) -> Iterator[BillLine]:
    """What is bought for power and cooling, priced where a price is known."""
    counts = [(node.equipment, node.num_installed) for node in chain.nodes]
    counts += [(node.equipment, node.num_installed) for node in plant.nodes]
    for id, count in counts:
        if id not in equipment or not count:
            continue
        piece = equipment[id]
        said = piece.provenance_of("price_usd")
        yield BillLine(
            part=piece.id,
            name=piece.name,
            category=piece.kind,
            quantity=count,
            price_usd=piece.price_usd,
            basis=said.basis,
            source=said.source,
        )


def _notes(
    plan: FloorPlan, plant: CoolingPlant, site: Site, equipment: Mapping[str, Equipment]
) -> Iterator[str]:
    yield from plant.notes
    waits = [
        piece for piece in equipment.values() if piece.lead_time_s and piece.id in (*site.chain, *site.plant)
    ]
    if waits:
        longest = max(waits, key=lambda piece: piece.lead_time_s or 0.0)
        wait = format_quantity(longest.lead_time_s or 0.0, "_s")
        yield f"The longest wait for equipment is {wait}, for {longest.name}."
    if plan.groups_per_unit > 1:
        yield f"A unit of the fabric is too large for a hall: it spans {plan.groups_per_unit} blocks."
    yield "Storage and control machines stand outside this plan."
