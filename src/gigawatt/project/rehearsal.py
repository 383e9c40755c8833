"""What share of a run's time makes progress on a cluster of one's own, by rehearsing the run there.

The closed form (`gigawatt.project.goodput`) knows one rate, at which nodes fail alike. The rehearsal lets
every hazard of the catalogue strike, at rates that add up to the same: lemons that are found and replaced,
faults that are taken for another node's, stragglers, corruption, switches and power. What is known of an
input only within a range is drawn anew for each replication, so that their spread is that of the answer.
Nodes and parts are at hand, and burnt in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gigawatt.domain.hardware import System
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.logbook import Play
from gigawatt.domain.reliability import SPREAD
from gigawatt.domain.twin import (
    YEARS_10_S,
    FleetPlan,
    HazardPlan,
    PolicyPlan,
    RecoveryPlan,
    RepairPlan,
    RunPlan,
    SitePlan,
)
from gigawatt.laws.progress import YEAR_S
from gigawatt.laws.reliability import checkpoint_write_s
from gigawatt.project.goodput import Ends, Goodput, Recovery
from gigawatt.project.trace import Trace

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog

NUM_MIDDLE, NUM_DRAWN = 4, 16
"""Replications with every input at its middle, and with every input drawn."""
LOW_PERCENT, HIGH_PERCENT = 10, 90
QUARANTINE_AFTER = 3
"""Recent faults of a node after which it is replaced."""
NODES_PER_RACK = 4
NODES_PER_SPARE = 32
"""Of the run, for each node at hand: so many that it does not wait for one."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a run is rehearsed, and what is the same in every replication."""

    system: System
    num_accelerators: int
    nodes_per_pod: int
    num_params: float
    work_s: float
    """Of the run at full speed."""
    hazards: tuple[Hazard, ...]
    parts: Mapping[str, Part]
    frail_frac: float
    frail_ratio: float
    seed: int


def stage_of(
    catalogue: Catalog,
    system: System,
    num_accelerators: int,
    num_accelerators_per_pod: int | None,
    num_params: float,
    work_s: float,
    seed: int,
) -> Stage:
    """A run of `work_s` at full speed on these accelerators, with the hazards of the catalogue."""
    frail = catalogue.frail_nodes()
    nodes = -(-num_accelerators // system.num_accelerators_per_node)
    pod = num_accelerators_per_pod or num_accelerators
    return Stage(
        system=system,
        num_accelerators=num_accelerators,
        nodes_per_pod=min(nodes, max(1, pod // system.num_accelerators_per_node)),
        num_params=num_params,
        work_s=work_s,
        hazards=tuple(row for row in catalogue.rows("hazards") if isinstance(row, Hazard)),
        parts={row.id: row for row in catalogue.rows("parts") if isinstance(row, Part)},
        frail_frac=frail.nodes_frac,
        frail_ratio=frail.ratio,
        seed=seed,
    )


def rehearsed(stage: Stage, recovery: Recovery, goodput: Goodput) -> Goodput:
    """The same goodput with the share of the time that rehearsals gave; the closed form stays beside it."""
    middle = {field: recovery.inputs[field].middle for field in SPREAD}
    means = [_play(stage, recovery, middle, goodput, number) for number in range(NUM_MIDDLE)]
    chance = np.random.default_rng([stage.seed, NUM_MIDDLE])
    drawn = [
        _play(stage, recovery, _draw(recovery, chance), goodput, NUM_MIDDLE + number)
        for number in range(NUM_DRAWN)
    ]
    kept = float(np.mean([play.ettr_frac for play in means]))
    shares = [play.ettr_frac for play in drawn]
    low, high = (float(np.percentile(shares, percent)) for percent in (LOW_PERCENT, HIGH_PERCENT))
    frac = Ends(kept, min(low, kept), max(high, kept))
    return replace(goodput, frac=frac, estimated=goodput.frac, plays=(*means, *drawn))


def _draw(recovery: Recovery, chance: np.random.Generator) -> dict[str, float]:
    """Each input from a logarithmically normal law with its middle and its end on that side."""
    from scipy.special import ndtri

    at_end, found = float(ndtri(HIGH_PERCENT / 100)), {}
    for field in SPREAD:
        ends, deviation = recovery.inputs[field], float(chance.standard_normal())
        end = ends.high if deviation > 0 else ends.low
        found[field] = ends.middle * (end / ends.middle) ** (abs(deviation) / at_end)
    return found


def _play(
    stage: Stage, recovery: Recovery, inputs: Mapping[str, float], goodput: Goodput, number: int
) -> Play:
    """One replication: in what share of the time the run made progress, and how often it was stopped."""
    from gigawatt.operate.rehearse import Inputs, rehearse

    detection_ratio = inputs["detection_s"] / recovery.inputs["detection_s"].middle
    hazards = tuple(
        one.model_copy(update={"detection_s": one.detection_s * detection_ratio})
        if one.effect == "stops"
        else one
        for one in stage.hazards
    )
    plan = _plan(stage, inputs, goodput)
    outcome = rehearse(Inputs(plan, stage.system, hazards, stage.parts, {}), stage.seed + number)
    run = outcome.figures.runs[0]
    return Play(
        seed=stage.seed + number,
        inputs="middle" if number < NUM_MIDDLE else "drawn",
        ettr_frac=run.ettr_frac,
        num_interruptions=run.num_faults,
    )


def _plan(stage: Stage, inputs: Mapping[str, float], goodput: Goodput) -> FleetPlan:
    nodes = -(-stage.num_accelerators // stage.system.num_accelerators_per_node)
    at_hand = nodes // NODES_PER_SPARE + 2
    write_s = checkpoint_write_s(
        stage.num_params, inputs["saved_bytes"], inputs["write_bytes_per_s"] * stage.num_accelerators
    )
    run = RunPlan(
        name="run",
        num_gpus=stage.num_accelerators,
        work_s=min(stage.work_s, YEARS_10_S),
        checkpoint_write_s=float(write_s),
    )
    return FleetPlan(
        name="rehearsal",
        system=stage.system.id,
        lasts_s=min(2.0 * stage.work_s / goodput.frac.low, YEARS_10_S),
        sites=(
            SitePlan(
                num_nodes=nodes + at_hand,
                nodes_per_rack=NODES_PER_RACK,
                racks_per_pod=-(-stage.nodes_per_pod // NODES_PER_RACK),
                num_spares=at_hand // 2,
            ),
        ),
        runs=(run,),
        policy=PolicyPlan(schedule="fifo", quarantine_after=QUARANTINE_AFTER),
        hazards=HazardPlan(
            rate_ratio=_rate_ratio(stage, inputs),
            frail_frac=stage.frail_frac,
            frail_ratio=stage.frail_ratio,
            age_s=YEAR_S,
        ),
        repair=RepairPlan(stock=dict.fromkeys(stage.parts, at_hand)),
        recovery=RecoveryPlan(restart_s=inputs["restart_s"], swap_s=inputs["replacement_s"]),
    )


def _rate_ratio(stage: Stage, inputs: Mapping[str, float]) -> float:
    """What the catalogue's rates are multiplied with, so that a node stops a job as often as planned with.

    A fault that is taken for another node's stops the job again, until it is found.
    """
    each = stage.system.num_accelerators_per_node
    felt = sum(
        one.events_per_s * _per_node(one, stage, each) * _stops_per_event(one)
        for one in stage.hazards
        if one.effect == "stops"
    )
    return inputs["node_failures_per_s"] / felt


def _stops_per_event(hazard: Hazard) -> float:
    missed = hazard.misdiagnosed_frac
    if hazard.scope not in ("gpu", "node"):
        return 1.0
    return 1.0 + (hazard.reboot_frac + hazard.repair_frac) * missed / (1.0 - missed)


def _per_node(hazard: Hazard, stage: Stage, each: int) -> float:
    """Events of a hazard for a node and each event of its scope: of a domain, a node's share in it."""
    in_rack, in_pod, in_site = NODES_PER_RACK, stage.nodes_per_pod, -(-stage.num_accelerators // each)
    shares = {"gpu": float(each), "rack": 1 / in_rack, "pod": 1 / in_pod, "site": 1 / in_site}
    return shares.get(hazard.scope, 1.0)


def trace_rehearsal(trace: Trace, recovery: Recovery, here: str) -> None:
    """Note that an option's goodput was rehearsed, and from what."""
    waits = tuple(one for field in SPREAD for one in recovery.pointers[field])
    beside = (f"{here}/num_accelerators", f"{here}/checkpoint_interval_s", f"{here}/estimated_goodput_frac")
    inputs = (*beside, *waits)
    trace.derive(
        f"{here}/goodput_frac",
        "operate.rehearse.rehearse",
        inputs,
        f"{NUM_MIDDLE} rehearsals at the middle of every input; the range from {NUM_DRAWN} that draw them",
    )
