"""What every drawing is made of: white paper, text, boxes, and colours that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.drawings.markup import Markup, element, number

INK, MUTED, RULE, PAPER = "#1b1f24", "#57606a", "#c9ced4", "#ffffff"
COLD, HOT, PANEL = "#e9f1fb", "#fdeee9", "#f5f6f8"
ROLES = {
    "compute": "#2563a8",
    "network": "#b4540a",
    "spine": "#e39a4f",
    "coolant": "#1d7a5f",
    "power": "#8a6a00",
    "air": "#6f9fb5",
}
"""Fill of a rack or machine by its role; network racks that serve all units have one of their own."""
SERIES = ("#2563a8", "#b4540a", "#1d7a5f", "#8a3f8f", "#8a6a00", "#b23a55", "#5b6470", "#2b7488")
"""Fills of things that have no role."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"


def sheet(width: float, height: float, title: str, *children: Markup) -> str:
    """A whole SVG file: white paper, its title for screen readers, and what is drawn on it."""
    return element(
        "svg",
        element("title", title),
        box(0.0, 0.0, width, height, PAPER),
        *children,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=number(width),
        height=number(height),
        role="img",
        aria_label=title,
        font_family=_FONT,
    )


def text(
    x: float,
    y: float,
    words: str,
    size: float = 12.0,
    fill: str = INK,
    anchor: str = "start",
    bold: bool = False,
    turned: bool = False,
) -> Markup:
    """Words with their baseline at y; `turned` reads upwards."""
    return element(
        "text",
        words,
        x=x,
        y=y,
        font_size=number(size),
        fill=fill,
        text_anchor=None if anchor == "start" else anchor,
        font_weight="600" if bold else None,
        transform=f"rotate(-90 {number(x)} {number(y)})" if turned else None,
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    fill: str = "none",
    stroke: str | None = None,
    radius: float = 0.0,
    hint: str = "",
    dashed: bool = False,
) -> Markup:
    """A rectangle; `hint` shows where the pointer rests on it."""
    return element(
        "rect",
        *([element("title", hint)] if hint else []),
        x=x,
        y=y,
        width=width,
        height=height,
        fill=fill,
        stroke=stroke,
        rx=radius or None,
        stroke_dasharray="4 3" if dashed else None,
    )


def line(x1: float, y1: float, x2: float, y2: float, stroke: str = RULE, width: float = 1.0) -> Markup:
    """A straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, stroke_width=number(width))


def boxes(places: Sequence[tuple[float, float, float, float]], fill: str) -> Markup:
    """Many rectangles (x, y, width, height) of one colour as a single path, which keeps files small."""
    path = "".join(
        f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"
        for x, y, width, height in places
    )
    return element("path", d=path, fill=fill)


def span(x: float, y: float, length: float, words: str, upright: bool = False) -> Markup:
    """A dimension: a thin line with ticks at its ends and its length beside it."""
    if upright:
        return group(
            line(x, y, x, y + length, MUTED),
            line(x - 4, y, x + 4, y, MUTED),
            line(x - 4, y + length, x + 4, y + length, MUTED),
            text(x - 6, y + length / 2, words, 11.0, MUTED, "middle", turned=True),
        )
    return group(
        line(x, y, x + length, y, MUTED),
        line(x, y - 4, x, y + 4, MUTED),
        line(x + length, y - 4, x + length, y + 4, MUTED),
        text(x + length / 2, y + 15, words, 11.0, MUTED, "middle"),
    )


def group(*children: Markup) -> Markup:
    """Several elements as one."""
    return element("g", *children)
