"""The same trace by SimPy: one process a job, GPUs as a container that serves requests in order.

    python3 -m venv peer && peer/bin/pip install simpy
    GIGAWATT_PEER_PYTHON=peer/bin/python python benchmarks/trace_replay.py --json

Reads {"jobs": [[submit_s, duration_s, gpus], ...], "gpus": n} and prints starts and what they took. Knows
nothing of gigawatt.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import simpy


def job(world: Any, free: Any, starts: list[float], number: int, one: list[float]) -> Iterator[Any]:
    """Wait for its GPUs, work, give them back."""
    yield world.timeout(one[0])
    yield free.get(one[2])
    starts[number] = world.now
    yield world.timeout(one[1])
    yield free.put(one[2])


def main() -> None:
    """Play once."""
    asked = json.load(sys.stdin)
    jobs, starts = asked["jobs"], [0.0] * len(asked["jobs"])
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    world = simpy.Environment()
    free = simpy.Container(world, asked["gpus"], asked["gpus"])
    for number, one in enumerate(jobs):
        world.process(job(world, free, starts, number, one))
    world.run()
    spent_s = time.process_time() - cpu_s
    print(
        json.dumps(
            {
                "name": f"SimPy {simpy.__version__}, first in, first out",
                "work": {"jobs": len(jobs), "events": 2 * len(jobs)},
                "cpu_s": spent_s,
                "wall_s": time.perf_counter() - wall_s,
                "rates": {"events_per_cpu_s": 2 * len(jobs) / spent_s},
                "starts": starts,
            }
        )
    )


if __name__ == "__main__":
    main()
