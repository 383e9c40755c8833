"""The calibration that comes with the catalogue: parameters of all runs, intervals of left-out ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawatt.catalog import Catalog
from gigawatt.domain.calibration import TrainingFit
from gigawatt.validation.configurations import is_scored
from gigawatt.validation.cross_validation import Progress, cross_validate, refits, residuals_of
from gigawatt.validation.rows import read_rows
from gigawatt.validation.spreads import Residuals, all_spreads, joined


@dataclass(frozen=True)
class About:
    """What a fit says of itself."""

    source: str
    date: str
    note: str
    default_software: str


def shipped_fit(
    files: Sequence[Path],
    catalogue: Catalog,
    about: About,
    num_workers: int = 2,
    progress: Progress | None = None,
) -> tuple[TrainingFit, dict[str, Residuals]]:
    """Fit all runs from the physical priors; take intervals from what left-out runs deviate by.

    Where software and accelerator are known, that is leaving out one model at a time; where they are not, one
    family of software at a time. Beside the fit: those residuals, by what was left out.
    """
    calibration = catalogue.training_calibration()
    runs = [run for run in read_rows(files, catalogue) if is_scored(run)]
    fit = quick_fit(files, catalogue, about, num_workers)
    found: dict[str, Residuals] = {}
    parts: list[Residuals] = []
    for by, scopes in (("model", ("software",)), ("family", ("accelerator", "neither"))):
        predictions, labels = cross_validate(runs, calibration, by, num_workers, progress)
        found[by] = residuals_of(runs, predictions, labels)
        parts += [found[by].at(scope) for scope in scopes]
    return fit.model_copy(update={"spreads": all_spreads(joined(parts))}), found


def quick_fit(files: Sequence[Path], catalogue: Catalog, about: About, num_workers: int = 2) -> TrainingFit:
    """Fit all runs from the physical priors, in a process of its own; intervals stay the catalogue's."""
    calibration = catalogue.training_calibration()
    runs = [run for run in read_rows(files, catalogue) if is_scored(run)]
    ((_, parameters),) = refits(runs, calibration, [""] * len(runs), ["nothing"], max(num_workers, 2))
    return TrainingFit(
        source=about.source,
        basis="measured",
        date=about.date,
        note=about.note,
        default_software=about.default_software,
        parameters=parameters,
        spreads=calibration.fit.spreads,
    )
