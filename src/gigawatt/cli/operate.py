"""operate replay, operate simulate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gigawatt.cli import INTERRUPTED
from gigawatt.cli.arguments import FileOf, Share, count, overlay_option
from gigawatt.cli.terminal import Terminal, speaking, write_table

if TYPE_CHECKING:
    from gigawatt.project.fleet import Recorders

_POLICIES = ("fifo", "sjf", "easy")
_FILE = click.Path(path_type=Path)
_MOST_REPLICATIONS = 10_000
_MOST_UNTIL = 256
_MOST_SEED = 2**63 - 1
_MOST_WORKERS = 1024


@click.command()
@click.argument("jobs", metavar="JOBS.csv", type=_FILE)
@click.option(
    "--capacity", required=True, type=_FILE, metavar="NODES.csv", help="vc,nodes_of_8_gpus: nodes by tenant."
)
@click.option(
    "--policy", required=True, type=click.Choice(_POLICIES), help="First come, shortest first, or backfill."
)
@click.option("--scale", type=float, default=1.0, metavar="F", help="Of each pool's GPUs, such as 0.5.")
@click.option("--starts", type=_FILE, metavar="OUT.csv", help="Write job_id,start_s,end_s of every job.")
@speaking
def replay(
    terminal: Terminal, jobs: Path, capacity: Path, policy: str, scale: float, starts: Path | None
) -> int:
    """Play a trace of jobs back under a policy: who would have waited how long.

    JOBS is our own CSV (job_id,vc,submit_s,duration_s,gpus), Slurm's (sacct --parsable2 or --json), or a
    published trace (Philly, Helios, Acme, Alibaba), also gzipped. Lines that are no jobs are named.
    """
    from gigawatt.documents import write_atomic
    from gigawatt.project.replay import replay_files
    from gigawatt.views import fleet as views

    with terminal.progress() as show:
        result = replay_files(jobs, capacity, policy, scale, show)
    if starts:
        from gigawatt.exports.job_csv import starts_csv

        write_atomic(starts, starts_csv(result))
    for line in views.remark_lines(result.remarks, str(jobs), terminal.verbose):
        terminal.note(line)
    for table in (views.replay_table(result.summary), views.remark_table(result.summary)):
        if table:
            terminal.table(table)
    lines = [remark._asdict() for remark in result.remarks]
    terminal.result("operate-replay", result.summary.model_dump(mode="json") | {"lines": lines})
    return 0


@click.command()
@click.argument("fleet", metavar="FLEET.yaml", type=_FILE)
@click.option(
    "--replications",
    type=count(_MOST_REPLICATIONS),
    metavar="N",
    help="Futures played, one if not stated; with --until the most of them, else 256.",
)
@click.option(
    "--until",
    "until_frac",
    type=Share(),
    metavar="X",
    help="Stop once the mean goodput is known to within X, such as 0.2 %.",
)
@click.option("--seed", type=count(_MOST_SEED, 0), metavar="N", help="Of the luck; the file's otherwise.")
@click.option("--workers", type=count(_MOST_WORKERS), metavar="N", help="Threads; all processors otherwise.")
@click.option(
    "--ray", "on_ray", is_flag=True, help="Play on the cluster that Ray finds, else on one it starts."
)
@click.option(
    "--log",
    type=FileOf(".csv", ".parquet"),
    metavar="FILE",
    help="Write every spell of the first future to .csv or .parquet.",
)
@click.option(
    "--timeline", type=FileOf(".svg"), metavar="FILE.svg", help="Draw what the fleet did over the time."
)
@click.option(
    "--trace", type=FileOf(".json"), metavar="FILE.json", help="Write the first future for Perfetto."
)
@click.option(
    "--out", type=FileOf(".csv", ".parquet"), metavar="FILE", help="Write the timeline to .csv or .parquet."
)
@overlay_option
@speaking
def simulate(
    terminal: Terminal,
    fleet: Path,
    replications: int | None,
    until_frac: float | None,
    seed: int | None,
    workers: int | None,
    on_ray: bool,
    log: Path | None,
    timeline: Path | None,
    trace: Path | None,
    out: Path | None,
    overlays: tuple[Path, ...],
) -> int:
    """Rehearse a fleet: what failures, repairs, spares and queues leave of it.

    FLEET.yaml holds nodes, tenants, jobs, rules, technicians and parts (`gigawatt schema fleet`); hazards
    come from the catalogue. The same file and seed give the same figures, for any number of workers.
    """
    from gigawatt.project.fleet import Recorders, compile_twin, draw_timeline, open_fleet, rehearse_fleet
    from gigawatt.views import rehearsal as views

    recorders = Recorders(log=log, trace=trace)
    with terminal.progress() as show:
        try:
            inputs = open_fleet(fleet, seed, overlays)
            show(0, 0, "compiling, once")
            compile_twin()
            begun = os.times()
            found = rehearse_fleet(
                inputs,
                str(fleet),
                replications or (_MOST_UNTIL if until_frac else 1),
                until_frac,
                workers,
                "ray" if on_ray else "threads",
                recorders,
                lambda done_s, total_s, label: show(0, 0, f"{_bar(done_s / total_s)}  {label}"),
            )
        except KeyboardInterrupt:
            return _interrupted(terminal, recorders)
    for line in views.trace_lines(inputs.traces.values(), terminal.verbose):
        terminal.note(line)
    for table in views.all_tables(found.rehearsal, found.outlook, until_frac, terminal.verbose):
        terminal.table(table)
    if timeline:
        draw_timeline(found, timeline)
    if out:
        write_table(str(out), views.timeline_table(found.rehearsal.timeline))
    for path in (log, trace, timeline, out):
        if path:
            terminal.note(f"wrote {path}")
    answer = views.result(found.rehearsal, found.outlook)
    lines = views.trace_records(inputs.traces.values())
    terminal.result("operate-simulate", {**answer, "cpu_s": _cpu_s(begun), "lines": lines})
    return 0


def _interrupted(terminal: Terminal, recorders: Recorders) -> int:
    written = [str(path) for path in recorders if path and path.exists()]
    until = f": {' and '.join(written)} hold what happened until then" if written else ""
    terminal.note(f"interrupted{until}")
    return INTERRUPTED


_BAR_CELLS = 24


def _bar(done_frac: float) -> str:
    full = round(_BAR_CELLS * min(1.0, max(0.0, done_frac)))
    return f"{'█' * full}{'░' * (_BAR_CELLS - full)} {min(1.0, done_frac):4.0%}"


def _cpu_s(begun: os.times_result) -> float:
    """Of this process and those that it waited for, since then."""
    return sum(now - then for now, then in zip(os.times()[:4], begun[:4], strict=True))
