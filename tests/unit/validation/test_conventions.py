"""Which FLOPs a reported figure counts, against the closed forms that the tables were made with."""

from __future__ import annotations

import pytest

from gigawatt.validation.conventions import convention_of
from gigawatt.validation.rows import MeasuredRun, read_rows

HIDDEN, LAYERS, SEQ_LEN, VOCAB, BATCH, STEP_S, GPUS = 4096, 32, 2048, 51200, 512, 12.5, 64
GPT = {
    "framework": "Megatron-LM", "software": "Megatron-LM 2022", "model": "a GPT", "layers": str(LAYERS),
    "hidden": str(HIDDEN), "heads": "32", "vocab": str(VOCAB), "seq_len": str(SEQ_LEN),
    "global_batch_seqs": str(BATCH), "gpus": str(GPUS), "gpu_kind": "A100-SXM-80GB", "tp": "8", "cp": "1",
    "pp": "1", "vpp": "1", "dp": "8", "precision": "bf16", "measured_step_s": str(STEP_S),
}  # fmt: skip


def megatron_tflops(recomputed: bool) -> float:
    """Narayanan et al., arXiv 2104.04473, equation 3: 96 B s l h^2 (1 + s/6h + V/16lh) with all layers
    recomputed; 72 and V/12lh without. Attention counted in full."""
    factor, head = (96.0, 16.0) if recomputed else (72.0, 12.0)
    inner = 1.0 + SEQ_LEN / (6.0 * HIDDEN) + VOCAB / (head * LAYERS * HIDDEN)
    return factor * BATCH * SEQ_LEN * LAYERS * HIDDEN**2 * inner / (GPUS * STEP_S * 1e12)


def causal_tflops() -> float:
    """The same without recomputation, with the lower triangle of attention only: s/12h."""
    inner = 1.0 + SEQ_LEN / (12.0 * HIDDEN) + VOCAB / (12.0 * LAYERS * HIDDEN)
    return 72.0 * BATCH * SEQ_LEN * LAYERS * HIDDEN**2 * inner / (GPUS * STEP_S * 1e12)


@pytest.fixture
def run(runs_file, catalogue):
    def read(**cells: str) -> MeasuredRun:
        (only,) = read_rows([runs_file([{**GPT, **cells}])], catalogue)
        assert only.status == "predicted"
        return only

    return read


def test_megatrons_formula_counts_recomputation_and_full_attention(run) -> None:
    told = convention_of(run(recompute="full", measured_tflops_per_gpu=f"{megatron_tflops(True):.1f}"))
    assert "hardware FLOPs (recomputation counted), full attention" in told
    assert f"causal model FLOPs are {causal_tflops():.4g}"[:-1] in told


def test_without_recomputation_it_is_model_flops(run) -> None:
    told = convention_of(run(recompute="none", measured_tflops_per_gpu=f"{megatron_tflops(False):.1f}"))
    assert "model FLOPs, full attention" in told


def test_mfu_names_the_peak_as_well(run) -> None:
    """312 TFLOP/s: NVIDIA's datasheet of the A100, dense bf16."""
    told = convention_of(run(recompute="none", measured_mfu=f"{causal_tflops() / 312.0:.4f}"))
    assert told.endswith("counts model FLOPs, causal attention over the dense bf16 peak")


def test_mfu_in_per_cent_is_understood(run) -> None:
    told = convention_of(run(recompute="none", measured_mfu=f"{100.0 * causal_tflops() / 312.0:.2f}"))
    assert "causal attention over the dense bf16 peak" in told


def test_a_figure_that_no_count_gives_is_called_that(run) -> None:
    told = convention_of(run(recompute="none", measured_tflops_per_gpu="400"))
    assert "matches no usual count" in told


def test_nothing_stated_nothing_said(run) -> None:
    assert convention_of(run()) == ""
