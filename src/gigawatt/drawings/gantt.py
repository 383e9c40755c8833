"""Construction risk as a Gantt chart: bars at the median, whiskers from P10 to P90, criticality."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby

from gigawatt.domain.schedule import ActivityRisk, MilestoneRisk, ScheduleRisk
from gigawatt.drawings.markup import Markup, element
from gigawatt.drawings.sheet import INK, MUTED, PANEL, RULE, SERIES, box, group, line, sheet, text
from gigawatt.units import format_quantity

_WIDE, _LEFT, _RIGHT, _TOP, _ROW = 1180.0, 270.0, 160.0, 104.0, 20.0
_BAR = 11.0
_GROUPS: dict[str, str] = {
    "land": SERIES[4],
    "permits": SERIES[4],
    "interconnection": SERIES[1],
    "substation": SERIES[1],
    "transformers": SERIES[1],
    "switchgear": SERIES[1],
    "generators": SERIES[1],
    "turbines": SERIES[1],
    "shell": SERIES[6],
    "mep": SERIES[2],
    "racks": SERIES[0],
    "network": SERIES[0],
    "commissioning": SERIES[3],
    "other": SERIES[6],
}
_LEGEND = (
    ("land, permits", SERIES[4]),
    ("power to the site", SERIES[1]),
    ("shell", SERIES[6]),
    ("power and cooling in halls", SERIES[2]),
    ("racks, network", SERIES[0]),
    ("commissioning", SERIES[3]),
)


def gantt_svg(risk: ScheduleRisk) -> str:
    """The chart as an SVG file: activities by site and phase, then milestones with their targets."""
    rows = list(_rows(risk))
    axis = _Axis(risk)
    height = _TOP + _ROW * len(rows) + 40.0
    parts = [
        text(20.0, 32.0, risk.title, 17.0, bold=True),
        text(20.0, 52.0, _summary(risk), 12.0, MUTED),
        *_legend(),
        *axis.grid(_TOP, height - 34.0),
    ]
    for number, row in enumerate(rows):
        parts += _row(row, _TOP + _ROW * number, axis)
    return sheet(_WIDE, height, risk.title, *parts)


def _summary(risk: ScheduleRisk) -> str:
    return (
        f"Bars: median start to median end; whiskers: P10 to P90 of the end. {risk.num_samples:,} outcomes "
        f"from {risk.start}. Per cent: share of outcomes in which it is critical to some milestone."
    )


def _rows(risk: ScheduleRisk) -> Iterator[str | ActivityRisk | MilestoneRisk]:
    ordered = sorted(risk.activities, key=lambda one: (_first(risk, one.site), one.phase))
    for (site, phase), members in groupby(ordered, key=lambda one: (one.site, one.phase)):
        yield " · ".join(filter(None, (site, phase))) or "activities"
        yield from members
    yield "milestones"
    yield from risk.milestones


def _first(risk: ScheduleRisk, site: str) -> int:
    """Sites in the order in which the project names them."""
    return next(number for number, one in enumerate(risk.activities) if one.site == site)


class _Axis:
    """Days to pixels."""

    def __init__(self, risk: ScheduleRisk) -> None:
        starts = [one.start_p50 for one in risk.activities]
        ends = [one.finish_p90 for one in risk.activities] + [one.p90 for one in risk.milestones]
        ends += [one.target for one in risk.milestones if one.target]
        self.first = min(starts).replace(day=1)
        self.last = max(ends) + timedelta(days=10)
        self.per_day = (_WIDE - _LEFT - _RIGHT) / max(1, (self.last - self.first).days)

    def x(self, day: date) -> float:
        """Where the morning of a day is."""
        return _LEFT + (day - self.first).days * self.per_day

    def grid(self, top: float, bottom: float) -> Iterator[Markup]:
        """A line for each quarter and a number for each year."""
        day = self.first
        while day <= self.last:
            if day.month in (1, 4, 7, 10):
                year = day.month == 1
                yield line(self.x(day), top - (18.0 if year else 4.0), self.x(day), bottom, RULE, 1.0)
                label = str(day.year) if year else f"Q{(day.month + 2) // 3}"
                if year or self.per_day * 90 >= 24.0:
                    yield text(self.x(day) + 3.0, top - 7.0, label, 10.0, INK if year else MUTED)
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _legend() -> Iterator[Markup]:
    x = 20.0
    for words, fill in _LEGEND:
        yield box(x, 64.0, 12.0, 10.0, fill, radius=2.0)
        yield text(x + 17.0, 73.0, words, 11.0, MUTED)
        x += 34.0 + 6.2 * len(words)
    yield line(x + 3.0, 62.0, x + 3.0, 76.0, SERIES[5], 2.0)
    yield text(x + 10.0, 73.0, "target", 11.0, MUTED)


def _row(row: str | ActivityRisk | MilestoneRisk, y: float, axis: _Axis) -> Iterator[Markup]:
    if isinstance(row, str):
        yield box(12.0, y + 2.0, _WIDE - 24.0, _ROW - 4.0, PANEL)
        yield text(20.0, y + 14.0, row, 11.0, MUTED, bold=True)
    elif isinstance(row, ActivityRisk):
        yield from _activity(row, y, axis)
    else:
        yield from _milestone(row, y, axis)


def _activity(row: ActivityRisk, y: float, axis: _Axis) -> Iterator[Markup]:
    share = max(row.criticality_frac.values(), default=0.0)
    yield text(28.0, y + 14.0, _short(row.name), 11.0)
    start, end = axis.x(row.start_p50), axis.x(row.finish_p50 + timedelta(days=1))
    hint = f"{row.name}: {row.start_p50} to {row.finish_p50} (P10 {row.finish_p10}, P90 {row.finish_p90})"
    fill = RULE if row.done else _GROUPS[row.kind]
    yield box(start, y + 4.5, max(2.0, end - start), _BAR, fill, radius=2.0, hint=hint)
    if row.done:
        yield text(end + 5.0, y + 14.0, "done", 10.0, MUTED)
        return
    first, last = axis.x(row.finish_p10 + timedelta(days=1)), axis.x(row.finish_p90 + timedelta(days=1))
    yield _whisker(first, last, y + 4.5 + _BAR / 2)
    if share >= 0.005:
        yield text(last + 5.0, y + 14.0, f"{share:.0%}", 10.0, INK if share >= 0.5 else MUTED)


def _milestone(row: MilestoneRisk, y: float, axis: _Axis) -> Iterator[Markup]:
    power = f", {format_quantity(row.power_w, '_w')}" if row.power_w else ""
    yield text(28.0, y + 14.0, _short(row.name + power), 11.0)
    middle = y + 10.0
    x, first, last = (axis.x(day + timedelta(days=1)) for day in (row.p50, row.p10, row.p90))
    yield _whisker(first, last, middle)
    yield _diamond(x, middle, f"{row.name}: P10 {row.p10}, P50 {row.p50}, P90 {row.p90}")
    words = f"{row.p50}"
    if row.target and row.meets_target_frac is not None:
        target = axis.x(row.target + timedelta(days=1))
        yield line(target, y + 2.0, target, y + _ROW - 2.0, SERIES[5], 2.0)
        words += f", {row.meets_target_frac:.0%} by target"
    yield text(last + 5.0, y + 14.0, words, 10.0, MUTED)


def _whisker(first: float, last: float, y: float) -> Markup:
    return group(
        line(first, y, last, y, INK, 1.2),
        line(first, y - 3.5, first, y + 3.5, INK, 1.2),
        line(last, y - 3.5, last, y + 3.5, INK, 1.2),
    )


def _diamond(x: float, y: float, hint: str) -> Markup:
    points = f"{x:.2f},{y - 6:.2f} {x + 6:.2f},{y:.2f} {x:.2f},{y + 6:.2f} {x - 6:.2f},{y:.2f}"
    return element("polygon", element("title", hint), points=points, fill=INK)


def _short(words: str) -> str:
    return words if len(words) < 40 else words[:39] + "…"
