"""Memory of stages and layouts: published sizes, and the same answer whichever way it is asked."""

from __future__ import annotations

import numpy as np
import pytest

from gigawatt.design.training.memory import (
    Books,
    Edges,
    all_stages,
    block_footprint,
    block_params,
    first_chunk_from,
    fullest_stage,
    layers_before,
    layers_on_stage,
    lightest_fitting_recompute,
    peak_bytes,
)
from gigawatt.design.training.step import Grid
from gigawatt.design.training.terms import BlockKind, BlockShape, Recipe, Split
from gigawatt.domain.memory import MemoryAccounting
from gigawatt.laws import memory

#                     heads kv  hd   vd   q_rank kv_rank rope mla window ffn gated experts k expert shared
LLAMA_405B = BlockShape(128, 8, 128, 128, 0, 0, 0, 0, 0, 53248, 1, 0, 0, 0, 0)
DEEPSEEK_DENSE = BlockShape(128, 128, 192, 128, 1536, 512, 64, 1, 0, 18432, 1, 0, 0, 0, 0)
DEEPSEEK_MOE = BlockShape(128, 128, 192, 128, 1536, 512, 64, 1, 0, 0, 1, 256, 8, 2048, 2048)
DEEPSEEK = (BlockKind(DEEPSEEK_DENSE, 3), BlockKind(DEEPSEEK_MOE, 58))
MEGATRON = Recipe(*[0.0] * len(Recipe._fields))._replace(flash=1.0, sequence_parallel=1.0, operand_bytes=2.0)
BOOKS = Books(2.0, 4.0, 12.0, 2.0, 4.0, 6.0, 0.0, 0.0, 3e9, 0.1, 1.0)


def llama_layout(tp=8, pp=16, vpp=1, dp=64, micro_batch=1, recompute=0, zero=1):
    split = Split(8192, micro_batch, tp, 1, 1, 1, float(recompute == 2), float(recompute == 1))
    return split, Grid(pp, vpp, dp, zero, dp, 2048 / micro_batch / dp, 1.0)


def llama_peak(**layout):
    split, grid = llama_layout(**layout)
    return peak_bytes([BlockKind(LLAMA_405B, 126)], Edges(128256, 16384, 0.0), split, grid, MEGATRON, BOOKS)


def test_parameters_of_llama_3_1_405b():
    """405.85B (arXiv 2407.21783, table 3, printed 405B; Hugging Face counts 405,853,388,800)."""
    shared, experts = block_params(LLAMA_405B, 16384, 1, 1, 1)
    assert 126 * shared + experts + 2 * 128256 * 16384 + 16384 == 405_853_388_800


def test_parameters_of_deepseek_v3():
    """671.03B in total without the MTP module (arXiv 2412.19437: 671B)."""
    total = 2 * 129280 * 7168.0
    for kind in DEEPSEEK:
        total += kind.count * sum(block_params(kind.shape, 7168, 1, 1, 1))
    assert total / 1e9 == pytest.approx(671.03, abs=0.01)


def test_first_chunk_from_is_the_first_by_counting():
    for num_layers in (5, 61, 126):
        for chunks in (1, 2, 5, 16, 48):
            starts = [float(layers_before(c, num_layers, chunks)) for c in range(chunks + 1)]
            for layer in range(num_layers + 1):
                counted = next(c for c, start in enumerate(starts) if start >= layer)
                assert first_chunk_from(layer, num_layers, chunks) == counted


@pytest.mark.parametrize(("pp", "vpp"), [(1, 1), (4, 1), (16, 1), (8, 2), (5, 3), (61, 1)])
def test_every_layer_is_on_one_stage(pp, vpp):
    dense, moe = layers_on_stage(DEEPSEEK, pp, vpp, np.arange(pp))
    assert (np.sum(dense), np.sum(moe)) == (3, 58)
    if vpp == 1:
        assert np.ptp(dense + moe) <= 1


def test_stages_of_one_layout_contain_the_fullest():
    split, grid = llama_layout()
    kinds, edges = [BlockKind(LLAMA_405B, 126)], Edges(128256, 16384, 0.0)
    stages = all_stages(kinds, edges, split, grid, MEGATRON, BOOKS)
    assert [stage.stage for stage in stages] == list(range(16))
    assert max(stage.total_bytes for stage in stages) == pytest.approx(float(llama_peak()), rel=1e-12)
    assert stages[0].logits_bytes == 0.0 < stages[-1].logits_bytes


def test_the_fullest_stage_is_among_those_looked_at_for_any_layout():
    """All stages of many uneven layouts: none is fuller than the first, second or last."""
    kinds, edges = list(DEEPSEEK), Edges(129280, 7168, 0.0)
    for pp in (2, 5, 7, 16):
        for vpp in (1, 2, 3):
            for recompute in (0, 2):
                split = Split(4096, 1, 1, 1, 8, 1, float(recompute == 2), 0.0)
                grid = Grid(pp, vpp, 16, 1, 16, 60, 1.0)
                stages = all_stages(kinds, edges, split, grid, MEGATRON, BOOKS)
                peak = float(peak_bytes(kinds, edges, split, grid, MEGATRON, BOOKS))
                assert peak == pytest.approx(max(stage.total_bytes for stage in stages), rel=1e-12)


def test_arrays_give_what_single_layouts_give():
    tp, pp, vpp, recompute = (np.array(x) for x in ([1, 2, 8, 8], [16, 9, 4, 16], [1, 1, 3, 2], [0, 1, 2, 0]))
    split = Split(8192, 1, tp, 1, 1, 1, 1.0 * (recompute == 2), 1.0 * (recompute == 1))
    grid = Grid(pp, vpp, 64, 1, 64, 32, 1.0)
    kinds, edges = [BlockKind(LLAMA_405B, 126)], Edges(128256, 16384, 0.0)
    together = peak_bytes(kinds, edges, split, grid, MEGATRON, BOOKS)
    alone = [
        llama_peak(tp=t, pp=p, vpp=v, recompute=r) for t, p, v, r in zip(tp, pp, vpp, recompute, strict=True)
    ]
    assert together.tolist() == pytest.approx([float(x) for x in alone], rel=1e-12)


def test_state_of_megatron_is_18_bytes_unsharded_and_6_and_12_over_dp():
    """The published table of Megatron-Core's distributed optimizer."""
    split, grid = llama_layout(tp=1, pp=1, dp=64, zero=0)
    kinds, edges = [BlockKind(LLAMA_405B, 126)], Edges(128256, 16384, 0.0)
    for zero, per_param in ((0, 18.0), (1, 6.0 + 12.0 / 64), (2, 2.0 + 16.0 / 64), (3, 18.0 / 64)):
        stage = fullest_stage(kinds, edges, split, grid._replace(zero=zero), MEGATRON, BOOKS)
        state = stage.weights_bytes + stage.gradients_bytes + stage.optimizer_bytes
        assert float(state) == pytest.approx(per_param * (405_853_388_800 - 16384), rel=1e-9)


def test_lightest_recompute_that_fits():
    """None where there is room, full where there is not, row by row."""
    kinds, edges = [BlockKind(LLAMA_405B, 126)], Edges(128256, 16384, 0.0)
    split, grid = llama_layout()
    plain = MEGATRON._replace(flash=0.0)
    peaks = [
        float(peak_bytes(kinds, edges, split._replace(selective=s, full=f), grid, plain, BOOKS))
        for s, f in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    ]
    assert peaks == sorted(peaks, reverse=True)
    usable = np.array([peaks[0], peaks[0] - 1, peaks[1], peaks[1] - 1, 0.0])
    codes = lightest_fitting_recompute(kinds, edges, split, grid, plain, BOOKS, usable)
    assert codes.tolist() == [memory.NONE, memory.SELECTIVE, memory.SELECTIVE, memory.FULL, memory.FULL]


def test_context_parallelism_divides_tokens():
    split, _ = llama_layout()
    whole = block_footprint(LLAMA_405B, 16384, split, MEGATRON, BOOKS)
    quarter = block_footprint(LLAMA_405B, 16384, split._replace(cp=4), MEGATRON, BOOKS)
    assert quarter.saved_bytes == whole.saved_bytes / 4
    assert quarter.shared_params == whole.shared_params


def test_context_counts_only_where_the_framework_reports_it():
    row = {
        "id": "x", "name": "x", "source": "s", "basis": "estimate", "date": "2025", "weight_bytes": 4.0,
        "gradient_bytes": 4.0, "optimizer_bytes": 8.0, "gather_bytes": 2.0, "reduce_bytes": 4.0,
        "logit_bytes": 4.0,
        "context_bytes": 3e9, "slack_frac": 0.1, "num_cached_operands": 2,
    }  # fmt: skip
    for reports in (True, False):
        accounting = MemoryAccounting.model_validate(row | {"reports_context": reports})
        assert Books.of(accounting, 1.0).weight_bytes == 6.0
        assert Books.of(accounting, 2.0).weight_bytes == 4.0
        assert Books.of(accounting).as_reported(accounting).context_bytes == (3e9 if reports else 0.0)
