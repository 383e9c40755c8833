"""What the contract act says of owned clusters: when they are built, and what their power costs and emits.

Each answer goes whole into an artefact of its own, and as far as runs need it into the blueprint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gigawatt.domain.blueprint import ClusterEnergy, ClusterPlan, ReadyDates
from gigawatt.domain.record import Provenance, Record
from gigawatt.domain.training import Binding
from gigawatt.errors import InfeasibleError
from gigawatt.laws.power import MWH_J
from gigawatt.project.annexes import roadmap_project
from gigawatt.project.directory import json_text
from gigawatt.project.trace import Trace
from gigawatt.units import format_quantity

if TYPE_CHECKING:
    from gigawatt.domain.dates import PortfolioDates
    from gigawatt.domain.energy import EnergyPlan
    from gigawatt.domain.portfolio import Roadmap
    from gigawatt.domain.scenario import Cluster, Scenario
    from gigawatt.domain.schedule import ScheduleRisk
    from gigawatt.project.annexes import Annexes
    from gigawatt.project.energy import EnergyQuestion

SCHEDULE, ENERGY = "schedule.json", "energy.json"
OWN_WORD = "project"
"""Source of a duration that says none: the project's own file."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Answers:
    """By the name of the file that asked; where there is no answer, the reason why."""

    risks: Mapping[str, ScheduleRisk] = field(default_factory=dict)
    sites: Mapping[str, EnergyQuestion] = field(default_factory=dict)
    energies: Mapping[str, EnergyPlan] = field(default_factory=dict)
    refusals: Mapping[str, Binding] = field(default_factory=dict)
    roadmap: Roadmap | None = None
    """With the dates of its construction projects as futures."""
    dates: PortfolioDates | None = None
    """What those are."""

    def artefacts(self) -> Iterator[tuple[str, str]]:
        """File names and texts."""
        if self.risks:
            yield SCHEDULE, _collected("plan-schedule", "projects", self.risks)
        if self.energies:
            yield ENERGY, _collected("plan-energy", "sites", self.energies)


NO_ANSWERS = Answers()


def _collected(schema: str, noun: str, answers: Mapping[str, Record]) -> str:
    held = {name: answers[name].model_dump(mode="json") for name in sorted(answers)}
    return json_text({"schema": f"gigawatt.{schema}/1", noun: held})


def answer_annexes(annexes: Annexes, seed: int, progress: Progress) -> Answers:
    """Draws the dates and plans the energy of a scenario's further files.

    Raises InputError for what cannot be drawn.
    """
    from gigawatt.contract.schedule import draw_blocks
    from gigawatt.contract.schedule_futures import NUM_SAMPLES
    from gigawatt.project.energy import plan_question

    risks, energies = {}, {}
    refusals: dict[str, Binding] = {}
    for name, project in annexes.projects.items():
        progress(0, 0, f"dates of {name}")
        risks[name] = draw_blocks(project, NUM_SAMPLES, seed).risk
    for name, asked in annexes.sites.items():
        progress(0, 0, f"energy of {name}")
        try:
            energies[name] = plan_question(asked)
        except InfeasibleError as error:
            refusals[name] = Binding(constraint="energy", message=f"{name}: {error}")
    roadmap, dates = annexes.roadmap.dated(seed) if annexes.roadmap else (None, None)
    return Answers(risks, annexes.sites, energies, refusals, roadmap, dates)


def furnish(
    clusters: Sequence[ClusterPlan], scenario: Scenario, answers: Answers, trace: Trace
) -> tuple[ClusterPlan, ...]:
    """The clusters with their dates and their energy, and the trail of both."""
    return tuple(
        plan.model_copy(update=_furnished(cluster, plan, answers, trace, f"/clusters/{number}"))
        for number, (cluster, plan) in enumerate(zip(scenario.clusters, clusters, strict=True))
    )


def _furnished(
    cluster: Cluster, plan: ClusterPlan, answers: Answers, trace: Trace, here: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if cluster.construction:
        ready = _ready(cluster, answers.risks[cluster.construction.project], trace, f"{here}/ready")
        found["ready"] = ready
        if plan.facility and plan.facility.it_w > ready.power_w:
            found["remarks"] = (*plan.remarks, _too_small(ready, plan.facility.it_w))
    if cluster.energy in answers.energies:
        found["energy"] = _energy(cluster, answers, trace, f"{here}/energy")
    elif cluster.energy:
        found["binding"] = (*plan.binding, answers.refusals[cluster.energy])
    return found


def _too_small(ready: ReadyDates, it_w: float) -> str:
    block, needed = (format_quantity(watts, "_w") for watts in (ready.power_w, it_w))
    return f"block {ready.block} carries {block} of computers, and the cluster draws {needed}"


def _ready(cluster: Cluster, risk: ScheduleRisk, trace: Trace, here: str) -> ReadyDates:
    assert cluster.construction is not None
    block = cluster.construction.block
    found = next(one for one in risk.milestones if one.id == block)
    assert found.power_w is not None
    file = trace.assume(
        f"clusters/{cluster.id}/construction",
        f"construction project of {cluster.id}",
        risk.title,
        Provenance(source=cluster.construction.project, basis="estimate", note=f"block {block}"),
    )
    durations = _trace_durations(risk, block, cluster.construction.project, trace)
    law = "contract.schedule.simulate_schedule"
    trace.derive(here, law, (file, *durations), f"{risk.num_samples:,} outcomes, seed {risk.seed}")
    return ReadyDates(
        project=risk.title,
        block=block,
        power_w=found.power_w,
        p10=found.p10.isoformat(),
        p50=found.p50.isoformat(),
        p90=found.p90.isoformat(),
        planned=found.planned.isoformat(),
        num_samples=risk.num_samples,
    )


def trace_dates(answers: Answers, file: str, trace: Trace) -> None:
    """The trail of the dates that the portfolio of a roadmap in `file` plans with."""
    law = "contract.schedule_futures.date_roadmap"
    for number, one in enumerate(answers.dates.blocks if answers.dates else ()):
        name = roadmap_project(file, one.file)
        risk = answers.risks[name]
        at = trace.assume(
            f"portfolio/{one.owner}/{one.block}",
            f"construction project of {one.owner} in {file}",
            risk.title,
            Provenance(source=name, basis="estimate", note=f"block {one.block}"),
        )
        durations = _trace_durations(risk, one.block, name, trace)
        note = f"{risk.num_samples:,} outcomes, seed {risk.seed}"
        trace.derive(f"/portfolio/dates/blocks/{number}", law, (at, *durations), note)


def _trace_durations(risk: ScheduleRisk, block: str, file: str, trace: Trace) -> tuple[str, ...]:
    """What is ever on the longest path to a block, and risks: how long, and on whose word."""
    idle = {one.id for one in risk.activities if not one.criticality_frac.get(block)}
    return tuple(
        trace.fact(
            f"construction/{file}/{one.owner}",
            one.text,
            Provenance(source=file if one.source == OWN_WORD else one.source, basis=one.basis, note=one.note),
        )
        for one in risk.durations
        if one.owner not in idle
    )


def _energy(cluster: Cluster, answers: Answers, trace: Trace, here: str) -> ClusterEnergy:
    asked, plan = answers.sites[cluster.energy], answers.energies[cluster.energy]
    file = trace.assume(
        f"clusters/{cluster.id}/energy",
        f"energy site of {cluster.id}",
        plan.title,
        Provenance(source=cluster.energy, basis="estimate", note=f"dollars of {plan.price_year}"),
    )
    rows = [one for row in asked.technologies.values() for one in trace.row("energy", row).values()]
    if asked.tariff:
        rows += trace.row("tariffs", asked.tariff).values()
    proven = f"within {plan.gap_frac:.1e} of its lower bound"
    trace.derive(here, "contract.energy.plan_energy", (file, *rows), f"{plan.num_hours:,} hours, {proven}")
    for figure, amount in (("usd_per_mwh", "usd_per_year"), ("kgco2_per_mwh", "kgco2_per_year")):
        spread = (f"{here}/{amount}", f"{here}/energy_j_per_year")
        trace.derive(f"{here}/{figure}", "", spread, "over the energy that is served")
    served_mwh = plan.served_j_per_year / MWH_J
    return ClusterEnergy(
        site=plan.title,
        price_year=plan.price_year,
        rated_w=asked.site.load.rated_w,
        usd_per_year=plan.usd_per_year,
        lower_bound_usd_per_year=plan.lower_bound_usd_per_year,
        gap_frac=plan.gap_frac,
        energy_j_per_year=plan.served_j_per_year,
        kgco2_per_year=plan.kgco2_per_year,
        usd_per_mwh=plan.usd_per_year / served_mwh,
        kgco2_per_mwh=plan.kgco2_per_year / served_mwh,
        plan=plan,
    )
