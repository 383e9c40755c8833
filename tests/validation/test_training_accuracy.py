"""The shipped calibration against published runs: it must not get worse unnoticed.

Bounds are looser than what docs/validation.md states, so that they catch a mistake and not a rounding. The
whole cross-validation takes minutes and belongs to `scripts/validation_page.py`; one fold of it runs here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.design.training import predict_training
from gigawatt.domain.training import Layout, TrainingJob
from gigawatt.domain.validation import ValidationReport
from gigawatt.validation.baseline import constant_mfu_score
from gigawatt.validation.calibrate import bare_fit, fit_from_priors
from gigawatt.validation.configurations import is_scored, settled
from gigawatt.validation.pricing import predict_runs, with_fit
from gigawatt.validation.rows import read_rows
from gigawatt.validation.scores import score
from gigawatt.validation.training import validate_training

KORTHIKANTI = "Reducing Activation Recomputation (arXiv 2205.05198) Table 5 via Calculon validation"


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="module")
def multi_node(shared_data: Path) -> Path:
    return shared_data / "training_measured.csv"


@pytest.fixture(scope="module")
def report(catalogue: Catalog, multi_node: Path) -> ValidationReport:
    return validate_training([multi_node], catalogue)


@pytest.fixture(scope="module")
def single(catalogue: Catalog, shared_data: Path) -> ValidationReport:
    return validate_training([shared_data / "training_measured_vtrain_single.csv"], catalogue)


def test_every_row_comes_back(report: ValidationReport) -> None:
    assert len(report.rows) == report.num_rows == 661
    assert all(row.predicted_step_s for row in report.rows if row.status != "inexpressible")
    assert all(row.reason for row in report.rows if row.status != "predicted")
    assert report.coverage_frac >= 0.95


def test_step_times_in_the_fit(report: ValidationReport) -> None:
    assert report.overall.mape_frac <= 0.08
    assert report.overall.median_frac <= 0.05
    assert report.overall.p90_frac <= 0.18
    assert abs(report.overall.bias_frac) <= 0.03


def test_every_family_is_predicted_better_than_by_a_constant_mfu(
    report: ValidationReport, catalogue: Catalog, multi_node: Path
) -> None:
    flat = constant_mfu_score(read_rows([multi_node], catalogue), "family").mape_frac
    assert 0.25 < flat < 0.45
    worst = max(one.score.mape_frac for one in report.groups if one.kind == "family")
    assert worst < 0.6 * flat


def test_published_table_5(report: ValidationReport) -> None:
    """Korthikanti et al., arXiv 2205.05198: 22B to 1T on A100."""
    table = report.group("source", KORTHIKANTI)
    assert table is not None
    assert table.n == 4
    assert table.mape_frac <= 0.06


def test_single_node_runs_without_profiling(single: ValidationReport) -> None:
    assert single.coverage_frac == 1.0
    assert single.overall.mape_frac <= 0.10
    assert min(one.spearman for one in single.rankings) >= 0.9


def test_peak_memory(report: ValidationReport) -> None:
    assert report.memory.n >= 50
    assert report.memory.mape_frac <= 0.07


def test_intervals_are_no_decoration(report: ValidationReport) -> None:
    """They are made for runs that were left out, so they cover more of the ones that were not."""
    assert 0.70 <= report.interval.coverage_frac <= 0.95
    assert report.interval.width_frac < 0.5


def test_the_repeat_floor_is_that_of_the_data(report: ValidationReport) -> None:
    assert report.repeat_floor.median_frac == pytest.approx(0.03, abs=0.005)
    assert report.repeat_floor.mean_frac == pytest.approx(0.08, abs=0.005)


def test_a_family_that_the_fit_has_not_seen(catalogue: Catalog, multi_node: Path) -> None:
    """Megatron-Core in NeMo left out, with H100 in 16 and 8 bit seen in other families."""
    calibration = catalogue.training_calibration()
    once, measured_s = settled([run for run in read_rows([multi_node], catalogue) if is_scored(run)])
    out = np.array([run.family == "Megatron-Core (NeMo)" for run in once])
    seen = [run for run, left_out in zip(once, out, strict=True) if not left_out]
    held_out = [run for run, left_out in zip(once, out, strict=True) if left_out]
    refit = with_fit(calibration, bare_fit(fit_from_priors(seen, calibration)))
    found = score(predict_runs(held_out, refit).step_s, measured_s[out])
    assert found.n >= 70
    assert found.mape_frac <= 0.12


def test_llama_405b_on_16384_accelerators_ran_within_the_interval_of_software_of_its_time(
    catalogue: Catalog,
) -> None:
    """Llama Team, arXiv 2407.21783, table 4: 41 % MFU; no row of the fit has as many accelerators."""
    layout = Layout(
        tp=8, pp=16, vpp=8, dp=128, micro_batch=1, zero=1, recompute="none", schedule="interleaved"
    )
    job = TrainingJob(seq_len=8192, global_batch=2048, precision="bf16", software="NeMo container 24.07")
    system, accelerator = catalogue.require_plannable("hgx-h100", with_power=False)
    model = catalogue.model("llama-3.1-405b")
    found = predict_training(model, system, accelerator, layout, job, catalogue.training_calibration())
    measured_s = found.step_s * found.mfu_frac / 0.41
    assert found.low_step_s <= measured_s <= found.high_step_s
