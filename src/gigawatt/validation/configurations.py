"""Which rows measure the same thing, and which are left out together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeGuard

import numpy as np

from gigawatt.errors import InputError
from gigawatt.validation.batch import Floats
from gigawatt.validation.rows import CONFIGURATION, MeasuredRow, MeasuredRun

MOST_OF_ONE_SOURCE = 130
"""Configurations of one source that a fit sees: more of one study say little more."""


def grouped(keys: Iterable[Hashable]) -> list[list[int]]:
    """Positions that share a key, in order of first appearance."""
    found: dict[Hashable, list[int]] = defaultdict(list)
    for position, key in enumerate(keys):
        found[key].append(position)
    return list(found.values())


def settled(runs: Sequence[MeasuredRun]) -> tuple[tuple[MeasuredRun, ...], Floats]:
    """Each configuration once, and the median of its measured step times [configurations] s."""
    groups = grouped(run.configuration for run in runs)
    medians = [np.median([runs[i].measured_step_s for i in group]) for group in groups]
    return tuple(runs[group[0]] for group in groups), np.array(medians)


def thinned(runs: Sequence[MeasuredRun]) -> list[int]:
    """Positions of the runs that a fit sees: of a larger source, evenly spaced ones."""
    kept: list[int] = []
    for group in grouped(run.row.get("source", "") for run in runs):
        count = min(len(group), MOST_OF_ONE_SOURCE)
        kept += [group[int(i)] for i in np.linspace(0, len(group) - 1, count).round()]
    return sorted(kept)


def is_owed(run: MeasuredRow) -> bool:
    """Whether a prediction is owed: a full layout of a model whose laws there are."""
    return run.full_layout and run.has_laws


def is_scored(run: MeasuredRow) -> TypeGuard[MeasuredRun]:
    """Whether the run is predicted and its source does not contradict itself."""
    return run.status == "predicted"


def repeats(runs: Sequence[MeasuredRun]) -> list[list[float]]:
    """Measured step times of each configuration with its software releases and sites taken together."""
    groups = grouped(apart_from_software(run) for run in runs)
    return [[runs[i].measured_step_s for i in group] for group in groups]


def apart_from_software(run: MeasuredRun) -> tuple[str, ...]:
    """The configuration without its software release."""
    at = CONFIGURATION.index("software")
    return run.configuration[:at] + run.configuration[at + 1 :]


def fold_labels(runs: Sequence[MeasuredRun], by: str) -> tuple[str, ...]:
    """What each run is left out with: its model, its family of software, or any column of the file.

    Rows of one name are one model, whatever their exact shape; so are names that the catalogue knows as one.

    Errors: InputError where the files lack the column.
    """
    if by == "model":
        ids: dict[str, set[str]] = defaultdict(set)
        for run in runs:
            ids[run.row["model"]].add(run.model.id)
        return tuple(min(ids[run.row["model"]]) for run in runs)
    if by == "family":
        return tuple(run.family for run in runs)
    if not all(run.row.get(by) for run in runs):
        raise InputError(f"cannot leave out one {by} at a time: column {by!r} is missing or has blanks")
    return tuple(run.row[by] for run in runs)


def chip_class(run: MeasuredRun) -> tuple[str, str]:
    """Accelerator and class of number format (16, 8 or 4 bit): what protocol B asks another family for."""
    return run.setting.keys["accelerator"], run.setting.format.peak
