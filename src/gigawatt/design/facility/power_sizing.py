"""How many of each piece a power chain takes: sized for the day when all that is spare has failed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from gigawatt.design.facility.power_parts import Arrangement, Parts, RackFeed
from gigawatt.design.facility.power_stages import Losses, Through, limit_w, losses_of, sweep
from gigawatt.domain.facility import Equipment

_MOST_BLOCKS = 100_000
_MOST_SPREAD = 16  # busways beyond one for each rack help no more


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
    plan = _sized(it_w, cooling_w, arranged, parts, feeds, _least(it_w + cooling_w, arranged, parts))
    while _overload(plan) > 1.0 and plan.num_blocks < _MOST_BLOCKS:
        more = max(1, ceil(plan.num_blocks * (_overload(plan) - 1.0)) // 2)
        plan = _sized(it_w, cooling_w, arranged, parts, feeds, plan.num_blocks + more)
    return plan


def _fit_apart(
    it_w: float, cooling_w: float, arranged: Arrangement, parts: Parts, feeds: tuple[RackFeed, ...]
) -> Sized:
    """Lineups that do not stand in for each other, as many as it takes; a block shares spare generators."""
    alone = replace(arranged, lineups_per_block=1, lineups_needed=1)
    lineups = _least(it_w + cooling_w, alone, parts) - 1
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


def _least(load_w: float, arranged: Arrangement, parts: Parts) -> int:
    """Blocks without which it cannot do even if nothing were lost on the way."""
    lineup_w = min(limit_w(parts.transformer), limit_w(parts.lv_switchgear))
    return max(1, ceil(load_w / (arranged.lineups_needed * lineup_w)))


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
    """Of the lineup with the most racks of each kind, as racks are not cut in two."""
    return max(it_w / num_lineups, racks_w(feeds, num_lineups))


def racks_w(feeds: tuple[RackFeed, ...], num_groups: float) -> float:
    """Of the group with the most racks of each kind, when they are spread evenly."""
    return sum(ceil(feed.num_racks / num_groups) * feed.power_w for feed in feeds)


def _num_distribution(
    piece: Equipment, feeds: tuple[RackFeed, ...], num_blocks: int, arranged: Arrangement
) -> int:
    """Busways of a lineup, each of which carries all that hangs on it alone."""
    loaded = arranged.lineups_needed if arranged.reserve else arranged.lineups_per_block
    lineups = num_blocks * loaded
    heaviest_w = max(feed.power_w for feed in feeds)
    hanging_w = sum(feed.num_racks * feed.power_w for feed in feeds) * arranged.feeds_per_rack / lineups
    count = max(arranged.feeds_per_rack if arranged.reserve else 1, ceil(hanging_w / limit_w(piece)))
    while (
        hung_w(feeds, lineups, arranged, count) > limit_w(piece)
        and count * heaviest_w < _MOST_SPREAD * hanging_w
    ):
        count += 1
    return count


def hung_w(feeds: tuple[RackFeed, ...], num_lineups: int, arranged: Arrangement, num_ways: int) -> float:
    """Of all racks on the fullest of a lineup's `num_ways` busways."""
    return sum(
        ceil(ceil(feed.num_racks * arranged.feeds_per_rack / num_lineups) / num_ways) * feed.power_w
        for feed in feeds
    )


def lineup_stages(parts: Parts, distribution: tuple[int, ...], num_ups: int) -> list[tuple[Losses, int]]:
    """Of a lineup, with how many of each carry its load: transformer, switchgear, UPS, distribution."""
    stages = [
        (losses_of(parts.transformer), 1),
        (losses_of(parts.lv_switchgear), 1),
        (losses_of(parts.ups), num_ups),
    ]
    return stages + [
        (losses_of(piece), count) for piece, count in zip(parts.distribution, distribution, strict=True)
    ]
