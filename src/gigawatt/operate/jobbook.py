"""The jobs of a fleet plan as columns: runs as stated, mixes drawn, traces as they are, by submission."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gigawatt.domain.fleet import JobTrace
from gigawatt.domain.twin import MOST_JOBS, FleetPlan, JobKind, JobMix, RunPlan, TracePlan
from gigawatt.errors import InputError
from gigawatt.operate.tables import Floats, Ints
from gigawatt.operate.world import TICK_S


class JobBook(NamedTuple):
    """Who the jobs are; `[jobs]` in order of submission."""

    kinds: tuple[JobKind, ...]
    """Where jobs come from: runs, then mixes, then traces."""
    kind: Ints
    """[jobs] place in `kinds`."""
    submit_s: Floats
    """[jobs] s, whole ticks"""
    num_gpus: Ints
    """[jobs] that it asks for."""
    work_s: Floats
    """[jobs] s, whole ticks"""
    too_large: int
    """Jobs of mixes and traces that their site cannot hold; they are left out."""


class Gangs(NamedTuple):
    """What the jobs of a book take of the pools."""

    pool: Ints
    """[jobs]"""
    num_gpus: Ints
    """[jobs] whole nodes, idle ones included, unless a part of one is all."""
    hot_nodes: Ints
    """[jobs] of them kept idle."""


def gangs(plan: FleetPlan, book: JobBook, gpus_per_node: int) -> Gangs:
    """Where the jobs go and what they take there."""
    pool = sites_of(plan, book.kinds)[book.kind]
    hot = np.array([kind.num_hot_nodes if isinstance(kind, RunPlan) else 0 for kind in book.kinds])[book.kind]
    whole = (-(-book.num_gpus // gpus_per_node) + hot) * gpus_per_node
    part = (book.num_gpus < gpus_per_node) & (hot == 0)
    return Gangs(pool, np.where(part, book.num_gpus, whole), hot)


def without_giants(plan: FleetPlan, book: JobBook, gpus_per_node: int) -> JobBook:
    """The book without what its site cannot hold. Errors: InputError where that is a run, not one of many."""
    room = np.array([(site.num_nodes - site.num_spares) * gpus_per_node for site in plan.sites])
    taken = gangs(plan, book, gpus_per_node)
    fits = taken.num_gpus <= room[taken.pool]
    for number, kind in enumerate(book.kinds):
        giants = ~fits & (book.kind == number)
        if isinstance(kind, RunPlan) and giants.any():
            most = int(room[taken.pool[giants][0]])
            asked = f"{taken.num_gpus[giants][0]:,} GPUs in whole nodes"
            raise InputError(f"{kind.name}: {asked}, and its site has {most:,} beside spares")
    return JobBook(
        kinds=book.kinds,
        kind=book.kind[fits],
        submit_s=book.submit_s[fits],
        num_gpus=book.num_gpus[fits],
        work_s=book.work_s[fits],
        too_large=int((~fits).sum()),
    )


def job_book(plan: FleetPlan, traces: Mapping[str, JobTrace], seed: int) -> JobBook:
    """All jobs that are submitted before the end. `traces` are the files that the plan names.

    A mix draws from its own stream, so that other jobs or rules change nothing about it. Errors: InputError
    where there would be more jobs than can be, or none.
    """
    kinds = (*plan.runs, *plan.mixes, *plan.traces)
    columns = [_columns(kind, number, plan, traces, seed) for number, kind in enumerate(kinds)]
    submit_s, num_gpus, work_s = (np.concatenate([each[n] for each in columns]) for n in range(3))
    kind = np.repeat(np.arange(len(kinds)), [len(each[0]) for each in columns])
    order = np.argsort(submit_s, kind="stable")
    order = order[submit_s[order] < plan.lasts_s]
    if len(order) == 0:
        raise InputError("no job is submitted before the end (lasts_s)")
    return JobBook(kinds, kind[order], submit_s[order], num_gpus[order], work_s[order], 0)


def _columns(
    kind: JobKind, number: int, plan: FleetPlan, traces: Mapping[str, JobTrace], seed: int
) -> tuple[Floats, Ints, Floats]:
    if isinstance(kind, RunPlan):
        return (
            _ticks(np.full(kind.count, kind.submit_s)),
            np.full(kind.count, kind.num_gpus, np.int64),
            _ticks(np.full(kind.count, kind.work_s)),
        )
    if isinstance(kind, JobMix):
        return _draw(kind, plan.lasts_s, np.random.default_rng([seed, number]))
    assert isinstance(kind, TracePlan)
    trace = traces[kind.file]
    good = trace.num_gpus > 0
    work_s = np.minimum(trace.duration_s[good], kind.max_work_s)
    return _ticks(trace.submit_s[good]), trace.num_gpus[good], _ticks(work_s)


def _draw(mix: JobMix, lasts_s: float, chance: np.random.Generator) -> tuple[Floats, Ints, Floats]:
    """A Poisson stream over the whole time."""
    expected = mix.jobs_per_s * lasts_s
    if expected > MOST_JOBS:
        raise InputError(f"{mix.name}: {expected:,.0f} jobs, and at most {MOST_JOBS:,} can be rehearsed")
    num = int(chance.poisson(expected))
    submit_s = np.sort(chance.uniform(0.0, lasts_s, num))
    shares = np.array(list(mix.sizes.values()))
    num_gpus = chance.choice(np.array(list(mix.sizes), np.int64), num, p=shares / shares.sum())
    sd = np.sqrt(2.0 * np.log(mix.mean_work_s / mix.median_work_s))
    work_s = mix.median_work_s * np.exp(sd * chance.standard_normal(num))
    return _ticks(submit_s), num_gpus, _ticks(np.minimum(work_s, mix.max_work_s))


def _ticks(times_s: Floats) -> Floats:
    return np.floor(times_s / TICK_S + 0.5) * TICK_S


def sites_of(plan: FleetPlan, kinds: Sequence[JobKind]) -> Ints:
    """[kinds] the place of each kind's site in the plan."""
    names = [site.name for site in plan.sites]
    return np.array([names.index(kind.site) if kind.site else 0 for kind in kinds], np.int64)
