"""When an asset fails next and of what, drawn from its hazards; each asset has its own luck.

Failures come at a rate that is constant but for parts just put in; candidates are drawn at the highest rate
and kept in proportion (thinning: P. A. W. Lewis, G. S. Shedler, Naval Research Logistics Quarterly 26, 1979).
In numba's subset.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.chance import exponential_number, uniform_number
from gigawatt.operate.due import not_due, set_due
from gigawatt.operate.tables import NONE
from gigawatt.operate.world import GPU, NODE_SCOPE, TICK_S, World, on_tick

CANDIDATE, KIND, OUTCOME, DETECTION, DIAGNOSIS, PLACE, PART_NEED, WORK_TIME, BURN, STAND_IN = range(10)
"""What a number is drawn for."""


def drawn(world: World, purpose: int, asset: int, count: int) -> float:
    """A uniform number for the `count`-th time that an asset needs one for this purpose."""
    return float(uniform_number(world.conduct.seed, np.uint64(purpose), np.uint64(asset), np.uint64(count)))


def await_fault(world: World, asset: int, now_s: float) -> None:
    """The asset is in service: draw when it may fail next."""
    one = world.assets[asset]
    rate = most_per_s(world, asset)
    if rate <= 0.0:
        not_due(world.due, asset)
        return
    wait_s = exponential_number(drawn(world, CANDIDATE, asset, one.num_candidates), 1.0 / rate)
    set_due(world.due, asset, on_tick(now_s + wait_s))


def is_of(world: World, hazard: int, asset: int) -> bool:
    """Whether a hazard strikes assets of this scope; those of accelerators strike their node."""
    scope = world.hazards[hazard].scope
    mine = world.assets[asset].scope
    return bool(scope == mine or (scope == GPU and mine == NODE_SCOPE))


def most_per_s(world: World, asset: int) -> float:
    """The highest rate of all that strikes an asset, over its life."""
    one = world.assets[asset]
    rate = 0.0
    for hazard in range(world.hazards.shape[0]):
        if is_of(world, hazard, asset):
            rate += world.rate_per_s[hazard, one.pool] * world.hazards[hazard].infant_ratio
    return float(rate * one.frailty_ratio)


def struck_by(world: World, asset: int, now_s: float) -> int:
    """The hazard that strikes now, NONE where the candidate is not kept."""
    one = world.assets[asset]
    draw = drawn(world, KIND, asset, one.num_candidates) * most_per_s(world, asset)
    one.num_candidates += 1
    age_s = now_s - one.new_since_s
    for hazard in range(world.hazards.shape[0]):
        if not is_of(world, hazard, asset):
            continue
        row = world.hazards[hazard]
        rate = world.rate_per_s[hazard, one.pool] * one.frailty_ratio
        now_ratio = 1.0
        if row.infant_ratio > 1.0:
            now_ratio += (row.infant_ratio - 1.0) * np.exp(-age_s / row.infant_s)
        if draw < rate * now_ratio:
            return hazard
        draw -= rate * row.infant_ratio
        if draw < 0.0:
            return NONE
    return NONE


def detection_s(world: World, asset: int, hazard: int) -> float:
    """How long until somebody knows, a tick at least: what takes no time leaves no trace in the log."""
    draw = drawn(world, DETECTION, asset, world.assets[asset].num_faults)
    return max(on_tick(exponential_number(draw, world.hazards[hazard].detection_s)), TICK_S)
