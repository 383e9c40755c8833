"""Replays of random traces: the same starts as plain Python, and what no schedule may do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.domain.fleet import Job
from gigawatt.operate import replay_jobs

REPLAYED = ("fifo", "sjf", "easy")
"""What `operate replay` offers: the rules that two implementations agree on."""

NODES = {"a": 1, "b": 2}
"""Pools of 8 and 16 GPUs; "c" has none."""

# Few distinct times, so that much happens at one instant; durations may be nothing.
TIMES = st.one_of(st.integers(0, 40).map(float), st.sampled_from([0.1, 0.2, 0.30000000000000004, 7.5]))
TRACES = st.lists(
    st.tuples(st.sampled_from("aaabc"), TIMES, st.one_of(st.just(0.0), TIMES), st.integers(0, 17)),
    min_size=1,
    max_size=60,
)
MANY = settings(max_examples=300, deadline=None)


def jobs_of(rows: Sequence[tuple[str, float, float, int]]) -> list[Job]:
    return [
        Job(str(n), vc, submit_s, duration_s, gpus) for n, (vc, submit_s, duration_s, gpus) in enumerate(rows)
    ]


def order_of(jobs: Sequence[Job], policy: str) -> list[int]:
    """Places of jobs in the order in which a policy would start them if there were room for one."""
    places = sorted(range(len(jobs)), key=lambda n: jobs[n].submit_s)
    return sorted(places, key=lambda n: jobs[n].duration_s) if policy == "sjf" else places


@pytest.mark.parametrize("policy", REPLAYED)
@MANY
@given(rows=TRACES)
def test_starts_are_those_of_plain_python(plain_replay, policy: str, rows) -> None:
    jobs = jobs_of(rows)
    expected, dropped = plain_replay.replay([plain_replay.Job(*job) for job in jobs], NODES, policy)
    result = replay_jobs(jobs, NODES, policy)
    found = result.start_s.tolist()
    assert {n: found[n] for n in range(len(jobs)) if found[n] == found[n]} == expected
    assert result.summary.jobs_dropped == len(dropped)
    assert result.summary.events == 2 * len(expected)


@pytest.mark.parametrize("policy", REPLAYED)
@MANY
@given(rows=TRACES)
def test_what_no_schedule_may_do(policy: str, rows) -> None:
    """At no instant are more GPUs taken than there are, nor does the first in order wait though it fits."""
    jobs = jobs_of(rows)
    result = replay_jobs(jobs, NODES, policy)
    instants = sorted({job.submit_s for job in jobs} | set(result.end_s[~np.isnan(result.end_s)].tolist()))
    for vc, nodes in NODES.items():
        mine = [n for n in order_of(jobs, policy) if jobs[n].tenant == vc and jobs[n].num_gpus <= 8 * nodes]
        for now in instants:
            taken = sum(jobs[n].num_gpus for n in mine if result.start_s[n] <= now < result.end_s[n])
            assert taken <= 8 * nodes
            waiting = [n for n in mine if jobs[n].submit_s <= now < result.start_s[n]]
            assert not waiting or jobs[waiting[0]].num_gpus > 8 * nodes - taken


@MANY
@given(rows=TRACES)
def test_fifo_never_overtakes(rows) -> None:
    jobs = jobs_of(rows)
    started = replay_jobs(jobs, NODES, "fifo").start_s
    for vc in NODES:
        mine = [
            started[n] for n in order_of(jobs, "fifo") if jobs[n].tenant == vc and started[n] == started[n]
        ]
        assert mine == sorted(mine)


@MANY
@given(rows=TRACES)
def test_easy_never_delays_the_head(rows) -> None:
    """Who comes to stand first starts when those that run by then leave room, whoever overtakes meanwhile."""
    jobs = jobs_of(rows)
    result = replay_jobs(jobs, NODES, "easy")
    start_s, end_s = result.start_s, result.end_s
    for vc, nodes in NODES.items():
        mine = [n for n in order_of(jobs, "easy") if jobs[n].tenant == vc and start_s[n] == start_s[n]]
        for place, n in enumerate(mine):
            first_s = max([jobs[n].submit_s, *(start_s[other] for other in mine[:place])])
            in_front = set(mine[:place])
            held = [
                (end_s[other], jobs[other].num_gpus)
                for other in mine
                if other != n and end_s[other] > first_s
                if start_s[other] < first_s or (other in in_front and start_s[other] == first_s)
            ]
            free, promised_s = 8 * nodes - sum(gpus for _, gpus in held), first_s
            for ends, gpus in sorted(held):
                if free >= jobs[n].num_gpus:
                    break
                free, promised_s = free + gpus, ends
            assert start_s[n] <= promised_s
