"""Fitting a calibration to measured runs: from the physical priors, or on top of one that exists."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gigawatt.domain.calibration import FittedParameter, TrainingCalibration, TrainingFit
from gigawatt.validation.batch import batch_of
from gigawatt.validation.configurations import is_scored, settled, thinned
from gigawatt.validation.fitting import fit, fitted_parameters, problem_of
from gigawatt.validation.recompute import settle_recompute
from gigawatt.validation.rows import MeasuredRun

MAX_ROUNDS = 40


def fit_from_priors(
    runs: Sequence[MeasuredRun], calibration: TrainingCalibration
) -> tuple[FittedParameter, ...]:
    """The parameters that explain the runs best, from the physical priors alone; each configuration once."""
    once, measured_s = settled([run for run in runs if is_scored(run)])
    kept = thinned(once)
    seen = [once[i] for i in kept]
    batch = settle_recompute(seen, batch_of(seen), calibration)
    problem = problem_of(seen, batch, measured_s[kept])
    rows = np.arange(len(seen))
    return fitted_parameters(problem, fit(problem, rows, max_rounds=MAX_ROUNDS), rows)


def bare_fit(parameters: tuple[FittedParameter, ...]) -> TrainingFit:
    """Parameters as a fit without spreads, as a fold needs it."""
    return TrainingFit(source="refit", basis="estimate", date="", parameters=parameters)
