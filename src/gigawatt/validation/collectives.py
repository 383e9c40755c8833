"""Predicted against measured collectives: one's own or published ones; cross-validation and calibration."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gigawatt.catalog import Catalog
from gigawatt.design.collectives.algorithms import bus_factor
from gigawatt.design.collectives.physics import keys_of
from gigawatt.design.collectives.ranges import spread_among
from gigawatt.domain.calibration_collectives import CollectiveCalibration, CollectiveFit, CollectiveSpread
from gigawatt.domain.collectives import CollectiveReport, SeriesCause, ValidatedCollective
from gigawatt.domain.validation import ScoredGroup
from gigawatt.errors import InputError, Problem
from gigawatt.validation import scores
from gigawatt.validation.collective_batch import near_rate
from gigawatt.validation.collective_causes import Cause
from gigawatt.validation.collective_curves import series_causes
from gigawatt.validation.collective_files import NOTHING_GIVEN, Given
from gigawatt.validation.collective_fitting import (
    CollectiveProblem,
    collective_problem,
    fit_collectives,
    fitted_parameters,
    prior_of,
)
from gigawatt.validation.collective_rows import (
    MeasuredCollective,
    MeasuredCollectiveRow,
    read_collectives,
)
from gigawatt.validation.collective_spreads import (
    BANDS,
    CollectiveResiduals,
    collective_spread,
    collective_spreads,
)
from gigawatt.validation.configurations import grouped

Floats = NDArray[np.float64]
NUM_WORST = 15
MIN_CASES = 1
DOUBTS = ("poorly performing", "misconfiguration")
"""Words of a row's note by which its source says that the cluster was not well; it stays in every score."""

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class CollectivePredictions:
    """What is predicted of measurements [cases], and by what fit."""

    time_s: Floats
    low_s: Floats
    high_s: Floats
    known: tuple[bool, ...]
    folds: tuple[str, ...]
    fitted_s: Floats
    """By one fit that has seen them all, where predictions are of cross-validation; else the same."""


def validate_collectives(
    files: Sequence[Path],
    catalogue: Catalog,
    leave_out: str = "",
    progress: Progress | None = None,
    given: Given = NOTHING_GIVEN,
) -> CollectiveReport:
    """Predict every row of the files (tables, or raw output of nccl-tests) and score the predictions.

    Rows beyond their 10 % and 90 % points say what the gap of their series is likely due to. `given` is what
    a log does not say of itself: the network, the machines, the collective, the ranks.

    `leave_out` is blank for the catalogue's own calibration, else "series" or another column: then each row
    is predicted by a fit that has not seen its group, from the physical priors, the files' other rows and the
    catalogue's measurements of other clusters.

    Errors: InputError for files that hold no collectives, or lack the column to leave out by.
    """
    return validate_collective_rows(read_collectives(files, catalogue, given), catalogue, leave_out, progress)


def validate_collective_rows(
    rows: Sequence[MeasuredCollectiveRow],
    catalogue: Catalog,
    leave_out: str = "",
    progress: Progress | None = None,
) -> CollectiveReport:
    """As `validate_collectives`, of rows that are read already (such as a log's)."""
    calibration = catalogue.collective_calibration()
    cases = [row for row in rows if isinstance(row, MeasuredCollective)]
    if not cases:
        return _report(rows, (), None, leave_out)
    if leave_out:
        found = cross_validate_collectives(cases, catalogue, leave_out, progress)
    else:
        found = predict_measured(cases, calibration)
    beyond = [
        case.status == "predicted" and not low <= case.measured_s <= high
        for case, low, high in zip(cases, found.low_s, found.high_s, strict=True)
    ]
    causes = series_causes(cases, found.time_s, beyond, calibration)
    marked = {id(case.row) for case, outside in zip(cases, beyond, strict=True) if outside}
    told = [
        replace(row, reason=causes[row.series].text)
        if id(row.row) in marked and row.series in causes
        else row
        for row in rows
    ]
    report = _report(told, cases, found, leave_out)
    return report.model_copy(update={"causes": tuple(_series_cause(*one) for one in causes.items())})


def _series_cause(series: str, cause: Cause) -> SeriesCause:
    return SeriesCause(
        series=series, cause=cause.text, advice=cause.advice, left_frac=round(cause.left_frac, 9)
    )


def predict_measured(
    cases: Sequence[MeasuredCollective], calibration: CollectiveCalibration
) -> CollectivePredictions:
    """Predict measurements by the calibration as it is."""
    problem = collective_problem(cases, calibration)
    offsets = prior_of(problem, calibration.fit.parameters).offsets
    time_s = np.exp(problem.log_ratio(offsets) + problem.measured_log_s)
    known = tuple(_is_known(case, calibration.seen) for case in cases)
    spreads = [spread_among(calibration.fit.spreads, c.band, k) for c, k in zip(cases, known, strict=True)]
    return CollectivePredictions(time_s, *_interval(time_s, spreads), known, ("",) * len(cases), time_s)


def cross_validate_collectives(
    cases: Sequence[MeasuredCollective], catalogue: Catalog, leave_out: str, progress: Progress | None = None
) -> CollectivePredictions:
    """Predict each by a fit that has not seen its group; intervals from the other groups' gaps."""
    calibration = catalogue.collective_calibration()
    everything = [*cases, *_others(cases, catalogue)]
    problem = collective_problem(everything, calibration)
    labels = [_label(case, leave_out) for case in everything]
    folds = list(dict.fromkeys(labels[: len(cases)]))
    usable = np.array([case.status == "predicted" for case in everything])
    start = fit_collectives(problem, np.flatnonzero(usable))
    fitted_s = np.exp(problem.log_ratio(start) + problem.measured_log_s)
    time_s, known = fitted_s.copy(), [True] * len(everything)
    for number, fold in enumerate(folds):
        if progress:
            progress(number, len(folds), fold)
        kept = np.array([i for i, label in enumerate(labels) if label != fold and usable[i]], dtype=np.intp)
        left = np.array([i for i, label in enumerate(labels) if label == fold], dtype=np.intp)
        offsets = fit_collectives(problem, kept, start=start)
        time_s[left] = np.exp(problem.log_ratio(offsets) + problem.measured_log_s)[left]
        seen = _seen(everything[i] for i in kept)
        for i in left:
            known[i] = _is_known(everything[i], seen)
    return _with_spreads(problem, cases, time_s, fitted_s, known, labels)


def _with_spreads(
    problem: CollectiveProblem,
    cases: Sequence[MeasuredCollective],
    time_s: Floats,
    fitted_s: Floats,
    known: Sequence[bool],
    labels: Sequence[str],
) -> CollectivePredictions:
    count = len(cases)
    ratio = np.exp(problem.measured_log_s[:count]) / time_s[:count]
    bands, flags, folds = tuple(case.band for case in cases), tuple(known[:count]), tuple(labels[:count])
    at = [i for i, case in enumerate(cases) if case.status == "predicted"]
    residuals = CollectiveResiduals(
        ratio[at], tuple(bands[i] for i in at), tuple(flags[i] for i in at), tuple(folds[i] for i in at)
    )
    spreads = [collective_spread(residuals, *key) for key in zip(bands, flags, folds, strict=True)]
    low_s, high_s = _interval(time_s[:count], spreads)
    return CollectivePredictions(time_s[:count], low_s, high_s, flags, folds, fitted_s[:count])


def _interval(time_s: Floats, spreads: Sequence[CollectiveSpread]) -> tuple[Floats, Floats]:
    low = np.array([spread.low_frac for spread in spreads])
    high = np.array([spread.high_frac for spread in spreads])
    return time_s * low, time_s * high


def _others(cases: Sequence[MeasuredCollective], catalogue: Catalog) -> list[MeasuredCollective]:
    """The catalogue's measurements of series that the files do not have."""
    own = {case.series for case in cases}
    rows = read_collectives([catalogue.published_collectives], catalogue)
    return [row for row in rows if isinstance(row, MeasuredCollective) and row.series not in own]


def _label(case: MeasuredCollective, leave_out: str) -> str:
    if leave_out not in case.row:
        raise InputError(Problem(f'there is no column "{leave_out}" to leave out by', leave_out))
    return case.row[leave_out]


def _seen(cases: Iterable[MeasuredCollective]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for case in cases for pair in keys_of(case.near, case.far).items())


def _is_known(case: MeasuredCollective, seen: frozenset[tuple[str, str]]) -> bool:
    """Whether a fit has seen the transport that matters: the network where it is left, else the links."""
    keys = keys_of(case.near, case.far)
    level = "scale_out" if case.far else "scale_up"
    return (level, keys[level]) in seen


# -- scores ------------------------------------------------------------------------------------------------


def bandwidth_only_s(case: MeasuredCollective) -> float:
    """Time by bandwidth alone: the bus-bandwidth factor over the slowest link's rate, without any latency.

    What a planner without latency and algorithms computes; it serves as the baseline to beat.
    """
    rate = near_rate(case)
    if case.domains > 1:
        rate = min(rate, case.inside * case.far_bytes_per_s)
    return case.bytes_total * float(bus_factor(case.collective, case.ranks)) / rate


def _report(
    rows: Sequence[MeasuredCollectiveRow],
    cases: Sequence[MeasuredCollective],
    found: CollectivePredictions | None,
    leave_out: str,
) -> CollectiveReport:
    told = _rows(rows, found, leave_out)
    if found is not None:
        cases, found = _scored_cases(cases, found)
    measured = np.array([case.measured_s for case in cases])
    if found is None:
        nothing = scores.score([], [])
        interval = scores.interval_score([], [], [])
        return CollectiveReport(
            num_rows=len(rows), coverage_frac=0.0, overall=nothing, interval=interval, rows=told
        )
    plain = [at for at, case in enumerate(cases) if not case.exchange]
    baseline = np.array([bandwidth_only_s(cases[at]) for at in plain])
    by_band = [cases[at].band for at in plain]
    by_series = [cases[at].series for at in plain]
    return CollectiveReport(
        cross_validation=leave_out,
        num_rows=len(rows),
        coverage_frac=round(len(cases) / len(rows), 9),
        overall=scores.score(found.time_s, measured),
        groups=tuple(_groups(cases, found, measured)),
        fitted=tuple(_scored("size", [case.band for case in cases], found.fitted_s, measured)),
        baseline=(
            *_scored("size", by_band, baseline, measured[plain]),
            *_scored("series", by_series, baseline, measured[plain]),
        ),
        interval=scores.interval_score(found.low_s, found.high_s, measured),
        rows=told,
        worst=_worst(cases, found, measured),
    )


def _scored_cases(
    cases: Sequence[MeasuredCollective], found: CollectivePredictions
) -> tuple[list[MeasuredCollective], CollectivePredictions]:
    """Those whose source does not contradict itself, and their predictions."""
    at = [i for i, case in enumerate(cases) if case.status == "predicted"]
    kept = CollectivePredictions(
        time_s=found.time_s[at],
        low_s=found.low_s[at],
        high_s=found.high_s[at],
        known=tuple(found.known[i] for i in at),
        folds=tuple(found.folds[i] for i in at),
        fitted_s=found.fitted_s[at],
    )
    return [cases[i] for i in at], kept


def _groups(
    cases: Sequence[MeasuredCollective], found: CollectivePredictions, measured: Floats
) -> list[ScoredGroup]:
    known = ["known transport" if flag else "unseen transport" for flag in found.known]
    told = [f"{case.band}, {one}" for case, one in zip(cases, known, strict=True)]
    return [
        *_scored("size", [case.band for case in cases], found.time_s, measured),
        *_scored("size and transport", told, found.time_s, measured),
        *_scored("size and source", _by_word(cases), found.time_s, measured),
        *_scored("collective", [case.collective for case in cases], found.time_s, measured),
        *_scored("series", [case.series for case in cases], found.time_s, measured),
    ]


def _by_word(cases: Sequence[MeasuredCollective]) -> list[str]:
    """Size, and whether the measurement's own source says that the cluster performed badly."""
    doubted = [any(word in case.row.get("note", "") for word in DOUBTS) for case in cases]
    bands = {case.band for case, doubt in zip(cases, doubted, strict=True) if doubt}
    words = {True: ", called slow by its source", False: ", not called slow by its source"}
    return [
        f"{case.band}{words[doubt] if case.band in bands else ''}"
        for case, doubt in zip(cases, doubted, strict=True)
    ]


def _scored(kind: str, names: Sequence[Hashable], predicted: Floats, measured: Floats) -> list[ScoredGroup]:
    parts = {str(names[at[0]]): at for at in grouped(names)}
    order = [band for band in BANDS if band in parts] + sorted(set(parts) - set(BANDS))
    return [
        ScoredGroup(kind=kind, name=name, score=scores.score(predicted[parts[name]], measured[parts[name]]))
        for name in order
    ]


def _rows(
    rows: Sequence[MeasuredCollectiveRow], found: CollectivePredictions | None, leave_out: str
) -> tuple[ValidatedCollective, ...]:
    told, at = [], 0
    for row in rows:
        cells = row.row
        one = ValidatedCollective(
            series=row.series,
            collective=cells.get("collective", ""),
            bytes_total=float(cells["bytes"]) if cells.get("bytes") else None,
            num_ranks=int(cells["gpus"]) if cells.get("gpus", "").isdigit() else None,
            status=row.status,
            reason=row.reason,
        )
        if isinstance(row, MeasuredCollective) and found is not None:
            one = one.model_copy(update=_predicted(row, found, at, leave_out))
            at += 1
        told.append(one)
    return tuple(told)


def _predicted(
    case: MeasuredCollective, found: CollectivePredictions, at: int, leave_out: str
) -> dict[str, object]:
    return {
        "band": case.band,
        "fold": found.folds[at] if leave_out else "",
        "known": found.known[at],
        "measured_s": case.measured_s,
        "predicted_s": float(found.time_s[at]),
        "low_s": float(found.low_s[at]),
        "high_s": float(found.high_s[at]),
    } | _busbw(case, float(found.time_s[at]))


def _busbw(case: MeasuredCollective, predicted_s: float) -> dict[str, float]:
    """Bus bandwidths as nccl-tests define them."""
    if case.exchange:
        return {}
    moved = case.bytes_total * float(bus_factor(case.collective, case.ranks))
    return {
        "measured_busbw_bytes_per_s": moved / case.measured_s,
        "predicted_busbw_bytes_per_s": moved / predicted_s,
    }


def _worst(
    cases: Sequence[MeasuredCollective], found: CollectivePredictions, measured: Floats
) -> tuple[str, ...]:
    order = np.argsort(-np.abs(np.log(found.time_s / measured)), kind="stable")[:NUM_WORST]
    return tuple(f"{cases[i].series} {cases[i].collective} {cases[i].row.get('bytes', '')}" for i in order)


# -- calibration -------------------------------------------------------------------------------------------


def calibrate_collectives(
    files: Sequence[Path],
    catalogue: Catalog,
    source: str,
    date: str,
    note: str = "",
    given: Given = NOTHING_GIVEN,
) -> CollectiveFit:
    """The catalogue's fit, moved by one's own measurements as far as it left room; its intervals stay.

    Files are tables or raw output of nccl-tests; `given` is what a log does not say of itself.

    Errors: InputError where no row of the files can be predicted.
    """
    rows = read_collectives(files, catalogue, given, as_set=True)
    return calibrate_collective_rows(rows, catalogue, source, date, note)


def calibrate_collective_rows(
    rows: Sequence[MeasuredCollectiveRow], catalogue: Catalog, source: str, date: str, note: str = ""
) -> CollectiveFit:
    """As `calibrate_collectives`, of rows that are read already (such as a log's)."""
    calibration = catalogue.collective_calibration()
    cases = [row for row in rows if isinstance(row, MeasuredCollective) and row.status == "predicted"]
    if len(cases) < MIN_CASES:
        reasons = sorted({row.reason for row in rows if row.reason})
        raise InputError(Problem(f"no row can be predicted: {'; '.join(reasons) or 'the files are empty'}"))
    problem = collective_problem(cases, calibration)
    known = prior_of(problem, calibration.fit.parameters)
    every = np.arange(len(cases))
    offsets = fit_collectives(problem, every, known)
    before = {(row.name, row.level, row.key): row.num_rows for row in calibration.fit.parameters}
    mine = tuple(
        row.model_copy(update={"num_rows": row.num_rows + before.get((row.name, row.level, row.key), 0)})
        for row in fitted_parameters(problem, offsets, every, known)
    )
    replaced = {(row.name, row.level, row.key) for row in mine}
    kept = [p for p in calibration.fit.parameters if (p.name, p.level, p.key) not in replaced]
    return CollectiveFit(
        source=source,
        basis="measured",
        date=date,
        note=note,
        collectives=tuple(sorted({*calibration.fit.collectives, *(case.collective for case in cases)})),
        most_ranks=max(calibration.fit.most_ranks, *(case.ranks for case in cases)),
        parameters=(*kept, *mine),
        spreads=calibration.fit.spreads,
    )


def shipped_collective_fit(
    files: Sequence[Path],
    catalogue: Catalog,
    source: str,
    date: str,
    note: str,
    progress: Progress | None = None,
) -> CollectiveFit:
    """The fit that comes with the catalogue: from the priors to all rows; intervals by leaving out series."""
    calibration = catalogue.collective_calibration()
    cases = [row for row in read_collectives(files, catalogue) if isinstance(row, MeasuredCollective)]
    everything = [*cases, *_others(cases, catalogue)]
    problem = collective_problem(everything, calibration)
    every = np.arange(len(everything))
    offsets = fit_collectives(problem, every)
    found = cross_validate_collectives(cases, catalogue, "series", progress)
    ratio = np.array([case.measured_s for case in cases]) / found.time_s
    bands = tuple(case.band for case in cases)
    residuals = CollectiveResiduals(ratio, bands, found.known, found.folds)
    return CollectiveFit(
        source=source,
        basis="measured",
        date=date,
        note=note,
        collectives=tuple(sorted({case.collective for case in everything})),
        most_ranks=max(case.ranks for case in everything if not case.exchange),
        parameters=fitted_parameters(problem, offsets, every),
        spreads=collective_spreads(residuals),
    )
