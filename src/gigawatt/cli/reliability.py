"""validate reliability, calibrate reliability."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.arguments import overlay_option
from gigawatt.cli.terminal import Terminal, speaking
from gigawatt.cli.verdict import verdict


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--predictions", metavar="OUT.csv", help="Write printed, predicted and range of every row.")
@click.option(
    "--cross-validate",
    "leave_out",
    type=click.Choice(["organisation"]),
    default=None,
    help="Predict each row from other organisations alone.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="BOUND",
    help='End with 1 unless it holds: "inside>=80%", "median<=30%", "Meta: mape<=100%".',
)
@overlay_option
@speaking
def validate(
    terminal: Terminal,
    files: tuple[Path, ...],
    predictions: str | None,
    leave_out: str | None,
    required: tuple[str, ...],
    overlays: tuple[Path, ...],
) -> int:
    """Compare figures of reliability, yours or published, with what follows from how fleets fail.

    FILE is a CSV with one figure a line. Every line comes back with its range, or with the reason why it does
    not follow from a fleet.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.reliability import facts_csv, validate_reliability
    from gigawatt.validation.requirements import parse_requirement
    from gigawatt.views import reliability as views

    bounds = [parse_requirement(text) for text in required]
    report = validate_reliability(files, load_catalog(overlays), leave_out or "")
    if predictions:
        write_atomic(predictions, facts_csv(report))
    for table in (
        views.facts_score_table(report),
        views.facts_table(report),
        views.learnt_table(report),
        views.left_out_table(report),
    ):
        if table:
            terminal.table(table)
    return verdict(terminal, "validate-reliability", report, bounds)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, metavar="OVERLAY", help="The overlay to write; use it with --overlay."
)
@click.option("--accelerator", required=True, metavar="ID", help="What the fleet consists of.")
@click.option("--date", metavar="DAY", help='What the figures reach up to, such as "2026-11-20"; else today.')
@overlay_option
@speaking
def calibrate(
    terminal: Terminal,
    files: tuple[Path, ...],
    out: str,
    accelerator: str,
    date: str | None,
    overlays: tuple[Path, ...],
) -> int:
    """How often nodes fail by figures of your own, as a row that plans go by instead of published fleets.

    FILE is a CSV with one figure a line, as `validate reliability` reads it. Published figures passed along
    teach how far fleets differ; they get no row.
    """
    import datetime

    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.reliability_overlay import calibrate_reliability, reliability_overlay
    from gigawatt.views.reliability import calibrated_table

    day = date or datetime.datetime.now(datetime.UTC).date().isoformat()
    rows = calibrate_reliability(files, load_catalog(overlays), accelerator, day)
    write_atomic(out, reliability_overlay(rows))
    terminal.table(calibrated_table(rows))
    terminal.say(f"{out}: {', '.join(row.id for row in rows)}")
    terminal.result(
        "calibrate-reliability", {"overlay": out, "rows": [row.model_dump(mode="json") for row in rows]}
    )
    return 0
