"""Fitting the physical parameters: robust least squares on log step times, every prior a row of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.training.physics import assemble, transform
from gigawatt.design.training.terms import Physics
from gigawatt.domain.calibration import FittedParameter, PhysicalParameter
from gigawatt.validation.batch import Batch, Floats
from gigawatt.validation.rows import MeasuredRun

NOISE = 0.045
"""Tolerated scatter of the logarithm of a configuration's step time, between releases and sites."""
ROBUST = 1.2
"""Residuals beyond so many noise widths count linearly, not squared: some rows are wrong in their source."""
BOUND = 3.0
"""Furthest that an offset may stray from its centre, in prior deviations."""
STEP = 1e-6
"""Of finite differences, as a change of a parameter's logarithm (or logit)."""


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
    centres: dict[str, Floats]
    """[runs] prior centre of each parameter."""
    scales: Mapping[str, str]
    size: int

    def values(self, offsets: Floats, moved: str = "") -> dict[str, Floats]:
        """Each parameter [runs] from the offsets, in prior deviations; `moved` is a step further."""
        sums: dict[str, Floats] = {moved: np.full(self.low.shape, STEP)} if moved else {}
        for level in self.levels:
            own = np.append(offsets[level.start : level.start + len(level.keys)] * level.sd, 0.0)[level.index]
            sums[level.name] = sums.get(level.name, np.zeros_like(own)) + own
        return {
            name: transform(self.scales[name], centre, sums.get(name, np.zeros_like(centre)))
            for name, centre in self.centres.items()
        }

    def physics(self, offsets: Floats, moved: str = "") -> Physics:
        """Physics [runs]."""
        return assemble(self.values(offsets, moved), self.low)

    def log_ratio(self, offsets: Floats, moved: str = "") -> Floats:
        """Logarithm of predicted over measured [runs]."""
        step_s = self.batch.price(self.physics(offsets, moved)).step_s
        predicted: Floats = np.log(step_s) - self.measured_log_s
        return predicted

    def slopes(self, offsets: Floats) -> Floats:
        """Change of `log_ratio` with each offset [runs, offsets].

        A run has one key of each level, and the levels of a parameter add up: one pricing a parameter, not
        one a key.
        """
        base = self.log_ratio(offsets)
        found: Floats = np.zeros((base.size, self.size + 1))
        steep = {
            name: (self.log_ratio(offsets, name) - base) / STEP
            for name in dict.fromkeys(level.name for level in self.levels)
        }
        for level in self.levels:
            known = level.index < len(level.keys)
            column = np.where(known, level.start + level.index, self.size)
            found[np.arange(base.size), column] += steep[level.name] * level.sd
        return found[:, : self.size]


def problem_of(runs: Sequence[MeasuredRun], batch: Batch, measured_s: Floats) -> Problem:
    """The parameters that these runs bear on, and their levels."""
    levels = tuple(_levels(runs))
    low = np.array([float(run.setting.format.peak != "bf16") for run in runs])
    size = levels[-1].start + len(levels[-1].keys)
    centres = {row.id: np.array([run.setting.centres[row.id] for run in runs]) for row in _parameters(runs)}
    scales = {row.id: row.scale for row in _parameters(runs)}
    return Problem(batch, levels, low, np.log(measured_s), centres, scales, size)


def _parameters(runs: Sequence[MeasuredRun]) -> tuple[PhysicalParameter, ...]:
    return runs[0].setting.parameters


def _levels(runs: Sequence[MeasuredRun]) -> Iterator[Level]:
    start = 0
    for row in _parameters(runs):
        for level, sd in row.levels.items():
            own = [run.setting.keys[level] for run in runs]
            keys = tuple(sorted({key for key in own if key or level == "all"}))
            index = np.array([keys.index(key) if key in keys else len(keys) for key in own])
            yield Level(row.id, level, sd, keys, index, start)
            start += len(keys)


@dataclass(frozen=True)
class Prior:
    """What is known of the offsets beforehand: most likely values and deviations, in prior deviations."""

    offsets: Floats
    open_frac: Floats


def physical_prior(problem: Problem) -> Prior:
    """The physical priors alone."""
    return Prior(np.zeros(problem.size), np.ones(problem.size))


def prior_from(problem: Problem, known: Sequence[FittedParameter]) -> Prior:
    """What an earlier fit found, as far as it left room; the physical priors for what it had not seen."""
    by_key = {(row.name, row.level, row.key): row for row in known}
    prior = physical_prior(problem)
    for level in problem.levels:
        for position, key in enumerate(level.keys, start=level.start):
            if row := by_key.get((level.name, level.level, key)):
                prior.offsets[position] = row.offset * row.sd_frac / level.sd
                prior.open_frac[position] = row.open_frac
    return prior


def fit(problem: Problem, rows: NDArray[np.intp], prior: Prior | None = None, max_rounds: int = 40) -> Floats:
    """Offsets that explain the runs `rows` best, in prior deviations: few, bounded by their priors.

    Source of the loss: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms", ICIP
    1994.
    """
    from scipy.optimize import least_squares

    known = prior or physical_prior(problem)

    def residuals(offsets: Floats) -> Floats:
        scaled = problem.log_ratio(offsets)[rows] / NOISE
        return np.concatenate([_robust(scaled), (offsets - known.offsets) / known.open_frac])

    def slopes(offsets: Floats) -> Floats:
        return np.vstack([_damped_slopes(problem, offsets, rows), np.diag(1.0 / known.open_frac)])

    answer = least_squares(
        residuals,
        known.offsets,
        jac=slopes,
        method="trf",
        max_nfev=max_rounds,
        bounds=(-BOUND, BOUND),
        ftol=1e-5,
    )
    found: Floats = answer.x
    return found


def open_fracs(problem: Problem, offsets: Floats, rows: NDArray[np.intp], prior: Prior) -> Floats:
    """Deviation that the runs leave each offset, in prior deviations: Laplace's approximation."""
    slopes = _damped_slopes(problem, offsets, rows)
    certainty = slopes.T @ slopes + np.diag(prior.open_frac**-2.0)
    left: Floats = np.sqrt(np.diag(np.linalg.inv(certainty)))
    return np.minimum(left, 1.0)


def _damped_slopes(problem: Problem, offsets: Floats, rows: NDArray[np.intp]) -> Floats:
    soft = _softened(problem.log_ratio(offsets)[rows] / NOISE)
    damped = np.sqrt((1.0 + soft) / 2.0) / soft / NOISE
    slopes: Floats = problem.slopes(offsets)[rows] * damped[:, None]
    return slopes


def _robust(scaled: Floats) -> Floats:
    """Residuals whose square is the loss: linear beyond `ROBUST`."""
    robust: Floats = scaled * np.sqrt(2.0 / (1.0 + _softened(scaled)))
    return robust


def _softened(scaled: Floats) -> Floats:
    """1 for small residuals, growing with their size beyond `ROBUST`."""
    soft: Floats = np.sqrt(1.0 + (scaled / ROBUST) ** 2)
    return soft


def fitted_parameters(
    problem: Problem, offsets: Floats, rows: NDArray[np.intp], prior: Prior | None = None
) -> tuple[FittedParameter, ...]:
    """The offsets as records, with the number of runs that each of them saw and how open they leave it."""
    left = open_fracs(problem, offsets, rows, prior or physical_prior(problem))
    return tuple(
        FittedParameter(
            name=level.name,
            level=level.level,
            key=key,
            offset=round(float(offsets[level.start + i]), 6),
            sd_frac=level.sd,
            num_rows=int(np.sum(level.index[rows] == i)),
            open_frac=round(float(left[level.start + i]), 4),
        )
        for level in problem.levels
        for i, key in enumerate(level.keys)
    )
