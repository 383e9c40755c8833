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


@dataclass(frozen=True)
class _Grid:
    """Pairs of deviations, and what follows with each: arrays run over the pairs first."""

    organisation_sd: Floats
    row_sd: Floats
    chances: Floats
    """Of each pair, once the evidence is known; together 1."""
    inverse: Floats
    """[pairs, observed, observed], of the covariance of what was observed."""
    solved: Floats
    """[pairs, observed]: that inverse times what was observed less what was expected."""


@dataclass(frozen=True)
class Pool:
    """What is known of a quantity from everybody who has seen it."""

    parameter: FailureParameter
    observed: tuple[Observation, ...]
    grid: _Grid

    @property
    def ratio(self) -> float:
        """By what factor organisations differ: one deviation, the middle of what evidence leaves open."""
        return float(np.exp(self.grid.chances @ self.grid.organisation_sd))

    def draws(
        self, view: View, organisations: frozenset[str], num_draws: int, rng: np.random.Generator
    ) -> Floats:
        """What one more row of these organisations may say: random values of the quantity."""
        means, spreads = self._moments(view, organisations)
        chosen = rng.choice(len(self.grid.chances), size=num_draws, p=self.grid.chances)
        logs = means[chosen] + spreads[chosen] * rng.standard_normal(num_draws)
        return _plain(logs, self.parameter)

    def middle(self, view: View, organisations: frozenset[str]) -> float:
        """The middle of what one more row of these organisations may say, about."""
        means, _ = self._moments(view, organisations)
        return float(_plain(np.array([self.grid.chances @ means]), self.parameter)[0])

    def _moments(self, view: View, organisations: frozenset[str]) -> tuple[Floats, Floats]:
        """Mean and deviation of the next logarithm, with each pair of deviations."""
        design, prior = _design([view], self.parameter), _prior_cov(self.parameter)
        seen = _design([one.view for one in self.observed], self.parameter)
        shared = np.array([bool(one.organisations & organisations) for one in self.observed], dtype=float)
        between, within = self.grid.organisation_sd**2, self.grid.row_sd**2
        along = (design @ prior @ seen.T)[0] + between[:, None] * shared
        mean = (design @ _prior_mean(self.parameter))[0] + np.einsum("gn,gn->g", along, self.grid.solved)
        explained = np.einsum("gn,gnm,gm->g", along, self.grid.inverse, along)
        return mean, np.sqrt((design @ prior @ design.T)[0, 0] + between + within - explained)


def pool_of(parameter: FailureParameter, observed: Sequence[Observation]) -> Pool | None:
    """What the observations say of a quantity; None where nobody has seen it."""
    if not observed:
        return None
    scales = np.linspace(0.0, _FARTHEST, _GRID + 1)[1:]
    between, within = (grid.ravel() for grid in np.meshgrid(scales, scales, indexing="ij"))
    organisation_sd, row_sd = between * parameter.levels["organisation"], within * parameter.levels["row"]
    covariance = _covariance(parameter, observed, organisation_sd, row_sd)
    design = _design([one.view for one in observed], parameter)
    gap = np.array([_log(one.value, parameter) for one in observed]) - design @ _prior_mean(parameter)
    inverse = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    solved = inverse @ gap
    # The evidence, times half-normal priors of both deviations.
    logs = -0.5 * (solved @ gap + np.linalg.slogdet(covariance)[1] + between**2 + within**2)
    chances = np.exp(logs - logs.max())
    grid = _Grid(organisation_sd, row_sd, chances / chances.sum(), inverse, solved)
    return Pool(parameter, tuple(observed), grid)


def _covariance(
    parameter: FailureParameter,
    observed: Sequence[Observation],
    organisation_sd: Floats,
    row_sd: Floats,
) -> Floats:
    """[pairs, observed, observed]: what the middle, organisations, rows and noise have in common."""
    design = _design([one.view for one in observed], parameter)
    alike = np.array([[bool(a.organisations & b.organisations) for b in observed] for a in observed])
    noise = np.diag([one.sd**2 for one in observed])
    own = row_sd[:, None, None] ** 2 * np.eye(len(observed))
    shared = organisation_sd[:, None, None] ** 2 * alike
    return np.asarray(design @ _prior_cov(parameter) @ design.T + noise + shared + own)


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
