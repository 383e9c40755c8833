"""The few HTML patterns that every section is made of: tables, badges, figures, definition lists."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gigawatt.drawings.markup import Markup, element, join, number
from gigawatt.report.bars import NUM_COLOURS
from gigawatt.views.table import Table

WIDE, NARROW = 1040.0, 380.0
"""Each figure is drawn twice; the style sheet shows the one that suits the screen."""

Draw = Callable[[float], tuple[Markup, float]]
"""From a width in pixels to the inside of an SVG and its height."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: what is shown, in small below it, and what it sorts by."""

    content: str
    small: str = ""
    sort: str | float | None = None
    figure: bool = False
    pointer: str = ""
    """Where the figure stands in the blueprint, for `gigawatt explain`."""
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table."""

    cells: tuple[Cell, ...]
    anchor: str = ""
    chosen: bool = False


def badge(kind: str, text: str = "") -> Markup:
    """A word that classifies: a verdict or a basis. Colour only underlines what the word says."""
    return element("span", text or kind, class_=f"badge {kind}" if kind.isalpha() else "badge")


def paragraph(*children: str, class_: str | None = None) -> Markup:
    """One paragraph."""
    return element("p", *children, class_=class_)


def bullets(items: Sequence[str], class_: str | None = None) -> Markup:
    """A list; nothing at all where it is empty."""
    return element("ul", *[element("li", item) for item in items], class_=class_) if items else Markup()


def folded(summary: str, *children: str) -> Markup:
    """Something that opens on demand (and for printing)."""
    return element("details", element("summary", summary), *children)


def section(anchor: str, heading: str, *children: str) -> Markup:
    """A part of the page under its own heading."""
    title = element("h2", heading, id=f"{anchor}-heading")
    return element("section", title, *children, id=anchor, aria_labelledby=f"{anchor}-heading")


def _cell(cell: Cell, first: bool) -> Markup:
    tag = "th" if first else "td"
    classes = " ".join(name for name, on in (("figure", cell.figure), ("wide", cell.wide)) if on)
    small = [element("small", cell.small)] if cell.small else []
    sort = repr(cell.sort) if isinstance(cell.sort, float) else cell.sort
    return element(
        tag,
        cell.content,
        *small,
        scope="row" if first else None,
        class_=classes or None,
        data_sort=sort,
        title=f"gigawatt explain DIR {cell.pointer}" if cell.pointer else None,
    )


def _line(line: Line) -> Markup:
    cells = [_cell(cell, first=index == 0) for index, cell in enumerate(line.cells)]
    return element("tr", *cells, id=line.anchor or None, class_="chosen" if line.chosen else None)


def table(caption: str, heads: Sequence[str], lines: Sequence[Line], sortable: bool = False) -> Markup:
    """A captioned table that scrolls sideways by itself where the screen is narrower than it is."""
    numeric = [bool(lines) and lines[0].cells[index].figure for index in range(len(heads))]
    head = [
        element("th", text, scope="col", class_="figure" if figure else None)
        for text, figure in zip(heads, numeric, strict=True)
    ]
    drawn = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *[_line(line) for line in lines]),
        class_="sortable" if sortable else None,
    )
    return element("div", drawn, class_="scroll", role="region", aria_label=caption, tabindex="0")


def viewed(view: Table, at: str = "") -> Markup:
    """A table as the command line prints it; cells name their place where the view (or `at`) knows it."""
    lines = []
    for index, texts in enumerate(view.texts()):
        pointer = view.pointers[index] if view.pointers else at
        cells = (
            Cell(text, figure=column.right, pointer=pointer)
            for text, column in zip(texts, view.columns, strict=True)
        )
        lines.append(Line(tuple(cells)))
    shown = table(view.title, [column.label for column in view.columns], lines)
    return join([shown, *(paragraph(note, class_="note") for note in view.notes)])


def drawing(svg: str, text: str, caption: str) -> Markup:
    """A drawing as an image of its own, so that styles do not meet; `text` says what it shows."""
    data = base64.b64encode(svg.encode()).decode()
    picture = element("img", src=f"data:image/svg+xml;base64,{data}", alt=text, class_="drawing")
    return element("figure", picture, element("figcaption", caption))


def _picture(anchor: str, kind: str, title: str, description: str, width: float, draw: Draw) -> Markup:
    inside, height = draw(width)
    name = f"{anchor}-{kind}"
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        inside,
        viewBox=f"0 0 {number(width)} {number(height)}",
        class_=kind,
        role="group",
        aria_labelledby=f"{name}-title",
        aria_describedby=f"{name}-desc",
    )


def figure(
    anchor: str,
    title: str,
    description: str,
    draw: Draw,
    caption: str,
    legend: Sequence[Markup] = (),
    *more: str,
) -> Markup:
    """A picture with its heading, its legend, its caption and the data behind it."""
    pictures = [
        _picture(anchor, kind, title, description, width, draw)
        for kind, width in (("wide", WIDE), ("narrow", NARROW))
    ]
    keys = (
        [element("ul", *[element("li", key) for key in legend], class_="legend", aria_label="Key")]
        if legend
        else []
    )
    return element("figure", *keys, *pictures, element("figcaption", caption), *more, id=anchor)


def swatch(part: int, text: str) -> Markup:
    """A key of the legend for a part of a bar."""
    square = element("rect", width=14, height=14, rx=2, class_=f"part-{part % NUM_COLOURS}")
    return join([element("svg", square, viewBox="0 0 14 14", aria_hidden="true"), element("span", text)])


def definitions(
    pairs: Sequence[tuple[str, Markup]], class_: str | None = None, broad: Sequence[str] = ()
) -> Markup:
    """Terms with their values; those of the `broad` terms get twice the width."""
    rows = [
        element("div", element("dt", term), element("dd", value), class_="broad" if term in broad else None)
        for term, value in pairs
    ]
    return element("dl", *rows, class_=class_)
