"""A finished plan handed on: launch files for layouts, files for whole clusters, the report drawn again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gigawatt.documents import write_atomic
from gigawatt.domain.blueprint import Blueprint, ClusterPlan, RunPlan
from gigawatt.domain.training import TrainingJob
from gigawatt.errors import InfeasibleError, InputError, Problem, UnknownIdError, WriteError
from gigawatt.exports import TARGETS, export_layout
from gigawatt.project.directory import REPORT, PlanDirectory

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.design.fabric import FabricParts
    from gigawatt.domain.fabric import FabricDesign
    from gigawatt.exports.cluster import BuiltCluster

_Part = TypeVar("_Part")

ENERGY_TARGET = "pypsa"
NOTES = "notes.txt"
"""Beside what is written, in lines: what differs from what was asked."""
STEP_OF_A_RING = "ring-ll128"
"""The protocol whose latencies stand for those of one message."""


def export_plan(
    directory: Path,
    target: str,
    run_name: str | None = None,
    cluster_name: str | None = None,
    overlays: Sequence[Path] = (),
) -> Mapping[str, str | Iterable[str]]:
    """Files (name -> text, or pieces of it) for the layout of a run, or for an owned cluster, of a plan.

    `run_name` and `cluster_name` may be left out where the plan has one. `overlays` are those that the plan
    was made with: a cluster's parts are looked up in the catalogue. With the target `pypsa`, `directory` is
    the file of an energy site. Raises InputError for an unknown target, run or cluster and for what the
    target cannot express, InfeasibleError where there is nothing to export.
    """
    from gigawatt.exports.cluster_targets import CLUSTER_TARGETS, export_cluster

    if target == ENERGY_TARGET:
        from gigawatt.project.energy import export_site

        return export_site(directory, overlays).files
    if target in CLUSTER_TARGETS:
        from gigawatt.catalog import load_catalog

        blueprint = PlanDirectory(directory).record()
        plan = _cluster(blueprint, cluster_name)
        return export_cluster(target, built_cluster(plan, load_catalog(overlays)))
    if target not in TARGETS:
        known = ", ".join((*TARGETS, *CLUSTER_TARGETS, ENERGY_TARGET))
        raise UnknownIdError(f"unknown export target `{target}`; expected one of {known}")
    return _launch_files(PlanDirectory(directory).record(), target, run_name)


def _launch_files(blueprint: Blueprint, target: str, run_name: str | None) -> dict[str, str]:
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


def built_cluster(plan: ClusterPlan, catalogue: Catalog) -> BuiltCluster:
    """A planned cluster with the catalogue's rows for all that its designs name.

    Raises InfeasibleError where it has no fabric, UnknownIdError for a row that the
    catalogue lacks, InputError where its switches are not those of the plan.
    """
    from gigawatt.exports.cluster import BuiltCluster
    from gigawatt.project.parts import fabric_parts

    if plan.fabric is None:
        why = "; ".join(binding.message for binding in plan.binding) or "none was designed"
        raise InfeasibleError(f"cluster {plan.cluster} has no fabric to export: {why}")
    system = catalogue.system(plan.system)
    parts = fabric_parts(catalogue, plan.fabric.fabric, system)
    _require_the_same_switches(plan.fabric, parts)
    chain = plan.facility.power.nodes if plan.facility else ()
    protocols = catalogue.collective_calibration().protocols
    step = next(protocol for protocol in protocols if protocol.id == STEP_OF_A_RING)
    return BuiltCluster(
        name=plan.cluster,
        system=system,
        accelerator=catalogue.accelerator(system.accelerator),
        fabric=plan.fabric,
        parts=parts,
        facility=plan.facility,
        equipment={node.equipment: catalogue.equipment(node.equipment) for node in chain if node.equipment},
        near_step_s=step.near_step_s,
        far_step_s=step.far_step_s,
    )


def _require_the_same_switches(fabric: FabricDesign, parts: FabricParts) -> None:
    """Ports are named by the catalogue's switches: they have to be those that the design counted with."""
    changed = {
        tier.switch
        for network in fabric.networks
        for tier in network.tiers
        if tier.switch not in parts.switches or tier.num_ports % parts.switches[tier.switch].num_ports
    }
    if changed:
        message = "not the switch that the plan was made with: plan again, or name the overlay with --overlay"
        raise InputError([Problem(message, f"switches/{id}") for id in sorted(changed)])


def _cluster(blueprint: Blueprint, name: str | None) -> ClusterPlan:
    if not blueprint.clusters:
        raise InputError(Problem("the plan has no cluster of its own to export", key="clusters"))
    return _named({plan.cluster: plan for plan in blueprint.clusters}, name, "cluster")


def _run(blueprint: Blueprint, name: str | None) -> RunPlan:
    return _named({run.id: run for run in blueprint.runs}, name, "run")


def _named(known: Mapping[str, _Part], name: str | None, noun: str) -> _Part:
    """The one of that name, or the only one. Raises InputError with those that there are."""
    names = ", ".join(known)
    if name is None:
        if len(known) > 1:
            raise InputError(Problem(f"the plan has the {noun}s {names}: say which", key=f"--{noun}"))
        return next(iter(known.values()))
    if name not in known:
        raise InputError(Problem(f'no {noun} "{name}": the plan has {names}', key=f"--{noun}"))
    return known[name]


def write_files(files: Mapping[str, str | Iterable[str]], path: Path) -> tuple[Path, ...]:
    """Write one file as `path`, several into the folder `path` and those below it. Raises WriteError."""
    if len(files) == 1 and not path.is_dir():
        write_atomic(path, next(iter(files.values())))
        return (path,)
    for folder in {(path / name).parent for name in files}:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WriteError(f"{folder}: cannot be made: {(error.strerror or str(error)).lower()}") from None
    for name, text in files.items():
        write_atomic(path / name, text)
    return tuple(path / name for name in files)


def draw_report(directory: Path) -> Path:
    """Draw the report of a plan again, in its directory. Raises InputError where there is no plan."""
    from gigawatt.report import render_report

    path = directory / REPORT
    write_atomic(path, render_report(PlanDirectory(directory).record()))
    return path
