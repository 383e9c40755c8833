"""How fast a trace of a million jobs is played back, and what a plain Python loop and SimPy take for it.

A made-up trace from a seed: twelve tenants of 64 to 4,096 GPUs, sizes and durations like those of shared
training clusters, arrivals that load each pool to 85 %. Timed is all of `replay_jobs`, from the trace's
columns to the summary, for each policy; an event is an arrival or an end. Compiling is not timed: it is kept
on disk.

The peers play the first 50,000 jobs of the largest tenant by FIFO: a heap of ends and a list of those that
wait, in this process, and SimPy (`peer_simpy.py`) where `GIGAWATT_PEER_PYTHON` names an interpreter that has
it. All starts are compared, job by job.
"""

from __future__ import annotations

import heapq
import json
import os
import subprocess
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
from measure import Figures, measured, report

from gigawatt.domain.fleet import Job, JobTrace
from gigawatt.operate import replay_jobs

NUM_JOBS, PEER_JOBS, SEED, LOAD_FRAC = 1_000_000, 50_000, 20261128, 0.85
POOL_NODES = {f"tenant-{n:02d}": 8 * 2 ** (n % 7) for n in range(12)}
SIZES, SHARES = (1, 2, 4, 8, 16, 32, 64), (0.5, 0.1, 0.1, 0.18, 0.06, 0.04, 0.02)
MEDIAN_S, SPREAD = 900.0, 1.8
SIMPY = {
    "name": "SimPy 4.1.2, first in, first out",
    "work": {"jobs": 50_000, "events": 100_000},
    "cpu_s": 1.04,
    "rates": {"events_per_cpu_s": 95_900.0},
    "source": "measured on one core of a 2-core x86-64 machine by peer_simpy.py",
}


def trace(num_jobs: int = NUM_JOBS, seed: int = SEED) -> JobTrace:
    """Jobs of all tenants by submission; the larger the pool, the more of them are its tenant's."""
    draw = np.random.default_rng(seed)
    nodes = np.array(list(POOL_NODES.values()), np.float64)
    tenant = draw.choice(len(nodes), num_jobs, p=nodes / nodes.sum())
    gpus = draw.choice(SIZES, num_jobs, p=SHARES)
    duration_s = np.round(MEDIAN_S * np.exp(SPREAD * draw.standard_normal(num_jobs)))
    lasts_s = float((gpus * duration_s).sum()) / (8 * nodes.sum() * LOAD_FRAC)
    return JobTrace(
        ids=tuple(map(str, range(num_jobs))),
        tenants=tuple(POOL_NODES),
        tenant=tenant,
        submit_s=np.sort(np.round(draw.uniform(0.0, lasts_s, num_jobs))),
        duration_s=duration_s,
        num_gpus=gpus.astype(np.int64),
        line=np.arange(1, num_jobs + 1),
        num_lines=num_jobs,
    )


def one_tenant(whole: JobTrace) -> tuple[list[tuple[float, float, int]], int]:
    """Submission, duration and GPUs of the first jobs of the largest tenant, and its GPUs."""
    largest = max(range(len(POOL_NODES)), key=lambda n: list(POOL_NODES.values())[n])
    mine = np.flatnonzero(whole.tenant == largest)[:PEER_JOBS]
    rows = zip(whole.submit_s[mine], whole.duration_s[mine], whole.num_gpus[mine], strict=True)
    return [(float(a), float(b), int(c)) for a, b, c in rows], 8 * list(POOL_NODES.values())[largest]


def plain_starts(jobs: list[tuple[float, float, int]], gpus: int) -> list[float]:
    """First in, first out, with a heap of ends and a queue."""
    starts, ends, waiting, came = [0.0] * len(jobs), [], deque[int](), 0
    while came < len(jobs) or ends:
        now = min(jobs[came][0] if came < len(jobs) else np.inf, ends[0][0] if ends else np.inf)
        while ends and ends[0][0] == now:
            gpus += heapq.heappop(ends)[1]
        while came < len(jobs) and jobs[came][0] == now:
            waiting.append(came)
            came += 1
        while waiting and jobs[waiting[0]][2] <= gpus:
            job = waiting.popleft()
            starts[job] = now
            gpus -= jobs[job][2]
            heapq.heappush(ends, (now + jobs[job][1], jobs[job][2]))
    return starts


def ours(jobs: list[tuple[float, float, int]], gpus: int) -> list[float]:
    """Starts of the same jobs by the compiled fleet."""
    rows = (("", "one", submit_s, duration_s, number) for submit_s, duration_s, number in jobs)
    return replay_jobs([Job(*row) for row in rows], {"one": gpus / 8}, "fifo").start_s.tolist()


def plain_peer(jobs: list[tuple[float, float, int]], gpus: int, expected: list[float]) -> dict[str, Any]:
    """The plain loop, timed here."""
    with measured() as spent:
        starts = plain_starts(jobs, gpus)
    return {
        "work": {"jobs": len(jobs), "events": 2 * len(jobs), "equal_starts": same(starts, expected)},
        "cpu_s": spent.cpu_s,
        "wall_s": spent.wall_s,
        "rates": {"events_per_cpu_s": 2 * len(jobs) / spent.cpu_s},
    }


def simpy_peer(jobs: list[tuple[float, float, int]], gpus: int, expected: list[float]) -> dict[str, Any]:
    """SimPy where it can be run, else what it took."""
    python = os.environ.get("GIGAWATT_PEER_PYTHON")
    if not python:
        return SIMPY
    script = Path(__file__).with_name("peer_simpy.py")
    asked = json.dumps({"jobs": jobs, "gpus": gpus})
    done = subprocess.run([python, str(script)], input=asked, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    found["work"]["equal_starts"] = same(found.pop("starts"), expected)
    return found


def same(starts: list[float], expected: list[float]) -> int:
    """How many of them are equal."""
    return sum(one == other for one, other in zip(starts, expected, strict=True))


def run() -> Figures:
    """Each policy once on the whole trace, then the peers."""
    whole, policies = trace(), ("fifo", "sjf", "easy")
    for policy in policies:
        replay_jobs(trace(1000), POOL_NODES, policy)
    rates, events = {}, 0
    with measured() as spent:
        for policy in policies:
            with measured() as one:
                summary = replay_jobs(whole, POOL_NODES, policy).summary
            rates[f"{policy}_events_per_cpu_s"] = summary.events / one.cpu_s
            events += summary.events
    jobs, gpus = one_tenant(whole)
    expected = ours(jobs, gpus)
    return Figures(
        name="trace_replay",
        work={"jobs": NUM_JOBS, "tenants": len(POOL_NODES), "policies": len(policies), "events": events},
        spent=spent,
        rates={"events_per_cpu_s": events / spent.cpu_s, **rates},
        peer={
            "plain_python": plain_peer(jobs, gpus, expected),
            "simpy": simpy_peer(jobs, gpus, expected),
        },
    )


if __name__ == "__main__":
    report(run, __doc__ or "")
