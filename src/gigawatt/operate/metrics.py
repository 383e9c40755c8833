"""Figures of a fleet as folds over what its jobs did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from gigawatt.domain.fleet import QueueFigures
from gigawatt.operate.tables import Floats, Ints
from gigawatt.units import parse_quantity

HOUR_S = parse_quantity("1 h", "_s")


class Ran(NamedTuple):
    """Jobs that ran, as columns."""

    pool: Ints
    """[jobs]"""
    submit_s: Floats
    """[jobs] s"""
    start_s: Floats
    """[jobs] s"""
    end_s: Floats
    """[jobs] s"""
    num_gpus: Ints
    """[jobs]"""

    def of(self, places: Ints) -> Ran:
        """Those jobs alone."""
        return Ran(
            pool=self.pool[places],
            submit_s=self.submit_s[places],
            start_s=self.start_s[places],
            end_s=self.end_s[places],
            num_gpus=self.num_gpus[places],
        )

    @property
    def span_s(self) -> float:
        """From the first submission to the last end; 0 where nothing ran."""
        return float(self.end_s.max() - self.submit_s.min()) if len(self.pool) else 0.0


def figures_by_pool(ran: Ran, names: Sequence[str], total_gpus: Sequence[int]) -> tuple[QueueFigures, ...]:
    """The figures of each pool, in their order."""
    order = np.argsort(ran.pool, kind="stable")
    bounds = np.searchsorted(ran.pool[order], np.arange(len(names) + 1))
    found = []
    for pool, name in enumerate(names):
        mine = order[bounds[pool] : bounds[pool + 1]]
        found.append(figures(ran.of(mine), name, total_gpus[pool], ran.span_s))
    return tuple(found)


def figures(ran: Ran, tenant: str, total_gpus: int, span_s: float) -> QueueFigures:
    """The figures of some jobs on so many GPUs, over a span that may be longer than theirs."""
    queue_s, jct_s = ran.start_s - ran.submit_s, ran.end_s - ran.submit_s
    work = float(((ran.end_s - ran.start_s) * ran.num_gpus).sum())
    there = total_gpus * span_s
    return QueueFigures(
        tenant=tenant,
        num_gpus=int(total_gpus),
        num_jobs=len(queue_s),
        mean_queue_s=_mean(queue_s),
        p50_queue_s=_percentile(queue_s, 50),
        p90_queue_s=_percentile(queue_s, 90),
        max_queue_s=_percentile(queue_s, 100),
        mean_jct_s=_mean(jct_s),
        p50_jct_s=_percentile(jct_s, 50),
        p90_jct_s=_percentile(jct_s, 90),
        gpu_h=work / HOUR_S,
        utilisation_frac=work / there if there else 0.0,
    )


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def _percentile(values: Floats, percent: int) -> float:
    """Interpolated between neighbours; 0 of nothing."""
    return float(np.percentile(values, percent)) if len(values) else 0.0
