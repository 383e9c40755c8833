"""Spells: what a job or an asset did from when to when, written to the log, and how far a job's work got.

A job works an interval, stands still to write a checkpoint, and so on. Its progress over a spell follows by
arithmetic, so that checkpoints are no events. Functions in numba's subset.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gigawatt.operate.state import Fleet
from gigawatt.operate.tables import NONE
from gigawatt.operate.world import (
    DOMAIN_OUT,
    NODE_SCOPE,
    ROWS,
    RUNNING,
    SAVING,
    SERVICE,
    STANDING_BY,
    WAITING,
    World,
    whole_ticks,
)


class Progress(NamedTuple):
    """What a stretch of running amounts to."""

    work_gpu_s: float
    """Done in it."""
    saved_gpu_s: float
    """Of that, held by a checkpoint at its end."""
    num_writes: float
    """Checkpoints completed."""
    save_s: float
    """Stood still to write them, the one that was not finished included."""


def progress(elapsed_s: float, interval_s: float, write_s: float, gpus: int, speed_frac: float) -> Progress:
    """How far a job gets that works `interval_s` and writes for `write_s` in turn, from a fresh interval."""
    cycle_s = interval_s + write_s
    num_writes = np.floor(elapsed_s / cycle_s)
    rest_s = elapsed_s - num_writes * cycle_s
    work_s = min(rest_s, interval_s)
    saved = whole_ticks(num_writes * interval_s * gpus * speed_frac)
    done = whole_ticks((num_writes * interval_s + work_s) * gpus * speed_frac)
    return Progress(done, saved, num_writes, num_writes * write_s + (rest_s - work_s))


def remaining_s(fleet: Fleet, world: World, job: int) -> float:
    """How long a job runs that nothing stops, from the state of its work on, in whole ticks."""
    one = world.work[job]
    left_gpu_s = one.total_gpu_s - one.saved_gpu_s - one.unsaved_gpu_s
    work_s = np.ceil(left_gpu_s / (working_gpus(fleet, world, job) * one.speed_frac) * 1024.0) / 1024.0
    num_writes = max(np.ceil(work_s / one.interval_s) - 1.0, 0.0)
    return float(work_s + num_writes * one.write_s)


def working_gpus(fleet: Fleet, world: World, job: int) -> int:
    """GPUs of a job that work: those it holds, less idle nodes and what it has no use for."""
    one = world.work[job]
    each = fleet.pools[fleet.jobs[job].pool].gpus_per_node
    held = fleet.jobs[job].num_gpus - one.hot_nodes * each
    return int(min(held, one.wanted_gpus))


def begin_state(fleet: Fleet, world: World, job: int, state: int, now_s: float) -> None:
    """The job goes over to another state; what it did until now is written down."""
    end_spell(fleet, world, job, now_s)
    world.work[job].state = state
    world.work[job].since_s = now_s


def end_spell(fleet: Fleet, world: World, job: int, now_s: float) -> None:
    """Write down what the job did since its state began, and credit its work."""
    one, held = world.work[job], fleet.jobs[job].num_gpus
    if now_s == one.since_s:
        return
    row = new_row(world, job, one.state, one.since_s, now_s)
    row.gpus = held
    row.cause = one.cause
    passed_s = now_s - one.since_s
    one.since_s = now_s
    if one.state == WAITING:
        return
    working = working_gpus(fleet, world, job)
    row.idle_gpus = held - working
    if one.state == SAVING:
        row.save_gpu_s = passed_s * working
    if one.state == RUNNING:
        made = progress(passed_s, one.interval_s, one.write_s, working, one.speed_frac)
        left = one.total_gpu_s - one.saved_gpu_s - one.unsaved_gpu_s
        row.work_gpu_s = min(made.work_gpu_s, left)
        row.save_gpu_s = made.save_s * working
        row.slow_gpu_s = (passed_s - made.save_s) * working - row.work_gpu_s
        if made.num_writes > 0:
            one.saved_gpu_s += one.unsaved_gpu_s + made.saved_gpu_s
            one.unsaved_gpu_s = row.work_gpu_s - made.saved_gpu_s
        else:
            one.unsaved_gpu_s += row.work_gpu_s


def lose_unsaved(world: World, job: int) -> None:
    """The job goes back to its last checkpoint: what it did since is undone, by what ended its last spell."""
    one = world.work[job]
    if one.unsaved_gpu_s > 0.0:
        row = new_row(world, job, RUNNING, one.since_s, one.since_s)
        row.cause = one.cause
        row.lost_gpu_s = one.unsaved_gpu_s
        one.unsaved_gpu_s = 0.0


def lose_corrupted(world: World, job: int) -> None:
    """The job goes back to the last checkpoint from before its corruption."""
    one = world.work[job]
    if one.clean_gpu_s < one.saved_gpu_s:
        row = new_row(world, job, RUNNING, one.since_s, one.since_s)
        row.cause = one.cause
        row.lost_gpu_s = one.saved_gpu_s - one.clean_gpu_s
        one.saved_gpu_s = one.clean_gpu_s
    one.clean_gpu_s = np.inf


def save_all(world: World, job: int) -> None:
    """All that the job has done is held by a checkpoint."""
    world.work[job].saved_gpu_s += world.work[job].unsaved_gpu_s
    world.work[job].unsaved_gpu_s = 0.0


def begin_stage(fleet: Fleet, world: World, asset: int, stage: int, now_s: float) -> None:
    """The asset goes over to another stage; the one that it was in is written down, service apart.

    GPUs are those of nodes: a domain's repair takes none away but by the nodes that are out with it.
    """
    one = world.assets[asset]
    state = logged_state(one)
    if state > SERVICE or state == STANDING_BY:
        row = new_row(world, asset, state, one.since_s, now_s)
        row.cause = one.cause
        if one.scope == NODE_SCOPE:
            row.gpus = fleet.pools[one.pool].gpus_per_node
    one.stage = stage
    one.since_s = now_s


def logged_state(asset: Any) -> int:
    """The stage of an asset (a row of ASSET) in the log: a sound node may stand by, or be out with others."""
    if asset.stage != SERVICE:
        return int(asset.stage)
    if asset.is_spare:
        return STANDING_BY
    return DOMAIN_OUT if asset.outages > 0 and asset.num_held == 0 else SERVICE


def new_row(world: World, subject: int, state: int, begin_s: float, end_s: float) -> Any:
    """The next row of the log."""
    row = world.log[world.counts[ROWS]]
    world.counts[ROWS] += 1
    row.begin_s, row.end_s = begin_s, end_s
    row.subject, row.state, row.cause = subject, state, NONE
    row.gpus, row.idle_gpus = 0, 0
    row.work_gpu_s, row.save_gpu_s, row.slow_gpu_s, row.lost_gpu_s = 0.0, 0.0, 0.0, 0.0
    return row
