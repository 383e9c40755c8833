"""Calibrating to one's own runs: it moves what they inform and leaves the rest; it is read as an overlay."""

from __future__ import annotations

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.errors import InputError
from gigawatt.validation.calibrate import calibrate_training, fit_text
from gigawatt.validation.training import validate_training

OURS = [
    {"software": "our fork", "model": model, "global_batch_seqs": batch, "seq_len": seq_len, "tp": "8",
     "cp": "1", "pp": "2", "vpp": "1", "dp": "4"}
    for model in ("llama3-8b", "llama3-70b")
    for batch in ("128", "256")
    for seq_len in ("4096", "8192")
]  # fmt: skip
ELSEWHERE = {
    "framework": "Megatron-LM", "software": "Megatron-LM 2022", "model": "gpt3-175b",
    "gpu_kind": "A100-SXM-80GB",
    "seq_len": "2048", "tp": "8", "cp": "1", "pp": "8", "vpp": "1", "dp": "1", "recompute": "full",
}  # fmt: skip


@pytest.fixture
def slower(runs_file, catalogue):
    """Runs that take 15 % longer than the catalogue predicts."""
    predicted = [row.predicted_step_s for row in validate_training([runs_file(OURS)], catalogue).rows]
    return runs_file(
        [row | {"measured_step_s": f"{1.15 * step:.6g}"} for row, step in zip(OURS, predicted, strict=True)]
    )


def overlaid(tmp_path, fit):
    path = tmp_path / "overlay.json"
    path.write_text(fit_text(fit), encoding="utf-8")
    return load_catalog([path])


def test_own_runs_are_then_predicted_and_others_stay(slower, runs_file, tmp_path, catalogue) -> None:
    own = overlaid(tmp_path, calibrate_training([slower], catalogue))
    before = validate_training([slower], catalogue).overall
    after = validate_training([slower], own).overall
    assert before.bias_frac == pytest.approx(1 / 1.15 - 1, abs=1e-3)
    assert after.mape_frac < 0.5 * before.mape_frac
    elsewhere = runs_file([ELSEWHERE], "elsewhere.csv")
    (there,) = validate_training([elsewhere], catalogue).rows
    (still,) = validate_training([elsewhere], own).rows
    assert still.predicted_step_s == pytest.approx(there.predicted_step_s, rel=0.03)


def test_the_overlay_says_what_it_rests_on(slower, catalogue) -> None:
    shipped = catalogue.training_calibration().fit
    fit = calibrate_training([slower], catalogue)
    assert fit.basis == "measured"
    assert "8 configurations of runs.csv" in fit.note
    seen = {(one.level, one.key): one.num_rows for one in fit.parameters}
    known = {(one.level, one.key): one.num_rows for one in shipped.parameters}
    assert seen["software", "our fork"] == 8
    assert seen["accelerator", "h100-sxm-80gb"] == known.get(("accelerator", "h100-sxm-80gb"), 0) + 8
    assert fit.spreads == shipped.spreads


def test_nothing_to_fit_is_said(runs_file, catalogue) -> None:
    with pytest.raises(InputError, match="no row can be fitted: not a full layout: tp blank"):
        calibrate_training([runs_file([{"tp": ""}])], catalogue)
