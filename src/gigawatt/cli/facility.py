"""design facility."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import MOST_ACCELERATORS, count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking


@click.command()
@click.option("--system", required=True, metavar="ID", help="Node or rack kind, such as gb200-nvl72.")
@click.option(
    "--gpus", required=True, type=count(MOST_ACCELERATORS), metavar="N", help="Accelerators in all."
)
@click.option("--site", default="generic", show_default=True, metavar="ID", help="Where it is built.")
@click.option("--fabric", default="", metavar="ID", help="Kind of network between the nodes.")
@click.option(
    "--draw",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write floor plan, elevations and one-line diagram as SVG.",
)
@overlay_option
@speaking
def facility(
    terminal: Terminal,
    system: str,
    gpus: int,
    site: str,
    fabric: str,
    folder: Path | None,
    overlays: tuple[Path, ...],
) -> int:
    """Design halls, power and cooling of a cluster: racks, megawatts, PUE and WUE as results, cost, phases.

    Ends with 1 if the site cannot take it, and says what binds and what would work.
    """
    from gigawatt.errors import InfeasibleError
    from gigawatt.project.facility import draw_facility, house
    from gigawatt.views import facility as views

    try:
        design = house(system, gpus, site, fabric, overlays)
    except InfeasibleError as error:
        return terminal.infeasible("design-facility", error, {"system": system, "num_accelerators": gpus})
    for table in (
        views.summary_table(design),
        views.racks_table(design),
        views.power_table(design),
        views.cooling_table(design),
        views.cost_table(design),
        views.phases_table(design),
        views.failures_table(design, terminal.verbose),
    ):
        terminal.table(table)
    if folder:
        for path in draw_facility(design, folder):
            terminal.note(f"wrote {path}")
    terminal.result("design-facility", design.model_dump(mode="json", exclude={"schema_id"}))
    return 0
