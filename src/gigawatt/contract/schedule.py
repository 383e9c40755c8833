"""Construction risk: a project's dates as distributions, by vectorised Monte Carlo on its network.

Blocks of outcomes are drawn from streams of their own, and counted in whole numbers: the same seed gives the
same bytes for any number of workers.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np

from gigawatt.contract.schedule_answer import answer
from gigawatt.contract.schedule_kernel import (
    NUM_BINS,
    Block,
    Floats,
    Scores,
    Tally,
    count_bins,
    count_days,
    draw_durations,
    pass_forward,
    trace,
)
from gigawatt.contract.schedule_network import Compiled, compile_project
from gigawatt.domain.schedule import ConstructionProject, MilestoneRisk, ScheduleRisk
from gigawatt.errors import InputError
from gigawatt.kernels import compiled

_BLOCK = 512
_COUNTED_EVERY = 4
"""Of so many blocks one counts the days of activities: a day is coarser than what the others would add."""
_MOST_SAMPLES = 10_000_000


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was drawn: the dates of milestones one by one, everything else counted."""

    reached_days: Floats
    """[samples, milestones] d from the epoch."""
    tally: Tally
    planned_days: Floats
    """[activities] d from the epoch, of a plan of single dates."""


def simulate_schedule(
    project: ConstructionProject, num_samples: int = 131_072, seed: int = 1, workers: int | None = None
) -> ScheduleRisk:
    """Draw `num_samples` outcomes of a project: when milestones are reached, what is critical, what drives.

    Priors of the catalogue have to be resolved (`gigawatt.project.schedule` does). The answer depends on
    project, samples and seed alone, not on `workers`. Raises InputError for what cannot be drawn.
    """
    network = compile_project(project)
    return answer(project, network, draw(network, num_samples, seed, workers), num_samples, seed)


@dataclass(frozen=True, eq=False)
class DrawnBlocks:
    """A project's risk, and when its blocks of capacity are ready, outcome by outcome."""

    risk: ScheduleRisk
    blocks: tuple[MilestoneRisk, ...]
    reached_days: Floats
    """[samples, blocks] d from the epoch."""
    epoch: date


def draw_blocks(project: ConstructionProject, num_samples: int, seed: int) -> DrawnBlocks:
    """The same as `simulate_schedule` with the outcomes of its blocks; drawn once in a process.

    Raises InputError for what cannot be drawn.
    """
    key = (project.model_dump_json(), num_samples, seed)
    if key not in _KEPT:
        while len(_KEPT) >= _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        network = compile_project(project)
        drawn = draw(network, num_samples, seed)
        risk = answer(project, network, drawn, num_samples, seed)
        places = [n for n, one in enumerate(project.milestones) if one.power_w is not None]
        blocks = tuple(risk.milestones[n] for n in places)
        _KEPT[key] = DrawnBlocks(risk, blocks, drawn.reached_days[:, places], network.epoch)
    return _KEPT[key]


_KEPT: dict[tuple[str, int, int], DrawnBlocks] = {}
_MOST_KEPT = 8


def draw(
    project: Compiled, num_samples: int = 131_072, seed: int = 1, workers: int | None = None
) -> Outcomes:
    """The outcomes themselves."""
    if not 0 < num_samples <= _MOST_SAMPLES:
        raise InputError(f"samples: expected 1 to {_MOST_SAMPLES:,}, found {num_samples:,}")
    planned = _planned(project)
    num_days = _num_days(project, planned, seed)
    dates = np.empty((num_samples, len(project.network.milestones)))
    num_blocks = -(-num_samples // _BLOCK)
    count = max(1, min(workers or os.cpu_count() or 1, num_blocks))

    def work(worker: int) -> Tally:
        tally, room = _new_tally(project, num_days), _new_block(project, _BLOCK)
        for number in range(worker, num_blocks, count):
            _play(project, seed, number, room, tally, dates[number * _BLOCK : (number + 1) * _BLOCK])
        return tally

    if count == 1:
        return Outcomes(dates, work(0), planned)
    with ThreadPoolExecutor(count) as pool:
        return Outcomes(dates, _sum(list(pool.map(work, range(count)))), planned)


def _play(project: Compiled, seed: int, number: int, room: Block, tally: Tally, dates: Floats) -> None:
    """Draw a block, pass forward, trace back and count; `dates` takes what is reached."""
    scores, uniforms = _random(project, seed, number)
    # One call each: in one compiled function the compiler loses sight of what it could do side by side.
    compiled(draw_durations)(project.draws, scores, uniforms, room)
    compiled(pass_forward)(project.network, project.calendars, room)
    if number % _COUNTED_EVERY == 0:
        compiled(count_days)(room, tally, len(dates))
    compiled(trace)(project.network, room, tally, dates)
    compiled(count_bins)(room, tally, dates)


def _random(project: Compiled, seed: int, block: int) -> tuple[Scores, Floats]:
    """Normal scores [rows, samples] and uniform numbers [risks, samples] of a block, from its own stream."""
    stream = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(block,))))
    uniforms = stream.random((len(project.draws.risk_frac), _BLOCK))
    return stream.standard_normal((project.num_scores, _BLOCK), np.float32), uniforms


def _planned(project: Compiled) -> Floats:
    """Ends with every duration at its median."""
    room = _new_block(project, 1)
    room.duration[:, 0] = project.usual_days
    compiled(pass_forward)(project.network, project.calendars, room)
    return room.finish[:, 0]


def _num_days(project: Compiled, planned: Floats, seed: int) -> int:
    """Days that are counted one by one: to the latest of the first block, which is beyond any 90 % point."""
    room = _new_block(project, _BLOCK)
    dates = np.empty((_BLOCK, len(project.network.milestones)))
    _play(project, seed, 0, room, _new_tally(project, 1), dates)
    return int(max(room.finish.max(), planned.max())) + 2


def _new_block(project: Compiled, num_samples: int) -> Block:
    shape = (len(project.rows), num_samples)
    drivers = len(project.rows) + len(project.draws.factor_score) + len(project.draws.risk_frac)
    return Block(
        duration=np.zeros(shape),
        score=np.zeros(num_samples),
        node=np.zeros(num_samples, np.int32),
        start=np.zeros(shape),
        finish=np.zeros(shape),
        start_link=np.zeros(shape, np.int32),
        finish_link=np.zeros(shape, np.int32),
        starts=np.zeros(shape, np.uint32),
        ends=np.zeros(shape, np.uint32),
        bins=np.full((drivers, num_samples), -1, np.int8),
    )


def _new_tally(project: Compiled, num_days: int) -> Tally:
    rows, milestones = len(project.rows), len(project.network.milestones)
    drivers = rows + len(project.draws.factor_score) + len(project.draws.risk_frac)
    return Tally(
        starts=np.zeros((rows, num_days), np.int32),
        finishes=np.zeros((rows, num_days), np.int32),
        critical=np.zeros((rows, milestones), np.int64),
        sums=np.zeros((drivers, NUM_BINS, milestones), np.int64),
        counts=np.zeros((drivers, NUM_BINS), np.int64),
    )


def _sum(tallies: list[Tally]) -> Tally:
    total, *others = tallies
    for other in others:
        for name in Tally._fields:
            getattr(total, name)[...] += getattr(other, name)
    return total
