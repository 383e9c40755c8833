"""Fitting what moves collectives: robust least squares on log times, every prior a row of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.design.collectives.physics import keys_of
from gigawatt.design.collectives.pricing import Physics
from gigawatt.domain.calibration import FittedParameter, PhysicalParameter
from gigawatt.domain.calibration_collectives import CollectiveCalibration
from gigawatt.validation.collective_batch import CollectiveBatch, collective_batch
from gigawatt.validation.collective_rows import MeasuredCollective

Floats = NDArray[np.float64]
Index = NDArray[np.intp]

NOISE = 0.1
"""Tolerated scatter of the logarithm of a time, between sites and releases."""
ROBUST = 1.5
"""Residuals beyond so many noise widths count linearly, not squared."""
BOUND = 3.0
"""Furthest that an offset may stray from its centre, in prior deviations."""
STEP = 1e-5
"""Of finite differences, in prior deviations."""
SERIES_ROWS = 8.0
"""A series counts as so many measurements at most: its sizes share one cluster."""


@dataclass(frozen=True)
class Level:
    """One parameter at one level: the keys, and where its offsets lie in the vector of all."""

    name: str
    level: str
    sd: float
    keys: tuple[str, ...]
    index: Index
    """[cases] position of each case's key; len(keys) where the level says nothing of it."""
    start: int


@dataclass(frozen=True)
class CollectiveProblem:
    """Measurements to fit, as arrays."""

    batch: CollectiveBatch
    levels: tuple[Level, ...]
    parameters: tuple[PhysicalParameter, ...]
    measured_log_s: Floats
    weights: Floats
    size: int

    def physics(self, offsets: Floats) -> Physics:
        """Each quantity [cases] from the vector of offsets, in prior deviations."""
        sums = {row.id: np.zeros(self.batch.size) for row in self.parameters}
        for level in self.levels:
            own = np.append(offsets[level.start : level.start + len(level.keys)] * level.sd, 0.0)
            sums[level.name] = sums[level.name] + own[level.index]
        return Physics(**{row.id: row.centre * np.exp(sums[row.id]) for row in self.parameters})

    def log_ratio(self, offsets: Floats) -> Floats:
        """Logarithm of predicted over measured [cases]."""
        return np.log(self.batch.price(self.physics(offsets))) - self.measured_log_s

    def slopes(self, offsets: Floats) -> Floats:
        """Change of `log_ratio` with each offset [cases, offsets]; all keys of a level are moved at once."""
        start = self.log_ratio(offsets)
        found = np.zeros((self.batch.size, self.size))
        for level in self.levels:
            moved = offsets.copy()
            moved[level.start : level.start + len(level.keys)] += STEP
            change = (self.log_ratio(moved) - start) / STEP
            said = np.flatnonzero(level.index < len(level.keys))
            found[said, level.start + level.index[said]] = change[said]
        return found


def collective_problem(
    cases: Sequence[MeasuredCollective], calibration: CollectiveCalibration
) -> CollectiveProblem:
    """The parameters that these measurements bear on, and their levels."""
    keys = [keys_of(case.near, case.far) for case in cases]
    levels = tuple(_levels(keys, calibration.parameters))
    counts: dict[str, int] = {}
    for case in cases:
        counts[case.series] = counts.get(case.series, 0) + 1
    return CollectiveProblem(
        batch=collective_batch(cases, calibration.protocols),
        levels=levels,
        parameters=calibration.parameters,
        measured_log_s=np.log([case.measured_s for case in cases]),
        weights=np.sqrt([min(1.0, SERIES_ROWS / counts[case.series]) for case in cases]),
        size=levels[-1].start + len(levels[-1].keys),
    )


def _levels(keys: Sequence[Mapping[str, str]], parameters: Sequence[PhysicalParameter]) -> Iterator[Level]:
    start = 0
    for row in parameters:
        for level, sd in row.levels.items():
            own = [key[level] for key in keys]
            names = tuple(sorted({key for key in own if key or level == "all"}))
            index = np.array([names.index(key) if key in names else len(names) for key in own])
            yield Level(row.id, level, sd, names, index, start)
            start += len(names)


@dataclass(frozen=True)
class Known:
    """What is known of the offsets beforehand: most likely values and deviations, in prior deviations."""

    offsets: Floats
    open_frac: Floats


def prior_of(problem: CollectiveProblem, fitted: Sequence[FittedParameter] = ()) -> Known:
    """The physical priors, moved and narrowed by what an earlier fit found."""
    by_key = {(row.name, row.level, row.key): row for row in fitted}
    known = Known(np.zeros(problem.size), np.ones(problem.size))
    for level in problem.levels:
        for at, key in enumerate(level.keys, start=level.start):
            if row := by_key.get((level.name, level.level, key)):
                known.offsets[at] = row.offset * row.sd_frac / level.sd
                known.open_frac[at] = row.open_frac
    return known


def fit_collectives(
    problem: CollectiveProblem,
    rows: Index,
    known: Known | None = None,
    start: Floats | None = None,
    max_rounds: int = 40,
) -> Floats:
    """Offsets that explain the measurements `rows` best, in prior deviations: few, bounded by their priors.

    Source of the loss: Charbonnier et al., "Two deterministic half-quadratic regularization algorithms", ICIP
    1994.
    """
    from scipy.optimize import least_squares

    prior = known or prior_of(problem)
    weights = problem.weights[rows]

    def residuals(offsets: Floats) -> Floats:
        scaled = problem.log_ratio(offsets)[rows] / NOISE
        robust = scaled * np.sqrt(2.0 / (1.0 + _softened(scaled))) * weights
        return np.concatenate([robust, (offsets - prior.offsets) / prior.open_frac])

    def slopes(offsets: Floats) -> Floats:
        return np.vstack([damped(problem, offsets, rows), np.diag(1.0 / prior.open_frac)])

    begin = np.clip(prior.offsets if start is None else start, -BOUND, BOUND)
    answer = least_squares(
        residuals, begin, jac=slopes, method="trf", max_nfev=max_rounds, bounds=(-BOUND, BOUND), ftol=1e-5
    )
    found: Floats = answer.x
    return found


def damped(problem: CollectiveProblem, offsets: Floats, rows: Index) -> Floats:
    """Slopes of the robust residuals of `rows`."""
    soft = _softened(problem.log_ratio(offsets)[rows] / NOISE)
    factor = np.sqrt((1.0 + soft) / 2.0) / soft / NOISE * problem.weights[rows]
    slopes: Floats = problem.slopes(offsets)[rows] * factor[:, None]
    return slopes


def _softened(scaled: Floats) -> Floats:
    """1 for small residuals, growing with their size beyond `ROBUST`."""
    soft: Floats = np.sqrt(1.0 + (scaled / ROBUST) ** 2)
    return soft


def fitted_parameters(
    problem: CollectiveProblem, offsets: Floats, rows: Index, known: Known | None = None
) -> tuple[FittedParameter, ...]:
    """The offsets as records, with how many measurements each saw and how open they leave it (Laplace)."""
    prior = known or prior_of(problem)
    slopes = damped(problem, offsets, rows)
    certainty = slopes.T @ slopes + np.diag(prior.open_frac**-2.0)
    left = np.minimum(np.sqrt(np.diag(np.linalg.inv(certainty))), 1.0)
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
