"""How often a job of many nodes is interrupted, and what share of its time still makes progress.

Nodes fail independently of each other at a constant rate, unless a law says otherwise; an interruption takes
the whole job back to its last checkpoint. Rates are events per second, as everything here is in seconds.
"""

from __future__ import annotations

import numpy as np

from gigawatt.laws.numbers import Number


def job_failures_per_s(num_nodes: Number, node_failures_per_s: Number) -> Number:
    """Interruptions per second of a job that needs all of its nodes: they add up.

    Holds for independent failures at a constant rate; frailty and bursts have laws of their own below.

    Source: A. Kokolis et al., Revisiting Reliability in Large-Scale Machine Learning Research Clusters
    (arXiv:2410.21680, HPCA 2025): 6.50 failures per 1,000 node-days project to one every 0.23 hours for a
    job on 131,072 GPUs, eight to a node:

    >>> failures_per_s = job_failures_per_s(131072 / 8, 6.50e-3 / 86400)
    >>> round(1 / failures_per_s / 3600, 2)
    0.23
    """
    return num_nodes * node_failures_per_s


def rescaled_node_failures_per_s(
    node_failures_per_s: Number, accelerators_seen: Number, accelerators_per_node: Number
) -> Number:
    """Failure rate of a node with another number of accelerators than the nodes that were observed.

    Takes accelerators and what is bought with them (network port, share of host, power and cooling) for the
    cause, so that the rate of an accelerator stays the same.

    Source: Llama Team, The Llama 3 Herd of Models (arXiv:2407.21783), table 5: 58.7 % of the unexpected
    interruptions were of GPUs and their links, most others of what comes with each. A node of four
    accelerators fails half as often as one of eight:

    >>> rescaled_node_failures_per_s(6.5e-3, 8, 4)
    0.00325
    """
    return node_failures_per_s * accelerators_per_node / accelerators_seen


def frail_mttf_s(num_nodes: Number, node_failures_per_s: Number, frailty_shape: Number) -> Number:
    """Mean time to the first failure of nodes of which some are worse than others, in seconds.

    Each node's rate is drawn once from a gamma distribution of mean `node_failures_per_s` and shape
    `frailty_shape` (1: exponentially spread; without end: all alike). Needs num_nodes * frailty_shape > 1.

    Source: J. W. Vaupel, K. G. Manton, E. Stallard, The impact of heterogeneity in individual frailty
    (Demography 16, 1979): survival is (1 + r t / k)^-k for each, which is Lomax's distribution, of mean
    scale over shape less one. One node of shape 3 lives half as long again as its mean rate suggests:

    >>> frail_mttf_s(1, 0.01, 3.0)
    150.0
    """
    return frailty_shape / (node_failures_per_s * (num_nodes * frailty_shape - 1.0))


def frail_failures_per_s(
    num_nodes: Number, node_failures_per_s: Number, frailty_shape: Number, age_s: Number
) -> Number:
    """Interruptions per second after `age_s`, where a node that fails is replaced by one like the survivors.

    Frail nodes leave first, so that the rate of a run falls though no node gets better.

    Source: as `frail_mttf_s`: the mean rate of survivors is r / (1 + r t / k). With exponentially spread
    rates it has halved when the mean node was expected to fail:

    >>> frail_failures_per_s(1, 0.01, 1.0, 100.0)
    0.005
    """
    return num_nodes * node_failures_per_s / (1.0 + node_failures_per_s * age_s / frailty_shape)


def burst_interruptions_per_s(failures_per_s: Number, burst_failures: Number) -> Number:
    """Interruptions per second where failures come in bursts of `burst_failures` (mean, 1 or more).

    A burst (a switch, a power shelf, a bad update) fails many nodes and interrupts a job once: a census of
    nodes counts more failures than a job feels.

    Source: W. Feller, An Introduction to Probability Theory and Its Applications, volume 1, chapter XII,
    compound Poisson process: events come at the rate of bursts, their number at that times the mean size:

    >>> burst_interruptions_per_s(12.0, 1.5)
    8.0
    """
    return failures_per_s / burst_failures


def repeated_restart_s(restart_s: Number, refail_frac: Number) -> Number:
    """Mean time of all restarts until one holds, each failing again with chance `refail_frac`, in seconds.

    The node at fault is still in the job, say. Holds for independent attempts, of full length each.

    Source: W. Feller, An Introduction to Probability Theory and Its Applications, volume 1, chapter VI: the
    mean number of trials to a success is 1 / p. Retries 11 minutes apart (the median of arXiv:2605.09370),
    of which every second one holds, take:

    >>> repeated_restart_s(11.0, 0.5)
    22.0
    """
    return restart_s / (1.0 - refail_frac)


def interruption_wait_s(
    detection_s: Number, swap_s: Number, replacement_s: Number, spare_frac: Number
) -> Number:
    """Mean time from a failure to the begin of the restart, in seconds.

    The failure is noticed, then a hot spare is swapped in; with chance 1 - `spare_frac` none is left and the
    job queues until a node is repaired or found. `queueing.spares_fill_frac` gives that chance.

    Source: B. Wan et al., Robust LLM Training Infrastructure at ByteDance (arXiv:2509.16293): with
    inspection a NIC is found dead after 30 s instead of the default of about 10 minutes. With a spare at
    hand:

    >>> interruption_wait_s(30.0, 0.0, 3600.0, 1.0), interruption_wait_s(600.0, 0.0, 3600.0, 1.0)
    (30.0, 600.0)
    """
    return detection_s + spare_frac * swap_s + (1.0 - spare_frac) * replacement_s


def checkpoint_write_s(params: Number, saved_bytes: Number, write_bytes_per_s: Number) -> Number:
    """Time to write a checkpoint of `saved_bytes` per parameter, in seconds.

    Source: BigScience, BLOOM: a full checkpoint with optimizer states of its 176B parameters is 2.3 TB,
    13 bytes each. At the 2 TB/s that the storage of Llama 3 sustained (arXiv:2407.21783, section 3.3.1) it
    would take:

    >>> round(checkpoint_write_s(176.247e9, 13.05, 2e12), 2)
    1.15
    """
    return params * saved_bytes / write_bytes_per_s


def young_interval_s(write_s: Number, mttf_s: Number) -> Number:
    """Working time between checkpoints that loses the least, to first order, in seconds.

    Holds for writes that are short beside the time between failures (below about a hundredth of it).

    Source: J. W. Young, A first order approximation to the optimum checkpoint interval (CACM 17, 1974):
    sqrt(2 write mttf). Five minutes and a day:

    >>> round(float(young_interval_s(300.0, 86400.0)) / 60, 6)
    120.0
    """
    return np.sqrt(2.0 * write_s * mttf_s)


def daly_interval_s(write_s: Number, mttf_s: Number) -> Number:
    """Working time between checkpoints that loses the least, to higher order, in seconds.

    Holds for a write below twice the time between failures; beyond, that time itself.

    Source: J. T. Daly, A higher order estimate of the optimum checkpoint interval for restart dumps (Future
    Generation Computer Systems 22, 2006), figures 3 to 5: dumps of 5 minutes at a mean time between
    interrupts of 24 hours, 6 hours and 15 minutes are best 117, 57 and 9.1 minutes apart:

    >>> [round(float(daly_interval_s(5.0, mttf)), 1) for mttf in (24 * 60.0, 6 * 60.0, 15.0)]
    [116.7, 56.7, 9.1]
    """
    short = np.minimum(write_s / (2.0 * mttf_s), 1.0)
    series = young_interval_s(write_s, mttf_s) * (1.0 + np.sqrt(short) / 3.0 + short / 9.0) - write_s
    return np.where(short < 1.0, series, mttf_s)


def expected_ettr_frac(
    failures_per_s: Number,
    interval_s: Number,
    write_s: Number,
    restart_s: Number,
    queue_s: Number,
    productive_s: Number,
) -> Number:
    """Effective training time ratio of a run, expected to first order: productive over wall-clock time.

    Every interruption loses half an interval with its write and a restart, and queues; so do restart and
    queue once at the begin. `write_s` stalls training once per `interval_s` of work. Holds where a job
    seldom fails before its next checkpoint: failures_per_s * (interval_s + write_s + restart_s) below about
    0.1; `renewal_ettr_frac` has no such limit.

    Source: A. Kokolis et al. (arXiv:2410.21680), section on the expected ETTR, with the time of writes
    added: a single job on the 16,000 GPUs of RSC-1 expects 0.7 with hourly checkpoints and 0.93 with one
    every 5 minutes, restarting within 5 minutes at 6.50 failures per 1,000 node-days:

    >>> rate = job_failures_per_s(2000, 6.50e-3 / 86400)
    >>> [round(expected_ettr_frac(rate, minutes * 60.0, 0.0, 300.0, 0.0, 1e9), 2) for minutes in (60, 5)]
    [0.68, 0.93]
    """
    kept_frac = 1.0 - failures_per_s * (restart_s + 0.5 * (interval_s + write_s))
    started = (1.0 + restart_s / productive_s) * (1.0 + failures_per_s * queue_s)
    first_queue = queue_s / productive_s * kept_frac
    return interval_s / (interval_s + write_s) * kept_frac / (started + first_queue)


def renewal_ettr_frac(
    failures_per_s: Number, interval_s: Number, write_s: Number, restart_s: Number, wait_s: Number
) -> Number:
    """Effective training time ratio of a long run, exactly: productive over wall-clock time.

    The run works `interval_s`, writes for `write_s`, and so on; a failure takes it back to the last whole
    checkpoint, after `wait_s` (found out, replaced) during which nothing fails and `restart_s` during which
    it may fail again. Holds for failures at a constant rate, at any rate.

    Source: J. T. Daly (2006), the complete cost function M exp(R / M) (exp((tau + delta) / M) - 1) for tau
    of work, to which a wait after each failure adds the factor 1 + wait / M. It meets the first order of
    `expected_ettr_frac` where that holds, here RSC-1 with a checkpoint every 5 minutes:

    >>> rate = job_failures_per_s(2000, 6.50e-3 / 86400)
    >>> round(float(renewal_ettr_frac(rate, 300.0, 0.0, 300.0, 0.0)), 2)
    0.93
    """
    lost = np.exp(failures_per_s * restart_s) * (1.0 + failures_per_s * wait_s)
    return failures_per_s * interval_s / (lost * np.expm1(failures_per_s * (interval_s + write_s)))


def lost_per_interruption_s(kept_frac: Number, failures_per_s: Number, interval_s: Number) -> Number:
    """What an interruption costs beyond half an interval between checkpoints, in seconds, to first order.

    The other way round than `expected_ettr_frac`: from the share of time that a run is known to have kept.

    Source: Llama Team, The Llama 3 Herd of Models (arXiv:2407.21783), section 3.3.4: over 90 % of 54 days
    with 419 interruptions are at most this many minutes lost to each:

    >>> round(lost_per_interruption_s(0.90, 419 / (54 * 86400), 0.0) / 60, 1)
    20.6
    """
    return (1.0 / kept_frac - 1.0) / failures_per_s - 0.5 * interval_s


def interval_of_ettr_s(ettr_frac: Number, failures_per_s: Number, restart_s: Number) -> Number:
    """Time between checkpoints at which a long run keeps `ettr_frac` of its time, in seconds, to first order.

    None (0) where restarts alone cost more than that. Writes take no time.

    Source: A. Kokolis et al. (arXiv:2410.21680), the expected ETTR solved for the interval: a run on 100,000
    GPUs keeps a half of its time with a checkpoint about every 7 minutes at the 6.50 failures per 1,000
    node-days of RSC-1; with restarts of 5 minutes it is

    >>> rate = job_failures_per_s(12500, 6.50e-3 / 86400)
    >>> round(float(interval_of_ettr_s(0.5, rate, 300.0)) / 60, 1)
    7.7
    """
    return 2.0 * np.maximum((1.0 - ettr_frac) / failures_per_s - restart_s, 0.0)


def sound_failed_frac(failed_frac: Number, frail_failures_frac: Number) -> Number:
    """Share of jobs that still fail once the nodes that cause `frail_failures_frac` of all failures are gone.

    Holds for jobs that meet frail nodes at the rate at which their failures come: large ones.

    Source: A. Kokolis et al. (arXiv:2410.21680), lemon nodes: without them 4 % of the jobs on 512 GPUs and
    more failed instead of 14 %, as if 73 % of the failures had been theirs:

    >>> round(sound_failed_frac(0.14, 0.73), 2)
    0.04
    """
    return 1.0 - (1.0 - failed_frac) ** (1.0 - frail_failures_frac)


def independent_product_ratio(first_ratio: Number, second_ratio: Number) -> Number:
    """A percentile of a product over its middle, from those of two factors that know nothing of each other.

    Each ratio is a factor's 90 % point over its middle (or any other percentile, the same for both), for
    logarithmically normal factors; the two variances of the logarithms add. Returns a ratio of 1 or more.

    Source: JCGM 100:2008, Guide to the Expression of Uncertainty in Measurement, 5.1.6: relative
    uncertainties of a product of powers combine as the root of the sum of squares, 3 % and 4 % to 5 %:

    >>> round(float(np.log(independent_product_ratio(np.exp(0.03), np.exp(0.04)))), 6)
    0.05
    """
    return np.exp(np.hypot(np.log(first_ratio), np.log(second_ratio)))
