"""Where the labels of a scatter go, so that none covers another or a point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_NARROW = frozenset("fijlrtI.,:;|!'()[] ")
_WIDE = frozenset("mwMW@%")
_REACHES = (9.0, 18.0, 30.0, 44.0, 60.0)
_CROWD, _REACHES_IN_A_CROWD = 30, _REACHES[:3]
_DIRECTIONS = (
    (1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0),
    (0.8, -0.8), (0.8, 0.8), (-0.8, -0.8), (-0.8, 0.8),
)  # fmt: skip
_LEADER_FROM = 18.0
_CROSSING_COST = 12.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def within(self, other: Box) -> bool:
        """Whether this one lies wholly inside the other."""
        return (
            self.left >= other.left
            and self.right <= other.right
            and self.top >= other.top
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A label that wants a place beside the point at (x, y)."""

    text: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A label with its place; `leader` says that it stands far enough to need a line to its point."""

    wanted: Wanted
    box: Box
    leader: bool


def text_width(text: str, size: float) -> float:
    """Width of a sans-serif line in pixels, estimated on the wide side (fonts differ between machines)."""
    ems = sum(
        0.34 if char in _NARROW else 0.92 if char in _WIDE else 0.72 if char.isupper() else 0.6
        for char in text
    )
    return ems * size


def _candidate(wanted: Wanted, width: float, height: float, step: tuple[float, float], reach: float) -> Box:
    x, y = wanted.x + step[0] * reach, wanted.y + step[1] * reach
    left = x if step[0] > 0 else x - width if step[0] < 0 else x - width / 2
    top = y if step[1] > 0 else y - height if step[1] < 0 else y - height / 2
    return Box(left, top, left + width, top + height)


def _best_place(
    wanted: Wanted,
    size: float,
    frame: Box,
    taken: Sequence[Box],
    avoid: Sequence[Box],
    reaches: Sequence[float],
) -> Placed | None:
    width, height = text_width(wanted.text, size), size * 1.25
    best: tuple[float, Placed] | None = None
    for reach in reaches:
        for preference, step in enumerate(_DIRECTIONS):
            box = _candidate(wanted, width, height, step, reach)
            if not box.within(frame) or any(box.overlaps(other) for other in taken):
                continue
            crossings = sum(box.overlaps(other) for other in avoid)
            cost = reach + preference * 0.5 + crossings * _CROSSING_COST
            if best is None or cost < best[0]:
                best = (cost, Placed(wanted, box, reach >= _LEADER_FROM))
    return best[1] if best else None


def place_labels(
    wanted: Sequence[Wanted], size: float, frame: Box, points: Sequence[Box], lines: Sequence[Box]
) -> list[Placed]:
    """Places for as many labels as have room, the first ones first.

    No placed label leaves the frame, overlaps another or covers a point; thin `lines` (error bars,
    the deadline) are avoided where possible. Labels without room are left out; in a crowd, so are those
    that would stand far from their point.
    """
    reaches = _REACHES if len(wanted) <= _CROWD else _REACHES_IN_A_CROWD
    placed: list[Placed] = []
    taken = list(points)
    for label in wanted:
        place = _best_place(label, size, frame, taken, lines, reaches)
        if place is not None:
            placed.append(place)
            taken.append(place.box)
    return placed
