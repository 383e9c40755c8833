"""A finished plan handed on: launch files for the chosen layouts, and the report drawn again."""

from __future__ import annotations

from pathlib import Path

from gigawatt.documents import write_atomic
from gigawatt.domain.blueprint import Blueprint, RunPlan
from gigawatt.domain.training import TrainingJob
from gigawatt.errors import InfeasibleError, InputError, Problem, WriteError
from gigawatt.exports import export_layout, require_target
from gigawatt.project.directory import REPORT, PlanDirectory


def export_plan(directory: Path, target: str, run_name: str | None = None) -> dict[str, str]:
    """Launch files (name -> text) for the layout that a run of the plan decided for.

    `run_name` may be left out where the plan has one run. Raises InputError for an unknown target or run and
    for a layout that the target cannot express, InfeasibleError where the run has no layout.
    """
    require_target(target)
    blueprint = PlanDirectory(directory).record()
    run = _run(blueprint, run_name)
    option = run.option_named(run.decision.option)
    prediction = run.prediction_of(option) if option else None
    if option is None or prediction is None or run.shape is None:
        raise InfeasibleError(f"run {run.id} has no layout to export: {run.decision.reason}")
    system = next(system for system in blueprint.systems if system.id == option.system)
    job = TrainingJob(
        seq_len=run.seq_len, global_batch=run.global_batch, precision=run.precision, software=run.software
    )
    return export_layout(target, run.shape, system, prediction.layout, job)


def _run(blueprint: Blueprint, name: str | None) -> RunPlan:
    names = ", ".join(run.id for run in blueprint.runs)
    if name is None:
        if len(blueprint.runs) > 1:
            raise InputError(Problem(f"the plan has the runs {names}: say which", key="--run"))
        return blueprint.runs[0]
    for run in blueprint.runs:
        if run.id == name:
            return run
    raise InputError(Problem(f'no run "{name}": the plan has {names}', key="--run"))


def write_files(files: dict[str, str], path: Path) -> tuple[Path, ...]:
    """Write one file as `path`, several into the folder `path`. Raises WriteError."""
    if len(files) == 1 and not path.is_dir():
        write_atomic(path, next(iter(files.values())))
        return (path,)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{path}: cannot be made: {(error.strerror or str(error)).lower()}") from None
    for name, text in files.items():
        write_atomic(path / name, text)
    return tuple(path / name for name in files)


def draw_report(directory: Path) -> Path:
    """Draw the report of a plan again, in its directory. Raises InputError where there is no plan."""
    from gigawatt.report import render_report

    path = directory / REPORT
    write_atomic(path, render_report(PlanDirectory(directory).record()))
    return path
