"""Hash collisions over a whole path: flows between leaves, each hashed onto a spine, up and down again.

One hop is balls into bins and known exactly (`gigawatt.laws.congestion`). A flow that is hashed onto a spine
loads that spine's links to both of its leaves, and the fullest of them all settles when the last flow ends:
drawn here, by a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
MOST_DRAWS = 10_000


class Collisions(NamedTuple):
    """Over hashes: the slow-down until the last flow ends, and what flows attain until then."""

    mean_factor: float
    p99_factor: float
    attained_frac: float
    """Mean, over hashes and flows, of what a flow gets at the fullest link of its path, of a perfect spread.

    With max-min fairness it gets as much or more: others on that link may be held back elsewhere.
    """


def hash_collisions(
    flows: Sequence[tuple[int, int]],
    num_spines: int,
    qps_per_flow: int = 1,
    flow_per_link_frac: float = 1.0,
    num_draws: int = 256,
    seed: int = 0,
) -> Collisions:
    """Collisions of equal flows from leaf to leaf, where every leaf has one link to every spine.

    Each flow would fill `flow_per_link_frac` of a link and is split over `qps_per_flow` queue pairs that are
    hashed on their own. Flows that stay under one leaf meet nobody. `num_draws` hashes, at most `MOST_DRAWS`;
    same seed, same answer.
    """
    crossing = np.array([pair for pair in flows if pair[0] != pair[1]], np.int64).reshape(-1, 2)
    if not len(crossing):
        return Collisions(1.0, 1.0, 1.0)
    rng = np.random.default_rng(seed)
    ends = np.repeat(crossing, qps_per_flow, axis=0)
    busiest = max(int(np.bincount(crossing[:, side]).max()) for side in (0, 1))
    even = max(1.0, busiest * flow_per_link_frac / num_spines)
    slowest, attained = [], []
    for _ in range(min(num_draws, MOST_DRAWS)):
        spine = rng.integers(0, num_spines, len(ends))
        fullest = _fullest_load(ends, spine, num_spines) * (flow_per_link_frac / qps_per_flow)
        slowest.append(max(float(fullest.max()), even) / even)
        attained.append(float(np.minimum(1.0, even / fullest).mean()))
    return Collisions(float(np.mean(slowest)), float(np.percentile(slowest, 99)), float(np.mean(attained)))


def _fullest_load(ends: Array, spine: Array, num_spines: int) -> Array:
    """Of each part of a flow, how many parts are on the fuller of its two links."""
    links = ends * num_spines + spine[:, None]
    loads = (np.bincount(links[:, side])[links[:, side]] for side in (0, 1))
    return np.asarray(np.maximum(*loads))
