"""Fitting a calibration to measured runs: from the physical priors, or on top of one that exists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gigawatt.catalog import Catalog
from gigawatt.design.training.physics import software_of
from gigawatt.domain.calibration import FittedParameter, TrainingCalibration, TrainingFit
from gigawatt.errors import InputError
from gigawatt.validation.batch import Floats, batch_of
from gigawatt.validation.configurations import is_scored, settled, thinned
from gigawatt.validation.fitting import Problem, fit, fitted_parameters, prior_from, problem_of
from gigawatt.validation.recompute import settle_recompute
from gigawatt.validation.rows import MeasuredRun, read_rows

OWN_SOURCE = "own-measurements"


def calibrate_training(files: Sequence[Path], catalogue: Catalog) -> TrainingFit:
    """The catalogue's fit, moved by one's own runs: few runs shift only what they inform.

    What the catalogue's fit knows stays a prior as narrow as its own data made it: a handful of runs moves a
    new software release or an unseen accelerator freely, and what hundreds of runs have settled hardly.
    Intervals stay those of the catalogue.

    Errors: InputError for files that are no tables of runs, or of which no row can be predicted.
    """
    read = read_rows(files, catalogue)
    calibration = catalogue.training_calibration()
    usable = [run for run in read if is_scored(run)]
    if not usable:
        why = sorted({row.reason for row in read})
        raise InputError(f"no row can be fitted: {'; '.join(why) or 'the files are empty'}")
    problem = _problem(*settled(usable), calibration)
    prior = prior_from(problem, calibration.fit.parameters)
    rows = np.arange(problem.measured_log_s.size)
    own = fitted_parameters(problem, fit(problem, rows, prior), rows, prior)
    return calibration.fit.model_copy(
        update={
            "source": OWN_SOURCE,
            "basis": "measured",
            "note": f"{rows.size} configuration{'s' * (rows.size != 1)} of "
            f"{', '.join(Path(file).name for file in files)}, on top of "
            f"{calibration.fit.source} ({calibration.fit.date})",
            "default_software": _planned_with(usable, calibration),
            "parameters": _merged(calibration.fit.parameters, own),
        }
    )


def fit_from_priors(
    runs: Sequence[MeasuredRun], calibration: TrainingCalibration
) -> tuple[FittedParameter, ...]:
    """The parameters that explain the runs best, from the physical priors alone; each configuration once."""
    once, measured_s = settled([run for run in runs if is_scored(run)])
    kept = thinned(once)
    problem = _problem([once[i] for i in kept], measured_s[kept], calibration)
    rows = np.arange(len(kept))
    return fitted_parameters(problem, fit(problem, rows), rows)


def fit_text(fit: TrainingFit) -> str:
    """One parameter or spread a line, so that a change of the fit is a readable change of the file."""
    whole = fit.model_dump(mode="json")
    parts = []
    for key, value in whole.items():
        if isinstance(value, list):
            lines = ",\n".join(f"  {json.dumps(one)}" for one in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n ]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def bare_fit(parameters: tuple[FittedParameter, ...]) -> TrainingFit:
    """Parameters as a fit without spreads, as a fold needs it."""
    return TrainingFit(source="refit", basis="estimate", date="", parameters=parameters)


def _problem(runs: Sequence[MeasuredRun], measured_s: Floats, calibration: TrainingCalibration) -> Problem:
    return problem_of(runs, settle_recompute(runs, batch_of(runs), calibration), measured_s)


def _merged(known: Sequence[FittedParameter], own: Sequence[FittedParameter]) -> tuple[FittedParameter, ...]:
    """The known parameters with the own ones in their place; both saw what they saw."""
    rows = {(row.name, row.level, row.key): row for row in known}
    for row in own:
        key = (row.name, row.level, row.key)
        before = rows[key].num_rows if key in rows else 0
        rows[key] = row.model_copy(update={"num_rows": before + row.num_rows})
    return tuple(rows.values())


def _planned_with(runs: Sequence[MeasuredRun], calibration: TrainingCalibration) -> str:
    """The release that plans take: one's own where all runs share one that the catalogue knows."""
    releases = {run.setting.vintage for run in runs}
    if len(releases) == 1:
        (release,) = releases
        try:
            software_of(calibration, release)
        except InputError:
            return calibration.fit.default_software
        return release
    return calibration.fit.default_software
