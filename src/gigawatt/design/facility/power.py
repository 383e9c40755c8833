"""The power chain of a site: how many of what, what flows through it, what it loses, how it fails.

`plan_power` sizes it, `power_graph` lays it out piece by piece, `power_failures` breaks each kind of piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from gigawatt.design.facility.power_availability import rack_unavailability_frac
from gigawatt.design.facility.power_failures import is_maintainable, power_failures
from gigawatt.design.facility.power_graph import PowerGraph, power_flow, power_graph
from gigawatt.design.facility.power_parts import ARRANGEMENTS, Parts, power_parts, rack_feeds
from gigawatt.design.facility.power_sizing import Sized, hung_w, lineup_stages, size_chain
from gigawatt.design.facility.power_stages import Through, limit_w, losses_of, output_of_w, sweep
from gigawatt.domain.facility import (
    Equipment,
    FloorPlan,
    PowerChain,
    PowerLevel,
    PowerNode,
    Redundancy,
    Site,
)
from gigawatt.errors import InfeasibleError
from gigawatt.laws.availability import down_s_per_year
from gigawatt.units import format_quantity

__all__ = ["PowerGraph", "plan_power", "power_failures", "power_flow", "power_graph"]
_ROUNDING = 1e-6
_ROUNDS = 6  # between site and lineups, whose voltages depend on each other


def plan_power(
    it_w: float,
    cooling_peak_w: float,
    floor: FloorPlan,
    site: Site,
    equipment: Mapping[str, Equipment],
    redundancy: Redundancy | None = None,
) -> PowerChain:
    """The power chain that feeds `it_w` of racks and `cooling_peak_w` of cooling, from the site's equipment.

    Each stage is sized for the day when all that is spare has failed, breakers to their share for continuous
    loads. Racks share the load evenly over blocks and lineups.

    Raises InputError where the site's chain lacks a piece or its voltages do not follow each other, and
    InfeasibleError that names the stage that binds and what would fit.
    """
    redundancy = redundancy or site.redundancy
    parts = power_parts(site, equipment)
    feeds = rack_feeds(floor, parts, ARRANGEMENTS[redundancy].feeds_per_rack)
    _check_bridge(parts)
    plan = size_chain(it_w, cooling_peak_w, ARRANGEMENTS[redundancy], parts, feeds)
    nodes = _nodes(plan, site)
    utility_w = nodes[0].input_w
    if site.available_w is not None and utility_w > site.available_w:
        fits = format_quantity(it_w * site.available_w / utility_w, "_w")
        raise InfeasibleError(
            f"utility: {format_quantity(it_w, '_w')} of racks draw {format_quantity(utility_w, '_w')} at the "
            f"meter in the hottest hour, the site offers {format_quantity(site.available_w, '_w')}; "
            f"about {fits} of racks fit"
        )
    _require_room(nodes)
    arranged = plan.arrangement
    chain = PowerChain(
        redundancy=redundancy,
        concurrently_maintainable=False,
        num_blocks=plan.num_blocks,
        lineups_per_block=arranged.lineups_per_block,
        lineups_needed=arranged.lineups_needed,
        feeds_per_rack=arranged.feeds_per_rack,
        num_sides=arranged.num_sides,
        utility_w=utility_w,
        it_w=it_w,
        cooling_w=cooling_peak_w,
        loss_w=utility_w - it_w - cooling_peak_w,
        nodes=nodes,
        availability_frac=1.0,
        down_s_per_year=0.0,
        longest_bridge_s=parts.generator.start_s or 0.0,
        rack_w=tuple(feed.power_w for feed in feeds),
        racks_by_kind=tuple(feed.num_racks for feed in feeds),
        pieces_by_kind=tuple(feed.pieces for feed in feeds),
        compute_w=_compute_w(it_w, floor),
    )
    down_frac = rack_unavailability_frac(chain)
    return chain.model_copy(
        update={
            "concurrently_maintainable": is_maintainable(chain),
            "availability_frac": 1.0 - down_frac,
            "down_s_per_year": down_s_per_year(down_frac),
        }
    )


def _compute_w(it_w: float, floor: FloorPlan) -> float:
    """What racks with accelerators take of the critical load, where they are the first kind."""
    drawn = [kind.num_racks * kind.power_w for kind in floor.racks]
    holding = [kind.num_accelerators > 0 for kind in floor.racks]
    return it_w * drawn[0] / sum(drawn) if holding[0] and sum(holding) == 1 else 0.0


def _require_room(nodes: Sequence[PowerNode]) -> None:
    """Sizing stops where more pieces help no more: then nothing fits. Raises InfeasibleError."""
    fullest = max(nodes, key=lambda node: node.worst_load_frac)
    if fullest.worst_load_frac > 1.0 + _ROUNDING:
        raise InfeasibleError(
            f"{fullest.kind}: {fullest.equipment} would carry {fullest.worst_load_frac:.0%} of its limit of "
            f"{format_quantity(fullest.limit_w, '_w')} when all that is spare has failed, however many there "
            "are; take one of a higher rating"
        )


def _check_bridge(parts: Parts) -> None:
    start_s, autonomy_s = parts.generator.start_s, parts.ups.autonomy_s
    if start_s and autonomy_s and start_s > autonomy_s:
        raise InfeasibleError(
            f"ups: {parts.ups.id} carries its load for {format_quantity(autonomy_s, '_s')}, "
            f"{parts.generator.id} needs {format_quantity(start_s, '_s')} to take over"
        )


def _site_stages(plan: Sized, worst_w: float) -> list[tuple[Equipment, int, int]]:
    """What stands between utility and lineups, with how many are needed and installed."""
    arranged = plan.arrangement
    apart = arranged.num_sides > 1 and not arranged.spare_transformers
    stages = []
    for piece in (plan.parts.mv_switchgear, plan.parts.substation, plan.parts.utility):
        if piece is None:
            continue
        needed = max(1, ceil(worst_w / limit_w(piece)))
        worst_w = sweep([(losses_of(piece), needed)], worst_w)[0].input_w
        if piece.kind == "transformer" and not apart:
            stages.append((piece, needed, needed + arranged.spare_transformers))
        else:
            stages.append((piece, needed, needed * arranged.num_sides))
    return stages[::-1]


def _nodes(plan: Sized, site: Site) -> tuple[PowerNode, ...]:
    arranged = plan.arrangement
    worst_w = plan.worst[0].input_w * arranged.lineups_needed * plan.num_blocks
    site_stages = _site_stages(plan, worst_w)
    above = [(losses_of(piece), installed) for piece, _, installed in site_stages]
    share = plan.num_blocks * plan.num_loaded
    num_ups = plan.num_ups + arranged.spare_pieces
    lineup = lineup_stages(plan.parts, plan.num_distribution, num_ups)
    idle = lineup[:3]
    num_idle = plan.num_blocks * (arranged.lineups_per_block - plan.num_loaded)
    sending = 1.0
    for _ in range(_ROUNDS):
        loaded = sweep(lineup, plan.it_w / share, extra_w={1: plan.cooling_w / share}, sending_frac=sending)
        unloaded = sweep(idle, 0.0, sending_frac=sending)
        drawn_w = loaded[0].input_w * share + unloaded[0].input_w * num_idle
        site_through = sweep(above, drawn_w, loaded[0].input_va * share + unloaded[0].input_va * num_idle)
        sending = site_through[-1].voltage_frac
    return _Layout(plan, site, site_stages, site_through, loaded, unloaded, worst_w).nodes()


@dataclass(frozen=True, slots=True)
class _Layout:
    """What flows where, told as nodes."""

    plan: Sized
    site: Site
    site_stages: list[tuple[Equipment, int, int]]
    site_through: list[Through]
    loaded: list[Through]
    unloaded: list[Through]
    worst_w: float

    def nodes(self) -> tuple[PowerNode, ...]:
        return (*self._above(), *self._lineup(), *self._rack())

    def _above(self) -> list[PowerNode]:
        volts = self.site.utility_v
        nodes = []
        for (piece, needed, installed), through in zip(self.site_stages, self.site_through, strict=True):
            worst = self.worst_w / (needed * limit_w(piece))
            node = _node(
                piece, "site", needed, installed, through, through.output_w / installed, worst, volts
            )
            nodes.append(node)
            volts = node.output_v
        return nodes

    def _lineup(self) -> list[PowerNode]:
        plan = self.plan
        arranged, parts = plan.arrangement, plan.parts
        all_lineups = plan.num_blocks * arranged.lineups_per_block
        needed_lineups = plan.num_blocks * arranged.lineups_needed
        loaded = plan.num_blocks * plan.num_loaded
        volts = parts.transformer.input_v or self.site.utility_v
        rows: list[tuple[Equipment, int, int, int]] = [
            (parts.transformer, 1, 1, all_lineups),
            (parts.lv_switchgear, 1, 1, all_lineups),
            (parts.ups, plan.num_ups, plan.num_ups + arranged.spare_pieces, all_lineups),
        ]
        rows += [(p, n, n, loaded) for p, n in zip(parts.distribution, plan.num_distribution, strict=True)]
        nodes = []
        for number, (piece, needed, installed, lineups) in enumerate(rows):
            idle = self.unloaded[number] if number < len(self.unloaded) else Through(0.0, 0.0, 1.0, 0.0)
            through = _together(self.loaded[number], loaded, idle, all_lineups - loaded)
            worst = plan.worst[number].output_w / (needed * limit_w(piece))
            if piece in parts.distribution:
                worst = self._worst_distribution(piece)
            each = self.loaded[number].output_w / installed
            nodes.append(
                _node(
                    piece,
                    "lineup",
                    needed * min(lineups, needed_lineups),
                    installed * lineups,
                    through,
                    each,
                    worst,
                    volts,
                )
            )
            volts = nodes[-1].output_v
            if number == 0:
                nodes.append(self._generators(volts))
        return nodes

    def _worst_distribution(self, piece: Equipment) -> float:
        plan = self.plan
        count = plan.num_distribution[plan.parts.distribution.index(piece)]
        lineups = plan.num_blocks * plan.num_loaded
        return hung_w(plan.feeds, lineups, plan.arrangement, count) / limit_w(piece)

    def _generators(self, volts: float) -> PowerNode:
        plan = self.plan
        arranged, piece = plan.arrangement, plan.parts.generator
        together = plan.common_generators
        groups = plan.num_blocks if together else plan.num_blocks * arranged.lineups_per_block
        needed = plan.num_generators * (groups if together else plan.num_blocks * arranged.lineups_needed)
        carried = plan.worst[1].input_w * (arranged.lineups_per_block if together else 1)
        return _node(
            piece,
            "block" if together else "lineup",
            needed,
            (plan.num_generators + (1 if together else 0)) * groups,
            Through(0.0, 0.0, 1.0, 0.0),
            0.0,
            carried / (plan.num_generators * piece.rating_w),
            volts,
        )

    def _rack(self) -> list[PowerNode]:
        plan = self.plan
        volts = plan.parts.distribution[-1].output_v or 0.0
        needed = sum(feed.num_racks * feed.needed for feed in plan.feeds)
        worst_w = max(feed.power_w / feed.needed for feed in plan.feeds)
        most_w = max(feed.power_w / feed.pieces for feed in plan.feeds)
        drawn_w = sum(feed.num_racks * feed.power_w for feed in plan.feeds)
        nodes, flow_w = [], plan.it_w
        pieces = plan.num_rack_pieces
        for piece in (plan.parts.breaker, plan.parts.shelf):
            if piece is None:
                continue
            losses = losses_of(piece)
            output_w = sum(
                feed.num_racks * output_of_w(losses, feed.power_w * flow_w / drawn_w, feed.pieces)
                for feed in plan.feeds
            )
            through = Through(flow_w, output_w, 1.0, 0.0)
            each, worst = most_w * output_w / flow_w, output_of_w(losses, worst_w, 1) / limit_w(piece)
            nodes.append(_node(piece, "rack", needed, pieces, through, each, worst, volts))
            volts, flow_w = nodes[-1].output_v, output_w
        racks = sum(feed.num_racks for feed in plan.feeds)
        nodes.append(_load("racks", "rack", racks, self._heaviest_w(), flow_w, volts))
        if plan.cooling_w > 0:
            volts = plan.parts.lv_switchgear.output_v or 0.0
            blocks = plan.num_blocks
            nodes.append(_load("cooling", "cooling", blocks, plan.cooling_w / blocks, plan.cooling_w, volts))
        return nodes

    def _heaviest_w(self) -> float:
        """What the heaviest rack gets behind its shelves."""
        shelf = self.plan.parts.shelf
        each = (
            feed.power_w if shelf is None else output_of_w(losses_of(shelf), feed.power_w, feed.pieces)
            for feed in self.plan.feeds
        )
        return max(each)


def _together(one: Through, count: int, other: Through, other_count: int) -> Through:
    return Through(
        one.input_w * count + other.input_w * other_count,
        one.output_w * count + other.output_w * other_count,
        one.voltage_frac,
        one.input_va * count + other.input_va * other_count,
    )


def _node(
    piece: Equipment,
    level: PowerLevel,
    needed: int,
    installed: int,
    through: Through,
    each_w: float,
    worst_load_frac: float,
    before_v: float,
) -> PowerNode:
    input_v = piece.input_v or before_v
    return PowerNode(
        name=piece.name,
        kind=piece.kind,
        equipment=piece.id,
        level=level,
        num_installed=installed,
        num_needed=needed,
        rating_w=piece.rating_w,
        limit_w=limit_w(piece),
        load_frac=each_w / piece.rating_w,
        worst_load_frac=worst_load_frac,
        input_w=through.input_w,
        output_w=through.output_w,
        loss_w=through.input_w - through.output_w,
        input_v=input_v,
        output_v=piece.output_v or input_v,
        voltage_frac=through.voltage_frac,
        no_load_loss_w=piece.no_load_loss_w or 0.0,
        load_loss_w=piece.load_loss_w or 0.0,
        impedance_frac=piece.impedance_frac or 0.0,
        efficiency_by_load=piece.efficiency_by_load,
        mtbf_s=piece.mtbf_s or 0.0,
        mttr_s=piece.mttr_s or 0.0,
    )


def _load(name: str, kind: str, count: int, rating_w: float, flow_w: float, volts: float) -> PowerNode:
    return PowerNode(
        name=name,
        kind=kind,
        equipment="",
        level="rack" if kind == "rack" else "block",
        num_installed=count,
        num_needed=count,
        rating_w=rating_w,
        limit_w=rating_w,
        load_frac=flow_w / (count * rating_w),
        worst_load_frac=1.0,
        input_w=flow_w,
        output_w=flow_w,
        loss_w=0.0,
        input_v=volts,
        output_v=volts,
    )
