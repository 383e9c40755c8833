"""Bytes of algorithms against exchanges that are played through, and closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.laws.collective_algorithms import (
    all_to_all_far_bytes,
    all_to_all_near_bytes,
    beside_s,
    bus_factor_all_reduce,
    bus_factor_gather,
    filled_s,
    levels_of,
    ramped_s,
    ring_bytes,
    switch_all_reduce_bytes,
    tree_far_bytes,
)


def ring_played(total: float, ranks: int) -> float:
    """Bytes that a rank sends until everybody holds all parts."""
    held = [{rank} for rank in range(ranks)]
    sent, passing = 0.0, list(range(ranks))
    while any(len(parts) < ranks for parts in held):
        passing = [passing[rank - 1] for rank in range(ranks)]
        for rank, part in enumerate(passing):
            held[rank].add(part)
        sent += total / ranks
    return sent


@pytest.mark.parametrize("ranks", [2, 3, 8, 12])
def test_a_ring_sends_what_a_played_ring_sends(ranks: int) -> None:
    assert ring_bytes(960.0, ranks) == pytest.approx(ring_played(960.0, ranks))


def parent_of(place: int, count: int) -> int:
    """In a binary tree over 0, 1, ... whose odd places are leaves: the next place a level higher."""
    if place == 0:
        return -1
    level = place & -place
    up = (place - level) | (2 * level)
    return up if up < count else place - level


@pytest.mark.parametrize("domains", [2, 3, 4, 5, 7, 8, 16, 20])
def test_the_busiest_of_two_trees_sends_what_is_counted_edge_by_edge(domains: int) -> None:
    """Half of the buffer up and down every edge; the second tree mirrored, or turned by one where odd."""
    sent = [0.0] * domains
    for place in range(1, domains):
        for second in (False, True):
            for end in (place, parent_of(place, domains)):
                turned = (end + 1) % domains if domains % 2 else domains - 1 - end
                sent[turned if second else end] += 1024.0 / 2
    assert tree_far_bytes(1024.0, domains) == max(sent)
    assert sum(sent) == 2 * 1024.0 * (domains - 1)


@pytest.mark.parametrize(("ranks", "inside"), [(16, 8), (72, 72), (12, 4)])
def test_an_all_to_all_sends_to_each_rank_once(ranks: int, inside: int) -> None:
    part = 1024.0 / ranks
    near = sum(part for other in range(1, inside))
    far = sum(part for _ in range(inside) for other in range(inside, ranks))
    assert all_to_all_near_bytes(1024.0, ranks, inside) == pytest.approx(near)
    assert all_to_all_far_bytes(1024.0, ranks, inside) == pytest.approx(far)


@pytest.mark.parametrize(("algbw", "busbw", "ranks"), [(274.0, 480.0, 8), (186.39, 369.86, 128)])
def test_bus_bandwidth_as_logs_print_it(algbw: float, busbw: float, ranks: int) -> None:
    """nccl-tests on eight H100, and 128 ranks of p5en."""
    assert algbw * bus_factor_all_reduce(ranks) == pytest.approx(busbw, rel=2e-3)


def test_gathers_count_half_of_an_all_reduce() -> None:
    assert bus_factor_all_reduce(10) == 2 * bus_factor_gather(10)


def test_switches_spare_nearly_half_of_a_ring() -> None:
    assert 2 * ring_bytes(1.0, 72) / switch_all_reduce_bytes(1.0, 72) == pytest.approx(1.945, abs=1e-3)


@given(st.integers(1, 100_000))
def test_levels_reach_all_domains_and_no_more(domains: int) -> None:
    levels = int(levels_of(domains))
    assert 2**levels >= domains
    assert levels == 0 or 2 ** (levels - 1) < domains


@given(st.floats(1e-6, 10), st.floats(1e-6, 10), st.floats(1.0, 50.0))
def test_overlap_lies_between_the_slower_and_the_sum(a: float, b: float, sharpness: float) -> None:
    time_s = float(beside_s(a, b, sharpness))
    assert max(a, b) * (1 - 1e-9) <= time_s <= (a + b) * (1 + 1e-9)


@given(st.floats(1e-6, 1e-2), st.floats(1e-9, 10), st.floats(0, 5), st.floats(0.1, 10))
def test_refills_cost_at_most_their_latencies(
    latency: float, wire: float, refills: float, onset: float
) -> None:
    time_s = ramped_s(latency, wire, refills, onset)
    assert latency + wire <= time_s <= (latency + wire + refills * latency) * (1 + 1e-9)
    assert ramped_s(latency, 2 * wire, refills, onset) > time_s


def test_filling_costs_one_filling_at_most() -> None:
    assert filled_s(1.0, 1e-9, 16.0) == pytest.approx(2.0)
    assert filled_s(1e6, 1e6, 1.0) == pytest.approx(1e6 + 1, rel=1e-9)
    assert math.isclose(filled_s(5.0, 1.0, 0.0), 5.0)
