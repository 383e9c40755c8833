"""The rules of `operate replay` in plain Python, written from their wording alone, to compare a replay with.

Knows nothing of gigawatt. Lists, sorting and one heap; what a kernel would do cleverly is done naively.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Job(NamedTuple):
    """A line of the trace."""

    id: str
    vc: str
    submit_s: float
    duration_s: float
    gpus: int


class Pool:
    """One VC: its free GPUs, who waits in FIFO order, and when the running jobs end."""

    def __init__(self, gpus: int) -> None:
        self.gpus = self.free = gpus
        self.waiting: list[int] = []
        self.running: list[tuple[float, int]] = []


def pool_gpus(nodes: float, scale: float) -> int:
    """One pool of max(8, int(nodes x 8 x scale)) GPUs per VC."""
    return max(8, int(nodes * 8 * scale))


def replay(
    jobs: Sequence[Job], nodes: Mapping[str, float], policy: str, scale: float = 1.0
) -> tuple[dict[int, float], list[int]]:
    """Start by place in the file, and the places of the jobs that are dropped."""
    pools = {vc: Pool(pool_gpus(number, scale)) for vc, number in nodes.items()}
    dropped = [n for n, job in enumerate(jobs) if job.vc not in pools or job.gpus > pools[job.vc].gpus]
    left = set(dropped)
    arrivals = sorted((n for n in range(len(jobs)) if n not in left), key=lambda n: jobs[n].submit_s)
    starts: dict[int, float] = {}
    ends: list[tuple[float, int]] = []
    came = 0
    while came < len(arrivals) or ends:
        next_arrival = jobs[arrivals[came]].submit_s if came < len(arrivals) else math.inf
        now = min(next_arrival, ends[0][0] if ends else math.inf)
        changed: dict[str, None] = {}
        while ends and ends[0][0] == now:
            end, n = heapq.heappop(ends)
            pool = pools[jobs[n].vc]
            pool.free += jobs[n].gpus
            pool.running.remove((end, n))
            changed[jobs[n].vc] = None
        while came < len(arrivals) and jobs[arrivals[came]].submit_s == now:
            n = arrivals[came]
            pools[jobs[n].vc].waiting.append(n)
            changed[jobs[n].vc] = None
            came += 1
        for vc in changed:
            pool = pools[vc]
            for n in PASSES[policy](jobs, pool, now):
                starts[n] = now
                heapq.heappush(ends, (now + jobs[n].duration_s, n))
    return starts, dropped


def _start(jobs: Sequence[Job], pool: Pool, n: int, now: float) -> int:
    pool.waiting.remove(n)
    pool.free -= jobs[n].gpus
    pool.running.append((now + jobs[n].duration_s, n))
    return n


def _fifo(jobs: Sequence[Job], pool: Pool, now: float) -> list[int]:
    started = []
    while pool.waiting and jobs[pool.waiting[0]].gpus <= pool.free:
        started.append(_start(jobs, pool, pool.waiting[0], now))
    return started


def _sjf(jobs: Sequence[Job], pool: Pool, now: float) -> list[int]:
    """`min` keeps the first of equals, and those that wait stand by submission, then by file order."""
    started = []
    while pool.waiting:
        shortest = min(pool.waiting, key=lambda n: jobs[n].duration_s)
        if jobs[shortest].gpus > pool.free:
            break
        started.append(_start(jobs, pool, shortest, now))
    return started


def _easy(jobs: Sequence[Job], pool: Pool, now: float) -> list[int]:
    started = _fifo(jobs, pool, now)
    if not pool.waiting:
        return started
    head = jobs[pool.waiting[0]]
    reservation, extra = _reservation(jobs, pool, head.gpus)
    for n in pool.waiting[1:]:
        job = jobs[n]
        if job.gpus > pool.free:
            continue
        if now + job.duration_s <= reservation:
            started.append(_start(jobs, pool, n, now))
        elif job.gpus <= extra:
            extra -= job.gpus
            started.append(_start(jobs, pool, n, now))
    return started


def _reservation(jobs: Sequence[Job], pool: Pool, need: int) -> tuple[float, int]:
    """The earliest time at which the head fits, and the GPUs free at that time beyond its need."""
    for time in sorted({end for end, _ in pool.running}):
        free = pool.free + sum(jobs[n].gpus for end, n in pool.running if end <= time)
        if free >= need:
            return time, free - need
    raise AssertionError("a job that fits its pool fits at last")


PASSES = {"fifo": _fifo, "sjf": _sjf, "easy": _easy}
