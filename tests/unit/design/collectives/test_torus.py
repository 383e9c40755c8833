"""Collectives on a torus: against walks over the graph itself, published figures of pods, and a profile."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.design.collectives import predict_collective
from gigawatt.design.collectives.torus import Block, block_of
from gigawatt.domain.collectives import Collective, CollectivePrediction
from gigawatt.errors import InputError

CATALOGUE = load_catalog()
CALIBRATION = CATALOGUE.collective_calibration()
Chip = tuple[int, ...]
BLOCKS = [
    (extents, multiple)
    for extents in ((4,), (5,), (8,), (2, 3), (4, 4), (3, 4), (4, 6), (2, 4, 4), (3, 3, 4), (1, 4, 6))
    for multiple in (4, 16)
]


def predicted(collective: Collective, size: float, ranks: int, system: str) -> CollectivePrediction:
    return predict_collective(collective, size, ranks, CATALOGUE.system(system), CALIBRATION)


def paths(start: Chip, end: Chip, block: Block) -> list[list[tuple[Chip, Chip]]]:
    """The shortest ways from chip to chip, axis by axis; both ways round where a ring has two."""
    found: list[list[tuple[Chip, Chip]]] = [[]]
    at = start
    for axis, extent in enumerate(block.extents):
        closed = extent % block.ring_multiple == 0
        ahead = end[axis] - at[axis]
        turns = {ahead, ahead - extent, ahead + extent} if closed else {ahead}
        nearest = min(abs(turn) for turn in turns)
        found = [
            path + steps(at, axis, turn, extent)
            for path in found
            for turn in turns
            if abs(turn) == nearest and (nearest or turn == ahead)
        ]
        at = (*at[:axis], end[axis], *at[axis + 1 :])
    return found


def steps(start: Chip, axis: int, turn: int, extent: int) -> list[tuple[Chip, Chip]]:
    way, at = (1 if turn > 0 else -1), start
    taken = []
    for _ in range(abs(turn)):
        following = (*at[:axis], (at[axis] + way) % extent, *at[axis + 1 :])
        taken.append((at, following))
        at = following
    return taken


@pytest.mark.parametrize(("extents", "multiple"), BLOCKS)
def test_links_hops_and_loads_are_those_of_the_walked_graph(extents: Chip, multiple: int) -> None:
    block = Block(extents, multiple)
    chips = list(product(*(range(extent) for extent in extents)))
    load: Counter[tuple[Chip, Chip]] = Counter()
    longest = 0
    for start, end in product(chips, chips):
        ways = paths(start, end, block)
        longest = max(longest, len(ways[0]))
        for way in ways:
            for link in way:
                load[link] += 1 / (len(ways) * (len(chips) - 1))
    links = Counter(start for start, _ in load)
    assert block.num_hops == longest
    assert block.num_links == min(links.values())
    assert block.load_frac == pytest.approx(max(load.values()))


def test_slices_have_the_shapes_that_google_sells() -> None:
    """Cloud TPU, supported topologies; pods of "How to Scale Your Model", part 2."""
    flat = {8: (2, 4), 16: (4, 4), 32: (4, 8), 128: (8, 16), 256: (16, 16)}
    deep = {64: (4, 4, 4), 256: (4, 8, 8), 512: (8, 8, 8), 4096: (16, 16, 16), 8960: (16, 20, 28)}
    assert {ranks: block_of(ranks, 2, 16).extents for ranks in flat} == flat
    assert {ranks: block_of(ranks, 3, 4).extents for ranks in deep} == deep


def test_a_pod_all_reduces_and_exchanges_near_the_rates_google_states() -> None:
    """TPU v5e: 51.2 TB/s all-reduce and 1.6 TB/s bisection bandwidth per pod; v4: 1.1 PB/s and 24 TB/s."""
    size = 2.0**32
    for system, ranks, all_reduce, bisection in (
        ("tpu-v5e-pod", 256, 51.2e12, 1.6e12),
        ("tpu-v4-pod", 4096, 1.1e15, 24e12),
    ):
        reduced = predicted("all_reduce", size, ranks, system)
        assert 0.6 < ranks * reduced.busbw_bytes_per_s / all_reduce < 1.0
        crossing = ranks / 2 * size / 2
        assert 0.6 < crossing / predicted("all_to_all", size, ranks, system).time_s / bisection < 1.0


@pytest.mark.parametrize(("size", "measured_s"), [(2048 * 8192 * 2.0, 680e-6), (256 * 256 * 2.0, 8e-6)])
def test_a_gather_takes_what_a_profile_shows(size: float, measured_s: float) -> None:
    """Part 3 of "How to Scale Your Model": four chips along an open axis of a v5e, links of 45 GB/s."""
    line = [row.model_copy(update={"torus_axes": 1}) for row in CALIBRATION.scale_up if row.id == "ici-2d"]
    chips = CATALOGUE.system("tpu-v5e-pod").model_copy(update={"scale_up_bytes_per_s": 2 * 45e9})
    calibration = CALIBRATION.model_copy(update={"scale_up": tuple(line)})
    found = predict_collective("all_gather", size, 4, chips, calibration)
    assert found.time_s == pytest.approx(measured_s, rel=0.3)


def test_a_torus_has_no_switches_to_reduce_in() -> None:
    found = predicted("all_reduce", 1e9, 64, "tpu-v5p-pod")
    assert {one.algorithm for one in found.candidates} == {"torus"}
    with pytest.raises(InputError, match="nvls cannot run"):
        predict_collective(
            "all_reduce", 1e9, 64, CATALOGUE.system("tpu-v5p-pod"), CALIBRATION, algorithm="nvls"
        )


def test_pods_joined_by_a_data_centre_network_wait_for_it() -> None:
    one, two = (predicted("all_gather", 1e9, ranks, "tpu-v5e-pod") for ranks in (256, 512))
    assert two.time_s > one.time_s
    assert "no measurement is like it" in two.basis
