"""What a fleet did over the time: its GPUs stacked by what they were at, interruptions, and the queue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, log10

from gigawatt.domain.twin import Rehearsal, TimelineRow
from gigawatt.drawings.markup import Markup, element, number
from gigawatt.drawings.sheet import INK, MUTED, RULE, box, line, sheet, text
from gigawatt.units import format_quantity, parse_quantity

_WIDE, _LEFT, _RIGHT = 1180.0, 92.0, 24.0
_STACK_TOP, _STACK_TALL = 118.0, 330.0
_TICKS_TOP, _TICKS_TALL = 504.0, 42.0
_QUEUE_TOP, _QUEUE_TALL = 586.0, 96.0
_HEIGHT = 734.0
_LAYERS: tuple[tuple[str, str, str], ...] = (
    ("num_useful", "working", "#0072b2"),
    ("num_saving", "saving", "#56b4e9"),
    ("num_restart", "restarting", "#e69f00"),
    ("num_unnoticed", "hanging, unnoticed", "#d55e00"),
    ("num_idle_held", "held but idle", "#cc79a7"),
    ("num_spare", "spare", "#009e73"),
    ("num_out", "out of service", "#4d5560"),
    ("num_free", "free", "#e8ebef"),
)
"""From the bottom: field, words, and a colour of Okabe and Ito's, told apart by all kinds of sight."""
_MOST_MARKS = 12
DAY_S = parse_quantity("1 day", "_s")
HOUR_S = parse_quantity("1 h", "_s")


def timeline_svg(rehearsal: Rehearsal) -> str:
    """The picture of the first replication as an SVG file."""
    rows = rehearsal.timeline
    frame = _Frame(rehearsal)
    title = f"Fleet {rehearsal.name}: what its GPUs did"
    return sheet(
        _WIDE,
        _HEIGHT,
        title,
        text(20.0, 34.0, title, 17.0, bold=True),
        text(20.0, 56.0, _summary(rehearsal, frame), 12.0, MUTED),
        *_legend(),
        *_stack(rows, frame),
        *_interruptions(rows, frame),
        *_queue(rows, frame),
        *_days(frame),
    )


def _summary(rehearsal: Rehearsal, frame: _Frame) -> str:
    first = rehearsal.replications[0]
    return (
        f"Averages over {format_quantity(frame.step_s, '_s')}; seed {first.seed}: {first.num_faults:,} "
        f"faults, {first.num_interruptions:,} interruptions of jobs, goodput {first.goodput_frac:.1%}, "
        f"{first.utilisation_frac:.1%} of all GPU-hours held by jobs."
    )


class _Frame:
    """Seconds and GPUs to pixels."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        rows = rehearsal.timeline
        self.step_s = rows[1].begin_s - rows[0].begin_s if len(rows) > 1 else DAY_S
        self.lasts_s = self.step_s * len(rows)
        self.total = rehearsal.replications[0].fleet_gpu_h * HOUR_S / self.lasts_s
        self.per_s = (_WIDE - _LEFT - _RIGHT) / self.lasts_s

    def x(self, when_s: float) -> float:
        """Where a time is."""
        return _LEFT + when_s * self.per_s


def _legend() -> Iterator[Markup]:
    x = _LEFT
    for _, words, fill in _LAYERS:
        yield box(x, 76.0, 14.0, 14.0, fill, stroke=RULE, radius=2.0)
        yield text(x + 20.0, 88.0, words, 12.0, INK)
        x += 46.0 + 6.6 * len(words)


def _stack(rows: Sequence[TimelineRow], frame: _Frame) -> Iterator[Markup]:
    scale = _STACK_TALL / frame.total
    bottom = _STACK_TOP + _STACK_TALL
    below = [0.0] * len(rows)
    for field, words, fill in _LAYERS:
        # A broken node of a site that is out as a whole is out twice over, and is drawn once.
        above = [min(low + getattr(row, field), frame.total) for low, row in zip(below, rows, strict=True)]
        upper = _steps(rows, frame, [bottom - value * scale for value in above])
        lower = _steps(rows, frame, [bottom - value * scale for value in below])
        outline = "L".join([*upper, *reversed(lower)])
        yield element("path", element("title", words), d=f"M{outline}Z", fill=fill)
        below = above
    yield from _marks(frame.total, scale, bottom, "GPUs")


def _steps(rows: Sequence[TimelineRow], frame: _Frame, heights: Sequence[float]) -> list[str]:
    """A staircase: each average holds over its stretch."""
    points = []
    for row, y in zip(rows, heights, strict=True):
        ends_s = (row.begin_s, row.begin_s + frame.step_s)
        points += [f"{number(frame.x(when_s))} {number(y)}" for when_s in ends_s]
    return points


def _marks(most: float, scale: float, bottom: float, words: str, num: int = 4) -> Iterator[Markup]:
    """Round numbers along the height."""
    step = _round_step(most / num)
    value = 0.0
    while value <= most * 1.0001:
        y = bottom - value * scale
        yield line(_LEFT - 5.0, y, _LEFT, y, MUTED)
        if value:
            yield element(
                "line", x1=_LEFT, y1=y, x2=_WIDE - _RIGHT, y2=y, stroke=INK, stroke_width=0.5, opacity=0.25
            )
        yield text(_LEFT - 9.0, y + 4.0, f"{value:,.0f}", 11.0, MUTED, "end")
        value += step
    middle = bottom - most * scale / 2
    yield text(24.0, middle, words, 12.0, MUTED, "middle", turned=True)


def _round_step(rough: float) -> float:
    if rough <= 1.0:
        return 1.0
    power = 10.0 ** floor(log10(rough))
    return next(power * lead for lead in (1.0, 2.0, 2.5, 5.0, 10.0) if power * lead >= rough)


def _interruptions(rows: Sequence[TimelineRow], frame: _Frame) -> Iterator[Markup]:
    most = max(row.num_interruptions for row in rows)
    caption = "Jobs interrupted by faults" + (
        f" (tallest: {most:,} within {format_quantity(frame.step_s, '_s')})" if most else ": none"
    )
    yield text(_LEFT, _TICKS_TOP - 8.0, caption, 12.0, MUTED)
    bottom = _TICKS_TOP + _TICKS_TALL
    yield line(_LEFT, bottom, _WIDE - _RIGHT, bottom, RULE)
    for row in rows:
        if row.num_interruptions:
            x = frame.x(row.begin_s + frame.step_s / 2)
            # By the root, so that one job is seen beside a hundred.
            tall = _TICKS_TALL * (row.num_interruptions / most) ** 0.5
            yield line(x, bottom, x, bottom - tall, "#d55e00", 2.0)


def _queue(rows: Sequence[TimelineRow], frame: _Frame) -> Iterator[Markup]:
    most = max(row.num_waiting for row in rows)
    bottom = _QUEUE_TOP + _QUEUE_TALL
    caption = "GPUs that waiting jobs ask for" + ("" if most else ": none waits")
    yield text(_LEFT, _QUEUE_TOP - 8.0, caption, 12.0, MUTED)
    yield line(_LEFT, bottom, _WIDE - _RIGHT, bottom, RULE)
    if most:
        scale = _QUEUE_TALL / most
        points = _steps(rows, frame, [bottom - row.num_waiting * scale for row in rows])
        yield element("path", d="M" + "L".join(points), fill="none", stroke=INK, stroke_width="1.5")
        yield from _marks(most, scale, bottom, "GPUs", num=2)


def _days(frame: _Frame) -> Iterator[Markup]:
    """Whole days or hours, no more than can be read, under each panel's foot and in words under the last."""
    unit_s, words = (DAY_S, "days") if frame.lasts_s >= 2 * DAY_S else (HOUR_S, "hours")
    step = _round_step(frame.lasts_s / unit_s / _MOST_MARKS)
    value = 0.0
    while value * unit_s <= frame.lasts_s * 1.0001:
        x = frame.x(value * unit_s)
        for bottom in (_STACK_TOP + _STACK_TALL, _QUEUE_TOP + _QUEUE_TALL):
            yield line(x, bottom, x, bottom + 5.0, MUTED)
            yield text(x, bottom + 18.0, f"{value:g}", 11.0, MUTED, "middle")
        value += step
    middle = _LEFT + (_WIDE - _LEFT - _RIGHT) / 2
    yield text(middle, _HEIGHT - 14.0, f"{words} from the begin", 12.0, MUTED, "middle")
