"""What a row says beside its layout."""

from __future__ import annotations

import pytest

from gigawatt.design.training.physics import physics_of
from gigawatt.validation.pricing import predict_runs
from gigawatt.validation.rows import read_rows

GPT_530B = {
    "source": "arXiv 2205.05198, table 5", "framework": "Megatron-LM", "software": "Megatron-LM 2022",
    "model": "GPT-530B", "layers": "105", "hidden": "20480", "heads": "128", "vocab": "51200",
    "seq_len": "2048", "global_batch_seqs": "280", "micro_batch": "1", "gpus": "280",
    "gpu_kind": "A100-SXM-80GB", "tp": "8", "cp": "1", "pp": "35", "vpp": "3", "dp": "1", "zero": "0",
    "precision": "fp16", "measured_step_s": "37.83",
}  # fmt: skip


LLAMA_405B = {
    "source": "arXiv 2407.21783, table 4", "model": "llama-3.1-405b", "gpus": "16384",
    "global_batch_seqs": "2048", "tp": "8", "cp": "1", "pp": "16", "dp": "128", "measured_step_s": "6.9",
}  # fmt: skip
"""Section 3.3.2: one layer a chunk; the first has the embedding only, the last the head only."""


@pytest.mark.parametrize(("vpp", "status"), [("8", "predicted"), ("9", "document_error")])
def test_the_first_and_last_of_a_pipelines_chunks_may_hold_no_layer(
    runs_file, catalogue, vpp, status
) -> None:
    (run,) = read_rows([runs_file([{**LLAMA_405B, "vpp": vpp}])], catalogue)
    assert run.status == status


@pytest.mark.parametrize(("recompute", "fits"), [("selective+sp", True), ("selective", False)])
def test_sequence_parallelism_is_what_lets_530b_run_with_selective_recomputation(
    runs_file, catalogue, recompute, fits
) -> None:
    """It ran so on A100 of 80 GB; without, each rank keeps all of the 10 s b h between its products."""
    runs = read_rows([runs_file([{**GPT_530B, "recompute": recompute}])], catalogue)
    assert (predict_runs(runs, catalogue.training_calibration()).memory_bytes[0] < 80e9) == fits


QWEN = {
    "source": "performance summary 25.09", "framework": "Megatron-Core (Megatron-Bridge)",
    "software": "NeMo container 25.09", "model": "qwen3-30b-a3b", "gpus": "8", "gpu_kind": "B200",
    "seq_len": "4096", "global_batch_seqs": "512", "micro_batch": "1", "tp": "1", "cp": "1", "ep": "8",
    "pp": "1", "dp": "8", "zero": "1", "precision": "fp8-cs", "measured_step_s": "14.51",
}  # fmt: skip


def test_dropping_tokens_spares_the_stop_of_every_layer_of_experts(runs_file, catalogue) -> None:
    """48 layers, 64 micro-batches, and what the calibration says of a stop with 16 local experts."""
    rows = [{**QWEN, "notes": notes} for notes in ("(dropless)", "(tokendrop)")]
    runs = read_rows([runs_file(rows)], catalogue)
    calibration = catalogue.training_calibration()
    stopping, dropping = predict_runs(runs, calibration).step_s
    physics = physics_of(calibration, runs[0].setting)
    stops_s = 48 * 64 * physics.moe_sync_s * (1.0 + 16.0 / physics.sync_experts)
    assert stopping - dropping == pytest.approx(stops_s, rel=1e-3)
