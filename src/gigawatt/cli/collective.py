"""design collective, validate collectives, calibrate collectives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gigawatt.cli.arguments import MOST_ACCELERATORS, Quantity, count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking
from gigawatt.cli.verdict import verdict

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.collectives import CollectiveReport
    from gigawatt.validation.collective_files import Given

_FOLDS = ("series", "source", "fabric", "gpu_kind", "collective")
_MOST_PLANES = 64
_MOST_EXPERTS = 1024
_MOST_SHARING = 1024


@click.command()
@click.argument("name")
@click.option(
    "--bytes-total",
    required=True,
    type=Quantity("_bytes"),
    metavar="B",
    help='The whole buffer, as nccl-tests count it, such as "1 GiB".',
)
@click.option("--system", required=True, metavar="ID", help="Node or rack kind, such as hgx-h100.")
@click.option("--gpus", required=True, type=count(MOST_ACCELERATORS), metavar="N", help="Ranks, one on each.")
@click.option("--fabric", default="", metavar="ID", help="Kind of network between scale-up domains.")
@click.option("--planes", type=count(_MOST_PLANES), help="Planes of that network.")
@click.option(
    "--ranks-per-domain", type=count(MOST_ACCELERATORS), help="Ranks in each scale-up domain, if not all."
)
@click.option(
    "--groups", type=count(MOST_ACCELERATORS), default=1, help="Groups on other GPUs that do so at once."
)
@click.option("--sharing", type=count(_MOST_SHARING), default=1, help="Collectives at once on the same GPUs.")
@click.option("--top-k", type=count(_MOST_EXPERTS), help="Experts of a token, of a dispatch or combine.")
@click.option(
    "--algorithm", default="", metavar="NAME", help="Held to ring, tree, nvls, nvls-tree, sharp, ..."
)
@click.option("--captured", is_flag=True, help="Launched from a captured graph, not from the host.")
@click.option(
    "--straggler",
    "straggler_s",
    type=Quantity("_s"),
    metavar="T",
    help='By how much one rank comes late, such as "2 ms".',
)
@overlay_option
@speaking
def collective(
    terminal: Terminal,
    name: str,
    bytes_total: float,
    system: str,
    gpus: int,
    fabric: str,
    planes: int | None,
    ranks_per_domain: int | None,
    groups: int,
    sharing: int,
    top_k: int | None,
    algorithm: str,
    captured: bool,
    straggler_s: float | None,
    overlays: tuple[Path, ...],
) -> int:
    """Predict how long the collective NAME takes, with its range, its algorithm and what sets it.

    NAME is all_reduce, all_gather, reduce_scatter, all_to_all, broadcast, send_recv, moe_dispatch or
    moe_combine.
    """
    from gigawatt.errors import InfeasibleError
    from gigawatt.project.collectives import CollectiveQuestion, time_collective
    from gigawatt.views import collectives as views

    question = CollectiveQuestion(
        name=name,
        bytes_total=bytes_total,
        system=system,
        num_ranks=gpus,
        fabric=fabric,
        num_planes=planes,
        ranks_per_domain=ranks_per_domain,
        num_groups=groups,
        num_sharing=sharing,
        top_k=top_k,
        algorithm=algorithm,
        captured=captured,
        straggler_s=straggler_s or 0.0,
    )
    try:
        found = time_collective(question, overlays)
    except InfeasibleError as error:
        return terminal.infeasible("design-collective", error, {"system": system, "num_ranks": gpus})
    terminal.table(views.prediction_table(found))
    for table in (views.candidates_table(found), views.sensitivity_table(found)):
        if table:
            terminal.table(table)
    terminal.result("design-collective", found.model_dump(mode="json"))
    return 0


_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))


def _said_of_logs(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a raw log does not say of itself."""
    command = click.option(
        "--gpus", type=count(MOST_ACCELERATORS), default=None, help="Ranks, of a log without a table of them."
    )(command)
    command = click.option(
        "--collective", default="", metavar="NAME", help="Of a log that does not name its test."
    )(command)
    command = click.option(
        "--fabric", default="", metavar="WORDS", help='Network: an id, or "InfiniBand 8x400Gb/s per node".'
    )(command)
    return click.option(
        "--system",
        default="",
        metavar="ID",
        help="Machines that a log was measured on, where it does not say.",
    )(command)


@click.command()
@_FILES
@_said_of_logs
@click.option("--predictions", metavar="OUT.csv", help="Write measured and predicted of every row.")
@click.option(
    "--cross-validate",
    "leave_out",
    type=click.Choice(_FOLDS),
    default=None,
    help="Predict each row by a fit that has not seen its series, source, network, machines or collective.",
)
@click.option(
    "--require",
    "required",
    multiple=True,
    metavar="BOUND",
    help='End with 1 unless it holds: "median<=12%", "large: p90<=30%".',
)
@overlay_option
@speaking
def validate(
    terminal: Terminal,
    files: tuple[Path, ...],
    system: str,
    fabric: str,
    collective: str,
    gpus: int | None,
    predictions: str | None,
    leave_out: str | None,
    required: tuple[str, ...],
    overlays: tuple[Path, ...],
) -> int:
    """Compare measured collectives, yours or published, with what gigawatt predicts for them.

    FILE is raw output of nccl-tests or rccl-tests, or a CSV with one size a line. Every line comes back:
    those that cannot be predicted say why, and a run beyond its range says what it is likely due to.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.collective_predictions import collective_predictions_csv
    from gigawatt.validation.collectives import validate_collectives
    from gigawatt.validation.requirements import parse_requirement

    bounds = [parse_requirement(text) for text in required]
    catalogue = load_catalog(overlays)
    given = _given(catalogue, system, fabric, collective, gpus)
    with terminal.progress() as show:
        report = validate_collectives(files, catalogue, leave_out or "", show, given)
    if predictions:
        write_atomic(predictions, collective_predictions_csv(report))
    _print(terminal, report)
    return verdict(terminal, "validate-collectives", report, bounds)


def _given(catalogue: Catalog, system: str, fabric: str, collective: str, gpus: int | None) -> Given:
    from gigawatt.project.collectives import collective_named
    from gigawatt.validation.collective_files import given_of

    named = collective_named(collective) if collective else ""
    return given_of(catalogue, system, fabric, named, gpus or 0)


def _print(terminal: Terminal, report: CollectiveReport) -> None:
    from gigawatt.views import collectives as views

    curves = views.curve_tables(report, terminal.verbose)
    scores = views.score_table(report, terminal.verbose)
    for table in (*curves, scores, views.unscored_table(report), views.cause_table(report)):
        if table:
            terminal.table(table)


@click.command()
@_FILES
@click.option(
    "-o", "--out", required=True, metavar="OVERLAY", help="The overlay to write; use it with --overlay."
)
@_said_of_logs
@overlay_option
@speaking
def calibrate(
    terminal: Terminal,
    files: tuple[Path, ...],
    out: str,
    system: str,
    fabric: str,
    collective: str,
    gpus: int | None,
    overlays: tuple[Path, ...],
) -> int:
    """Fit times of collectives to measurements of your own, on top of what the catalogue knows.

    FILE is raw output of nccl-tests or rccl-tests, or a CSV with one size a line.
    """
    from gigawatt.catalog import load_catalog
    from gigawatt.documents import write_atomic
    from gigawatt.validation.calibrate import OWN_SOURCE
    from gigawatt.validation.collectives import calibrate_collectives
    from gigawatt.views.validation import moved_table

    catalogue = load_catalog(overlays)
    before = catalogue.collective_calibration().fit
    note = f"{', '.join(file.name for file in files)}, on top of {before.source} ({before.date})"
    given = _given(catalogue, system, fabric, collective, gpus)
    fit = calibrate_collectives(files, catalogue, OWN_SOURCE, before.date, note, given)
    write_atomic(out, fit.model_dump_json(indent=1) + "\n")
    terminal.table(moved_table(before, fit))
    terminal.say(f"{out}: {note}")
    terminal.result("calibrate-collectives", {"overlay": out, "fit": fit.model_dump(mode="json")})
    return 0
