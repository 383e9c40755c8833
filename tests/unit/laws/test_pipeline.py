"""The pipeline law against an event simulation of ranks that do their operations in order."""

from __future__ import annotations

from itertools import product
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigawatt.design.training.memory import layers_before
from gigawatt.laws.pipeline import pipeline_s, slowest_stage_s

FORWARD_SHARE = 1 / 3
Operation = tuple[str, int, int]
"""Forward or backward, micro-batch, chunk of the rank."""


def operations(rank: int, pp: int, vpp: int, num_microbatches: int) -> list[Operation]:
    """What a rank does, in order: warm-up, one forward and one backward in turn, cool-down.

    1F1B: Narayanan et al., arXiv 2104.04473, figure 3. Interleaved: the same, figure 4; chunks take turns in
    rounds of `pp` micro-batches.
    """
    total = num_microbatches * vpp

    def at(k: int) -> tuple[int, int]:
        """The k-th micro-batch and chunk forward."""
        return k // (pp * vpp) * pp + k % pp, k % (pp * vpp) // pp

    plain = vpp == 1
    forward = [("F", k, 0) if plain else ("F", *at(k)) for k in range(total)]
    backward = [("B", k, 0) if plain else ("B", at(k)[0], vpp - 1 - at(k)[1]) for k in range(total)]
    warm_up = min(total, pp - rank - 1 if plain else 2 * (pp - rank - 1) + (vpp - 1) * pp)
    steady = [one for pair in zip(forward[warm_up:], backward, strict=False) for one in pair]
    return forward[:warm_up] + steady + backward[total - warm_up :]


def needs(operation: Operation, rank: int, pp: int, vpp: int) -> tuple[Operation, int] | None:
    """The operation, and its rank, whose result another one waits for; None where it waits for nothing."""
    kind, micro_batch, chunk = operation
    if kind == "F":
        if rank:
            return operation, rank - 1
        return (("F", micro_batch, chunk - 1), pp - 1) if chunk else None
    if rank < pp - 1:
        return operation, rank + 1
    return (("F", micro_batch, chunk), rank) if chunk == vpp - 1 else (("B", micro_batch, chunk + 1), 0)


def simulated_s(chunk_s: list[list[float]], num_microbatches: int) -> float:
    """When the last backward ends; `chunk_s` [ranks][chunks] is forward plus backward of one micro-batch."""
    pp, vpp = len(chunk_s), len(chunk_s[0])
    waiting = [operations(rank, pp, vpp, num_microbatches)[::-1] for rank in range(pp)]
    free_s = [0.0] * pp
    done_s: dict[tuple[Operation, int], float] = {}
    while any(waiting):
        before = len(done_s)
        for rank in range(pp):
            while waiting[rank]:
                operation = waiting[rank][-1]
                need = needs(operation, rank, pp, vpp)
                if need is not None and need not in done_s:
                    break
                share = FORWARD_SHARE if operation[0] == "F" else 1 - FORWARD_SHARE
                begin_s = max(free_s[rank], done_s.get(need, 0.0) if need else 0.0)
                free_s[rank] = begin_s + share * chunk_s[rank][operation[2]]
                done_s[waiting[rank].pop(), rank] = free_s[rank]
        assert len(done_s) > before, "the schedule waits for itself"
    return max(free_s)


def dealt(num_layers: int, pp: int, vpp: int, head_s: float) -> list[list[float]]:
    """Time of every chunk where a layer takes a second, as layers are dealt out; the head is on the last."""
    edges = layers_before(np.arange(pp * vpp + 1), num_layers, pp * vpp)
    chunks = np.diff(edges).reshape(vpp, pp).T
    chunks[-1, -1] += head_s
    return chunks.tolist()


def law_s(chunk_s: list[list[float]], num_microbatches: int) -> float:
    """What the law says of the same stages."""
    stages = [sum(chunks) for chunks in chunk_s]
    return float(pipeline_s(max(stages), sum(stages), num_microbatches, len(chunk_s[0]), 1.0))


@pytest.mark.parametrize(("pp", "num_microbatches"), [*product([1, 2, 4, 8], [1, 2, 3, 5, 8, 16])])
def test_equal_stages_take_what_the_law_says_also_with_fewer_micro_batches_than_stages(
    pp, num_microbatches
) -> None:
    stages = [[2.5]] * pp
    assert law_s(stages, num_microbatches) == pytest.approx(simulated_s(stages, num_microbatches), rel=1e-12)


@pytest.mark.parametrize(("pp", "vpp", "rounds"), [*product([2, 4, 8], [2, 3, 5], [1, 2, 4])])
def test_equal_chunks_interleaved_in_whole_rounds_take_what_the_law_says(pp, vpp, rounds) -> None:
    stages = [[1.5] * vpp] * pp
    assert law_s(stages, rounds * pp) == pytest.approx(simulated_s(stages, rounds * pp), rel=1e-12)


@pytest.mark.parametrize(("pp", "vpp", "head_s"), [*product([2, 4, 8], [1, 2, 4], [0.3, 0.6, 1.2, 3.0])])
def test_a_head_on_the_last_stage_sets_its_pace(pp, vpp, head_s) -> None:
    stages = dealt(8 * pp, pp, vpp, head_s)
    slowest_s = float(slowest_stage_s(1.0, 8 * pp, pp, head_s))
    assert slowest_s == pytest.approx(max(map(sum, stages)), rel=1e-12)
    assert law_s(stages, 4 * pp) == pytest.approx(simulated_s(stages, 4 * pp), rel=1e-12)


@given(
    stage_s=st.lists(st.floats(0.5, 2.0), min_size=2, max_size=8),
    num_microbatches=st.integers(1, 24),
)
@settings(deadline=None, max_examples=60)
def test_unequal_stages_never_take_longer_than_the_law_says_nor_less_than_the_slowest(
    stage_s: list[float], num_microbatches: int
) -> None:
    """What is not exact is on the safe side: others fill and drain while the slowest works."""
    stages = [[one] for one in stage_s]
    took_s = simulated_s(stages, num_microbatches)
    assert took_s <= law_s(stages, num_microbatches) * (1 + 1e-12)
    assert took_s >= num_microbatches * max(stage_s) * (1 - 1e-12)


@pytest.mark.parametrize("num_layers", [32, 46, 61, 62, 80, 96, 126])
@pytest.mark.parametrize("pp", [2, 4, 8, 16])
def test_layers_that_do_not_divide_are_priced_within_some_percent_where_full_stages_have_equal_chunks(
    num_layers, pp
) -> None:
    """Never too short; at most a tenth too long, and that where stages are few layers deep."""
    for vpp in (
        v for v in range(1, 9) if ceil(num_layers / pp) % v == 0 and pp * v <= num_layers + 2 * (v > 1)
    ):
        for rounds, head_s in product((1, 3), (0.0, 0.6)):
            stages = dealt(num_layers, pp, vpp, head_s)
            took_s = simulated_s(stages, rounds * pp)
            assert took_s * (1 - 1e-9) <= law_s(stages, rounds * pp) <= took_s * 1.1


@pytest.mark.parametrize(("num_layers", "pp"), [(46, 16), (61, 16), (62, 16), (62, 32), (126, 16), (30, 7)])
@pytest.mark.parametrize("head_s", [0.6, 1.5, 2.1])
def test_the_stage_that_sets_the_pace_is_that_of_the_layers_as_they_are_dealt(num_layers, pp, head_s) -> None:
    """Also where the head weighs more than the layer that the last stage has fewer."""
    stages = [sum(chunks) for chunks in dealt(num_layers, pp, 1, head_s)]
    assert float(slowest_stage_s(1.0, num_layers, pp, head_s)) == pytest.approx(max(stages), rel=1e-12)


def test_unequal_chunks_stall_and_are_outside_of_the_laws_validity() -> None:
    """126 layers in 16 x 7 chunks of one or two: more than a tenth slower than 16 x 2 x 4 would suggest."""
    stages = dealt(126, 16, 7, 0.6)
    assert simulated_s(stages, 16) > 1.1 * law_s(stages, 16)
