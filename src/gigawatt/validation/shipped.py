"""The calibration that comes with the catalogue: parameters from all runs, intervals from cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawatt.catalog import Catalog
from gigawatt.domain.calibration import TrainingFit
from gigawatt.validation.configurations import is_scored
from gigawatt.validation.cross_validation import Progress, cross_validate, refits, residuals_of
from gigawatt.validation.rows import read_runs
from gigawatt.validation.spreads import Residuals, all_spreads, joined


@dataclass(frozen=True)
class About:
    """What a fit says of itself."""

    source: str
    date: str
    note: str
    default_software: str


def shipped_fit(
    files: Sequence[Path], catalogue: Catalog, about: About, num_workers: int = 2, progress: Progress | None = None
) -> TrainingFit:
    """Fit all runs from the physical priors; take intervals from what left-out runs deviate by.

    Where software and accelerator are known, that is leaving out one model at a time; where they are not, one
    family of software at a time.
    """
    calibration = catalogue.training_calibration()
    runs = [run for run in read_runs(files, catalogue) if is_scored(run)]
    ((_, parameters),) = refits(runs, calibration, [""] * len(runs), ["nothing"], num_workers)
    parts: list[Residuals] = []
    for by, scopes in (("model", ("software",)), ("family", ("accelerator", "neither"))):
        found, labels = cross_validate(runs, calibration, by, num_workers, progress)
        residuals = residuals_of(runs, found, labels)
        parts += [residuals.at(scope) for scope in scopes]
    return TrainingFit(
        source=about.source,
        basis="measured",
        date=about.date,
        note=about.note,
        default_software=about.default_software,
        parameters=parameters,
        spreads=all_spreads(joined(parts)),
    )
