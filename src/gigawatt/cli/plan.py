"""init, plan, explain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gigawatt.cli.arguments import overlay_option
from gigawatt.cli.terminal import Terminal, speaking


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), default=".", metavar="[DIR]")
@speaking
def init(terminal: Terminal, directory: Path) -> int:
    """Write a commented scenario.yaml into DIR (default: here), to be changed and planned."""
    from gigawatt.project.template import write_template

    path = write_template(directory)
    terminal.say(f"wrote {path}; next: gigawatt plan {path}")
    terminal.result("init", {"scenario": str(path)})
    return 0


@click.command()
@click.argument("scenario", type=click.Path(path_type=Path), metavar="SCENARIO.yaml")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Default: plans/NAME.")
@overlay_option
@speaking
def plan(terminal: Terminal, scenario: Path, out: Path | None, overlays: tuple[Path, ...]) -> int:
    """Plan the training runs of a scenario, and decide.

    For each run and each place: the best layout, how long it takes, until when, at what cost. Writes a plan
    directory with the scenario, blueprint.json, report.html and logbook.json (rehearsals), and what the
    scenario asks for beside them: schedule.json, energy.json, portfolio.json. Ends with 1 if a run misses its
    deadline or nothing can be signed that meets the roadmap.
    """
    from gigawatt.project import plan_scenario
    from gigawatt.views.clusters import clusters_table
    from gigawatt.views.commitments import sign_now_table
    from gigawatt.views.plan import assumption_table, calendar_table, goodput_text, run_tables

    with terminal.progress() as progress:
        planned = plan_scenario(scenario, out, overlays, progress=progress)
    blueprint = planned.blueprint
    if planned.skipped:
        terminal.note(f"{planned.directory}: inputs unchanged, nothing done again")
    for table in run_tables(blueprint):
        terminal.table(table)
    if clusters := clusters_table(blueprint.clusters):
        terminal.table(clusters)
    if to_sign := sign_now_table(blueprint):
        terminal.table(to_sign)
    if calendar := calendar_table(blueprint):
        terminal.table(calendar)
    if terminal.verbose:
        terminal.table(assumption_table(blueprint))
    if left_out := goodput_text(blueprint):
        terminal.say(left_out)
    terminal.say(f"Plan: {planned.directory} ({', '.join(planned.artefacts)})")
    decision: dict[str, Any] = {"met": planned.met}
    decision["runs"] = {run.id: run.decision.model_dump() for run in blueprint.runs}
    if blueprint.portfolio:
        decision["portfolio"] = blueprint.portfolio.model_dump(mode="json")
    terminal.result(
        "plan",
        {
            "directory": str(planned.directory),
            "artefacts": {name: str(planned.directory / name) for name in planned.artefacts},
            "decision": decision,
        },
    )
    return 0 if planned.met else 1


@click.command()
@click.argument("directory", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("figure")
@speaking
def explain(terminal: Terminal, directory: Path, figure: str) -> int:
    """Trace a figure of the plan in DIR to its inputs, laws and sources.

    FIGURE is a JSON pointer into blueprint.json, such as /runs/0/options/0/cost_usd; `gigawatt plan -v` shows
    where each option stands.
    """
    from gigawatt.project import PlanDirectory, explain_figure
    from gigawatt.views.explanation import explanation_lines

    explanation = explain_figure(PlanDirectory(directory).blueprint(), figure)
    for line in explanation_lines(explanation, terminal.verbose):
        terminal.say(line)
    terminal.result("explain", explanation.model_dump())
    return 0
