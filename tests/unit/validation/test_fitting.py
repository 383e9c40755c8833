"""The fit: slopes against brute force, parameters found again in made-up measurements, outliers, priors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from gigawatt.catalog import load_catalog
from gigawatt.validation.batch import Floats, batch_of
from gigawatt.validation.fitting import (
    Prior,
    Problem,
    fit,
    fitted_parameters,
    open_fracs,
    physical_prior,
    prior_from,
    problem_of,
)
from gigawatt.validation.rows import MeasuredRun, read_rows

SPREAD = [
    {"gpus": str(8 * nodes), "dp": str(nodes), "tp": "8", "cp": "1", "pp": "1", "vpp": "1", "model": model,
     "global_batch_seqs": "256", "seq_len": seq_len, "gpu_kind": kind, "precision": precision}
    for nodes in (1, 4, 16)
    for model in ("llama3-8b", "llama3-70b")
    for seq_len in ("2048", "8192")
    for kind, precision in (("H100-SXM-80GB", "bf16"), ("H100-SXM-80GB", "fp8"), ("B200", "bf16"))
]  # fmt: skip


@pytest.fixture
def runs(runs_file) -> tuple[MeasuredRun, ...]:
    return read_rows([runs_file(SPREAD)], load_catalog())


def problem_measured_as(runs: tuple[MeasuredRun, ...], offsets: Floats | None = None) -> Problem:
    """The problem whose measurements are what these offsets predict; without any, those of the runs."""
    problem = problem_of(runs, batch_of(runs), np.array([run.measured_step_s for run in runs]))
    if offsets is None:
        return problem
    measured = np.exp(problem.log_ratio(offsets) + problem.measured_log_s)
    return problem_of(runs, batch_of(runs), measured)


def some_offsets(size: int) -> Floats:
    return np.random.default_rng(3).normal(size=size) * 0.8


def test_slopes_are_those_of_brute_force(runs: tuple[MeasuredRun, ...]) -> None:
    problem = problem_measured_as(runs)
    at = some_offsets(problem.size)
    assert problem.slopes(at) == pytest.approx(approx_fprime(at, problem.log_ratio, 1e-6), abs=1e-4)


def test_what_made_the_measurements_is_found_again(runs: tuple[MeasuredRun, ...]) -> None:
    size = problem_measured_as(runs).size
    problem = problem_measured_as(runs, some_offsets(size))
    rows = np.arange(len(runs))
    before = np.abs(problem.log_ratio(np.zeros(size)))
    after = np.abs(problem.log_ratio(fit(problem, rows)))
    assert before.mean() > 0.05
    assert after.mean() < 0.01
    assert after.max() < 0.05


def test_one_wrong_row_hardly_moves_the_others(runs: tuple[MeasuredRun, ...]) -> None:
    right = problem_measured_as(runs, np.zeros(problem_measured_as(runs).size))
    measured = np.exp(right.measured_log_s)
    measured[0] *= 3.0
    wrong = problem_of(runs, batch_of(runs), measured)
    error = wrong.log_ratio(fit(wrong, np.arange(len(runs))))
    assert error[0] < -np.log(2.0)
    assert np.abs(error[1:]).max() < 0.08


def test_what_is_settled_stays_and_what_is_open_moves(runs: tuple[MeasuredRun, ...]) -> None:
    problem = problem_measured_as(runs)
    slower = problem_of(
        runs, batch_of(runs), np.exp(problem.log_ratio(np.zeros(problem.size)) + problem.measured_log_s) * 1.1
    )
    rows = np.arange(len(runs))
    settled = Prior(np.zeros(problem.size), np.full(problem.size, 1e-3))
    assert slower.log_ratio(fit(slower, rows, settled)) == pytest.approx(-np.log(1.1), abs=5e-3)
    assert np.abs(slower.log_ratio(fit(slower, rows))).max() < 0.05


def test_runs_leave_open_what_they_do_not_bear_on(runs: tuple[MeasuredRun, ...]) -> None:
    problem = problem_measured_as(runs)
    rows = np.arange(len(runs))
    offsets = np.zeros(problem.size)
    found = fitted_parameters(problem, offsets, rows)
    left = {(one.name, one.level, one.key): one.open_frac for one in found}
    h100, b200 = (left["gemm16_frac", "accelerator", chip] for chip in ("h100-sxm-80gb", "b200-sxm-180gb"))
    assert h100 < b200 < 1.0  # twice as many runs of the one as of the other
    assert left["softmax_traffic", "all", ""] == 1.0  # no run materialises attention scores
    more = open_fracs(problem, offsets, np.concatenate([rows, rows]), physical_prior(problem))
    assert np.all(more <= open_fracs(problem, offsets, rows, physical_prior(problem)) + 1e-12)


def test_an_earlier_fit_is_a_prior(runs: tuple[MeasuredRun, ...]) -> None:
    problem = problem_measured_as(runs)
    offsets = some_offsets(problem.size).round(6)
    known = fitted_parameters(problem, offsets, np.arange(len(runs)))
    prior = prior_from(problem, known[:10])
    assert prior.offsets[:10] == pytest.approx(offsets[:10])
    assert np.all(prior.offsets[10:] == 0.0)
    assert np.all(prior.open_frac[10:] == 1.0)
