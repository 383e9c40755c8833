"""Horizontal bars: stacked parts of a whole, and bookings on a calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gigawatt.drawings.markup import Markup, element, join
from gigawatt.report.axes import Axis
from gigawatt.report.labels import text_width
from gigawatt.report.scatter import line, words

NUM_COLOURS = 16
"""Classes `part-0` .. `part-15` of the style sheet; more parts start over."""

_TEXT_SIZE = 12.5
_BAR, _GAP, _LABEL_LINE = 24.0, 12.0, 17.0


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar: `part` numbers its colour, `text` shows where it fits, `detail` when pointed at."""

    part: int
    value: float
    text: str
    detail: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row: its label, its parts in order, and what is written behind its end."""

    label: str
    segments: tuple[Segment, ...]
    total_text: str
    low: float | None = None
    high: float | None = None
    """Ends of the interval of the whole."""
    limit: float | None = None
    """A mark that the bar should not pass, such as the memory there is."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in a row, and how early or late it may end; `part` numbers its colour.

    Its text shows where it fits, its detail when pointed at.
    """

    part: int
    text: str
    detail: str
    start: float
    finish: float
    low_finish: float
    high_finish: float


@dataclass(frozen=True, slots=True)
class Row:
    """One place on the calendar, with what is booked there."""

    label: str
    spans: tuple[Span, ...]


def _segment(segment: Segment, x: float, y: float, width: float) -> Markup:
    rect = element(
        "rect", x=x, y=y, width=max(width, 0.0), height=_BAR, class_=f"part-{segment.part % NUM_COLOURS}"
    )
    parts = [element("title", segment.detail), rect]
    if text_width(segment.text, _TEXT_SIZE - 1) + 8 <= width:
        parts.append(words(segment.text, x + width / 2, y + _BAR / 2 + 4, "on-part", "middle"))
    return element("g", *parts)


def _whiskers(bar: Bar, scale: float, left: float, y: float) -> Markup:
    if bar.low is None or bar.high is None:
        return Markup()
    middle = y + _BAR + 4
    low, high = left + bar.low * scale, left + bar.high * scale
    ends = [line(x, middle - 3, x, middle + 3, "whisker") for x in (low, high)]
    return join([line(low, middle, high, middle, "whisker"), *ends])


def _length(bar: Bar) -> float:
    return sum(segment.value for segment in bar.segments)


def _room_before_limit(bar: Bar, scale: float) -> bool:
    """Whether the total has room between the bar's end and its limit."""
    return (
        bar.limit is None or (bar.limit - _length(bar)) * scale > text_width(bar.total_text, _TEXT_SIZE) + 14
    )


def _wrapped(label: str, width: float) -> list[str]:
    """A label in as many lines as it needs, broken between its parts."""
    lines = [""]
    for part in label.split(" · "):
        longer = f"{lines[-1]} · {part}" if lines[-1] else part
        if lines[-1] and text_width(longer, _TEXT_SIZE) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines


def _bar_label(lines: Sequence[str], left: float, y: float, above: bool) -> Markup:
    if not above:
        return words(lines[0], left - 10, y + _BAR / 2 + 4, "row-label", "end")
    first = y - 5 - (len(lines) - 1) * _LABEL_LINE
    return join(
        [words(text, left, first + index * _LABEL_LINE, "row-label") for index, text in enumerate(lines)]
    )


def _bar(bar: Bar, scale: float, left: float, y: float, past_limit: bool) -> Markup:
    parts, x = [], left
    for segment in bar.segments:
        parts.append(_segment(segment, x, y, segment.value * scale))
        x += segment.value * scale
    parts.append(_whiskers(bar, scale, left, y))
    if bar.limit is not None:
        at = left + bar.limit * scale
        parts.append(line(at, y - 4, at, y + _BAR + 4, "limit"))
        x = max(x, at) if past_limit else x
    parts.append(words(bar.total_text, x + 8, y + _BAR / 2 + 4, "total"))
    return element("g", *parts)


def _limit_text(text: str, limit: float, scale: float, left: float) -> Markup:
    at = left + limit * scale
    return words(text, at, 14.0, "limit-text", "end" if at > left + text_width(text, _TEXT_SIZE) else "start")


def stacked_bars(bars: Sequence[Bar], width: float, limit_text: str = "") -> tuple[Markup, float]:
    """The inside of an SVG `width` pixels wide, and its height.

    Labels stand left of the bars, or above where they would take more than a third of the width. `limit_text`
    names the limit that the first bar has.
    """
    label_width = max(text_width(bar.label, _TEXT_SIZE) for bar in bars) + 14
    above = label_width > width / 3
    left = 2.0 if above else label_width
    room = width - left - max(text_width(bar.total_text, _TEXT_SIZE) for bar in bars) - 16
    scale = room / max(max(_length(bar), bar.limit or 0.0, bar.high or 0.0) for bar in bars)
    labels = [_wrapped(bar.label, width) if above else [bar.label] for bar in bars]
    above_lines = max(len(lines) for lines in labels) if above else 0
    pitch = _BAR + _GAP + above_lines * _LABEL_LINE
    first = 8.0 + (above_lines + bool(limit_text)) * _LABEL_LINE
    past_limit = not all(_room_before_limit(bar, scale) for bar in bars)
    drawn = []
    for index, (bar, lines) in enumerate(zip(bars, labels, strict=True)):
        y = first + index * pitch
        drawn += [_bar(bar, scale, left, y, past_limit), _bar_label(lines, left, y, above)]
    if limit_text and bars[0].limit is not None:
        drawn.append(_limit_text(limit_text, bars[0].limit, scale, left))
    return join(drawn), first + len(bars) * pitch


def _span(span: Span, axis: Axis, left: float, room: float, y: float) -> Markup:
    start, finish, low, high = (
        left + room * axis.position(value)
        for value in (span.start, span.finish, span.low_finish, span.high_finish)
    )
    part = span.part % NUM_COLOURS
    parts = [
        element("title", span.detail),
        element(
            "rect", x=start, y=y, width=max(finish - start, 1.0), height=_BAR, rx=3, class_=f"part-{part}"
        ),
        line(low, y + _BAR / 2, high, y + _BAR / 2, "whisker"),
    ]
    parts += [line(x, y + _BAR / 2 - 5, x, y + _BAR / 2 + 5, "whisker") for x in (low, high)]
    if text_width(span.text, _TEXT_SIZE) + 12 <= low - start:
        parts.append(words(span.text, start + 7, y + _BAR / 2 + 4, "on-part"))
    return element("g", *parts)


def calendar(rows: Sequence[Row], axis: Axis, width: float) -> tuple[Markup, float]:
    """The inside of an SVG `width` pixels wide, and its height: a row for each place."""
    left, room = 2.0, width - 24.0
    pitch = _BAR + _GAP + _LABEL_LINE
    bottom = 10.0 + len(rows) * pitch
    parts = []
    for tick in axis.ticks:
        x = left + room * axis.position(tick.value)
        half = text_width(tick.text, _TEXT_SIZE) / 2
        shown = min(max(x, left + half), left + room + 22.0 - half)
        parts += [line(x, 6, x, bottom, "grid"), words(tick.text, shown, bottom + 16, "tick", "middle")]
    for index, row in enumerate(rows):
        y = 8.0 + _LABEL_LINE + index * pitch
        parts.append(words(row.label, left, y - 5, "row-label"))
        parts += [_span(span, axis, left, room, y) for span in row.spans]
    parts.append(line(left, bottom, left + room, bottom, "rule"))
    return join(parts), bottom + 24.0
