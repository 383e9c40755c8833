"""Points with intervals on two axes, labelled where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gigawatt.drawings.markup import Markup, element, join
from gigawatt.report.axes import Axis
from gigawatt.report.labels import Box, Placed, Wanted, place_labels, text_width

Standing = Literal["chosen", "meets", "late"]

_TOP, _BOTTOM, _RIGHT = 34.0, 46.0, 18.0
_TICK_SIZE, _LABEL_SIZE = 12.0, 12.5
_RADIUS = {"chosen": 7.0, "meets": 5.0, "late": 5.0}


@dataclass(frozen=True, slots=True)
class Mark:
    """One point: what it is called, where it lies, how far it may be off, and how it stands."""

    label: str
    detail: str
    """Read out and shown when pointed at."""
    standing: Standing
    x: float
    x_low: float
    x_high: float
    y: float
    y_low: float
    y_high: float
    href: str = ""
    """An anchor in the page, such as `#run-a-option-3`."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The plotting area in pixels and the two axes that it spans."""

    left: float
    top: float
    right: float
    bottom: float
    x_axis: Axis
    y_axis: Axis

    def x(self, value: float) -> float:
        """Pixels from the left edge of the figure."""
        return self.left + (self.right - self.left) * self.x_axis.position(value)

    def y(self, value: float) -> float:
        """Pixels from the top edge of the figure."""
        return self.bottom - (self.bottom - self.top) * self.y_axis.position(value)

    @property
    def box(self) -> Box:
        """The plotting area as a box."""
        return Box(self.left, self.top, self.right, self.bottom)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line, drawn as the style sheet says for its class."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def words(text: str, x: float, y: float, class_: str, anchor: str = "start") -> Markup:
    """A line of text whose baseline starts, ends or is centred at (x, y)."""
    return element("text", text, x=x, y=y, class_=class_, text_anchor=anchor)


def _grid(frame: Frame) -> Markup:
    parts = []
    for tick in frame.y_axis.ticks:
        y = frame.y(tick.value)
        parts += [
            line(frame.left, y, frame.right, y, "grid"),
            words(tick.text, frame.left - 8, y + 4, "tick", "end"),
        ]
    last = -1e9
    for tick in frame.x_axis.ticks:
        x, half = frame.x(tick.value), text_width(tick.text, _TICK_SIZE) / 2
        parts.append(line(x, frame.bottom, x, frame.bottom + 5, "rule"))
        if x - half > last + 8:
            parts.append(words(tick.text, x, frame.bottom + 19, "tick", "middle"))
            last = x + half
    parts.append(line(frame.left, frame.bottom, frame.right, frame.bottom, "rule"))
    parts.append(words(frame.y_axis.label, 0.0, 13.0, "axis"))
    parts.append(words(frame.x_axis.label, frame.right, frame.bottom + 39, "axis", "end"))
    return join(parts)


def _deadline(frame: Frame, deadline: float, text: str) -> Markup:
    x = frame.x(deadline)
    at_right = x + text_width(text, _LABEL_SIZE) + 8 <= frame.right
    shade = element(
        "rect",
        x=x,
        y=frame.top,
        width=max(frame.right - x, 0.0),
        height=frame.bottom - frame.top,
        class_="too-late",
    )
    label = words(
        text, x + 6 if at_right else x - 6, frame.top + 13, "deadline-text", "start" if at_right else "end"
    )
    return join([shade, line(x, frame.top, x, frame.bottom, "deadline"), label])


def _intervals(frame: Frame, mark: Mark) -> Markup:
    x, y = frame.x(mark.x), frame.y(mark.y)
    return element(
        "g",
        line(frame.x(mark.x_low), y, frame.x(mark.x_high), y, "interval"),
        line(x, frame.y(mark.y_low), x, frame.y(mark.y_high), "interval"),
        class_=f"standing-{mark.standing}",
    )


def _shape(standing: Standing, x: float, y: float) -> Markup:
    """Standing is told by shape as well as colour: a ring marks the choice, a diamond what is late."""
    radius = _RADIUS[standing]
    if standing == "late":
        return element(
            "path", d=f"M{x - radius:.2f} {y:.2f}l{radius} {-radius}l{radius} {radius}l{-radius} {radius}z"
        )
    dot = element("circle", cx=x, cy=y, r=radius)
    if standing == "meets":
        return dot
    return join([dot, element("circle", cx=x, cy=y, r=radius + 4, class_="ring")])


def _held(x: float, y: float) -> Markup:
    """An arrow for a point whose finish lies beyond the chart."""
    return element("path", d=f"M{x - 6:.2f} {y - 6:.2f}l9 6l-9 6z")


def point_key(standing: Standing, text: str) -> Markup:
    """A key of the legend for a kind of point."""
    shape = element("g", _shape(standing, 8.0, 8.0), class_=f"mark standing-{standing}")
    box = "-3 -3 22 22" if standing == "chosen" else "0 0 16 16"
    return join([element("svg", shape, viewBox=box, aria_hidden="true"), element("span", text)])


def _point(frame: Frame, mark: Mark) -> Markup:
    x, y = frame.x(mark.x), frame.y(mark.y)
    shape = _held(x, y) if mark.x > frame.x_axis.high else _shape(mark.standing, x, y)
    drawn = join([element("title", mark.detail), shape])
    shown = element("g", drawn, class_=f"mark standing-{mark.standing}")
    return element("a", shown, href=mark.href, aria_label=mark.detail) if mark.href else shown


def _label(place: Placed) -> Markup:
    box, wanted = place.box, place.wanted
    x_near = min(max(wanted.x, box.left), box.right)
    y_near = min(max(wanted.y, box.top), box.bottom)
    leader = line(wanted.x, wanted.y, x_near, y_near, "leader") if place.leader else Markup()
    return join([leader, words(wanted.text, box.left, box.bottom - 4, "mark-label")])


def _point_boxes(frame: Frame, marks: Sequence[Mark]) -> list[Box]:
    boxes = []
    for mark in marks:
        x, y, reach = (
            frame.x(mark.x),
            frame.y(mark.y),
            _RADIUS[mark.standing] + (5 if mark.standing == "chosen" else 1),
        )
        boxes.append(Box(x - reach, y - reach, x + reach, y + reach))
    return boxes


def _line_boxes(frame: Frame, marks: Sequence[Mark], deadline: float | None) -> list[Box]:
    boxes = []
    for mark in marks:
        x, y = frame.x(mark.x), frame.y(mark.y)
        boxes.append(Box(frame.x(mark.x_low), y - 1, frame.x(mark.x_high), y + 1))
        boxes.append(Box(x - 1, frame.y(mark.y_high), x + 1, frame.y(mark.y_low)))
    if deadline is not None:
        x = frame.x(deadline)
        boxes.append(Box(x - 2, frame.top, x + 2, frame.bottom))
    return boxes


def _frame(x_axis: Axis, y_axis: Axis, width: float, height: float) -> Frame:
    left = 14.0 + max(text_width(tick.text, _TICK_SIZE) for tick in y_axis.ticks)
    return Frame(left, _TOP, width - _RIGHT, height - _BOTTOM, x_axis, y_axis)


def scatter(
    marks: Sequence[Mark],
    x_axis: Axis,
    y_axis: Axis,
    width: float,
    height: float,
    deadline: float | None,
    deadline_text: str,
) -> Markup:
    """The inside of an SVG of `width` by `height` pixels.

    Marks come in order of importance: the first ones are the first to get a label and are drawn on top."""
    frame = _frame(x_axis, y_axis, width, height)
    wanted = [Wanted(mark.label, frame.x(mark.x), frame.y(mark.y)) for mark in marks if mark.label]
    reserved = [Box(frame.left, frame.top, frame.right, frame.top + 18)] if deadline is not None else []
    points = _point_boxes(frame, marks) + reserved
    places = place_labels(wanted, _LABEL_SIZE, frame.box, points, _line_boxes(frame, marks, deadline))
    parts = [_grid(frame)]
    if deadline is not None:
        parts.append(_deadline(frame, deadline, deadline_text))
    parts += [_intervals(frame, mark) for mark in reversed(marks)]
    parts += [_label(place) for place in places]
    parts += [_point(frame, mark) for mark in reversed(marks)]
    return join(parts)
