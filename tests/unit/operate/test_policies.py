"""Policies on fleets small enough to be worked out by hand."""

from __future__ import annotations

import heapq
import random

import numpy as np
import pytest

from gigawatt import kernels
from gigawatt.domain.fleet import Job
from gigawatt.errors import InputError
from gigawatt.handles import Handle
from gigawatt.operate import heap, replay_jobs
from gigawatt.operate.policies import POLICIES
from gigawatt.operate.policies.easy import reservation
from gigawatt.operate.replay import pool_gpus
from gigawatt.operate.replay_kernel import advance, new_world
from gigawatt.operate.state import new_fleet, start

REPLAYED = ("fifo", "sjf", "easy")
"""What `operate replay` offers: the rules that two implementations agree on."""


def starts(policy: str, *jobs: tuple[float, float, int]) -> list[float]:
    """Start of each (submit, duration, GPUs) in one pool of eight GPUs."""
    trace = [Job(str(n), "a", *job) for n, job in enumerate(jobs)]
    return replay_jobs(trace, {"a": 1}, policy).start_s.tolist()


def test_fifo_waits_behind_a_head_that_does_not_fit() -> None:
    assert starts("fifo", (0, 10, 6), (1, 5, 4), (2, 1, 1)) == [0, 10, 10]


def test_sjf_takes_the_shortest_and_stops_at_the_first_that_does_not_fit() -> None:
    # At 10 the job of 3 s; at 13 those of 5 s and 7 s side by side. One of 1 s that needs all holds them up.
    assert starts("sjf", (0, 10, 8), (1, 7, 2), (2, 3, 8), (3, 5, 1)) == [0, 13, 10, 13]
    assert starts("sjf", (0, 10, 4), (1, 1, 8), (2, 3, 1)) == [0, 10, 11]


def test_sjf_breaks_ties_by_submission_then_by_file() -> None:
    assert starts("sjf", (0, 10, 8), (2, 5, 8), (1, 5, 8), (1, 5, 8)) == [0, 20, 10, 15]


def test_easy_lets_those_overtake_that_end_by_the_reservation() -> None:
    # The head of eight GPUs is promised 10; nine seconds from 1 end at 10, ten do not.
    assert starts("easy", (0, 10, 6), (1, 5, 8), (1, 9, 2)) == [0, 10, 1]
    assert starts("easy", (0, 10, 6), (1, 5, 8), (1, 10, 2)) == [0, 10, 15]


def test_easy_lets_those_overtake_that_fit_beside_the_head_until_that_is_used_up() -> None:
    # At 10 the head takes six of eight: two are left for those that stay longer, once.
    assert starts("easy", (0, 10, 5), (1, 5, 6), (1, 99, 2), (1, 99, 1), (1, 9, 1)) == [0, 10, 1, 15, 1]


def test_easy_counts_all_that_ends_at_the_time_of_the_reservation() -> None:
    # Three and three GPUs end at 10. The head needs five, so three are left over, not none.
    assert starts("easy", (0, 10, 3), (0, 10, 3), (1, 5, 5), (1, 99, 2)) == [0, 0, 10, 1]


def test_a_job_without_duration_ends_in_a_further_round() -> None:
    jobs = [Job("a", "a", 0, 0, 8), Job("b", "a", 0, 0, 8), Job("c", "a", 0, 5, 8)]
    result = replay_jobs(jobs, {"a": 1}, "fifo")
    assert result.start_s.tolist() == [0, 0, 0]
    assert result.summary.rounds == 4  # each of the three in its own, and the end at 5


@pytest.mark.parametrize("policy", REPLAYED)
def test_a_pool_of_another_tenant_is_another_pool(policy: str) -> None:
    jobs = [Job("a", "a", 0, 10, 8), Job("b", "b", 1, 10, 8), Job("c", "a", 2, 10, 8)]
    assert replay_jobs(jobs, {"a": 1, "b": 1}, policy).start_s.tolist() == [0, 1, 10]


def test_a_reservation_is_read_off_the_running_jobs_without_moving_them() -> None:
    ends_s = np.array([5.0, 3.0, 9.0, 3.0])
    fleet = new_fleet(np.zeros(4, np.int64), ends_s, np.array([1, 2, 3, 1]), np.array([8]))
    for job in range(4):
        start(fleet, job, 0.0)
    before = fleet.running.copy()
    assert reservation(fleet, 0, 2) == (3.0, 2)  # 1 free, and 2 + 1 that both end at 3
    assert reservation(fleet, 0, 5) == (5.0, 0)
    assert reservation(fleet, 0, 6) == (9.0, 2)
    assert (fleet.running == before).all()


def test_the_heap_orders_as_heapq_does() -> None:
    drawn = random.Random(7)
    keys = np.array([float(drawn.randrange(20)) for _ in range(200)])
    ours, theirs, base = np.zeros(210, np.int64), [], 10
    for thing in range(200):
        heap.push(ours, base, len(theirs), keys, thing)
        heapq.heappush(theirs, (keys[thing], thing))
        if drawn.random() < 0.4:
            assert heap.pop(ours, base, len(theirs), keys) == heapq.heappop(theirs)[1]
    while theirs:
        assert heap.pop(ours, base, len(theirs), keys) == heapq.heappop(theirs)[1]


@pytest.mark.parametrize("policy", REPLAYED)
def test_the_compiled_loop_is_the_plain_one(policy: str) -> None:
    drawn = random.Random(3)
    num_jobs, pools = 300, np.array([8, 16, 40])
    submit_s = np.sort(np.array([float(drawn.randrange(400)) for _ in range(num_jobs)]))
    columns = [
        np.array([drawn.randrange(3) for _ in range(num_jobs)]),
        np.array([float(drawn.randrange(60)) for _ in range(num_jobs)]),
        np.array([drawn.randrange(1, 9) for _ in range(num_jobs)]),
    ]
    played = []
    compiled = kernels.compiled(advance, allocates=False, inline=False)
    for play, handed in ((advance, lambda held: held), (compiled, Handle)):
        fleet, world = new_fleet(*columns, pools), new_world(submit_s, len(pools))
        while play(handed(fleet), handed(world), POLICIES[policy].number, 50):
            pass
        played.append((fleet, world))
    (plain, plain_world), (fast, fast_world) = played
    for name in ("jobs", "pools", "lines", "tenants"):
        for column in getattr(plain, name).dtype.names:
            np.testing.assert_array_equal(getattr(plain, name)[column], getattr(fast, name)[column])
    assert (plain_world.counts == fast_world.counts).all()


def test_a_live_fleet_calls_the_same_policy() -> None:
    """No loop and no trace: jobs come and go, and the policy says who starts."""
    fleet = new_fleet(np.zeros(3, np.int64), np.array([9.0, 5.0, 2.0]), np.array([6, 8, 2]), np.array([8]))
    policy = POLICIES["easy"]
    for job in range(3):
        policy.enqueue(fleet, job)
        policy.schedule(fleet, 0, float(job))
    assert fleet.jobs.start_s[[0, 2]].tolist() == [0.0, 2.0]
    assert np.isnan(fleet.jobs.start_s[1])
    assert fleet.pools.free_gpus[0] == 0


def test_pools_have_at_least_one_node_and_are_rounded_down() -> None:
    assert pool_gpus({"a": 64, "b": 0, "c": 5}, 0.35).tolist() == [179, 8, 14]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale: float) -> None:
    with pytest.raises(InputError, match="scale"):
        pool_gpus({"a": 1}, scale)


def test_unknown_policies_and_impossible_jobs_are_refused() -> None:
    with pytest.raises(InputError, match="there are fifo, sjf, easy"):
        replay_jobs([Job("a", "a", 0, 1, 1)], {"a": 1}, "lifo")
    with pytest.raises(InputError, match="negative"):
        replay_jobs([Job("a", "a", 0, -1, 1)], {"a": 1}, "fifo")
    with pytest.raises(InputError, match="finite"):
        replay_jobs([Job("a", "a", float("nan"), 1, 1)], {"a": 1}, "fifo")


def test_dropped_jobs_are_counted_and_named() -> None:
    jobs = [Job("a", "a", 0, 1, 9), Job("b", "b", 0, 1, 1), Job("c", "a", 0, 1, 8)]
    result = replay_jobs(jobs, {"a": 1}, "fifo")
    assert (result.summary.jobs_started, result.summary.jobs_dropped) == (1, 2)
    assert [(one.line, one.kind) for one in result.remarks] == [
        (1, "larger than pool"),
        (2, "unlisted tenant"),
    ]
    assert np.isnan(result.start_s[:2]).all()


def test_figures_of_a_replay_worked_out_by_hand() -> None:
    jobs = [Job("a", "a", 0, 10, 8), Job("b", "a", 0, 10, 4), Job("c", "b", 0, 20, 8)]
    summary = replay_jobs(jobs, {"a": 1, "b": 1, "idle": 1}, "fifo").summary
    mine, other, idle = summary.tenants
    assert (mine.mean_queue_s, mine.p50_queue_s, mine.max_queue_s, mine.mean_jct_s) == (5, 5, 10, 15)
    assert mine.p90_queue_s == pytest.approx(9.0)
    assert mine.utilisation_frac == pytest.approx(120 / 160)
    assert (other.utilisation_frac, idle.num_jobs, idle.mean_queue_s) == (1.0, 0, 0.0)
    assert summary.overall.utilisation_frac == pytest.approx(280 / 480)
    assert summary.overall.gpu_h == pytest.approx(280 / 3600)
