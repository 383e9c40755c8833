"""contract schedule."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking, write_table

_MOST_SAMPLES = 10_000_000
_MOST_SEED = 2**31 - 1
_MOST_WORKERS = 1024
_NUM_FUTURES = 8
"""A portfolio is solved for all of them at once."""


@click.command()
@click.argument("project", metavar="PROJECT.yaml", type=click.Path(path_type=Path))
@click.option(
    "--samples",
    default=131_072,
    show_default=True,
    type=count(_MOST_SAMPLES),
    metavar="N",
    help="Outcomes drawn.",
)
@click.option(
    "--seed", default=1, show_default=True, type=count(_MOST_SEED, 0), metavar="N", help="Of the draw."
)
@click.option("--workers", type=count(_MOST_WORKERS), metavar="N", help="Threads; all processors otherwise.")
@click.option(
    "--draw", "drawing", type=click.Path(path_type=Path), metavar="FILE.svg", help="Write the Gantt chart."
)
@click.option("--out", metavar="FILE", help="Write the months of every milestone to FILE.csv or .parquet.")
@click.option(
    "--futures",
    type=click.Path(path_type=Path),
    metavar="FILE.yaml",
    help="Write the dates as futures of a roadmap, for contract portfolio.",
)
@overlay_option
@speaking
def schedule(
    terminal: Terminal,
    project: Path,
    samples: int,
    seed: int,
    workers: int | None,
    drawing: Path | None,
    out: str | None,
    futures: Path | None,
    overlays: tuple[Path, ...],
) -> int:
    """Construction risk of a project: P10, P50 and P90 of every capacity date, and what drives them.

    PROJECT.yaml holds activities, what waits for what, and the suppliers, utilities, risks and calendars
    that they have in common.
    """
    from gigawatt.project.schedule import draw_schedule, schedule_risk, write_futures
    from gigawatt.views import schedule as views

    risk = schedule_risk(project, samples, seed, workers, overlays)
    terminal.table(views.milestones_table(risk))
    terminal.table(views.drivers_table(risk, terminal.verbose))
    terminal.table(views.activities_table(risk))
    for table in (views.money_table(risk), views.swings_table(risk), views.years_table(risk)):
        if table:
            terminal.table(table)
    if terminal.verbose:
        terminal.table(views.durations_table(risk))
    if drawing:
        terminal.note(f"wrote {draw_schedule(risk, drawing)}")
    if out:
        write_table(out, views.months_table(risk))
        terminal.note(f"wrote {out}")
    if futures:
        terminal.note(
            f"wrote {write_futures(project, futures, _NUM_FUTURES, samples, seed, workers, overlays)}"
        )
    terminal.result("contract-schedule", risk.model_dump(mode="json", exclude={"schema_id"}))
    return 0
