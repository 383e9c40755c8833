"""Gaps made on purpose are traced back to what made them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gigawatt.validation.batch import batch_of
from gigawatt.validation.causes import likely_causes
from gigawatt.validation.pricing import physics_at, predict_runs
from gigawatt.validation.rows import read_rows


@pytest.fixture
def setting(runs_file, catalogue):
    runs = read_rows([runs_file([{"recompute": "none"}])], catalogue)
    return runs, catalogue.training_calibration()


def cause_of(setting, measured_s: float) -> str:
    (run,), calibration = setting
    measured = replace(run, measured_step_s=measured_s)
    (told,) = likely_causes([measured], predict_runs([measured], calibration), calibration)
    return told


def test_a_small_gap_needs_no_reason(setting) -> None:
    predicted = float(predict_runs(*setting).step_s[0])
    assert cause_of(setting, predicted * 1.05) == ""
    assert cause_of(setting, predicted / 1.05) == ""


def test_recomputation_that_the_row_denies(setting) -> None:
    runs, calibration = setting
    batch = batch_of(runs).with_recompute(np.ones(1), np.zeros(1))
    told = cause_of(setting, float(batch.price(physics_at(runs, calibration)).step_s[0]))
    assert "slower than predicted: as if everything was recomputed" in told


def test_a_weak_network(runs_file, catalogue) -> None:
    """Pure data parallelism over many nodes: what is slow there is the network."""
    cells = {"model": "llama3-8b", "tp": "1", "cp": "1", "pp": "1", "vpp": "1", "dp": "64", "zero": "3",
             "seq_len": "2048", "global_batch_seqs": "64"}  # fmt: skip
    runs = read_rows([runs_file([cells])], catalogue)
    calibration = catalogue.training_calibration()
    batch = batch_of(runs)
    chip = batch.chip._replace(scale_out_bytes_per_s=batch.chip.scale_out_bytes_per_s / 8.0)
    step_s = float(replace(batch, chip=chip).price(physics_at(runs, calibration)).step_s[0])
    told = cause_of((runs, calibration), step_s)
    assert "as if the network ran at an eighth of its rate" in told


def test_what_nothing_explains_is_called_that(setting) -> None:
    predicted = float(predict_runs(*setting).step_s[0])
    assert "no single cause explains it" in cause_of(setting, 40.0 * predicted)
