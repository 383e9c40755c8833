"""validate training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gigawatt.cli.arguments import overlay_option
from gigawatt.cli.terminal import Terminal, speaking
from gigawatt.cli.verdict import verdict

if TYPE_CHECKING:
    from gigawatt.domain.validation import ValidationReport

_FOLDS = ("source", "family", "model", "organisation")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--predictions", metavar="OUT.csv", help="Write measured and predicted of every row.")
@click.option(
    "--cross-validate",
    "leave_out",
    type=click.Choice(_FOLDS),
    default=None,
    help="Predict each row by a fit to the files' other sources, families, models or organisations.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="BOUND",
    help='End with 1 unless it holds: "mape<=8%", "Megatron-LM: p90<=20%".',
)
@overlay_option
@speaking
def training(
    terminal: Terminal,
    files: tuple[Path, ...],
    predictions: str | None,
    leave_out: str | None,
    required: tuple[str, ...],
    overlays: tuple[Path, ...],
) -> int:
    """Compare measured training runs, yours or published, with what gigawatt predicts for them.

    FILE is a CSV with one run a line. Every line comes back: those that cannot be predicted say why, the
    others what a gap is likely due to, and what a reported TFLOP/s or MFU counts.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.predictions import predictions_csv
    from gigawatt.validation.requirements import parse_requirement
    from gigawatt.validation.training import validate_training

    bounds = [parse_requirement(text) for text in required]
    with terminal.progress() as show:
        report = validate_training(files, load_catalog(overlays), leave_out or "", progress=show)
    if predictions:
        write_atomic(predictions, predictions_csv(report))
    _print(terminal, report)
    return verdict(terminal, "validate-training", report, bounds)


def _print(terminal: Terminal, report: ValidationReport) -> None:
    from gigawatt.views import validation as views

    terminal.table(views.score_table(report))
    for table in (
        views.ranking_table(report),
        views.convention_table(report),
        views.unscored_table(report),
        views.worst_table(report),
    ):
        if table:
            terminal.table(table)
