"""What a calibration predicts of measured runs: step times with their intervals, and peak memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gigawatt.design.training.context import accounting_of, scope_of, spread_of
from gigawatt.design.training.memory import Books, peak_bytes
from gigawatt.design.training.physics import physics_of
from gigawatt.design.training.terms import Physics
from gigawatt.domain.calibration import Spread, TrainingCalibration, TrainingFit
from gigawatt.validation.batch import Batch, Floats, batch_of, stack
from gigawatt.validation.recompute import edges_of, settle_recompute
from gigawatt.validation.rows import MeasuredRun


@dataclass(frozen=True)
class Predictions:
    """Arrays [runs], and how well the calibration knows each run's setting."""

    step_s: Floats
    low_s: Floats
    high_s: Floats
    memory_bytes: Floats
    scopes: tuple[str, ...]

    def between(self, start: int, end: int) -> Predictions:
        """The runs from `start` up to `end`."""
        part = slice(start, end)
        times = (self.step_s[part], self.low_s[part], self.high_s[part])
        return Predictions(*times, self.memory_bytes[part], self.scopes[part])


def predict_runs(runs: Sequence[MeasuredRun], calibration: TrainingCalibration) -> Predictions:
    """Price expressible runs."""
    batch = settle_recompute(runs, batch_of(runs), calibration)
    step_s = batch.price(physics_at(runs, calibration)).step_s
    scopes = tuple(scope_of(calibration, run.setting) for run in runs)
    spreads = [spread_of(calibration, scope, run.is_moe) for scope, run in zip(scopes, runs, strict=True)]
    return Predictions(
        step_s=np.broadcast_to(np.asarray(step_s, dtype=float), len(runs)),
        low_s=step_s * np.array([spread.low_frac for spread in spreads]),
        high_s=step_s * np.array([spread.high_frac for spread in spreads]),
        memory_bytes=reported_memory_bytes(runs, batch, calibration),
        scopes=scopes,
    )


def physics_at(runs: Sequence[MeasuredRun], calibration: TrainingCalibration) -> Physics:
    """Every run's physical parameters [runs]."""
    return stack([physics_of(calibration, run.setting) for run in runs])


def reported_memory_bytes(
    runs: Sequence[MeasuredRun], batch: Batch, calibration: TrainingCalibration
) -> Floats:
    """Peak of the fullest accelerator [runs] bytes, as the software itself reports it."""
    accounts = [accounting_of(calibration, run.setting) for run in runs]
    books = [
        Books.of(accounting, run.setting.format.operand_bytes).as_reported(accounting)
        for accounting, run in zip(accounts, runs, strict=True)
    ]
    peak: Floats = peak_bytes(
        batch.kinds, edges_of(runs), batch.split, batch.grid, batch.recipe, stack(books)
    )
    return peak


def with_fit(
    calibration: TrainingCalibration, fit: TrainingFit, spreads: tuple[Spread, ...] | None = None
) -> TrainingCalibration:
    """The same software and formats with other fitted parameters, and other spreads where given."""
    if spreads is not None:
        fit = fit.model_copy(update={"spreads": spreads})
    fields = {name: getattr(calibration, name) for name in TrainingCalibration.model_fields}
    # Made anew rather than copied: a copy would keep what the old fit's properties have cached.
    return TrainingCalibration(**{**fields, "fit": fit})
