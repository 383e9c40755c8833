"""design training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gigawatt.cli.arguments import MOST_ACCELERATORS, MOST_TOKENS, Quantity, count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking, write_table

if TYPE_CHECKING:
    from gigawatt.domain.training import TrainingDesign

_AXES = ("tp", "pp", "vpp", "cp", "ep", "etp", "dp", "micro_batch")
_PRECISIONS = ("bf16", "fp16", "fp8", "mxfp8", "nvfp4", "mxfp4", "fp32", "tf32")


def _axis_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """One option for each axis of a layout that can be fixed."""
    schedule = click.Choice(["1f1b", "interleaved", "zero-bubble"])
    command = click.option("--schedule", type=schedule, help="Fix the pipeline schedule.")(command)
    recompute = click.Choice(["none", "selective", "full"])
    command = click.option("--recompute", type=recompute, help="Fix activation recomputation.")(command)
    command = click.option("--zero", type=click.IntRange(0, 3), help="Fix the ZeRO stage.")(command)
    for axis in reversed(_AXES):
        name = f"--{axis.replace('_', '-')}"
        command = click.option(name, type=count(MOST_ACCELERATORS), help=f"Fix {axis}.")(command)
    return command


@click.command()
@click.argument("model")
@click.option("--system", required=True, metavar="ID", help="Node or rack kind, such as hgx-h100.")
@click.option(
    "--gpus", required=True, type=count(MOST_ACCELERATORS), metavar="N", help="Accelerators in all."
)
@click.option("--seq-len", required=True, type=count(MOST_TOKENS), metavar="S", help="Tokens per sequence.")
@click.option(
    "--global-batch", required=True, type=count(MOST_TOKENS), metavar="SEQS", help="Sequences per step."
)
@click.option("--tokens", type=Quantity("_tokens"), metavar="T", help='Tokens in all, such as "15.6T".')
@click.option(
    "--precision",
    type=click.Choice(_PRECISIONS),
    default="bf16",
    show_default=True,
    help="Number format of the matrix products.",
)
@click.option("--top", type=count(100), default=5, show_default=True, metavar="K", help="Layouts to show.")
@_axis_options
@click.option(
    "--exhaustive", is_flag=True, help="Weigh layouts one by one that bounds would rule out at once."
)
@click.option("--fabric", metavar="ID", help="Kind of network between the nodes, such as its pods and tiers.")
@click.option("--layout", "asked", metavar='"tp=8 pp=16 ..."', help="A layout of your own, beside the best.")
@click.option("--out", metavar="FILE", help="Write the table of layouts to FILE.csv or FILE.parquet.")
@overlay_option
@speaking
def training(
    terminal: Terminal,
    model: str,
    system: str,
    gpus: int,
    seq_len: int,
    global_batch: int,
    tokens: float | None,
    precision: str,
    top: int,
    exhaustive: bool,
    fabric: str | None,
    asked: str | None,
    out: str | None,
    overlays: tuple[Path, ...],
    **axes: Any,
) -> int:
    """Find the best layout of a training run of MODEL (a catalogue id or the path of a config.json).

    Every legal layout is weighed. Ends with 1 if none fits, and says what binds and what would work.
    """
    from gigawatt.domain.training import TrainingJob
    from gigawatt.project.training import lay_out

    job = TrainingJob(seq_len=seq_len, global_batch=global_batch, precision=precision)
    fixed = {name: value for name, value in axes.items() if value is not None}
    answer = lay_out(model, system, gpus, job, tokens, fixed, top, asked, exhaustive, overlays, fabric)
    _print(terminal, answer.design, out)
    if answer.remark:
        terminal.note(f"note: {answer.remark}")
    if answer.train_s is not None and answer.design.best:
        terminal.say(answer.length_text())
    terminal.result("design-training", answer.for_scripts())
    return 0 if answer.design.best else 1


def _print(terminal: Terminal, design: TrainingDesign, out: str | None) -> None:
    from gigawatt.views import training as views

    if not design.best:
        terminal.table(views.binding_table(design))
        if design.nearest:
            terminal.say(f"nearest layout: {views.layout_text(design.nearest.layout)}")
            terminal.table(views.memory_table(design.nearest, terminal.verbose))
        return
    layouts = views.layouts_table(design)
    if out:
        write_table(out, layouts)
    terminal.table(layouts)
    terminal.table(views.parts_table(design.best[0], design.asked))
    terminal.table(views.memory_table(design.best[0], terminal.verbose))
    if design.asked:
        terminal.table(views.memory_table(design.asked, terminal.verbose, ", your layout"))
    if sensitivity := views.sensitivity_table(design):
        terminal.table(sensitivity)
    terminal.say(views.MFU_CONVENTION)
