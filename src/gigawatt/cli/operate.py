"""operate replay."""

from __future__ import annotations

from pathlib import Path

import click

from gigawatt.cli.terminal import Terminal, speaking

_POLICIES = ("fifo", "sjf", "easy")
_FILE = click.Path(path_type=Path)


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
