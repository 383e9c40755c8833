"""Fitting the physical parameters: robust least squares on log step times, with every prior as a row of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training.physics import PARAMETERS, assemble
from gigawatt.design.training.terms import Physics
from gigawatt.domain.calibration import FittedParameter
from gigawatt.validation.batch import Batch, Floats
from gigawatt.validation.rows import MeasuredRun

NOISE = 0.06
"""Scatter of the logarithm of one configuration's step time between releases and sites, which the fit tolerates."""
ROBUST = 2.0
"""Residuals beyond so many noise widths count linearly, not squared: some rows are wrong in their source."""
STEP = 1e-6
"""Of finite differences, in prior deviations."""


@dataclass(frozen=True)
class Level:
    """One parameter at one level: the runs' keys, and where its offsets lie in the vector of all."""

    name: str
    level: str
    sd: float
    keys: tuple[str, ...]
    index: NDArray[np.intp]
    """[runs] position of each run's key in `keys`; len(keys) where the level says nothing of a run."""
    start: int


@dataclass(frozen=True)
class Problem:
    """Runs to fit, as arrays. `measured_log_s` is the logarithm of each configuration's median."""

    batch: Batch
    levels: tuple[Level, ...]
    low: Floats
    measured_log_s: Floats
    size: int

    def values(self, offsets: Floats) -> dict[str, Floats]:
        """Each parameter [runs] from the vector of offsets, in prior deviations."""
        sums: dict[str, Floats] = {}
        for level in self.levels:
            own = np.append(offsets[level.start : level.start + len(level.keys)] * level.sd, 0.0)[level.index]
            sums[level.name] = sums.get(level.name, 0.0) + own
        return {name: _transform(PARAMETERS[name].scale, PARAMETERS[name].centre, total) for name, total in sums.items()}

    def physics(self, offsets: Floats) -> Physics:
        """Physics [runs]."""
        return assemble(self.values(offsets), self.low)

    def log_ratio(self, offsets: Floats) -> Floats:
        """Logarithm of predicted over measured [runs]."""
        predicted: Floats = np.log(self.batch.price(self.physics(offsets)).step_s) - self.measured_log_s
        return predicted

    def slopes(self, offsets: Floats) -> Floats:
        """Change of `log_ratio` with each offset [runs, offsets].

        A run has one key of each level, so all keys of a level are moved at once: one pricing a level, not one a key.
        """
        base = self.log_ratio(offsets)
        found: Floats = np.zeros((base.size, self.size + 1))
        for level in self.levels:
            moved = offsets.copy()
            moved[level.start : level.start + len(level.keys)] += STEP
            known = level.index < len(level.keys)
            column = np.where(known, level.start + level.index, self.size)
            found[np.arange(base.size), column] += (self.log_ratio(moved) - base) / STEP
        return found[:, : self.size]


def _transform(scale: str, centre: float, offset: Floats) -> Floats:
    if scale == "log":
        return centre * np.exp(offset)
    shifted: Floats = 1.0 / (1.0 + (1.0 - centre) / centre * np.exp(-offset))
    return shifted


def problem_of(runs: Sequence[MeasuredRun], batch: Batch, measured_s: Floats) -> Problem:
    """The parameters that these runs bear on, and their levels."""
    levels = tuple(_levels(runs))
    low = np.array([float(run.setting.format.peak != "bf16") for run in runs if run.setting])
    size = levels[-1].start + len(levels[-1].keys)
    return Problem(batch, levels, low, np.log(measured_s), size)


def _levels(runs: Sequence[MeasuredRun]) -> Iterator[Level]:
    start = 0
    for name, row in PARAMETERS.items():
        for level, sd in row.levels:
            own = [run.setting.keys[level] for run in runs if run.setting]
            keys = tuple(sorted({key for key in own if key or level == "all"}))
            index = np.array([keys.index(key) if key in keys else len(keys) for key in own])
            yield Level(name, level, sd, keys, index, start)
            start += len(keys)


def fit(problem: Problem, rows: NDArray[np.intp], start: Floats | None = None, max_rounds: int = 40) -> Floats:
    """Offsets that explain the runs `rows` best, in prior deviations: few, bounded by their priors.

    Source of the loss: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms", ICIP 1994.
    """
    from scipy.optimize import least_squares

    def residuals(offsets: Floats) -> Floats:
        scaled = problem.log_ratio(offsets)[rows] / NOISE
        return np.concatenate([scaled * np.sqrt(2.0 / (1.0 + _softened(scaled))), offsets])

    def slopes(offsets: Floats) -> Floats:
        scaled = problem.log_ratio(offsets)[rows] / NOISE
        soft = _softened(scaled)
        damped = np.sqrt((1.0 + soft) / 2.0) / soft / NOISE
        return np.vstack([problem.slopes(offsets)[rows] * damped[:, None], np.eye(problem.size)])

    first = np.zeros(problem.size) if start is None else start
    answer = least_squares(residuals, first, jac=slopes, method="trf", max_nfev=max_rounds, bounds=(-3.0, 3.0), ftol=1e-5)
    found: Floats = answer.x
    return found


def _softened(scaled: Floats) -> Floats:
    """1 for small residuals, growing with their size beyond `ROBUST`."""
    soft: Floats = np.sqrt(1.0 + (scaled / ROBUST) ** 2)
    return soft


def fitted_parameters(problem: Problem, offsets: Floats, rows: NDArray[np.intp]) -> tuple[FittedParameter, ...]:
    """The offsets as records, with the number of runs that each of them saw."""
    return tuple(
        FittedParameter(
            name=level.name, level=level.level, key=key, offset=round(float(offsets[level.start + i]), 6), sd_frac=level.sd,
            num_rows=int(np.sum(level.index[rows] == i)),
        )
        for level in problem.levels
        for i, key in enumerate(level.keys)
    )
