"""How many of each piece a power chain takes: sized for the day when all that is spare has failed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from gigawatt.design.facility.power_parts import Arrangement, Parts, RackFeed
from gigawatt.design.facility.power_stages import Losses, Through, limit_w, losses_of, sweep
from gigawatt.domain.facility import Equipment

_MOST_BLOCKS = 100_000


@dataclass(frozen=True, slots=True)
class Sized:
    """A chain that fits: how many of each piece, and the loads that they were sized for."""

    it_w: float
    cooling_w: float
    arrangement: Arrangement
    parts: Parts
    feeds: tuple[RackFeed, ...]
    num_blocks: int
    num_ups: int
    """Of a lineup, to carry its worst load."""
    num_generators: int
    """Of a lineup; of a block where generators stand together."""
    num_distribution: tuple[int, ...]
    """Of a lineup that feeds racks."""
    num_rack_pieces: int
    worst: tuple[Through, ...]
    """Through one lineup when its block has no spare left."""

    @property
    def num_loaded(self) -> int:
        """Lineups of a block that carry load, nothing having failed."""
        return (
            self.arrangement.lineups_needed
            if self.arrangement.reserve
            else self.arrangement.lineups_per_block
        )

    @property
    def common_generators(self) -> bool:
        return self.arrangement.spare_pieces > 0


def size_chain(
    it_w: float, cooling_w: float, arranged: Arrangement, parts: Parts, feeds: tuple[RackFeed, ...]
) -> Sized:
    """The fewest blocks whose lineups carry the load."""
    if arranged.spare_pieces and arranged.lineups_needed == arranged.lineups_per_block:
        return _fit_apart(it_w, cooling_w, arranged, parts, feeds)
    plan = _sized(it_w, cooling_w, arranged, parts, feeds, 1)
    while _overload(plan) > 1.0 and plan.num_blocks < _MOST_BLOCKS:
        more = max(1, ceil(plan.num_blocks * (_overload(plan) - 1.0)) // 2)
        plan = _sized(it_w, cooling_w, arranged, parts, feeds, plan.num_blocks + more)
    return plan


def _fit_apart(
    it_w: float, cooling_w: float, arranged: Arrangement, parts: Parts, feeds: tuple[RackFeed, ...]
) -> Sized:
    """Lineups that do not stand in for each other, as many as it takes; a block shares spare generators."""
    alone = replace(arranged, lineups_per_block=1, lineups_needed=1)
    lineups = 0
    while True:
        lineups += 1
        plan = _sized(it_w, cooling_w, alone, parts, feeds, lineups)
        if _overload(plan) <= 1.0 or lineups > _MOST_BLOCKS:
            break
        lineups += max(1, ceil(lineups * (_overload(plan) - 1.0)) // 2) - 1
    blocks = ceil(lineups / arranged.lineups_per_block)
    each = ceil(lineups / blocks)
    shared = replace(arranged, lineups_per_block=each, lineups_needed=each)
    return _sized(it_w, cooling_w, shared, parts, feeds, blocks)


def _overload(plan: Sized) -> float:
    """Of the transformer or the switchgear, whichever is fuller: load over what it may carry."""
    transformer, switchgear = plan.worst[0], plan.worst[1]
    return max(
        transformer.output_w / limit_w(plan.parts.transformer),
        switchgear.output_w / limit_w(plan.parts.lv_switchgear),
    )


def _sized(
    it_w: float,
    cooling_w: float,
    arranged: Arrangement,
    parts: Parts,
    feeds: tuple[RackFeed, ...],
    num_blocks: int,
) -> Sized:
    worst_it_w = _worst_it_w(it_w, feeds, num_blocks * arranged.lineups_needed)
    worst_cooling_w = cooling_w / (num_blocks * arranged.lineups_needed)
    distribution = tuple(
        _num_distribution(piece, feeds, num_blocks, arranged) for piece in parts.distribution
    )
    behind = sweep(lineup_stages(parts, distribution, 1)[3:], worst_it_w)
    num_ups = max(1, ceil(behind[0].input_w / limit_w(parts.ups)))
    worst = sweep(lineup_stages(parts, distribution, num_ups), worst_it_w, extra_w={1: worst_cooling_w})
    generators_carry_w = worst[1].input_w * (arranged.lineups_per_block if arranged.spare_pieces else 1)
    return Sized(
        it_w,
        cooling_w,
        arranged,
        parts,
        feeds,
        num_blocks,
        num_ups,
        max(1, ceil(generators_carry_w / parts.generator.rating_w)),
        distribution,
        sum(feed.num_racks * feed.pieces for feed in feeds),
        tuple(worst),
    )


def _worst_it_w(it_w: float, feeds: tuple[RackFeed, ...], num_lineups: int) -> float:
    """Of the lineup with the most racks, as racks are not cut in two."""
    heaviest_w = max(feed.power_w for feed in feeds)
    return max(it_w / num_lineups, ceil(it_w / heaviest_w / num_lineups - 1e-9) * heaviest_w)


def _num_distribution(
    piece: Equipment, feeds: tuple[RackFeed, ...], num_blocks: int, arranged: Arrangement
) -> int:
    """Busways of a lineup: whole racks hang on each, the heaviest kind told of all."""
    heaviest_w = max(feed.power_w for feed in feeds)
    per_piece = max(1, int(limit_w(piece) // heaviest_w))
    hanging = sum(feed.num_racks * feed.power_w for feed in feeds) / heaviest_w
    loaded = arranged.lineups_needed if arranged.reserve else arranged.lineups_per_block
    per_lineup = hanging * arranged.feeds_per_rack / (num_blocks * loaded)
    return max(arranged.feeds_per_rack if arranged.reserve else 1, ceil(per_lineup / per_piece))


def lineup_stages(
    parts: Parts, distribution: tuple[int, ...], num_ups: int
) -> list[tuple[Losses, int]]:
    """Of a lineup, with how many of each carry its load: transformer, switchgear, UPS, distribution."""
    stages = [
        (losses_of(parts.transformer), 1),
        (losses_of(parts.lv_switchgear), 1),
        (losses_of(parts.ups), num_ups),
    ]
    return stages + [
        (losses_of(piece), count) for piece, count in zip(parts.distribution, distribution, strict=True)
    ]
