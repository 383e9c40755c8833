"""catalog list, show, sources, check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gigawatt.cli.arguments import overlay_option
from gigawatt.cli.terminal import Terminal, speaking, write_table

if TYPE_CHECKING:
    from gigawatt.domain.model import Model

_LISTED = (
    "accelerators", "systems", "models", "offers", "switches", "links", "fabrics", "equipment", "climates",
    "sites", "hazards", "parts", "reliability", "schedule", "deals", "energy", "tariffs",
)  # fmt: skip


@click.command("list")
@click.argument("section", type=click.Choice(_LISTED), required=False)
@click.option("--out", metavar="FILE", help="Write the table to FILE.csv or FILE.parquet instead.")
@overlay_option
@speaking
def list_rows(terminal: Terminal, section: str | None, out: str | None, overlays: tuple[Path, ...]) -> int:
    """List the entries of SECTION (accelerators, systems, ...), or how many there are of each."""
    from gigawatt.catalog import load_catalog
    from gigawatt.views.catalogue import section_table

    catalogue = load_catalog(overlays)
    if section is None:
        counts = {name: len(catalogue.ids(name)) for name in _LISTED}
        for name, number in counts.items():
            terminal.say(f"{number:5} {name}   gigawatt catalog list {name}")
        terminal.result("catalog-list", {"sections": counts})
        return 0
    rows = catalogue.rows(section)
    table = section_table(section, rows)
    if out:
        write_table(out, table)
    else:
        terminal.table(table)
    terminal.result("catalog-list", {"section": section, "rows": table.records()})
    return 0


@click.command()
@click.argument("name", metavar="ID")
@overlay_option
@speaking
def show(terminal: Terminal, name: str, overlays: tuple[Path, ...]) -> int:
    """Show everything known of the entry called ID (or an alias), with source and basis of each value."""
    from gigawatt.catalog import load_catalog
    from gigawatt.project.lookup import entry_named
    from gigawatt.views.catalogue import entry_table

    catalogue = load_catalog(overlays)
    section, row = entry_named(catalogue, name)
    terminal.table(entry_table(row))
    content = {"section": section, "row": row.model_dump(mode="json")}
    if section == "models":
        content |= _shape(terminal, catalogue.model(name))
    terminal.result("catalog-show", content)
    return 0


def _shape(terminal: Terminal, model: Model) -> dict[str, Any]:
    """What the config.json of a model says, and the parameters counted from it."""
    from gigawatt.design.model_counts import parameter_count
    from gigawatt.views.catalogue import shape_table

    count = parameter_count(model)
    terminal.table(shape_table(model, count.total, count.active))
    return {"shape": model.model_dump(mode="json"), "parameters": count.model_dump()}


@click.command()
@overlay_option
@speaking
def sources(terminal: Terminal, overlays: tuple[Path, ...]) -> int:
    """List the bibliography: what every figure of the catalogue was taken from, and under which licence."""
    from gigawatt.catalog import load_catalog
    from gigawatt.views.catalogue import section_table

    table = section_table("sources", load_catalog(overlays).rows("sources"))
    terminal.table(table)
    terminal.result("catalog-sources", {"rows": table.records()})
    return 0


@click.command()
@overlay_option
@speaking
def check(terminal: Terminal, overlays: tuple[Path, ...]) -> int:
    """Prove units, ranges, ids, sources and model sizes of the whole catalogue.

    Ends with 1 if something is wrong.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.design.model_counts import parameter_count
    from gigawatt.views.catalogue import findings_table

    findings = load_catalog(overlays).check(lambda model: parameter_count(model).total)
    table = findings_table(findings)
    terminal.table(table)
    terminal.result("catalog-check", {"findings": table.records()})
    return int(any(one.kind == "error" for one in findings))
