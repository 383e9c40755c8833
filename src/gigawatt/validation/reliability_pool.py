"""What several organisations say of one quantity, and what the next organisation may say.

The logarithm of a rate or a time (of a share, the log-odds) is a middle, an offset for what counts as a
failure, a deviation of the organisation and one of the row; all normal. How far organisations and rows
differ is not known either: both deviations run over a grid, weighted by how likely the evidence is with them.
Few parameters, none of them of a row or an organisation.

Source: A. Gelman et al., Bayesian Data Analysis (3rd edition), chapter 5: hierarchical normal models, with
half-normal priors for the deviations of groups; chapter 15 for the regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.published_failures import FailureParameter, View

Floats = NDArray[np.float64]

_VIEWS: tuple[View, ...] = ("run", "jobs")
"""Those with an offset to a census."""
_GRID = 16
"""Deviations tried of each kind."""
_FARTHEST = 3.0
"""In scales of their priors."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that somebody has seen of a quantity."""

    organisations: frozenset[str]
    view: View
    value: float
    """In seconds, events per second or as a share."""
    sd: float
    """Of its logarithm (of a share, of its log-odds)."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """One pair of deviations, with what then follows: weights of the rest, inverted covariance."""

    organisation_sd: float
    row_sd: float
    solved: Floats
    inverse: Floats
    log_weight: float


@dataclass(frozen=True)
class Pool:
    """What is known of a quantity from everybody who has seen it."""

    parameter: FailureParameter
    observed: tuple[Observation, ...]
    cells: tuple[_Cell, ...]

    @property
    def spread_ratio(self) -> float:
        """By what factor organisations differ: one deviation, the middle of what evidence leaves open."""
        weights = np.exp([cell.log_weight for cell in self.cells])
        return float(np.exp(np.average([cell.organisation_sd for cell in self.cells], weights=weights)))

    def draws(
        self, view: View, organisations: frozenset[str], num_draws: int, rng: np.random.Generator
    ) -> Floats:
        """What one more row of these organisations may say: random values of the quantity."""
        weights = np.exp([cell.log_weight for cell in self.cells])
        chosen = rng.choice(len(self.cells), size=num_draws, p=weights / weights.sum())
        moments = np.array([self._moments(cell, view, organisations) for cell in self.cells])
        logs = moments[chosen, 0] + moments[chosen, 1] * rng.standard_normal(num_draws)
        return _plain(logs, self.parameter)

    def middle(self, view: View, organisations: frozenset[str]) -> float:
        """The middle of what one more row of these organisations may say, about."""
        weights = np.exp([cell.log_weight for cell in self.cells])
        means = [self._moments(cell, view, organisations)[0] for cell in self.cells]
        return float(_plain(np.array([np.average(means, weights=weights)]), self.parameter)[0])

    def _moments(self, cell: _Cell, view: View, organisations: frozenset[str]) -> tuple[float, float]:
        """Mean and deviation of the next value, given the deviations of a cell."""
        design, prior = _design([view], self.parameter), _prior_cov(self.parameter)
        shared = np.array([bool(one.organisations & organisations) for one in self.observed], dtype=float)
        seen = _design([one.view for one in self.observed], self.parameter)
        along = (design @ prior @ seen.T)[0] + cell.organisation_sd**2 * shared
        alone = (design @ prior @ design.T)[0, 0] + cell.organisation_sd**2 + cell.row_sd**2
        mean = (design @ _prior_mean(self.parameter))[0] + along @ cell.solved
        return float(mean), float(np.sqrt(alone - along @ cell.inverse @ along))


def pool_of(parameter: FailureParameter, observed: Sequence[Observation]) -> Pool | None:
    """What the observations say of a quantity; None where nobody has seen it."""
    if not observed:
        return None
    scales = np.linspace(0.0, _FARTHEST, _GRID + 1)[1:]
    cells = [
        _cell(
            parameter, observed, between * parameter.levels["organisation"], within * parameter.levels["row"]
        )
        for between in scales
        for within in scales
    ]
    # Half-normal priors of both deviations.
    prior = [-0.5 * (between**2 + within**2) for between in scales for within in scales]
    logs = np.array([cell.log_weight for cell in cells]) + prior
    logs -= logs.max()
    weighted = [
        _Cell(cell.organisation_sd, cell.row_sd, cell.solved, cell.inverse, float(log))
        for cell, log in zip(cells, logs, strict=True)
    ]
    return Pool(parameter, tuple(observed), tuple(weighted))


def _cell(
    parameter: FailureParameter, observed: Sequence[Observation], organisation_sd: float, row_sd: float
) -> _Cell:
    design = _design([one.view for one in observed], parameter)
    alike = np.array([[bool(a.organisations & b.organisations) for b in observed] for a in observed])
    noise = np.array([one.sd**2 + row_sd**2 for one in observed])
    covariance = design @ _prior_cov(parameter) @ design.T + organisation_sd**2 * alike + np.diag(noise)
    gap = np.array([_log(one.value, parameter) for one in observed]) - design @ _prior_mean(parameter)
    inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    solved = inverse @ gap
    log_likelihood = -0.5 * (gap @ solved + np.linalg.slogdet(covariance)[1])
    return _Cell(organisation_sd, row_sd, solved, inverse, float(log_likelihood))


def _design(views: Sequence[View], parameter: FailureParameter) -> Floats:
    """One row for each view: the middle, and the offset of each view but the census."""
    known = [view for view in _VIEWS if view in parameter.offsets]
    return np.array([[1.0, *(float(view == one) for one in known)] for view in views])


def _prior_mean(parameter: FailureParameter) -> Floats:
    offsets = [np.log(parameter.offsets[view]) for view in _VIEWS if view in parameter.offsets]
    return np.array([_log(parameter.centre, parameter), *offsets])


def _prior_cov(parameter: FailureParameter) -> Floats:
    known = [view for view in _VIEWS if view in parameter.offsets]
    return np.diag([parameter.levels[name] ** 2 for name in ("prior", *known)])


def _log(value: float, parameter: FailureParameter) -> float:
    share = parameter.share_frac is not None
    return float(np.log(value / (1.0 - value)) if share else np.log(value))


def _plain(logs: Floats, parameter: FailureParameter) -> Floats:
    share = parameter.share_frac is not None
    return 1.0 / (1.0 + np.exp(-logs)) if share else np.exp(logs)
