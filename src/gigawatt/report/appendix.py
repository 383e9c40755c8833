"""What the figures rest on: the calendar, assumptions, facts, sources, conventions and digests."""

from __future__ import annotations

from gigawatt.domain.blueprint import Blueprint
from gigawatt.drawings.markup import Markup, element
from gigawatt.report import series, wording
from gigawatt.report.axes import date_axis
from gigawatt.report.bars import calendar
from gigawatt.report.elements import (
    Cell,
    Line,
    badge,
    bullets,
    definitions,
    figure,
    folded,
    paragraph,
    section,
    swatch,
    table,
)

_CONVENTIONS = (
    "Utilisation (MFU) counts the model's own FLOPs, with causal attention counted once and recomputation "
    "left out, over the accelerator's dense peak at the run's precision. Sparse peaks are never used.",
    "Bandwidths are for one direction and one endpoint. GB is 10⁹ bytes. Memory is per accelerator.",
    "Ranges run from the 10 % to the 90 % point. Those of finish dates and costs follow from those of step "
    "time and goodput, which know nothing of each other; prices are taken as quoted.",
    "Goodput is the share of the time that makes progress: failures, checkpoints and restarts are taken off.",
    "Dates are UTC. Energy is what the facility's meter reads: node power at training load times PUE.",
)
_LEFT_OUT = (
    "Failures, restarts and checkpoints one by one: goodput counts them by rehearsal, unless it is stated.",
    "Evaluation, planned maintenance and preemption.",
    "Contracts over time: no negotiated terms, no waiting lists, no interruptions of spot capacity.",
    "Buying energy hour by hour, and the risk of building, but for clusters that name their files.",
)


def calendar_section(blueprint: Blueprint) -> Markup:
    """Which run has which owned cluster when; nothing where none is booked."""
    rows = series.calendar_rows(blueprint)
    if not rows:
        return Markup()
    days = [day for row in rows for span in row.spans for day in (span.start, span.finish, span.high_finish)]

    def draw(width: float) -> tuple[Markup, float]:
        return calendar(rows, date_axis("", days, 8 if width > 500 else 3), width)

    runs = {span.text: span.part for row in rows for span in row.spans}
    lines = [
        Line(
            (
                Cell(booking.cluster),
                Cell(booking.run),
                Cell(wording.day(booking.start), figure=True),
                Cell(
                    wording.day(booking.finish),
                    wording.days_between(booking.low_finish, booking.high_finish),
                    figure=True,
                ),
            )
        )
        for booking in blueprint.calendar
    ]
    picture = figure(
        "calendar-picture",
        "Calendar of owned clusters",
        "; ".join(span.detail for row in rows for span in row.spans),
        draw,
        "Bars end at the expected finish; the line at a bar's end spans the 10 % to 90 % range. "
        "A run that wants a cluster that is taken queues for it.",
        [swatch(part, run) for run, part in runs.items()],
    )
    listed = table("Bookings of owned clusters", ("Cluster", "Run", "Start", "Finish"), lines)
    return section("calendar", "Calendar of owned clusters", picture, listed)


def assumptions_section(blueprint: Blueprint) -> Markup:
    """What the plan takes for granted, and the catalogue's facts behind it."""
    assumed = [
        Line(
            (
                Cell(wording.capitalised(item.label), item.key),
                Cell(wording.named_value(item.key, item.value), figure=True),
                Cell(badge(item.basis)),
                Cell(_cited(blueprint, item.source)),
                Cell(item.note, wide=True),
            )
        )
        for item in blueprint.assumptions
    ]
    facts = [
        Line(
            (
                Cell(element("code", fact.key), fact.note),
                Cell(wording.named_value(fact.key, fact.value), figure=True),
                Cell(badge(fact.basis)),
                Cell(_cited(blueprint, fact.source)),
                Cell(fact.date),
            )
        )
        for fact in blueprint.facts
    ]
    heads = ("Assumption", "Value", "Basis", "On whose word", "Note")
    known = folded(
        f"Facts taken from the catalogue ({len(facts)})",
        table("Facts taken from the catalogue", ("Fact", "Value", "Basis", "Source", "Date"), facts),
    )
    return section(
        "assumptions",
        "Assumptions and facts",
        table("What the plan takes for granted", heads, assumed) if assumed else paragraph("None."),
        known if facts else Markup(),
    )


def _cited(blueprint: Blueprint, key: str) -> Markup:
    """The key of a source, leading to its entry where the bibliography has it."""
    found = next((index for index, entry in enumerate(blueprint.sources) if entry.key == key), None)
    return element("span", key) if found is None else element("a", key, href=f"#source-{found}")


def _address(url: str) -> Markup:
    """A link shows its address, so that paper keeps it; anything but a web address stays plain text."""
    if url.startswith(("https://", "http://")):
        return element("a", url, href=url, rel="noopener noreferrer")
    return element("span", url)


def sources_section(blueprint: Blueprint) -> Markup:
    """The bibliography."""
    entries = [
        element(
            "li",
            f"{entry.title}{f', {entry.date}' if entry.date else ''} (",
            element("code", entry.key),
            ") ",
            _address(entry.url),
            id=f"source-{index}",
        )
        for index, entry in enumerate(blueprint.sources)
    ]
    listed = element("ol", *entries, class_="sources") if entries else paragraph("None.")
    return section("sources", "Sources", listed)


def conventions_section(blueprint: Blueprint) -> Markup:
    """How to read the figures, and what they leave out."""
    money = (
        f"Money is in {blueprint.currency}. Every cost names the year of its price; prices of different "
        f"years are not converted into each other. The scenario's own prices are of {blueprint.price_year}."
    )
    return section(
        "conventions",
        "Conventions, and what is not modelled",
        bullets((*_CONVENTIONS, money)),
        element("h3", "Not modelled"),
        bullets(_LEFT_OUT),
    )


def digests_section(blueprint: Blueprint) -> Markup:
    """What exactly this page was made from."""
    pairs = [
        ("Blueprint", blueprint.digest),
        ("Catalogue", blueprint.catalogue_digest),
        *((name, digest) for name, digest in sorted(blueprint.inputs.items())),
        ("gigawatt", blueprint.tool_version),
        ("Seed", str(blueprint.seed)),
    ]
    trace = (
        "Figures in the tables name their place in the blueprint when pointed at; gigawatt explain traces "
        "one to inputs, laws and sources."
    )
    return section(
        "digests",
        "Where this comes from",
        paragraph(trace),
        definitions([(name, element("code", value)) for name, value in pairs], class_="digests"),
    )
