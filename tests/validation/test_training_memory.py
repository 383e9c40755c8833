"""Predicted against measured peak memory; what is measured comes from outside of the package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from gigawatt.design.training.memory import Books, Edges, peak_bytes
from gigawatt.design.training.step import Grid
from gigawatt.design.training.terms import BlockKind, BlockShape, Split

ROOT = Path(__file__).parents[2]
MEASURED = ROOT.parent / "shared" / "data" / "training_measured.csv"
GIB = 2.0**30

spec = importlib.util.spec_from_file_location("fit_memory_slack", ROOT / "scripts" / "fit_memory_slack.py")
assert spec is not None
assert spec.loader is not None
fit = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fit)

GPT = fit.recipe_of(0.0)
LLAMA_FP8 = fit.recipe_of(1.0, 1.0)


def bloom_peak_gib(hidden, layers, heads, dp, tp, pp, micro_batch, fp32_gradients=False):
    """Peak of a BLOOM prequel layout: fp16 or, later, bf16 with gradients also accumulated in 32 bits."""
    accounting = fit.accountings()["megatron-deepspeed"]
    books = Books.of(accounting)
    if fp32_gradients:
        books = books._replace(gradient_bytes=books.gradient_bytes + 4.0)
    width = hidden / heads
    shape = BlockShape(heads, heads, width, width, 0, 0, 0, 0, 0, 4 * hidden, 0, 0, 0, 0, 0)
    split = Split(2048, micro_batch, tp, 1, 1, 1, 1.0, 0.0)
    grid = Grid(pp, 1, dp, 1, dp, 2048 / micro_batch / dp, 1.0)
    peak = peak_bytes([BlockKind(shape, layers)], Edges(250e3, hidden, 1.0), split, grid, GPT, books)
    return float(peak) / GIB


# Not in the fit: later rows of the same source, with other tensor-parallel degrees and another optimizer.
# bigscience-workshop/bigscience, train/tr11-176B-ml/chronicles-prequel.md, entries of 02-25 and 02-28.
# hidden, layers, heads, dp, tp, pp, micro-batch, GB by nvidia-smi
LATER_FP16 = [
    (14336, 72, 64, 8, 8, 6, 6, 66), (14336, 72, 64, 6, 8, 8, 4, 52), (14336, 72, 64, 12, 8, 4, 2, 53),
    (14336, 72, 64, 12, 8, 4, 4, 59), (14336, 72, 64, 24, 8, 2, 1, 65), (14336, 72, 64, 24, 8, 2, 2, 76),
    (14336, 72, 64, 8, 4, 12, 4, 60), (14336, 72, 64, 8, 4, 12, 2, 44), (14336, 72, 64, 16, 4, 6, 4, 75),
    (14336, 72, 64, 16, 4, 6, 2, 57), (14336, 72, 64, 16, 2, 12, 2, 63), (14336, 72, 64, 8, 2, 24, 1, 44),
    (14336, 72, 64, 8, 2, 24, 2, 53), (12288, 96, 64, 8, 1, 48, 1, 58),
]  # fmt: skip
LATER_FP32_GRADIENTS = [
    (12288, 106, 96, 8, 4, 12, 2, 65), (12288, 106, 96, 8, 4, 12, 4, 79), (12288, 100, 64, 8, 8, 6, 2, 61),
    (12288, 100, 64, 8, 8, 6, 4, 72), (13312, 82, 64, 4, 8, 12, 4, 52), (13312, 82, 64, 8, 4, 12, 2, 63),
    (13312, 82, 64, 8, 4, 12, 4, 74), (14336, 70, 64, 4, 8, 12, 2, 40), (14336, 70, 64, 8, 4, 12, 2, 59),
    (14336, 70, 64, 8, 4, 12, 4, 73),
]  # fmt: skip


@pytest.mark.skipif(not MEASURED.exists(), reason="the measured rows are not beside this checkout")
class TestMeasuredRows:
    def test_one_slack_per_framework_explains_the_peaks(self):
        scored = [peak for peak in fit.read_peaks(str(MEASURED)) if peak.id not in fit.WRONG]
        assert len(scored) == 53
        fitted, left_out = [], []
        for framework in {peak.framework for peak in scored}:
            rows = [peak for peak in scored if peak.framework == framework]
            errors = fit.relative_errors(rows, fit.fitted_slack(rows))
            assert fit.mape(errors) <= 6.0
            fitted += errors
            left_out += fit.left_out_errors(scored, framework)
        assert fit.mape(fitted) <= 5.0
        assert fit.mape(left_out) <= 7.0

    def test_the_catalogue_holds_what_the_script_fits(self):
        scored = [peak for peak in fit.read_peaks(str(MEASURED)) if peak.id not in fit.WRONG]
        known = fit.accountings()
        for framework, row in (
            ("megatron-deepspeed", "megatron-deepspeed"),
            ("torchtitan", "torchtitan-2025"),
        ):
            rows = [peak for peak in scored if peak.framework == framework]
            assert known[row].slack_frac == pytest.approx(fit.fitted_slack(rows), abs=1e-4)

    def test_the_fit_is_the_best_slack_there_is(self):
        rows = [peak for peak in fit.read_peaks(str(MEASURED)) if peak.framework == "torchtitan"]
        best = fit.mape(fit.relative_errors(rows, fit.fitted_slack(rows)))
        assert best <= min(fit.mape(fit.relative_errors(rows, s)) for s in np.linspace(0, 0.3, 301)) + 1e-9


def test_layouts_that_the_fit_has_not_seen():
    """TP of 1, 2 and 4, fewer stages, gradients in 32 bits: 7 % on average, none beyond 10 %."""
    errors = [bloom_peak_gib(*row[:-1]) / row[-1] - 1 for row in LATER_FP16]
    errors += [bloom_peak_gib(*row[:-1], True) / row[-1] - 1 for row in LATER_FP32_GRADIENTS]
    assert 100 * np.mean(np.abs(errors)) <= 7.0
    assert np.max(np.abs(errors)) <= 0.1


# Left out: 206B (82 layers of 14336) with dp 8, tp 4, pp 12, micro-batch 2 is said to have run out of memory,
# but the same day's table gives 67 GB for 203B in that layout.
OUT_OF_MEMORY = [
    (14336, 72, 64, 32, 2, 6, 2, False), (14336, 72, 64, 32, 2, 6, 1, False),
    (14336, 72, 64, 48, 8, 1, 1, False), (12288, 100, 64, 16, 4, 6, 2, True),
    (12288, 100, 64, 16, 4, 6, 1, True),
]  # fmt: skip


def test_layouts_that_ran_out_of_memory():
    """Every "OOM" of the same source is predicted above the 80 GiB that an A100 80 GB has."""
    assert min(bloom_peak_gib(*row) for row in OUT_OF_MEMORY) > 80.0


def torchtitan_peak_gib(shape, layers, hidden, seq_len, micro_batch, dp, tp, pp, num_microbatches):
    """Reserved memory of torchtitan at the end of 2024, full recomputation, fp8."""
    accounting = fit.accountings()["torchtitan-2024"]
    books = Books.of(accounting, 1.0).as_reported(accounting)
    split = Split(seq_len, micro_batch, tp, 1, 1, 1, 1.0, 0.0)
    grid = Grid(pp, 1, dp, 3, dp, num_microbatches, 1.0)
    kinds = [BlockKind(shape, layers)]
    return float(peak_bytes(kinds, Edges(128256, hidden, 0.0), split, grid, LLAMA_FP8, books)) / GIB


LLAMA_70B = BlockShape(64, 8, 128, 128, 0, 0, 0, 0, 0, 28672, 1, 0, 0, 0, 0)
LLAMA_405B = BlockShape(128, 8, 128, 128, 0, 0, 0, 0, 0, 53248, 1, 0, 0, 0, 0)


def test_larger_torchtitan_models_that_the_fit_has_not_seen():
    """Tables 4 and 5 of pytorch/torchtitan, benchmarks/llama3_h100_202412_torchtitan.md: 71.9 and 82.5 GiB.

    Both run tensor parallelism, which no fitted row does. PyTorch then keeps gathered inputs that the laws
    count as sharded, so these come out low; docs/laws/memory.md says by how much.
    """
    two_d = torchtitan_peak_gib(LLAMA_70B, 80, 8192, 8192, 16, 32, 8, 1, 1)
    three_d = torchtitan_peak_gib(LLAMA_405B, 126, 16384, 8192, 4, 8, 8, 8, 8)
    assert two_d == pytest.approx(71.9, rel=0.25)
    assert three_d == pytest.approx(82.5, rel=0.15)
