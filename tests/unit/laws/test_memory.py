"""The laws of memory against the closed forms of arXiv 2205.05198 and published figures."""

from __future__ import annotations

import numpy as np
import pytest

from gigawatt.laws import memory

GIB = 2**30
GPT_175B = {"s": 2048, "b": 1, "h": 12288, "a": 96, "layers": 96, "t": 8, "p": 8, "v": 51200}


def gpt_layer_bytes(s, b, h, a, tp, edge_tp, recompute, flash=0):
    """One 2021 GPT layer with dropout, from the laws."""
    scores = memory.attention_scores_bytes(a, s, tp, flash, 1)
    attention = memory.attention_saved_bytes(h, a, a, h / a, h / a, 0, tp, edge_tp, flash, 2)
    mlp = memory.mlp_saved_bytes(h, 4 * h, 0, tp, edge_tp, 2)
    everything = memory.norm_and_mask_bytes(h, edge_tp, 1) + attention + scores + mlp
    kept = memory.recompute_saved_bytes(
        everything, scores, 0.0, memory.checkpoint_bytes(h, edge_tp), recompute
    )
    return s * b * kept


SHAPES = [(2048, 1, 12288, 96, 8), (2048, 4, 6144, 64, 4), (1024, 2, 20480, 128, 8), (4096, 3, 1024, 16, 1)]


@pytest.mark.parametrize(("s", "b", "h", "a", "t"), SHAPES)
class TestKorthikantiTable2:
    """Each row of table 2, "activations memory per transformer layer"."""

    def test_no_parallelism(self, s, b, h, a, t):
        assert gpt_layer_bytes(s, b, h, a, 1, 1, memory.NONE) == pytest.approx(
            s * b * h * (34 + 5 * a * s / h)
        )

    def test_tensor_parallel(self, s, b, h, a, t):
        expected = s * b * h * (10 + 24 / t + 5 * a * s / (h * t))
        assert gpt_layer_bytes(s, b, h, a, t, 1, memory.NONE) == pytest.approx(expected, rel=1e-12)

    def test_tensor_and_sequence_parallel(self, s, b, h, a, t):
        expected = s * b * h / t * (34 + 5 * a * s / h)
        assert gpt_layer_bytes(s, b, h, a, t, t, memory.NONE) == pytest.approx(expected, rel=1e-12)

    def test_tensor_parallel_and_selective(self, s, b, h, a, t):
        expected = s * b * h * (10 + 24 / t)
        assert gpt_layer_bytes(s, b, h, a, t, 1, memory.SELECTIVE) == pytest.approx(expected, rel=1e-12)

    def test_tensor_and_sequence_parallel_and_selective(self, s, b, h, a, t):
        expected = s * b * h * 34 / t
        assert gpt_layer_bytes(s, b, h, a, t, t, memory.SELECTIVE) == pytest.approx(expected, rel=1e-12)

    def test_full(self, s, b, h, a, t):
        assert gpt_layer_bytes(s, b, h, a, t, 1, memory.FULL) == pytest.approx(2 * s * b * h, rel=1e-12)


def test_the_175b_model_of_figure_1():
    """TP 8, PP 8, 3 chunks: activations 66.84 GiB, with both techniques 12.35 GiB; state 45.56 GiB."""
    s, b, h, a, t, p = (GPT_175B[key] for key in "sbhatp")
    chunks = memory.chunks_in_flight(p, 3, 0, 64)
    layers = chunks * GPT_175B["layers"] / p / 3
    plain = layers * gpt_layer_bytes(s, b, h, a, t, 1, memory.NONE)
    saved = layers * gpt_layer_bytes(s, b, h, a, t, t, memory.SELECTIVE)
    state = memory.sharded_bytes(96 * 12 * h**2 / (t * p), 2 + 4 + 12, 0, 1, 1)
    assert [round(float(x) / GIB, 2) for x in (plain, saved, state)] == [66.84, 12.35, 45.56]


def test_input_and_output_layers_of_section_4_3():
    """Dropout of the embedding sbhp/t; norm, head and 32-bit logits 4sbh/t (1 + v/h) without a pipeline."""
    h, t, v = GPT_175B["h"], GPT_175B["t"], GPT_175B["v"]
    assert memory.embedding_saved_bytes(h, t, 1) == h / t
    end = memory.head_saved_bytes(h, t) + memory.logits_bytes(v, t, 4)
    assert end == pytest.approx(4 * h / t * (1 + v / h), rel=1e-12)


@pytest.mark.parametrize(("p", "v"), [(4, 2), (8, 3), (12, 4), (35, 3)])
def test_interleaving_holds_the_first_stage_factor_of_the_paper(p, v):
    """Activations of the first stage: L layers' worth times 1 + (p - 1)/(pv)."""
    stages_worth = memory.chunks_in_flight(p, v, 0, 10_000) / v
    assert stages_worth == pytest.approx(p * (1 + (p - 1) / (p * v)), rel=1e-12)


def brute_force_in_flight(p, stage, m):
    """Walk through 1F1B: p - i - 1 forwards, then forward and backward in turn, then the rest."""
    order = ["F"] * min(p - stage - 1, m)
    left = m - len(order)
    order += ["F", "B"] * left + ["B"] * (m - left)
    held = peak = 0
    for step in order:
        held += 1 if step == "F" else -1
        peak = max(peak, held)
    return peak


def test_one_f_one_b_by_walking_through_it():
    for p in (1, 2, 4, 7):
        for m in (1, 3, 8, 20):
            for stage in range(p):
                assert memory.chunks_in_flight(p, 1, stage, m) == brute_force_in_flight(p, stage, m)


def test_zero_of_figure_1():
    """7.5B parameters over 64 ranks with K = 12: 120, 31.4, 16.6 and 1.9 GB (arXiv 1910.02054)."""
    zero = np.arange(4)
    total = sum(
        memory.sharded_bytes(7.5e9, size, zero, start, 64) for size, start in ((2, 3), (2, 2), (12, 1))
    )
    assert np.round(total / 1e9, 1).tolist() == [120.0, 31.4, 16.6, 1.9]


def test_laws_broadcast():
    """A column of tensor-parallel degrees against a row of sequence lengths, as single calls give."""
    tp, s = np.array([[1.0], [2.0], [8.0]]), np.array([1024.0, 4096.0])
    table = memory.attention_scores_bytes(64, s, tp, 0, 1)
    assert table.shape == (3, 2)
    assert table[2, 1] == memory.attention_scores_bytes(64, 4096, 8, 0, 1)


def test_flash_attention_leaves_what_selective_recomputation_leaves_but_for_statistics():
    """34sbh/t, plus 4 bytes of softmax statistics for each head and token."""
    s, b, h, a, t = SHAPES[0]
    flash = gpt_layer_bytes(s, b, h, a, t, t, memory.NONE, flash=1)
    assert flash == pytest.approx(s * b * (34 * h + 4 * a) / t, rel=1e-12)


def test_eight_bit_inputs_save_a_byte_each_and_attention_keeps_its_own_output():
    """A byte per element less in MLP and QKV; the output projection adds one.

    FlashAttention needs its output in 16 bits as well.
    """
    wide = memory.attention_saved_bytes(1024, 16, 16, 64, 64, 0, 1, 1, 1, 2)
    narrow = memory.attention_saved_bytes(1024, 16, 16, 64, 64, 0, 1, 1, 1, 1)
    assert wide - narrow == 1024 - 1024
    assert memory.mlp_saved_bytes(1024, 4096, 1, 1, 1, 2) - memory.mlp_saved_bytes(
        1024, 4096, 1, 1, 1, 1
    ) == (1024 + 4096)


def test_experts_reduce_to_a_dense_mlp():
    """One expert that every token visits saves what a dense MLP saves, and the router's input and scores."""
    dense = memory.mlp_saved_bytes(512, 2048, 1, 1, 1, 2)
    experts = memory.experts_saved_bytes(512, 2048, 1, 1, memory.routed_copies(1, 1, 1, 1.0), 0, 1, 1, 1, 2)
    assert experts == dense + 2 * 512 + 8


def test_expert_replicas_fill_the_stage():
    """DeepSeek-V3 on 2048 accelerators, PP 16, EP 64: two copies of the experts (arXiv 2412.19437)."""
    assert memory.expert_replicas(1, 1, 128, 64, 1) == 2
