"""A plan rehearsed many times over, on all cores or on a cluster, until its figures are known well enough.

Replication r has the luck of seed + r, whatever runs it; they are counted in batches of a fixed size, in
order. So the same plan gives the same figures on any number of workers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import Literal

import numpy as np

from gigawatt.domain.twin import Estimate, FleetFigures, Rehearsal
from gigawatt.errors import ExternalError, InputError
from gigawatt.operate.rehearse import Inputs, Keep, Outcome, rehearse

Runner = Literal["threads", "ray"]
BATCH = 4
"""Replications between two looks at how well the figures are known."""
MOST_REPLICATIONS = 10_000
NINE_IN_TEN = (1 + 90 / 100) / 2
CONFIDENCE = (1 + 95 / 100) / 2
"""Quantiles at the upper ends of two-sided intervals."""

Progress = Callable[[float, float, str], None]
"""Told how much of how much has been played, and of what."""


def rehearse_many(
    inputs: Inputs,
    replications: int = 8,
    until_frac: float | None = None,
    workers: int | None = None,
    runner: Runner = "threads",
    progress: Progress = lambda _done, _total, _label: None,
    keep: Keep = lambda _rows: None,
) -> Rehearsal:
    """Rehearse a plan `replications` times, or with `until_frac` as often as it takes, up to so many times.

    `until_frac` is how far the 95 % confidence interval of the mean goodput may reach to a side. `keep` gets
    the log of the first replication. `runner` "ray" uses the cluster that Ray finds, or starts one here.
    Errors: InputError for a plan that cannot be played or numbers out of range, ExternalError without Ray.
    """
    if not 1 <= replications <= MOST_REPLICATIONS:
        raise InputError(f"replications: expected 1 to {MOST_REPLICATIONS:,}, found {replications:,}")
    if until_frac is not None and not 0.0 < until_frac < 1.0:
        raise InputError(f"until: expected more than 0 % and less than 100 %, found {until_frac:.4%}")
    outcomes: list[Outcome] = []
    while len(outcomes) < replications and not _known(outcomes, until_frac):
        first = len(outcomes)
        batch = range(first, min(first + BATCH, replications))
        label = f"replication {first + 1} of {replications}"
        run = _on_ray if runner == "ray" else _on_threads
        outcomes += run(inputs, batch, workers, partial(_tell, progress, label), keep)
    return summary(inputs.plan.name, outcomes, until_frac)


def _tell(progress: Progress, label: str, done: float, total: float) -> None:
    progress(done, total, label)


def _known(outcomes: Sequence[Outcome], until_frac: float | None) -> bool:
    if until_frac is None or len(outcomes) < BATCH:
        return False
    return estimate([one.figures.goodput_frac for one in outcomes]).half_width <= until_frac


def _on_threads(
    inputs: Inputs,
    batch: Iterable[int],
    workers: int | None,
    progress: Callable[[float, float], None],
    keep: Keep,
) -> list[Outcome]:
    """Kernels let go of Python's lock, so threads are enough. Whoever is interrupted stops all of them."""
    numbers, stopped = list(batch), Event()

    def tell(number: int, done: float, total: float) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        if number == numbers[0]:
            progress(done, total)

    def one(number: int) -> Outcome:
        seed, told = inputs.plan.seed + number, partial(tell, number)
        return rehearse(inputs, seed, told, keep) if number == 0 else rehearse(inputs, seed, told)

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        try:
            return list(pool.map(one, numbers))
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _on_ray(
    inputs: Inputs,
    batch: Iterable[int],
    workers: int | None,
    progress: Callable[[float, float], None],
    keep: Keep,
) -> list[Outcome]:
    try:
        import ray
    except ImportError:
        raise ExternalError("Ray is not installed here: pip install 'gigawatt[ray]'") from None
    if not ray.is_initialized():
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    numbers = list(batch)
    remote = ray.remote(rehearse)
    shared = ray.put(inputs)
    waiting = [remote.remote(shared, inputs.plan.seed + number) for number in numbers if number > 0]
    first = [rehearse(inputs, inputs.plan.seed, progress, keep)] if 0 in numbers else []
    return [*first, *ray.get(waiting)]


def estimate(values: Sequence[float]) -> Estimate:
    """Mean of replications, where nine in ten further ones fall, and how well the mean is known (95 %).

    By Student's t, for figures that scatter normally: the interval of a further value is wider than that of
    the mean. Shares stay between 0 and 1 where all values do. One value says nothing of either.
    """
    from scipy.special import stdtrit

    found, num = np.array(values, float), len(values)
    mean = float(found.mean())
    if num < 2 or found.min() == found.max():
        return Estimate(value=mean, low=mean, high=mean, half_width=0.0)
    sd = float(found.std(ddof=1))
    half_width = float(stdtrit(num - 1, CONFIDENCE)) * sd / np.sqrt(num)
    reach = float(stdtrit(num - 1, NINE_IN_TEN)) * sd * np.sqrt(1.0 + 1.0 / num)
    low, high = mean - reach, mean + reach
    if found.min() >= 0.0:
        low = max(low, 0.0)
    if found.min() >= 0.0 and found.max() <= 1.0:
        high = min(high, 1.0)
    return Estimate(value=mean, low=low, high=high, half_width=float(half_width))


def summary(name: str, outcomes: Sequence[Outcome], until_frac: float | None = None) -> Rehearsal:
    """The figures of several replications together."""
    all_figures = tuple(one.figures for one in outcomes)

    def over(figure: Callable[[FleetFigures], float]) -> Estimate:
        return estimate([figure(one) for one in all_figures])

    goodput = over(lambda one: one.goodput_frac)
    return Rehearsal(
        name=name,
        num_replications=len(outcomes),
        converged=len(outcomes) > 1 and goodput.half_width <= (1.0 if until_frac is None else until_frac),
        goodput_frac=goodput,
        ettr_frac=over(lambda one: one.ettr_frac),
        utilisation_frac=over(lambda one: one.utilisation_frac),
        num_interruptions=over(lambda one: one.num_interruptions),
        cost_usd=over(lambda one: one.cost_usd),
        energy_j=over(lambda one: one.energy_j),
        replications=all_figures,
        timeline=outcomes[0].timeline,
    )
