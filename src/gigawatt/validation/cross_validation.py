"""Predicting each run by a fit that has not seen it, nor anything of its group."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np

from gigawatt.domain.calibration import FittedParameter, Spread, TrainingCalibration
from gigawatt.errors import InputError
from gigawatt.validation.batch import Floats
from gigawatt.validation.calibrate import bare_fit, fit_from_priors
from gigawatt.validation.configurations import fold_labels, is_scored, settled, thinned
from gigawatt.validation.pricing import Predictions, predict_runs, with_fit
from gigawatt.validation.rows import MeasuredRun
from gigawatt.validation.spreads import Residuals, spread_for

Progress = Callable[[int, int, str], None]


def cross_validate(
    runs: Sequence[MeasuredRun],
    calibration: TrainingCalibration,
    by: str,
    num_workers: int = 2,
    progress: Progress | None = None,
) -> tuple[Predictions, tuple[str, ...]]:
    """Predictions [runs] of fits from physical priors and the other folds' runs alone, and each run's fold.

    Intervals are nested: a fold's 10 % and 90 % points come from the residuals of the other folds.

    Errors: InputError where there is nothing to leave out.
    """
    labels = fold_labels(runs, by)
    names = sorted(set(labels))
    if len(names) < 2:
        raise InputError(
            f"cannot leave out one {by} at a time: all runs are of {names[0]!r}" if names else "no runs"
        )
    found: dict[str, Predictions] = {}
    for done, (name, parameters) in enumerate(refits(runs, calibration, labels, names, num_workers)):
        held_out = [run for run, label in zip(runs, labels, strict=True) if label == name]
        found[name] = predict_runs(held_out, with_fit(calibration, bare_fit(parameters)))
        if progress:
            progress(done, len(names), f"without {name}")
    return _with_nested_intervals(runs, labels, _in_order(labels, found)), labels


def residuals_of(runs: Sequence[MeasuredRun], predictions: Predictions, labels: Sequence[str]) -> Residuals:
    """Measured over predicted of the configurations that are scored, each once, large sources thinned."""
    scored = [i for i, run in enumerate(runs) if is_scored(run)]
    at = [scored[i] for i in thinned([runs[i] for i in scored])]
    first = {runs[i].configuration: i for i in reversed(at)}
    once, measured_s = settled([runs[i] for i in at])
    kept = [first[run.configuration] for run in once]
    return Residuals(
        ratio=measured_s / predictions.step_s[kept],
        scopes=tuple(predictions.scopes[i] for i in kept),
        moe=tuple(runs[i].is_moe for i in kept),
        folds=tuple(labels[i] for i in kept),
    )


def _with_nested_intervals(
    runs: Sequence[MeasuredRun], labels: Sequence[str], predictions: Predictions
) -> Predictions:
    residuals = residuals_of(runs, predictions, labels)
    known: dict[tuple[str, str, bool], Spread] = {}
    for label, scope, run in zip(labels, predictions.scopes, runs, strict=True):
        if (label, scope, run.is_moe) not in known:
            known[label, scope, run.is_moe] = spread_for(residuals.without(label), scope, run.is_moe)
    spreads = [
        known[label, scope, run.is_moe]
        for label, scope, run in zip(labels, predictions.scopes, runs, strict=True)
    ]
    return Predictions(
        step_s=predictions.step_s,
        low_s=predictions.step_s * np.array([spread.low_frac for spread in spreads]),
        high_s=predictions.step_s * np.array([spread.high_frac for spread in spreads]),
        memory_bytes=predictions.memory_bytes,
        scopes=predictions.scopes,
    )


def _in_order(labels: Sequence[str], found: dict[str, Predictions]) -> Predictions:
    """Folds put back into the order of the runs."""
    taken = dict.fromkeys(found, 0)
    places = []
    for label in labels:
        places.append((label, taken[label]))
        taken[label] += 1

    def column(field: str) -> Floats:
        return np.array([getattr(found[label], field)[i] for label, i in places])

    return Predictions(
        step_s=column("step_s"),
        low_s=column("low_s"),
        high_s=column("high_s"),
        memory_bytes=column("memory_bytes"),
        scopes=tuple(found[label].scopes[i] for label, i in places),
    )


# -- refits in processes of their own ------------------------------------------------------------------

_Work = tuple[tuple[MeasuredRun, ...], TrainingCalibration, tuple[str, ...]]
_work: list[_Work] = []
"""What a worker process was started with."""


def refits(
    runs: Sequence[MeasuredRun],
    calibration: TrainingCalibration,
    labels: Sequence[str],
    names: Sequence[str],
    num_workers: int,
) -> Iterator[tuple[str, tuple[FittedParameter, ...]]]:
    """For each name the parameters that explain all runs but those labelled with it."""
    work: _Work = (tuple(runs), calibration, tuple(labels))
    if num_workers <= 1:
        yield from ((name, _refit_without(work, name)) for name in names)
        return
    with _one_thread_each():
        pool = ProcessPoolExecutor(
            min(num_workers, len(names)),
            mp_context=get_context("spawn"),
            initializer=_begin,
            initargs=(work,),
        )
        try:
            yield from zip(names, pool.map(_refit, names), strict=True)
        finally:
            # Whoever interrupts waits for the folds under way, not for all of them.
            pool.shutdown(cancel_futures=True)


def _begin(work: _Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # end at once, without a traceback
    _work.append(work)


def _refit(name: str) -> tuple[FittedParameter, ...]:
    return _refit_without(_work[-1], name)


def _refit_without(work: _Work, name: str) -> tuple[FittedParameter, ...]:
    runs, calibration, labels = work
    return fit_from_priors(
        [run for run, label in zip(runs, labels, strict=True) if label != name], calibration
    )


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Workers that start meanwhile do linear algebra on one thread: there is one worker per core already."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
