"""One block of outcomes of a schedule: durations drawn, dates passed forward, longest paths traced back.

Plain functions of arrays in numba's subset, compiled by `gigawatt.kernels`; uncompiled they are their own
reference in the tests. Time is in days from the epoch. Activities stand in an order in which nothing comes
before what it waits for; milestones are activities that take no time.

What is summed is whole numbers, so that no order of blocks, hence no number of workers, changes a result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Scores = NDArray[np.float32]
"""[rows, samples] standard normal; single precision is finer than any table."""

FINISH_START, START_START, FINISH_FINISH = 0, 1, 2
NUM_BINS = 10
PATHS = 32
TICKS = 4096
"""Of a day, in which dates are summed."""
MAX_SCORE = 6.0
"""Scores beyond it (once in a billion) are taken for it."""
NODES_PER_SCORE = 128


class Network(NamedTuple):
    """What waits for what."""

    release: Floats
    """[activities] d: no earlier than this."""
    first_link: Ints
    """[activities + 1]"""
    source: Ints
    """[links] activity that is waited for."""
    kind: Ints
    """[links]"""
    lag: Floats
    """[links] d"""
    calendar: Ints
    """[activities]"""
    milestones: Ints
    """[milestones] activity."""


class Calendars(NamedTuple):
    """Working days, counted; beyond the last day of the table work goes on at the mean pace."""

    before: Ints
    """[calendars, days + 1] working days before this day."""
    day: Ints
    """[calendars, days] day of the n-th working day."""
    pace: Floats
    """[calendars] working days in a day of a normal week, 1 where every day is one."""
    plain: NDArray[np.bool_]
    """[calendars] whether nothing ever stops."""


class Draws(NamedTuple):
    """How durations follow from normal scores and uniform numbers."""

    tables: Floats
    """[tables, nodes] d: duration at scores from -MAX_SCORE to MAX_SCORE."""
    activity_table: Ints
    """[activities]"""
    activity_score: Ints
    """[activities] row of its own score, or -1 where its duration is certain."""
    own_loading: Floats
    """[activities]"""
    first_share: Ints
    """[activities + 1]"""
    share: Ints
    """[shares] factor, counted from the first factor."""
    share_loading: Floats
    """[shares]"""
    factor_score: Ints
    """[factors] row of its score."""
    risk_score: Ints
    """[risks] row of the score of its delay."""
    risk_table: Ints
    """[risks]"""
    risk_frac: Floats
    """[risks] probability."""
    first_risk: Ints
    """[activities + 1]"""
    risk: Ints
    """[pairs]"""
    tenths: NDArray[np.int8]
    """[nodes] tenth of the normal distribution that a node of the tables lies in."""


class Tally(NamedTuple):
    """What a worker has counted so far."""

    starts: NDArray[np.int32]
    """[activities, days] outcomes by day of start."""
    finishes: NDArray[np.int32]
    """[activities, days] outcomes by the day at whose end it is done."""
    critical: Ints
    """[activities, milestones]"""
    sums: Ints
    """[drivers, bins, milestones] ticks; drivers are activities, factors, risks in turn."""
    counts: Ints
    """[drivers, bins]"""


class Block(NamedTuple):
    """Room for one block of outcomes."""

    duration: Floats
    """[activities, samples] d"""
    score: Floats
    """[samples] normal score of one activity."""
    node: NDArray[np.int32]
    """[samples] the node of the tables before it."""
    start: Floats
    """[activities, samples] d"""
    finish: Floats
    """[activities, samples] d"""
    start_link: NDArray[np.int32]
    """[activities, samples] link that held the start, or -1."""
    finish_link: NDArray[np.int32]
    """[activities, samples] link that held the end, or -1."""
    starts: NDArray[np.uint32]
    """[activities, samples] bits of the milestones whose longest path goes through its start."""
    ends: NDArray[np.uint32]
    """[activities, samples] the same of its end."""
    bins: NDArray[np.int8]
    """[drivers, samples] tenth, or -1 of what is certain."""


def node_of(score: float) -> float:
    """Place of a score on a table."""
    place = (np.float64(score) + MAX_SCORE) * NODES_PER_SCORE
    last = 2 * MAX_SCORE * NODES_PER_SCORE - 1e-9
    return min(max(place, 0.0), last)


def looked_up(tables: Floats, table: int, score: float) -> float:
    """Duration at a score, by line between nodes."""
    place = node_of(score)
    node = int(place)
    low = tables[table, node]
    return float(low + (tables[table, node + 1] - low) * (place - node))


def draw_durations(draws: Draws, scores: Scores, uniforms: Floats, block: Block) -> None:
    """Durations of every activity of a block, and the bins of every driver."""
    bin_common(draws, scores, uniforms, block)
    for row in range(block.start.shape[0]):
        draw_duration(draws, scores, uniforms, block, row)


def bin_common(draws: Draws, scores: Scores, uniforms: Floats, block: Block) -> None:
    """The bins of factors and risks; of a risk the first or the last."""
    num_factors, num_risks = len(draws.factor_score), len(draws.risk_frac)
    first = block.bins.shape[0] - num_factors - num_risks
    for factor in range(num_factors):
        for n in range(block.bins.shape[1]):
            node = int(node_of(scores[draws.factor_score[factor], n]))
            block.bins[first + factor, n] = draws.tenths[node]
    for risk in range(num_risks):
        for n in range(block.bins.shape[1]):
            happens = uniforms[risk, n] < draws.risk_frac[risk]
            block.bins[first + num_factors + risk, n] = NUM_BINS - 1 if happens else 0


def draw_duration(draws: Draws, scores: Scores, uniforms: Floats, block: Block, row: int) -> None:
    """The durations of an activity, and their bins."""
    duration, bins = block.duration[row], block.bins[row]
    table, own = draws.activity_table[row], draws.activity_score[row]
    if own < 0:
        duration[:] = draws.tables[table, 0]
    else:
        block.score[:] = draws.own_loading[row] * scores[own]
        for place in range(draws.first_share[row], draws.first_share[row + 1]):
            common = scores[draws.factor_score[draws.share[place]]]
            for n in range(len(duration)):
                block.score[n] += draws.share_loading[place] * common[n]
        values, nodes = draws.tables[table], block.node
        for n in range(len(duration)):
            at = node_of(block.score[n])
            nodes[n] = np.int32(at)
            duration[n] = at - nodes[n]
        for n in range(len(duration)):
            low = values[nodes[n]]
            duration[n] = low + (values[nodes[n] + 1] - low) * duration[n]
            bins[n] = draws.tenths[nodes[n]]
    for pair in range(draws.first_risk[row], draws.first_risk[row + 1]):
        risk = draws.risk[pair]
        for n in range(len(duration)):
            if uniforms[risk, n] < draws.risk_frac[risk]:
                score = scores[draws.risk_score[risk], n]
                duration[n] += looked_up(draws.tables, draws.risk_table[risk], score)


def pass_forward(network: Network, calendars: Calendars, block: Block) -> None:
    """Earliest starts and ends, and the link that held each."""
    for row in range(block.start.shape[0]):
        start, finish = block.start[row], block.finish[row]
        start[:] = network.release[row]
        block.start_link[row, :] = -1
        block.finish_link[row, :] = -1
        first, last = network.first_link[row], network.first_link[row + 1]
        for link in range(first, last):
            if network.kind[link] != FINISH_FINISH:
                ends = block.start if network.kind[link] == START_START else block.finish
                _hold(ends[network.source[link]], network.lag[link], link, start, block.start_link[row])
        work_on(calendars, network.calendar[row], start, block.duration[row], finish)
        for link in range(first, last):
            if network.kind[link] == FINISH_FINISH:
                other = block.finish[network.source[link]]
                _hold(other, network.lag[link], link, finish, block.finish_link[row])


def _hold(other: Floats, lag: float, link: int, own: Floats, held_by: NDArray[np.int32]) -> None:
    for n in range(len(own)):
        if other[n] + lag > own[n]:
            own[n] = other[n] + lag
            held_by[n] = link


def work_on(calendars: Calendars, calendar: int, start: Floats, duration: Floats, finish: Floats) -> None:
    """When work that starts then is done."""
    if calendars.plain[calendar]:
        for n in range(len(start)):
            finish[n] = start[n] + duration[n]
        return
    before, days = calendars.before[calendar], calendars.day[calendar]
    pace, last = calendars.pace[calendar], calendars.day.shape[1] - 1
    num_working = before[last + 1]
    for n in range(len(start)):
        day = int(start[n])
        if day > last:
            finish[n] = start[n] + duration[n]
            continue
        begun = before[day] + (before[day + 1] - before[day]) * (start[n] - day)
        done = begun + duration[n] * pace
        whole = int(np.ceil(done)) - 1
        if whole >= num_working:
            finish[n] = last + 1 + (done - num_working) / pace
        elif whole < 0:
            finish[n] = start[n]
        else:
            finish[n] = max(start[n], days[whole] + (done - whole))


def trace(network: Network, block: Block, tally: Tally, dates: Floats) -> None:
    """Take the dates [samples, milestones] d of milestones, and count what is on the longest path to each.

    Of two activities that hold a date the first counts. Paths to up to 32 milestones are followed at once, as
    bits, from the last activity to the first.
    """
    num_milestones, num_rows = len(network.milestones), block.start.shape[0]
    for number in range(num_milestones):
        for n in range(dates.shape[0]):
            dates[n, number] = block.finish[network.milestones[number], n]
    for first in range(0, num_milestones, PATHS):
        count = min(PATHS, num_milestones - first)
        block.starts[:] = 0
        block.ends[:] = 0
        for number in range(count):
            block.ends[network.milestones[first + number], :] |= np.uint32(1 << number)
        for row in range(num_rows - 1, -1, -1):
            _trace_row(network, block, tally.critical[row, first : first + count], row, dates.shape[0])


def _trace_row(network: Network, block: Block, critical: Ints, row: int, num_samples: int) -> None:
    for n in range(num_samples):
        paths, begun = block.ends[row, n], block.starts[row, n]
        if paths:
            link = block.finish_link[row, n]
            if link >= 0:
                block.ends[network.source[link], n] |= paths
            else:
                begun |= paths
                for number in range(len(critical)):
                    critical[number] += (paths >> np.uint32(number)) & np.uint32(1)
        if begun:
            link = block.start_link[row, n]
            if link >= 0:
                into = block.ends if network.kind[link] == FINISH_START else block.starts
                into[network.source[link], n] |= begun


def count_days(block: Block, tally: Tally, num_samples: int) -> None:
    """Count the days on which activities start and end; what is later than the last counts as then."""
    last = tally.starts.shape[1] - 1
    for row in range(block.start.shape[0]):
        for n in range(num_samples):
            begun = np.int32(np.floor(block.start[row, n]))
            done = np.int32(np.ceil(block.finish[row, n])) - 1
            tally.starts[row, min(max(begun, 0), last)] += 1
            tally.finishes[row, min(max(done, 0), last)] += 1


def count_bins(block: Block, tally: Tally, dates: Floats) -> None:
    """Sum the dates of every milestone by the tenth in which each driver came out."""
    num_samples, num_milestones = dates.shape
    ticks = np.empty((num_samples, num_milestones), np.int64)
    for n in range(num_samples):
        for number in range(num_milestones):
            ticks[n, number] = int(np.rint(dates[n, number] * TICKS))
    for driver in range(block.bins.shape[0]):
        if block.bins[driver, 0] < 0:
            continue
        for n in range(num_samples):
            tenth = block.bins[driver, n]
            tally.counts[driver, tenth] += 1
            for number in range(num_milestones):
                tally.sums[driver, tenth, number] += ticks[n, number]
