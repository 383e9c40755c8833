"""How many of each a loop needs: its share of one hall in the hottest hour, times the halls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from gigawatt.design.facility.cooling_loop import (
    AIR_COOLED,
    CHILLERS,
    REJECTORS,
    WATER_COOLED,
    Loop,
    LoopName,
    Stage,
    brought_back,
    coldest_sink_c,
    run_loop,
    terminal_flow_m3_per_s,
)
from gigawatt.design.facility.weather import Weather
from gigawatt.domain.facility import Equipment, Site
from gigawatt.errors import InfeasibleError, InputError
from gigawatt.laws.cooling import coolant_flow_m3_per_s
from gigawatt.units import format_quantity

TERMINALS: Mapping[LoopName, tuple[str, ...]] = {"liquid": ("cdu",), "air": ("crah", "fan wall")}
PUMPS = ("pump",)
NAMES = {
    "cdu": "coolant distribution units",
    "crah": "air handlers",
    "fan wall": "fan walls",
    "pump": "facility pumps",
    "dry cooler": "dry coolers",
    "adiabatic cooler": "adiabatic coolers",
    "cooling tower": "cooling towers",
    "chiller": "chillers",
    "air-cooled chiller": "chillers",
}
_MOST_OVERSIZE = 4
"""Times the coolers that their rating asks for; beyond, the weather is at fault and not their number."""


def listed(id: str, equipment: Mapping[str, Equipment]) -> Equipment:
    """Equipment by the id that a plant gives. Raises InputError where it was not looked up."""
    if id not in equipment:
        raise InputError(f"plant lists {id}, which is not among the equipment that was looked up")
    return equipment[id]


def pick(kit: Sequence[Equipment], kinds: Sequence[str], loop: LoopName) -> Equipment | None:
    """What a loop takes of these kinds: the liquid loop the first listed, the air loop the last."""
    found = [row for row in kit if row.kind in kinds]
    return (found[0] if loop == "liquid" else found[-1]) if found else None


def _required(kit: Sequence[Equipment], kinds: Sequence[str], loop: LoopName) -> Equipment:
    found = pick(kit, kinds, loop)
    if found is None:
        raise InputError(f"the {loop} loop needs a {kinds[0]}: add one to the site's plant")
    return found


def size_loop(
    name: LoopName, heat_w: float, num_blocks: int, site: Site, kit: Sequence[Equipment], hottest: Weather
) -> Loop:
    """A loop with as many of each as its share of one hall needs, times the halls.

    Raises InputError where a kind is missing from `kit`, InfeasibleError where the weather beats the coolers.
    """
    terminal, pump = _required(kit, TERMINALS[name], name), _required(kit, PUMPS, name)
    rejector, chiller = pick(kit, REJECTORS, name), pick(kit, CHILLERS, name)
    if rejector is None and (chiller is None or chiller.kind == WATER_COOLED):
        raise InputError(f"the {name} loop needs a {' or a '.join(REJECTORS)} in the site's plant")
    one = Stage(terminal, 1)
    delivered_c = site.supply_c if name == "liquid" else one.known("delivery_c")
    loop = Loop(
        name,
        heat_w / num_blocks,
        delivered_c - one.known("approach_k"),
        site.rise_k,
        one,
        Stage(pump, 1),
        Stage(rejector, 1) if rejector else None,
        Stage(chiller, 1) if chiller else None,
    )
    loop = _with_moved(loop)
    loop = _with_rejected(loop, hottest)
    return loop._replace(
        heat_w=heat_w,
        terminal=_times(loop.terminal, num_blocks),
        pump=_times(loop.pump, num_blocks),
        rejector=loop.rejector and _times(loop.rejector, num_blocks),
        chiller=loop.chiller and _times(loop.chiller, num_blocks),
    )


def _times(stage: Stage, factor: int) -> Stage:
    return stage._replace(num=stage.num * factor)


def _with_moved(loop: Loop) -> Loop:
    """With terminals for the heat and for the flow, and pumps for the flow."""
    by_flow = terminal_flow_m3_per_s(loop) / loop.terminal.known("design_flow_m3_per_s")
    by_heat = loop.heat_w / loop.terminal.equipment.rating_w
    loop = loop._replace(terminal=loop.terminal._replace(num=_whole(max(by_flow, by_heat))))
    brought_w = loop.heat_w + brought_back(loop)[0]
    flow = float(coolant_flow_m3_per_s(brought_w, loop.rise_k)) / loop.pump.known("design_flow_m3_per_s")
    return loop._replace(pump=loop.pump._replace(num=_whole(flow)))


def _with_rejected(loop: Loop, hottest: Weather) -> Loop:
    """With as many rejectors and chillers as the hottest hour needs; chillers that never run are left out."""
    load_w = brought_back(loop)[2]
    if loop.rejector is not None:
        loop = loop._replace(
            rejector=loop.rejector._replace(num=_whole(load_w / loop.rejector.equipment.rating_w))
        )
    if loop.chiller is None:
        return _without_chillers(loop, load_w, hottest)
    peak = run_loop(loop, hottest)
    if not peak.chiller_heat_w[0] > 0:
        return loop._replace(chiller=None)
    if loop.chiller.equipment.kind == AIR_COOLED or loop.rejector is None:
        num = _whole(float(peak.chiller_heat_w[0]) / loop.chiller.equipment.rating_w)
        return loop._replace(chiller=loop.chiller._replace(num=num))
    chiller = loop.chiller._replace(num=_whole(load_w / loop.chiller.equipment.rating_w))
    rejector = loop.rejector
    while peak.rejector_heat_w[0] > rejector.num * rejector.equipment.rating_w:
        rejector = rejector._replace(num=rejector.num + 1)
        peak = run_loop(loop._replace(rejector=rejector), hottest)
    return loop._replace(rejector=rejector, chiller=chiller)


def _without_chillers(loop: Loop, load_w: float, hottest: Weather) -> Loop:
    """More coolers, until the hottest hour leaves no heat; where that takes too many, what would help."""
    assert loop.rejector is not None
    sink_c = float(coldest_sink_c(loop.rejector, hottest)[0])
    one = loop.rejector._replace(num=1)
    span_k = loop.rejector.equipment.rating_w / one.conductance_w_per_k
    spare_k = loop.supply_c + loop.rise_k - sink_c
    if spare_k * _MOST_OVERSIZE < span_k:
        warmer_k = span_k / _MOST_OVERSIZE - spare_k
        shown = {c: format_quantity(v, "_c") for c, v in (("supply", loop.supply_c), ("sink", sink_c))}
        raise InfeasibleError(
            f"the {loop.name} loop cannot be cooled by {NAMES[loop.rejector.equipment.kind]} alone: its "
            f"water is to leave them at {shown['supply']}, and the hottest hour offers {shown['sink']}. "
            f"Supply it {format_quantity(warmer_k, '_k')} warmer, or add a chiller to the plant"
        )
    num = max(loop.rejector.num, _whole(load_w / (one.conductance_w_per_k * spare_k)))
    return loop._replace(rejector=loop.rejector._replace(num=num))


def _whole(quantity: float) -> int:
    """Units that carry `quantity` units' worth; what rounding left over is not a unit."""
    return max(1, ceil(quantity - 1e-9))
