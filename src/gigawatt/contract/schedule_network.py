"""A project as arrays: activities in an order that works, what they wait for, how durations are drawn."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

import numpy as np

from gigawatt.contract.schedule_calendar import calendar_tables
from gigawatt.contract.schedule_durations import (
    quantile_table_s,
    remaining_table_s,
    scores,
    tenths,
)
from gigawatt.contract.schedule_kernel import (
    FINISH_FINISH,
    FINISH_START,
    START_START,
    Calendars,
    Draws,
    Floats,
    Ints,
    Network,
)
from gigawatt.domain.schedule import (
    EVERY_DAY,
    Activity,
    ConstructionProject,
    DiscreteRisk,
    Duration,
    Link,
    Milestone,
    WorkCalendar,
)
from gigawatt.errors import InputError
from gigawatt.laws.progress import DAY_S
from gigawatt.laws.schedule import common_factor_loading

_LINKS = {"finish-start": FINISH_START, "start-start": START_START, "finish-finish": FINISH_FINISH}
_PLAIN = WorkCalendar(id=EVERY_DAY)
_NOTHING = Duration(fixed_s=0.0)
_MAX_DAYS = 22_000
"""Days for which calendars are laid out; later, work goes on at its mean pace."""


@dataclass(frozen=True, eq=False)
class Compiled:
    """A project ready to be drawn from."""

    rows: tuple[Activity | Milestone, ...]
    """In the order of the arrays."""
    epoch: date
    network: Network
    calendars: Calendars
    draws: Draws
    usual_days: Floats
    """[activities] d: durations of a plan of single dates."""
    num_scores: int


def find_cycle(waits_for: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """Names that wait for each other in a circle, the first repeated at the end; empty if there are none."""
    state: dict[str, int] = {}
    for root in waits_for:
        path: list[str] = []
        stack = [(root, iter(waits_for[root]))] if root not in state else []
        while stack:
            name, rest = stack[-1]
            if state.get(name) is None:
                state[name] = 1
                path.append(name)
            following = next((other for other in rest if other in waits_for), None)
            if following is None:
                state[name] = 2
                path.pop()
                stack.pop()
            elif state.get(following) == 1:
                return (*path[path.index(following) :], following)
            elif following not in state:
                stack.append((following, iter(waits_for[following])))
    return ()


def compile_project(project: ConstructionProject) -> Compiled:
    """Arrays of a project. Raises InputError for names that are not there, circles and unresolved priors."""
    _check_past(project)
    rows = _in_order(project)
    place = {row.id: number for number, row in enumerate(rows)}
    started = [row.started for row in rows if isinstance(row, Activity) and row.started]
    epoch = min([project.start, *started])
    calendars = {EVERY_DAY: 0} | {one.id: number for number, one in enumerate(project.calendars, 1)}
    at_site = {site.id: calendars[site.calendar] for site in project.sites if site.calendar}
    links = [_links(row, place) for row in rows]
    network = Network(
        release=np.array([_release(row, project.start, epoch) for row in rows]),
        first_link=_offsets(links),
        source=np.array([link[0] for of_row in links for link in of_row], np.int64),
        kind=np.array([link[1] for of_row in links for link in of_row], np.int64),
        lag=np.array([link[2] for of_row in links for link in of_row], np.float64),
        calendar=np.array([_calendar(row, calendars, at_site) for row in rows], np.int64),
        milestones=np.array([place[milestone.id] for milestone in project.milestones], np.int64),
    )
    laid_out = calendar_tables((_PLAIN, *project.calendars), epoch, _MAX_DAYS)
    worked = [
        _worked_s(row, project.start, epoch, laid_out, network.calendar[n]) for n, row in enumerate(rows)
    ]
    tables = _Tables(project, rows, worked)
    return Compiled(
        rows=rows,
        epoch=epoch,
        network=network,
        calendars=laid_out,
        draws=tables.draws(),
        usual_days=tables.medians(),
        num_scores=tables.num_scores,
    )


def _in_order(project: ConstructionProject) -> tuple[Activity | Milestone, ...]:
    """So that nothing comes before what it waits for; else in the order of the file."""
    rows: list[Activity | Milestone] = [*project.activities, *project.milestones]
    place = {row.id: number for number, row in enumerate(rows)}
    if len(place) < len(rows):
        twice = sorted({row.id for row in rows if place[row.id] != rows.index(row)})
        raise InputError(f"{', '.join(twice)}: an id given twice")
    waits_for = {row.id: [link.activity for link in row.after] for row in rows}
    if unknown := sorted({name for names in waits_for.values() for name in names} - set(place)):
        raise InputError(f"{', '.join(unknown)}: waited for, and neither an activity nor a milestone")
    if cycle := find_cycle(waits_for):
        raise InputError(f"{' -> '.join(cycle)}: each waits for the next")
    missing = [len(set(names)) for names in waits_for.values()]
    followers: list[list[int]] = [[] for _ in rows]
    for number, names in enumerate(waits_for.values()):
        for name in set(names):
            followers[place[name]].append(number)
    ready = [number for number, count in enumerate(missing) if not count]
    ordered = []
    while ready:
        number = heapq.heappop(ready)
        ordered.append(rows[number])
        for follower in followers[number]:
            missing[follower] -= 1
            if not missing[follower]:
                heapq.heappush(ready, follower)
    return tuple(ordered)


def _links(row: Activity | Milestone, place: Mapping[str, int]) -> list[tuple[int, int, float]]:
    """What a row waits for; what has begun waits for nothing more to begin, and what is done for nothing."""
    kept: Iterable[Link] = row.after
    if isinstance(row, Activity) and row.finished:
        kept = ()
    elif isinstance(row, Activity) and row.started:
        kept = [link for link in row.after if link.kind == "finish-finish"]
    return [(place[link.activity], _LINKS[link.kind], link.lag_s / DAY_S) for link in kept]


def _release(row: Activity | Milestone, start: date, epoch: date) -> float:
    if isinstance(row, Milestone):
        return 0.0
    if row.started:
        return float((row.started - epoch).days)
    return float((max(start, row.not_before or start) - epoch).days)


def _calendar(row: Activity | Milestone, calendars: Mapping[str, int], at_site: Mapping[str, int]) -> int:
    if isinstance(row, Milestone) or row.finished:
        return 0
    return calendars[row.calendar] if row.calendar else at_site.get(row.site, 0)


def _worked_s(row: Activity | Milestone, start: date, epoch: date, tables: Calendars, calendar: int) -> float:
    """What has been done of an activity under way, as its duration counts."""
    if isinstance(row, Milestone) or row.finished or not row.started or row.started >= start:
        return 0.0
    before = tables.before[calendar]
    days = before[(start - epoch).days] - before[(row.started - epoch).days]
    return float(days / tables.pace[calendar]) * DAY_S


def _hit_by(row: Activity | Milestone, risks: Sequence[DiscreteRisk]) -> list[int]:
    """Risks that may still make an activity longer."""
    if isinstance(row, Milestone) or row.finished:
        return []
    return [number for number, risk in enumerate(risks) if row.id in risk.activities]


def _check_past(project: ConstructionProject) -> None:
    """What has been is before the day from which on everything is drawn."""
    for row in project.activities:
        for name, day in (("started", row.started), ("finished", row.finished)):
            if day and day > project.start:
                raise InputError(f"{row.id}: {name} {day} is after the project's start {project.start}")


def _offsets(lists: Sequence[Sequence[object]]) -> Ints:
    return np.array([0, *accumulate(len(one) for one in lists)], np.int64)


class _Tables:
    """Tables of durations, and which scores each activity is drawn from."""

    def __init__(
        self, project: ConstructionProject, rows: Sequence[Activity | Milestone], worked_s: Sequence[float]
    ) -> None:
        self._project = project
        self._rows = rows
        self._nodes = scores()
        self._tables: list[Floats] = []
        self._known: dict[tuple[Duration, float], int] = {}
        self._numbers = [self._of_row(row, done_s) for row, done_s in zip(rows, worked_s, strict=True)]
        self._factor = {factor.id: number for number, factor in enumerate(project.factors)}
        self.num_scores = 0

    def draws(self) -> Draws:
        """How everything is drawn: scores of activities first, then of factors, then of risks."""
        own = [self._next_score() if self._tables[n][0] < self._tables[n][-1] else -1 for n in self._numbers]
        factors = [self._next_score() for _ in self._project.factors]
        shares = [self._shares(row) for row in self._rows]
        risks = self._project.risks
        risk_tables = [self._table(risk.delay) for risk in risks]
        hit = [_hit_by(row, risks) for row in self._rows]
        return Draws(
            activity_table=np.array(self._numbers, np.int64),
            activity_score=np.array(own, np.int64),
            own_loading=np.array([np.sqrt(1.0 - sum(part for _, part in row)) for row in shares]),
            first_share=_offsets(shares),
            share=np.array([factor for row in shares for factor, _ in row], np.int64),
            share_loading=np.array([float(common_factor_loading(part)) for row in shares for _, part in row]),
            factor_score=np.array(factors, np.int64),
            risk_score=np.array([self._next_score() for _ in risks], np.int64),
            risk_table=np.array(risk_tables, np.int64),
            risk_frac=np.array([risk.probability_frac for risk in risks], np.float64),
            first_risk=_offsets(hit),
            risk=np.array([risk for row in hit for risk in row], np.int64),
            tenths=tenths(),
            tables=np.array(self._tables),
        )

    def medians(self) -> Floats:
        """Durations at their medians."""
        return np.array([self._tables[n][len(self._nodes) // 2] for n in self._numbers])

    def _next_score(self) -> int:
        self.num_scores += 1
        return self.num_scores - 1

    def _shares(self, row: Activity | Milestone) -> list[tuple[int, float]]:
        """Factors of a row, and the correlation that each gives."""
        if isinstance(row, Milestone):
            return []
        factors = [self._project.factors[self._factor[name]] for name in row.shares]
        found = [(self._factor[factor.id], factor.correlation_frac) for factor in factors]
        if sum(part for _, part in found) > 1:
            raise InputError(f"{row.id}: the correlations of what it shares exceed one: lower them")
        return found

    def _of_row(self, row: Activity | Milestone, worked_s: float) -> int:
        if isinstance(row, Milestone):
            return self._table(_NOTHING)
        if row.finished and row.started:
            return self._table(Duration(fixed_s=((row.finished - row.started).days + 1) * DAY_S))
        return self._table(row.duration, worked_s, row.id)

    def _table(self, duration: Duration, elapsed_s: float = 0.0, owner: str = "") -> int:
        """The number of the table of a duration, made when it is first asked for."""
        key = (duration, elapsed_s)
        if key not in self._known:
            table_s = quantile_table_s(duration, self._nodes)
            if elapsed_s:
                table_s = remaining_table_s(table_s, elapsed_s, owner)
            self._known[key] = len(self._tables)
            self._tables.append(table_s / DAY_S)
        return self._known[key]
