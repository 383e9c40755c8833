"""One loop of a cooling plant, from what takes the heat of the racks to what gives it to the outside.

    racks -> terminals (CDUs or fan walls) -> facility pumps -> heat rejectors and chillers -> outside

Each stage adds the power that it draws to the heat that it passes on. Rejectors carry what they can; chillers
take the rest. Air-cooled chillers stand beside the rejectors and trim: a rejector whose fans would draw more
than it saves stands still. Water-cooled chillers give their heat
to the rejectors, so that in the hours in which they run the rejectors serve them alone.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.facility.weather import Weather
from gigawatt.domain.facility import Equipment
from gigawatt.errors import InputError
from gigawatt.laws.cooling import (
    AIR_J_PER_M3_K,
    affinity_power_w,
    air_flow_m3_per_s,
    chiller_cop,
    condenser_compressor_w,
    coolant_flow_m3_per_s,
    economiser_limit_c,
    evaporated_m3_per_s,
    makeup_m3_per_s,
    pad_outlet_c,
    rejection_flow_frac,
)

Floats = NDArray[np.float64]
LoopName = Literal["liquid", "air"]

WATER_COOLED, AIR_COOLED = "chiller", "air-cooled chiller"
DRY, PADS, TOWER = "dry cooler", "adiabatic cooler", "cooling tower"
REJECTORS = (DRY, PADS, TOWER)
CHILLERS = (WATER_COOLED, AIR_COOLED)


class Stage(NamedTuple):
    """Equipment of one kind, and how many of it run."""

    equipment: Equipment
    num: int

    def known(self, field: str) -> float:
        """A figure of the equipment that a plant cannot do without. Raises InputError where it is missing."""
        value = getattr(self.equipment, field)
        if value is None:
            raise InputError(
                f"equipment {self.equipment.id}: {field} is not stated, and a {self.equipment.kind} needs it"
            )
        return float(value)

    @property
    def conductance_w_per_k(self) -> float:
        """Heat that a rejector's units carry per kelvin from entering water to air, fans at full speed."""
        span_k = self.known("approach_k") + self.known("rise_k")
        return self.num * self.equipment.rating_w / span_k


class Loop(NamedTuple):
    """What carries one kind of heat, and how much of it there is."""

    name: LoopName
    heat_w: float
    supply_c: float
    """Of facility water to the terminals."""
    rise_k: float
    terminal: Stage
    pump: Stage
    rejector: Stage | None
    chiller: Stage | None


class LoopHours(NamedTuple):
    """What a loop does, hour by hour: arrays [hours]."""

    terminal_w: Floats
    pump_w: Floats
    fan_w: Floats
    """Of the rejectors."""
    compressor_w: Floats
    load_w: Floats
    """That the pumps bring back: the racks' heat and the terminals' and pumps' own."""
    rejector_heat_w: Floats
    """That rejectors take out of water."""
    chiller_heat_w: Floats
    """That chillers take out of water."""
    direct_w: Floats
    """That air-cooled chillers give to the outside, compressors included."""
    unmet_w: Floats
    water_m3_per_s: Floats
    air_frac: Floats
    """Of the rejectors' design air flow."""

    @property
    def power_w(self) -> Floats:
        """Drawn by all stages."""
        return self.terminal_w + self.pump_w + self.fan_w + self.compressor_w

    @property
    def outside_w(self) -> Floats:
        """Heat given to the outside, by whatever way; what the plant fails to carry is not in it."""
        return self.rejector_heat_w + self.direct_w + self.fan_w


def terminal_flow_m3_per_s(loop: Loop) -> float:
    """Of coolant through the racks, or of air."""
    if loop.name == "liquid":
        return float(coolant_flow_m3_per_s(loop.heat_w, loop.rise_k))
    return float(air_flow_m3_per_s(loop.heat_w, loop.terminal.known("rise_k")))


def moved_w(stage: Stage, flow_m3_per_s: float) -> float:
    """Power of fans or pumps that share a flow."""
    share = flow_m3_per_s / (stage.num * stage.known("design_flow_m3_per_s"))
    least = stage.equipment.min_flow_frac or 0.0
    return stage.num * float(affinity_power_w(stage.known("design_power_w"), max(share, least)))


def brought_back(loop: Loop) -> tuple[float, float, float]:
    """Power of the terminals and of the pumps, and the heat that comes back to the plant with them."""
    terminal_w = moved_w(loop.terminal, terminal_flow_m3_per_s(loop))
    pump_w = moved_w(loop.pump, float(coolant_flow_m3_per_s(loop.heat_w + terminal_w, loop.rise_k)))
    return terminal_w, pump_w, loop.heat_w + terminal_w + pump_w


def run_loop(loop: Loop, weather: Weather) -> LoopHours:
    """A loop at full IT load through the hours of `weather`."""
    terminal_w, pump_w, load_w = brought_back(loop)
    sink_c, free_w, air_frac = _free(loop, weather, load_w)
    rest_w = np.maximum(load_w - free_w, 0.0)
    none = np.zeros_like(rest_w)
    rejector_heat_w, chiller_heat_w, direct_w, compressor_w, unmet_w = free_w, none, none, none, rest_w
    if loop.chiller is not None and loop.chiller.equipment.kind == AIR_COOLED:
        per_heat = 1 / _cop(loop, loop.chiller, weather)
        worth = free_w * per_heat > _fans_w(loop.rejector, air_frac)
        free_w, air_frac = np.where(worth, free_w, 0.0), np.where(worth, air_frac, 0.0)
        rejector_heat_w, chiller_heat_w, unmet_w = free_w, load_w - free_w, none
        compressor_w = chiller_heat_w * per_heat
        direct_w = chiller_heat_w + compressor_w
    elif loop.chiller is not None and loop.rejector is not None:
        mechanical = rest_w > 0
        chiller_heat_w, unmet_w = np.where(mechanical, load_w, 0.0), none
        compressor_w = np.where(
            mechanical, _condensed_w(loop, loop.rejector, loop.chiller, weather, load_w), 0.0
        )
        rejector_heat_w = np.where(mechanical, load_w + compressor_w, free_w)
        sink_c = np.where(mechanical, coldest_sink_c(loop.rejector, weather), sink_c)
    return LoopHours(
        np.full_like(rest_w, terminal_w),
        np.full_like(rest_w, pump_w),
        _fans_w(loop.rejector, air_frac),
        compressor_w,
        np.full_like(rest_w, load_w),
        rejector_heat_w,
        chiller_heat_w,
        direct_w,
        unmet_w,
        _water_m3_per_s(loop.rejector, weather, sink_c, air_frac, rejector_heat_w),
        air_frac,
    )


def coldest_sink_c(rejector: Stage, weather: Weather) -> Floats:
    """The coldest that a rejector can make the air that its water meets."""
    if rejector.equipment.kind == TOWER:
        return weather.wet_bulb_c
    if rejector.equipment.kind == DRY:
        return weather.outside_c
    effectiveness = rejector.known("effectiveness_frac")
    return np.asarray(pad_outlet_c(weather.outside_c, weather.wet_bulb_c, effectiveness))


def _free(loop: Loop, weather: Weather, load_w: float) -> tuple[Floats, Floats, Floats]:
    """Without compressors: the sink, the heat carried, and the share of the fans' air flow.

    Pads are wetted as little as full fans allow, so the sink of an adiabatic cooler lies between its pads'
    best and the air outside.
    """
    if loop.rejector is None:
        none = np.zeros_like(weather.outside_c)
        return weather.outside_c, none, none
    conductance_w_per_k, return_c = loop.rejector.conductance_w_per_k, loop.supply_c + loop.rise_k
    sink_c = coldest_sink_c(loop.rejector, weather)
    if loop.rejector.equipment.kind == PADS:
        suffices_c = economiser_limit_c(return_c, load_w, conductance_w_per_k)
        sink_c = np.minimum(np.maximum(sink_c, suffices_c), weather.outside_c)
    needed = rejection_flow_frac(load_w, conductance_w_per_k, return_c, sink_c)
    most_w = conductance_w_per_k * np.maximum(return_c - sink_c, 0.0)
    return sink_c, np.minimum(most_w, load_w), np.minimum(needed, 1.0)


def _cop(loop: Loop, chiller: Stage, weather: Weather) -> Floats:
    return np.asarray(
        chiller_cop(
            loop.supply_c, weather.outside_c, chiller.known("carnot_frac"), chiller.known("min_lift_k")
        )
    )


def _condensed_w(loop: Loop, rejector: Stage, chiller: Stage, weather: Weather, load_w: float) -> Floats:
    approach_k_per_w = rejector.known("approach_k") / (rejector.num * rejector.equipment.rating_w)
    return np.asarray(
        condenser_compressor_w(
            load_w,
            loop.supply_c,
            coldest_sink_c(rejector, weather),
            approach_k_per_w,
            chiller.known("carnot_frac"),
            chiller.known("min_lift_k"),
        )
    )


def _fans_w(rejector: Stage | None, air_frac: Floats) -> Floats:
    if rejector is None:
        return np.zeros_like(air_frac)
    turning = np.where(air_frac > 0, np.maximum(air_frac, rejector.equipment.min_flow_frac or 0.0), 0.0)
    return np.asarray(rejector.num * affinity_power_w(rejector.known("design_power_w"), turning))


def _water_m3_per_s(
    rejector: Stage | None, weather: Weather, sink_c: Floats, air_frac: Floats, heat_w: Floats
) -> Floats:
    """Drawn by rejectors: towers evaporate into the air, pads cool it first."""
    if rejector is None or rejector.equipment.kind == DRY:
        return np.zeros_like(sink_c)
    evaporating_w = heat_w * (rejector.equipment.latent_frac or 1.0)
    if rejector.equipment.kind == PADS:
        air_m3_per_s = air_frac * rejector.num * rejector.known("design_flow_m3_per_s")
        evaporating_w = air_m3_per_s * AIR_J_PER_M3_K * (weather.outside_c - sink_c)
    return np.asarray(makeup_m3_per_s(evaporated_m3_per_s(evaporating_w), rejector.known("num_cycles")))
