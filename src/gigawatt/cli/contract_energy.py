"""contract energy, validate energy."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking, write_table

_MOST_POINTS = 1000


@click.command()
@click.argument("site", metavar="SITE.yaml", type=click.Path(path_type=Path))
@click.option(
    "--frontier",
    "num_points",
    type=count(_MOST_POINTS),
    metavar="N",
    help="Cost against carbon instead, under N caps from none down.",
)
@click.option(
    "--draw",
    "drawing",
    type=click.Path(path_type=Path),
    metavar="FILE.svg",
    help="Write a picture of its hours.",
)
@click.option("--out", metavar="FILE", help="Write what is built (or the frontier) to FILE.csv or .parquet.")
@overlay_option
@speaking
def energy(
    terminal: Terminal,
    site: Path,
    num_points: int | None,
    drawing: Path | None,
    out: str | None,
    overlays: tuple[Path, ...],
) -> int:
    """The hourly energy of a campus at least cost: what to build, sign and draw, with proof.

    Ends with 1 if what is asked of clean energy cannot be reached, and says what binds.
    """
    from gigawatt.errors import InfeasibleError
    from gigawatt.project.energy import draw_energy, plan_site, site_frontier
    from gigawatt.views import energy as views

    if drawing and num_points:
        raise click.UsageError("--draw shows one plan: leave out --frontier, or draw under a cap of the site")
    try:
        if num_points:
            with terminal.progress() as show:
                frontier = site_frontier(site, num_points, overlays, show)
            tables = [views.frontier_table(frontier)]
            found = frontier.model_dump(mode="json")
        else:
            plan = plan_site(site, overlays)
            tables = [views.capacities_table(plan), views.flows_table(plan), views.summary_table(plan)]
            found = plan.model_dump(mode="json", exclude={"dispatch"})
            if drawing:
                terminal.note(f"wrote {draw_energy(plan, drawing)}")
    except InfeasibleError as error:
        return terminal.infeasible("contract-energy", error, {"site": str(site)})
    if out:
        write_table(out, tables[0])
    for table in tables:
        terminal.table(table)
    terminal.result("contract-energy", found)
    return 0


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--predictions", metavar="OUT.csv", help="Write cost and bound of every result.")
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="BOUND",
    help='End with 1 unless it holds: "error<=1e-4", "gap<=1e-4", "wall<=5s", "coverage>=100%".',
)
@speaking
def validate(
    terminal: Terminal, files: tuple[Path, ...], predictions: str | None, required: tuple[str, ...]
) -> int:
    """Solve reference cases of another optimiser: its objective beside our cost and proven bound.

    FILE is a JSON case (parameters, hourly file, results). Every result comes back: those that cannot be
    expressed say why.
    """
    from gigawatt.documents import write_atomic
    from gigawatt.validation.energy import cases_csv, missed_bounds, validate_energy
    from gigawatt.views.energy import cases_table

    report = validate_energy(files)
    missed = missed_bounds(report, required)
    if predictions:
        write_atomic(predictions, cases_csv(report))
    terminal.table(cases_table(report))
    for text in missed:
        terminal.say(f"missed: {text}")
    terminal.result(
        "validate-energy",
        report.model_dump(mode="json") | {"figures": report.figures(), "missed": list(missed)},
    )
    return int(bool(missed))
