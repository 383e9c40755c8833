"""What rows recomputed that do not say so: the lightest policy whose predicted peak fits, for all alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gigawatt.design.training.context import accounting_of
from gigawatt.design.training.memory import Books, Edges, lightest_fitting_recompute
from gigawatt.domain.calibration import TrainingCalibration
from gigawatt.laws import memory
from gigawatt.validation.batch import Batch, Floats, stack
from gigawatt.validation.rows import MeasuredRun


def books_of(runs: Sequence[MeasuredRun], calibration: TrainingCalibration) -> Books:
    """How each run's software keeps memory, as arrays."""
    return stack(
        [Books.of(accounting_of(calibration, run.setting), run.setting.format.operand_bytes) for run in runs]
    )


def edges_of(runs: Sequence[MeasuredRun]) -> Edges:
    """Embedding and head of each run's model, as arrays."""
    return stack(
        [Edges(float(run.model.vocab), float(run.model.hidden), float(run.model.tied_head)) for run in runs]
    )


def settle_recompute(runs: Sequence[MeasuredRun], batch: Batch, calibration: TrainingCalibration) -> Batch:
    """The batch with blank recomputation settled where the software's rule is the lightest that fits."""
    usable = np.array([run.accelerator.usable_hbm_bytes or 0.0 for run in runs])
    code = lightest_fitting_recompute(
        batch.kinds,
        edges_of(runs),
        batch.split,
        batch.grid,
        batch.recipe,
        books_of(runs, calibration),
        usable,
    )
    blank = np.array([run.blank_recompute == "lightest-that-fits" for run in runs])
    full: Floats = np.where(blank, np.where(code == memory.FULL, 1.0, 0.0), batch.split.full)
    selective: Floats = np.where(blank, np.where(code == memory.SELECTIVE, 1.0, 0.0), batch.split.selective)
    return batch.with_recompute(full, selective)
