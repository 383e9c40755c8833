"""design fabric, validate fabric."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import MOST_ACCELERATORS, count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking, write_table


@click.command()
@click.option("--system", required=True, metavar="ID", help="Node or rack kind, such as hgx-b200.")
@click.option(
    "--gpus", required=True, type=count(MOST_ACCELERATORS), metavar="N", help="Accelerators in all."
)
@click.option("--fabric", default="", metavar="ID", help="Kind of fabric; else the system's usual one.")
@click.option(
    "--oversubscription",
    type=float,
    metavar="X",
    help="Bandwidth down over bandwidth up: of the pods where the fabric has pods, else of the leaves.",
)
@click.option("--planes", type=int, metavar="N", help="Separate networks that ports are spread over.")
@click.option("--site", default="generic", show_default=True, metavar="ID", help="Whose halls it runs in.")
@click.option("--out", metavar="FILE", help="Write the bill of materials to FILE.csv or FILE.parquet.")
@overlay_option
@speaking
def design(
    terminal: Terminal,
    system: str,
    gpus: int,
    fabric: str,
    oversubscription: float | None,
    planes: int | None,
    site: str,
    out: str | None,
    overlays: tuple[Path, ...],
) -> int:
    """Design a cluster's networks: switches, cables by length, bill, power, price and failures.

    Ends with 1 if ports or reach do not allow it, and says what binds and what would work.
    """
    from gigawatt.errors import InfeasibleError
    from gigawatt.project.fabric import wire
    from gigawatt.views import fabric as views

    try:
        found = wire(system, gpus, fabric, oversubscription, planes, site, overlays)
    except InfeasibleError as error:
        return terminal.infeasible("design-fabric", error, {"system": system, "num_accelerators": gpus})
    bill = views.bill_table(found)
    if out:
        write_table(out, bill)
    tables = [views.networks_table(found), views.tiers_table(found), views.cables_table(found), bill]
    for table in (*tables, views.failures_table(found, terminal.verbose)):
        if table:
            terminal.table(table)
    terminal.result("design-fabric", found.model_dump(mode="json", exclude={"schema_id"}))
    return 0


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--predictions", metavar="OUT.csv", help="Write our counts of every row.")
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="BOUND",
    help='End with 1 unless it holds: "exact>=100%", "wrong<=0", "coverage>=80%".',
)
@overlay_option
@speaking
def validate(
    terminal: Terminal,
    files: tuple[Path, ...],
    predictions: str | None,
    required: tuple[str, ...],
    overlays: tuple[Path, ...],
) -> int:
    """Compare printed bills of material, yours or published, with what the rules count.

    FILE is a CSV with one design a line. Every line comes back: those that cannot be expressed say why, and
    so do documents that contradict themselves.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.fabric import bill_csv, missed_bounds, validate_fabric
    from gigawatt.views.fabric import rows_table

    report = validate_fabric(files, load_catalog(overlays))
    missed = missed_bounds(report, required)
    if predictions:
        write_atomic(predictions, bill_csv(report))
    terminal.table(rows_table(report))
    for text in missed:
        terminal.say(f"missed: {text}")
    figures = {
        name: getattr(report, name)
        for name in ("num_cells", "num_wrong", "num_errors", "exact_frac", "coverage_frac")
    }
    terminal.result("validate-fabric", report.model_dump(mode="json") | figures | {"missed": list(missed)})
    return int(bool(missed))
