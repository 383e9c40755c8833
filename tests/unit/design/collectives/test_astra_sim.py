"""ASTRA-sim's model: closed forms of its pipeline, and files that ask for what it is not."""

from __future__ import annotations

import pytest

from gigawatt.design.collectives.astra_sim import (
    Assumptions,
    Dimension,
    Stage,
    chunked_collective_s,
    pipelined_s,
)
from gigawatt.errors import InputError
from gigawatt.exports.astra_sim_read import read_assumptions, read_network

NETWORK = (
    "topology: [ Switch, Ring ]\nnpus_count: [ 8, 4 ]\nbandwidth: [ 400.0, 50 ]\nlatency: [ 936.25, 2000 ]\n"
)
SYSTEM = (
    '{"scheduling-policy": "LIFO", "endpoint-delay": 10, "preferred-dataset-splits": 4,'
    '"active-chunks-per-dimension": 1, "all-reduce-implementation": ["ring", "ring"],'
    '"collective-optimization": "localBWAware", "local-mem-bw": 3350}'
)
IDEAL = Assumptions(num_chunks=4, endpoint_s=0.0, local_bytes_per_s=1e30)


def test_reads_dimensions_with_their_units() -> None:
    near, far = read_network(NETWORK)
    assert near == Dimension(8, 400 * 2.0**30, 2, pytest.approx(936.25e-9))
    assert far == Dimension(4, 50 * 2.0**30, 1, pytest.approx(2e-6))


def test_reads_assumptions_with_their_units() -> None:
    found = read_assumptions(SYSTEM, "all_reduce")
    assert found == Assumptions(4, pytest.approx(10e-9), pytest.approx(3.35e12), True)


@pytest.mark.parametrize(
    ("stages", "chunks", "total_s"),
    [
        ((), 4, 0.0),
        ((Stage(0, 2.0),), 4, 8.0),
        ((Stage(0, 1.0), Stage(1, 5.0), Stage(0, 2.0)), 4, 1.0 + 4 * 5.0 + 2.0),
        ((Stage(0, 1.0), Stage(1, 5.0), Stage(0, 2.0)), 1, 8.0),
        ((Stage(0, 5.0), Stage(1, 2.0)), 3, 3 * 5.0 + 2.0),
        ((Stage(0, 5.0), Stage(1, 1.0), Stage(0, 5.0)), 4, 8 * 5.0),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_the_slowest_dimension_sets_the_pace(
    stages: tuple[Stage, ...], chunks: int, total_s: float, last: bool
) -> None:
    assert pipelined_s(stages, chunks, last) == pytest.approx(total_s)


def test_without_latency_a_ring_meets_its_bound() -> None:
    ring = (Dimension(64, 50e9, 2, 0.0),)
    assert chunked_collective_s("all_reduce", 1e9, ring, IDEAL) == pytest.approx(2 * 63 / 64 * 1e9 / 50e9)
    assert chunked_collective_s("reduce_scatter", 1e9, ring, IDEAL) == pytest.approx(63 / 64 * 1e9 / 50e9)


def test_an_all_gather_counts_what_each_rank_holds() -> None:
    ring = (Dimension(64, 50e9, 1, 0.0),)
    assert chunked_collective_s("all_gather", 1e9, ring, IDEAL) == pytest.approx(63 * 1e9 / 50e9)


def test_a_dimension_of_one_rank_is_not_there() -> None:
    one, ring = Dimension(1, 1.0, 2, 1.0), Dimension(8, 1e9, 2, 1e-6)
    alone = chunked_collective_s("all_reduce", 1e9, (ring,), IDEAL)
    assert chunked_collective_s("all_reduce", 1e9, (one, ring, one), IDEAL) == alone
    assert chunked_collective_s("all_reduce", 1e9, (one,), IDEAL) == 0.0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (NETWORK.replace("Ring", "FullyConnected"), "expected Ring or Switch"),
        (NETWORK.replace("[ 8, 4 ]", "[ 8 ]"), "not of one length"),
        (NETWORK.replace("[ 8, 4 ]", "[ 8, 0 ]"), "expected a whole number"),
        (NETWORK.replace("400.0", "-1"), "expected a number above 0"),
        (NETWORK.replace("latency", "delay"), "latency: expected a list"),
        ("7", "expected a list"),
    ],
)
def test_networks_that_cannot_be_read_say_why(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_network(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SYSTEM.replace('["ring", "ring"]', '["ring", "doubleBinaryTree"]'), "found doubleBinaryTree"),
        (SYSTEM.replace("localBWAware", "baseline"), "expected localBWAware"),
        (SYSTEM.replace('per-dimension": 1', 'per-dimension": 2'), "active-chunks-per-dimension"),
        (SYSTEM.replace('splits": 4', 'splits": 0'), "preferred-dataset-splits"),
        (SYSTEM.replace('delay": 10', 'delay": "soon"'), "endpoint-delay"),
        ("[]", "endpoint-delay"),
    ],
)
def test_systems_that_ask_for_something_else_say_so(text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_assumptions(text, "all_reduce")


def test_other_collectives_and_sizes_are_refused() -> None:
    with pytest.raises(InputError, match="all_to_all"):
        read_assumptions(SYSTEM, "all_to_all")
    with pytest.raises(InputError, match="all_to_all"):
        chunked_collective_s("all_to_all", 1e9, read_network(NETWORK), IDEAL)
    with pytest.raises(InputError, match="more than nothing"):
        chunked_collective_s("all_reduce", 0.0, read_network(NETWORK), IDEAL)
