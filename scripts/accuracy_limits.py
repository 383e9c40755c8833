"""How much of the error of left-out runs no model of kernels and networks can remove: a section of the page.

Imported by `validation_page.py`, which computes the predictions that this takes apart.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.validation import Score, ValidationReport
from gigawatt.validation.configurations import apart_from_software, chip_class, grouped, settled
from gigawatt.validation.rows import MeasuredRow, MeasuredRun
from gigawatt.validation.scores import score, spearman
from gigawatt.validation.training import MIN_RANKED, cluster_of, tokens_per_accelerator

Floats = NDArray[np.float64]

DRAWS = 2000
MEDIAN_GAP = 0.954
"""Median distance of two normal draws in standard deviations: 0.6745 times the root of 2."""


class Once(NamedTuple):
    """Each configuration once: who ran it, how long it took, how long it was predicted to take."""

    runs: tuple[MeasuredRun, ...]
    measured_s: Floats
    predicted_s: Floats


def once_of(rows: Sequence[MeasuredRow], report: ValidationReport) -> Once:
    """The scored rows of a report."""
    predicted = {row.id: row.predicted_step_s for row in report.rows if row.status == "predicted"}
    runs = [row for row in rows if isinstance(row, MeasuredRun) and row.id in predicted]
    first, measured_s = settled(runs)
    groups = grouped(run.configuration for run in runs)
    step_s = np.array([np.median([predicted[runs[i].id] or 0.0 for i in group]) for group in groups])
    return Once(first, measured_s, step_s)


def of(once: Once, chosen: Sequence[int]) -> Once:
    """Some of them."""
    at = list(chosen)
    return Once(tuple(once.runs[i] for i in at), once.measured_s[at], once.predicted_s[at])


def in_b(once: Once) -> Once:
    """Those whose accelerator and width of format another family has too."""
    families: dict[Hashable, set[str]] = {}
    for run in once.runs:
        families.setdefault(chip_class(run), set()).add(run.family)
    return of(once, [i for i, run in enumerate(once.runs) if len(families[chip_class(run)]) > 1])


def as_predicted(once: Once) -> Score:
    """The score as it is."""
    return score(once.predicted_s, once.measured_s)


def with_own_speed(once: Once, group_of: Callable[[MeasuredRun], Hashable]) -> Score:
    """The score if every group's own median speed were known beforehand."""
    ratio = once.predicted_s / once.measured_s
    for group in grouped(group_of(run) for run in once.runs):
        ratio[group] /= np.median(ratio[group])
    return score(ratio, np.ones_like(ratio))


def from_other_releases(once: Once) -> Score:
    """The score of copying each run from the median of the same configuration's other releases and sites."""
    copied, own = [], []
    for group in grouped(apart_from_software(run) for run in once.runs):
        for i in group:
            others = [once.measured_s[k] for k in group if k != i]
            if others:
                copied.append(float(np.median(others)))
                own.append(float(once.measured_s[i]))
    return score(copied, own)


def of_repeated(once: Once) -> Score:
    """The score of the predictions on those very runs."""
    groups = grouped(apart_from_software(run) for run in once.runs)
    part = of(once, [i for group in groups if len(group) > 1 for i in group])
    return score(part.predicted_s, part.measured_s)


def clusters(once: Once) -> list[Once]:
    """Layouts of one model on one cluster, in the order in which the report ranks them; times for a token."""
    same = grouped((cluster_of(run), run.layout, run.job) for run in once.runs)
    runs = tuple(once.runs[group[0]] for group in same)
    measured_s, predicted_s = (
        np.array([np.median(times[group]) for group in same]) for times in (once.measured_s, once.predicted_s)
    )
    tokens = np.array([tokens_per_accelerator(run) for run in runs])
    each = Once(runs, measured_s / tokens, predicted_s / tokens)
    groups = grouped(cluster_of(run) for run in runs)
    return [of(each, group) for group in groups if len(group) >= MIN_RANKED]


def remeasured(once: Once, gap_frac: float) -> float:
    """Mean rank correlation of times with the same ones measured anew, `gap_frac` apart in the median."""
    random = np.random.default_rng(0)
    noise = random.normal(0.0, gap_frac / MEDIAN_GAP, (DRAWS, once.measured_s.size))
    return float(np.mean([spearman(once.measured_s, once.measured_s * np.exp(draw)) for draw in noise]))


def by_tensor_parallelism(once: Once) -> float:
    """Rank correlation if the median speed of every TP degree were known beforehand."""
    predicted_s = once.predicted_s.copy()
    for group in grouped(run.layout.tp for run in once.runs):
        predicted_s[group] /= np.median(predicted_s[group] / once.measured_s[group])
    return spearman(predicted_s, once.measured_s)
