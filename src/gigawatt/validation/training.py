"""Predicted against measured training runs: one's own or published ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gigawatt.catalog import Catalog
from gigawatt.domain.calibration import TrainingCalibration
from gigawatt.domain.validation import (
    IntervalScore,
    Ranking,
    Score,
    ScoredGroup,
    ValidatedRun,
    ValidationReport,
)
from gigawatt.validation import scores
from gigawatt.validation.causes import likely_causes
from gigawatt.validation.configurations import (
    chip_class,
    fold_labels,
    grouped,
    is_owed,
    is_scored,
    repeats,
)
from gigawatt.validation.conventions import convention_of
from gigawatt.validation.cross_validation import cross_validate
from gigawatt.validation.predictions import GIB
from gigawatt.validation.pricing import Predictions, predict_runs
from gigawatt.validation.rows import MeasuredRow, MeasuredRun, read_rows

MIN_RANKED = 5
"""Layouts of one model on one cluster from which on their order is scored."""
NUM_WORST = 15

Progress = Callable[[int, int, str], None]


def validate_training(
    files: Sequence[Path],
    catalogue: Catalog,
    leave_out: str = "",
    num_workers: int = 2,
    progress: Progress | None = None,
) -> ValidationReport:
    """Predict every row of the files and score the predictions, each configuration once.

    `leave_out` is blank for the catalogue's own calibration, else `model`, `family` or a column: then each
    run is predicted by a fit that has not seen its group, from physical priors and the files' other rows.

    Errors: InputError for files that are no tables of runs, or lack the column to leave out by.
    """
    return validate_apart([files], catalogue, leave_out, num_workers, progress)[0]


def validate_apart(
    sets: Sequence[Sequence[Path]],
    catalogue: Catalog,
    leave_out: str = "",
    num_workers: int = 2,
    progress: Progress | None = None,
) -> tuple[ValidationReport, ...]:
    """As `validate_training`, with a report for each set of files; refits see the rows of all sets."""
    calibration = catalogue.training_calibration()
    read = [read_rows(files, catalogue) for files in sets]
    priced = [[row for row in rows if isinstance(row, MeasuredRun)] for rows in read]
    together = [run for runs in priced for run in runs]
    if not together:
        return tuple(_report(rows, (), None, (), calibration, leave_out) for rows in read)
    if leave_out:
        found, folds = cross_validate(together, calibration, leave_out, num_workers, progress)
    else:
        found, folds = predict_runs(together, calibration), ("",) * len(together)
    reports, start = [], 0
    for rows, part in zip(read, priced, strict=True):
        end = start + len(part)
        mine = found.between(start, end)
        reports.append(_report(rows, part, mine, folds[start:end], calibration, leave_out))
        start = end
    return tuple(reports)


@dataclass(frozen=True)
class _Outcome:
    """Runs that are scored, with what was predicted for them."""

    runs: tuple[MeasuredRun, ...]
    measured_s: scores.Floats
    step_s: scores.Floats
    low_s: scores.Floats
    high_s: scores.Floats

    def of(self, chosen: Sequence[int]) -> _Outcome:
        at = list(chosen)
        picked = tuple(self.runs[i] for i in at)
        return _Outcome(picked, self.measured_s[at], self.step_s[at], self.low_s[at], self.high_s[at])

    def once(self, key: Callable[[MeasuredRun], Hashable] = lambda run: run.configuration) -> _Outcome:
        """Each configuration once: medians of its rows."""
        groups = grouped(key(run) for run in self.runs)
        columns = (self.measured_s, self.step_s, self.low_s, self.high_s)
        medians = [np.array([np.median(column[group]) for group in groups]) for column in columns]
        return _Outcome(tuple(self.runs[group[0]] for group in groups), *medians)

    def score(self) -> Score:
        once = self.once()
        return scores.score(once.step_s, once.measured_s)

    def interval(self) -> IntervalScore:
        once = self.once()
        return scores.interval_score(once.low_s, once.high_s, once.measured_s)


def _report(
    read: Sequence[MeasuredRow],
    priced: Sequence[MeasuredRun],
    found: Predictions | None,
    folds: Sequence[str],
    calibration: TrainingCalibration,
    leave_out: str,
) -> ValidationReport:
    outcome = _outcome(priced, found)
    owed = [row for row in read if is_owed(row)]
    rows = _rows(read, priced, found, folds, calibration)
    return ValidationReport(
        subject="training",
        cross_validation=leave_out,
        num_rows=len(read),
        num_full_layouts=len(owed),
        coverage_frac=sum(map(is_scored, owed)) / len(owed) if owed else 0.0,
        overall=outcome.score(),
        groups=tuple(_groups(outcome, leave_out)),
        memory=_memory(priced, found),
        interval=outcome.interval(),
        rankings=_rankings(outcome),
        repeat_floor=scores.repeat_floor(repeats(outcome.runs)),
        rows=rows,
        worst=_worst(outcome),
    )


def _outcome(priced: Sequence[MeasuredRun], found: Predictions | None) -> _Outcome:
    at = [i for i, run in enumerate(priced) if is_scored(run)]
    measured = np.array([priced[i].measured_step_s for i in at])
    if found is None:
        return _Outcome((), measured, measured, measured, measured)
    picked = tuple(priced[i] for i in at)
    return _Outcome(picked, measured, found.step_s[at], found.low_s[at], found.high_s[at])


def _groups(outcome: _Outcome, leave_out: str) -> list[ScoredGroup]:
    kinds: dict[str, Callable[[MeasuredRun], str]] = {
        "family": lambda run: run.family,
        "source": lambda run: run.row.get("source", ""),
        "model type": lambda run: "mixture of experts" if run.is_moe else "dense",
        "number format": lambda run: run.setting.format.peak,
    }
    if leave_out == "family":
        elsewhere = _known_elsewhere(outcome.runs)
        kinds["protocol"] = lambda run: "B" if (run.family, *chip_class(run)) in elsewhere else "C"
    if leave_out == "model":
        kept = _known_releases(outcome.runs)
        kinds["protocol"] = lambda run: "A" if run.setting.vintage in kept else "A, release not seen"
    found = []
    for kind, name_of in kinds.items():
        names = [name_of(run) for run in outcome.runs]
        parts = {names[group[0]]: group for group in grouped(names)}
        scored = {name: outcome.of(parts[name]).score() for name in sorted(filter(None, parts))}
        found += [ScoredGroup(kind=kind, name=name, score=score) for name, score in scored.items()]
    return found


def _known_elsewhere(runs: Sequence[MeasuredRun]) -> set[tuple[str, str, str]]:
    """Family, accelerator and number format that another family has runs of too."""
    families: dict[tuple[str, str], set[str]] = {}
    for run in runs:
        families.setdefault(chip_class(run), set()).add(run.family)
    return {(family, *chip) for chip, known in families.items() if len(known) > 1 for family in known}


def _known_releases(runs: Sequence[MeasuredRun]) -> set[str]:
    """Software releases that a fit still sees when any one model is left out: they ran two models or more."""
    models: dict[str, set[str]] = {}
    for run, model in zip(runs, fold_labels(runs, "model"), strict=True):
        models.setdefault(run.setting.vintage, set()).add(model)
    return {release for release, known in models.items() if len(known) > 1}


def _memory(priced: Sequence[MeasuredRun], found: Predictions | None) -> Score:
    at = [i for i, run in enumerate(priced) if is_scored(run) and run.measured_mem_gib > 0.0]
    if found is None or not at:
        return Score(n=0)
    groups = grouped(priced[i].configuration for i in at)
    measured = [np.median([priced[at[k]].measured_mem_gib for k in group]) for group in groups]
    predicted = [np.median([found.memory_bytes[at[k]] / GIB for k in group]) for group in groups]
    return scores.score(predicted, measured)


def _rankings(outcome: _Outcome) -> tuple[Ranking, ...]:
    once = outcome.once(lambda run: (cluster_of(run), run.layout, run.job))
    found = []
    for group in grouped(cluster_of(run) for run in once.runs):
        if len(group) < MIN_RANKED:
            continue
        part = once.of(group)
        tokens = np.array([tokens_per_accelerator(run) for run in part.runs])
        predicted, measured = tokens / part.step_s, tokens / part.measured_s
        model, kind, count, seq_len, software = cluster_of(part.runs[0])[:5]
        found.append(
            Ranking(
                name=f"{model}, {count} {kind}, {seq_len} tokens, {software}",
                num_layouts=len(group),
                spearman=scores.spearman(predicted, measured),
                regret_frac=scores.regret(predicted, measured),
            )
        )
    return tuple(found)


def cluster_of(run: MeasuredRun) -> tuple[str, ...]:
    """One model on one cluster; the shape, because rows of one name may differ in it."""
    shape = (str(run.model.hidden), str(run.model.num_layers))
    return (
        run.model.id,
        *(run.row.get(key, "") for key in ("gpu_kind", "gpus", "seq_len", "software")),
        *shape,
    )


def tokens_per_accelerator(run: MeasuredRun) -> float:
    """What one accelerator does in a step, if the tokens are shared out."""
    return run.job.global_batch * run.job.seq_len / run.layout.num_accelerators


def _rows(
    read: Sequence[MeasuredRow],
    priced: Sequence[MeasuredRun],
    found: Predictions | None,
    folds: Sequence[str],
    calibration: TrainingCalibration,
) -> tuple[ValidatedRun, ...]:
    causes = iter(likely_causes(priced, found, calibration) if found else ())
    position = iter(range(len(priced)))
    rows = []
    for row in read:
        told = ValidatedRun(
            id=row.id,
            source=row.row.get("source", ""),
            family=row.family,
            status=row.status,
            reason=row.reason,
        )
        if isinstance(row, MeasuredRun) and found is not None:
            told = told.model_copy(update=_predicted(row, found, next(position), next(causes), folds))
        rows.append(told)
    return tuple(rows)


def _predicted(
    run: MeasuredRun, found: Predictions, at: int, cause: str, folds: Sequence[str]
) -> dict[str, object]:
    return {
        "fold": folds[at],
        "reason": run.reason or cause,
        "convention": convention_of(run),
        "measured_step_s": run.measured_step_s,
        "measured_mem_bytes": run.measured_mem_gib * GIB or None,
        "predicted_step_s": float(found.step_s[at]),
        "low_step_s": float(found.low_s[at]),
        "high_step_s": float(found.high_s[at]),
        "predicted_mem_bytes": float(found.memory_bytes[at]),
    }


def _worst(outcome: _Outcome) -> tuple[str, ...]:
    once = outcome.once()
    if not once.runs:
        return ()
    order = np.argsort(-np.abs(once.step_s / once.measured_s - 1.0), kind="stable")
    return tuple(once.runs[int(i)].id for i in order[:NUM_WORST])
