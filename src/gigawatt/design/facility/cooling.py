"""The cooling plant: how much of what, what it draws and drinks hour by hour, and what a failure leaves.

A site lists its equipment by id. Of several of one kind the liquid loop takes the first and the air loop the
last: `[cdu, fan wall, pump, dry cooler, cooling tower, chiller]` cools cold plates dry and rooms wet. Each
hall has its own plant and its own spares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.facility.cooling_loop import (
    CHILLERS,
    PADS,
    REJECTORS,
    TOWER,
    WATER_COOLED,
    Loop,
    LoopHours,
    LoopName,
    Stage,
    run_loop,
    terminal_flow_m3_per_s,
)
from gigawatt.design.facility.cooling_sizing import NAMES, PUMPS, TERMINALS, listed, pick, size_loop
from gigawatt.design.facility.weather import Weather, design_hour, hourly_weather
from gigawatt.domain.fabric import FailureEffect
from gigawatt.domain.facility import Climate, CoolingNode, CoolingPlant, Equipment, Redundancy, Site
from gigawatt.errors import InputError
from gigawatt.laws.cooling import WATER_J_PER_M3_K, coolant_flow_m3_per_s, overheat_s
from gigawatt.laws.finance import HOUR_S
from gigawatt.units import format_quantity

Floats = NDArray[np.float64]


class CoolingHours(NamedTuple):
    """A plant at full IT load through a year: arrays [hours], `node_power_w` [nodes, hours]."""

    outside_c: Floats
    wet_bulb_c: Floats
    power_w: Floats
    compressor_w: Floats
    water_m3_per_s: Floats
    rejected_w: Floats
    """To the outside; equal to the heat of the racks and all power drawn, unless the plant falls short."""
    unmet_w: Floats
    node_power_w: Floats


def plan_cooling(
    liquid_heat_w: float,
    air_heat_w: float,
    site: Site,
    climate: Climate,
    equipment: Mapping[str, Equipment],
    num_halls: int | None = None,
) -> CoolingPlant:
    """A plant that carries both heats in the hottest hour of the climate, with the site's redundancy.

    `equipment` holds what `site.plant` lists. Chillers are bought only where the hottest hour needs them.
    There are as many halls as told, else as the site's hall power asks for.

    Raises InputError where a kind is missing, InfeasibleError where the weather beats the coolers: with what
    binds, and how much warmer the supply would have to be.
    """
    if min(liquid_heat_w, air_heat_w) < 0 or not liquid_heat_w + air_heat_w > 0:
        raise InputError("a cooling plant needs heat to carry: give positive watts of liquid or air heat")
    num_blocks = num_halls or max(1, ceil((liquid_heat_w + air_heat_w) / site.hall_it_w))
    hottest = design_hour(climate)
    kit = [listed(id, equipment) for id in site.plant]
    heats: tuple[tuple[LoopName, float], ...] = (("liquid", liquid_heat_w), ("air", air_heat_w))
    loops = [size_loop(name, heat_w, num_blocks, site, kit, hottest) for name, heat_w in heats if heat_w > 0]
    peaks = [run_loop(loop, hottest) for loop in loops]
    nodes = tuple(
        node
        for loop, peak in zip(loops, peaks, strict=True)
        for node in _nodes(loop, peak, num_blocks, site.redundancy)
    )
    year = _run(loops, hourly_weather(climate))
    return CoolingPlant(
        climate=climate.id,
        liquid_heat_w=liquid_heat_w,
        air_heat_w=air_heat_w,
        rejected_w=float(sum(peak.outside_w[0] for peak in peaks)),
        supply_c=site.supply_c,
        num_blocks=num_blocks,
        design_outside_c=float(hottest.outside_c[0]),
        design_wet_bulb_c=float(hottest.wet_bulb_c[0]),
        nodes=nodes,
        peak_power_w=float(sum(peak.power_w[0] for peak in peaks)),
        energy_j_per_year=float(year.power_w.sum()) * HOUR_S,
        water_m3_per_year=float(year.water_m3_per_s.sum()) * HOUR_S,
        peak_water_m3_per_s=float(sum(peak.water_m3_per_s[0] for peak in peaks)),
        num_free_hours=int((year.compressor_w == 0).sum()),
        notes=tuple(_notes(loops, kit)),
    )


def hourly(
    plant: CoolingPlant, site: Site, climate: Climate, equipment: Mapping[str, Equipment]
) -> CoolingHours:
    """What a plan draws and drinks in each of the 8,760 hours of a year at full IT load."""
    return _run(_loops_of(plant, site, equipment), hourly_weather(climate))


def cooling_failures(
    plant: CoolingPlant, num_accelerators: int, equipment: Mapping[str, Equipment] | None = None
) -> tuple[FailureEffect, ...]:
    """What the loss of one unit of each kind leaves in the hottest hour, and of all pumps of a hall.

    Racks need both loops: where a loop of a hall falls short, that share of the hall's racks must stop. With
    `equipment`, notes say how long the coolant that stands in the racks lasts.
    """
    it_w = plant.liquid_heat_w + plant.air_heat_w
    block_w, block_accelerators = it_w / plant.num_blocks, num_accelerators / plant.num_blocks
    effects = []
    for node in plant.nodes:
        installed, needed = node.num_installed / plant.num_blocks, node.num_needed / plant.num_blocks
        short = max(0.0, 1 - (installed - 1) / max(needed * node.load_frac, 1e-9))
        effects.append(
            FailureEffect(
                failing=f"one of the {node.name}",
                num_alike=node.num_installed,
                num_accelerators_cut_off=ceil(round(short * block_accelerators, 6)),
                power_left_w=it_w - short * block_w,
                note="" if short else "Spares carry its share.",
            )
        )
    effects += [
        FailureEffect(
            failing=f"all {node.name} of a hall",
            num_alike=plant.num_blocks,
            num_accelerators_cut_off=ceil(round(block_accelerators, 6)),
            power_left_w=it_w - block_w,
            note=_time_left(plant, node, equipment or {}),
        )
        for node in plant.nodes
        if node.kind in PUMPS
    ]
    return tuple(effects)


def _time_left(plant: CoolingPlant, pump: CoolingNode, equipment: Mapping[str, Equipment]) -> str:
    """How long the coolant in the racks lasts until it is as much warmer as the racks make it in one pass."""
    for node in plant.nodes:
        row = equipment.get(node.equipment)
        if pump.loop == "liquid" and node.kind == "cdu" and row is not None and row.coolant_m3 is not None:
            rise_k = plant.liquid_heat_w / float(WATER_J_PER_M3_K * node.flow_m3_per_s)
            return f"{_warming(row.coolant_m3 * node.num_needed, rise_k, plant.liquid_heat_w)} (estimate)."
    return ""


def _warming(coolant_m3: float, rise_k: float, heat_w: float) -> str:
    time_s = float(overheat_s(coolant_m3, rise_k, heat_w))
    warmer, time = format_quantity(rise_k, "_k"), format_quantity(time_s, "_s", digits=2)
    return f"The racks' coolant is {warmer} warmer after {time}"


# -- between the record and its loops -----------------------------------------------------------------------


def _nodes(loop: Loop, peak: LoopHours, num_blocks: int, redundancy: Redundancy) -> Iterator[CoolingNode]:
    flow = terminal_flow_m3_per_s(loop)
    by_heat = loop.heat_w / (loop.terminal.num * loop.terminal.equipment.rating_w)
    water = float(coolant_flow_m3_per_s(loop.heat_w + peak.terminal_w[0], loop.rise_k))
    kept = [
        (
            loop.terminal,
            peak.terminal_w,
            loop.heat_w + peak.terminal_w,
            flow,
            max(_flow_load(loop.terminal, flow), by_heat),
        ),
        (loop.pump, peak.pump_w, peak.load_w, water, _flow_load(loop.pump, water)),
    ]
    if loop.rejector is not None:
        kept.append((loop.rejector, peak.fan_w, peak.rejector_heat_w, 0.0, _rejector_load(loop, peak)))
    if loop.chiller is not None:
        share = float(peak.chiller_heat_w[0]) / (loop.chiller.num * loop.chiller.equipment.rating_w)
        kept.append((loop.chiller, peak.compressor_w, peak.chiller_heat_w, 0.0, share))
    for stage, power_w, heat_w, moved, load_frac in kept:
        yield CoolingNode(
            name=f"{NAMES[stage.equipment.kind]} of the {loop.name} loop",
            kind=stage.equipment.kind,
            equipment=stage.equipment.id,
            loop=loop.name,
            num_installed=stage.num + num_blocks * _spares(stage.num // num_blocks, redundancy),
            num_needed=stage.num,
            rating_w=stage.equipment.rating_w,
            load_frac=load_frac,
            heat_w=float(heat_w[0]),
            flow_m3_per_s=moved,
            peak_power_w=float(power_w[0]),
        )


def _flow_load(stage: Stage, flow_m3_per_s: float) -> float:
    return flow_m3_per_s / (stage.num * stage.known("design_flow_m3_per_s"))


def _rejector_load(loop: Loop, peak: LoopHours) -> float:
    """Of the air flow where coolers cool alone or are trimmed, of the heat where they serve chillers."""
    assert loop.rejector is not None
    if loop.chiller is not None and loop.chiller.equipment.kind == WATER_COOLED:
        return float(peak.rejector_heat_w[0]) / (loop.rejector.num * loop.rejector.equipment.rating_w)
    return float(peak.air_frac[0])


def _spares(num_needed: int, redundancy: Redundancy) -> int:
    """In each hall: none, as many again, or one."""
    if redundancy == "n":
        return 0
    return num_needed if redundancy == "2n" else 1


def _loops_of(plant: CoolingPlant, site: Site, equipment: Mapping[str, Equipment]) -> list[Loop]:
    heats: Mapping[LoopName, float] = {"liquid": plant.liquid_heat_w, "air": plant.air_heat_w}
    loops = []
    for name, heat_w in heats.items():
        stages = {
            node.kind: Stage(listed(node.equipment, equipment), node.num_needed)
            for node in plant.nodes
            if node.loop == name
        }
        if not stages:
            continue
        terminal = next(stages[kind] for kind in TERMINALS[name] if kind in stages)
        delivered_c = plant.supply_c if name == "liquid" else terminal.known("delivery_c")
        loops.append(
            Loop(
                name,
                heat_w,
                delivered_c - terminal.known("approach_k"),
                site.rise_k,
                terminal,
                stages[PUMPS[0]],
                next((stages[kind] for kind in REJECTORS if kind in stages), None),
                next((stages[kind] for kind in CHILLERS if kind in stages), None),
            )
        )
    return loops


def _run(loops: Sequence[Loop], weather: Weather) -> CoolingHours:
    runs = [run_loop(loop, weather) for loop in loops]
    parts = [
        part
        for loop, run in zip(loops, runs, strict=True)
        for stage, part in (
            (loop.terminal, run.terminal_w),
            (loop.pump, run.pump_w),
            (loop.rejector, run.fan_w),
            (loop.chiller, run.compressor_w),
        )
        if stage is not None
    ]
    return CoolingHours(
        weather.outside_c,
        weather.wet_bulb_c,
        np.sum([run.power_w for run in runs], axis=0),
        np.sum([run.compressor_w for run in runs], axis=0),
        np.sum([run.water_m3_per_s for run in runs], axis=0),
        np.sum([run.outside_w for run in runs], axis=0),
        np.sum([run.unmet_w for run in runs], axis=0),
        np.array(parts),
    )


def _notes(loops: Sequence[Loop], kit: Sequence[Equipment]) -> Iterator[str]:
    for loop in loops:
        if loop.chiller is None and pick(kit, CHILLERS, loop.name) is not None:
            yield f"The {loop.name} loop needs no chillers: its coolers carry the hottest hour."
        if loop.rejector is not None and loop.rejector.equipment.kind in (TOWER, PADS):
            yield f"The {loop.name} loop draws water: {NAMES[loop.rejector.equipment.kind]} evaporate it."
        held_m3 = loop.terminal.equipment.coolant_m3
        if loop.name == "liquid" and held_m3 is not None:
            warming = _warming(held_m3 * loop.terminal.num, loop.rise_k, loop.heat_w)
            yield f"{warming} that pumps stand still (estimate): they need a UPS as the racks do."
