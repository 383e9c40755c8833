"""A scenario planned: every run in every place, queues for owned clusters, and a decision for each run.

Runs are settled in the order of their deadlines (ties: as the scenario lists them). A run that decides for an
owned cluster takes the whole of it until it is done; the next one to want that cluster waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from gigawatt.design.model_counts import parameter_count
from gigawatt.domain.blueprint import Blueprint, Booking, Option, Reference, RunPlan, Verdict
from gigawatt.domain.fabric import Network
from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.logbook import RehearsedRun
from gigawatt.domain.model import Model
from gigawatt.domain.record import Provenance
from gigawatt.domain.scenario import Scenario, TrainingRun
from gigawatt.domain.training import Binding, TrainingDesign, TrainingJob
from gigawatt.domain.twin import YEARS_10_S
from gigawatt.errors import GigawattError, InfeasibleError, InputError
from gigawatt.laws.progress import optimizer_steps
from gigawatt.project.clusters import build_clusters
from gigawatt.project.commitments import NO_ANSWERS, Answers, furnish, trace_dates
from gigawatt.project.decide import decide
from gigawatt.project.estimate import (
    Spread,
    Terms,
    Window,
    day_end,
    day_start,
    describe,
    estimate,
    read_instant,
)
from gigawatt.project.goodput import Goodput, Recovery, assume_goodput, goodput_of, recovery_of, trace_goodput
from gigawatt.project.places import Place, places_of
from gigawatt.project.rehearsal import rehearsed, stage_of, trace_rehearsal
from gigawatt.project.trace import Trace

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.calibration import TrainingCalibration

Progress = Callable[[int, int, str], None]
"""Called with designs done, designs in all, and what is being worked on."""


class Designer(Protocol):
    """The act that lays a run out: `gigawatt.design.training.design_training`."""

    def __call__(
        self,
        model: Model,
        system: System,
        accelerator: Accelerator,
        num_accelerators: int,
        job: TrainingJob,
        calibration: TrainingCalibration,
        fixed: Mapping[str, object],
        *,
        top: int,
        network: Network | None,
    ) -> TrainingDesign: ...


@dataclass
class _Calendar:
    """Until when each owned cluster is taken, and by which runs."""

    bookings: list[Booking] = field(default_factory=list)

    def window(self, run: TrainingRun, place: Place) -> Window:
        begin = day_start(run.start)
        free: Spread = (begin, begin, begin)
        if place.available_from:
            middle, early, late = map(day_start, place.available_from)
            free = _later(free, (middle, early, late))
        ahead = [one for one in self.bookings if one.cluster == place.id]
        waits = tuple(one.run for one in ahead if read_instant(one.finish) > free[0])
        if ahead:
            last = ahead[-1]
            ends = (read_instant(last.finish), read_instant(last.low_finish), read_instant(last.high_finish))
            free = _later(free, ends)
        return Window(free, day_end(run.deadline), waits)

    def book(self, run: TrainingRun, option: Option) -> None:
        self.bookings.append(
            Booking(
                cluster=option.id,
                run=run.id,
                start=option.start,
                finish=option.finish,
                low_finish=option.low_finish,
                high_finish=option.high_finish,
            )
        )


def _later(one: Spread, other: Spread) -> Spread:
    """Point by point."""
    return max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2])


@dataclass
class _Desk:
    """What planning one scenario needs at hand."""

    scenario: Scenario
    catalogue: Catalog
    models: Mapping[str, Model]
    design: Designer
    trace: Trace
    terms: Terms
    places: tuple[Place, ...]
    calendar: _Calendar
    progress: Progress
    num_designs: int
    num_done: int = 0
    recoveries: dict[str, Recovery] = field(default_factory=dict)
    """What is known of failures, by system."""
    rehearsals: dict[tuple[object, ...], Goodput] = field(default_factory=dict)
    """By run and hardware."""
    logbook: dict[tuple[object, ...], RehearsedRun] = field(default_factory=dict)
    """What was rehearsed, by the same key."""


def compose(
    scenario: Scenario,
    catalogue: Catalog,
    models: Mapping[str, Model],
    design: Designer,
    inputs: Mapping[str, str],
    tool_version: str,
    progress: Progress,
    answers: Answers = NO_ANSWERS,
) -> tuple[Blueprint, tuple[RehearsedRun, ...]]:
    """The blueprint of a scenario, and what was rehearsed for it.

    `models` has the model of each run by run id, `inputs` digests by name, `answers` what the contract act
    says of the scenario's further files.

    Raises InputError for ids that the catalogue does not have.
    """
    trace = Trace()
    terms = _terms(scenario, trace)
    clusters = furnish(build_clusters(scenario, catalogue, trace), scenario, answers, trace)
    trace_dates(answers, scenario.portfolio, trace)
    places = places_of(scenario, catalogue, trace, clusters)
    sizes = {
        (run.id, *_hardware_key(place)) for run in scenario.runs for place in places if _serves(place, run)
    }
    desk = _Desk(
        scenario,
        catalogue,
        models,
        design,
        trace,
        terms,
        places,
        _Calendar(),
        progress,
        num_designs=len(sizes),
    )
    systems = {place.system.id: place.system for place in places if place.system}
    plans: dict[str, RunPlan] = {}
    for run in sorted(scenario.runs, key=lambda run: run.deadline):
        plans[run.id] = _plan_run(desk, run)
    blueprint = Blueprint(
        title=scenario.title,
        inputs=dict(sorted(inputs.items())),
        catalogue_digest=catalogue.digest,
        tool_version=tool_version,
        seed=scenario.seed,
        currency=scenario.currency,
        price_year=scenario.price_year,
        deadline_confidence_frac={"p50": 0.5, "p90": 0.9}[scenario.deadline_confidence],
        assumptions=trace.assumptions,
        facts=trace.facts,
        sources=trace.references(_bibliography(catalogue)),
        derivations=trace.derivations,
        runs=tuple(plans[run.id] for run in scenario.runs),
        calendar=tuple(desk.calendar.bookings),
        clusters=clusters,
        systems=tuple(systems[id] for id in sorted(systems)),
    )
    return blueprint, tuple(desk.logbook.values())


def _terms(scenario: Scenario, trace: Trace) -> Terms:
    said = scenario.assumptions
    goodput_pointer = assume_goodput(trace, said.goodput_frac, said.provenance_of("goodput_frac"))
    carbon_pointer = trace.assume(
        "carbon_kgco2_per_mwh",
        "carbon intensity of the power",
        said.carbon_kgco2_per_mwh,
        said.provenance_of("carbon_kgco2_per_mwh"),
    )
    for key, label in _TAKEN_FOR_GRANTED.items():
        trace.assume(key, label, None, Provenance(source="gigawatt", basis="estimate"))
    return Terms(
        goodput_frac=said.goodput_frac,
        goodput_pointer=goodput_pointer,
        carbon_kgco2_per_mwh=said.carbon_kgco2_per_mwh,
        carbon_pointer=carbon_pointer,
        late=scenario.deadline_confidence == "p90",
    )


_TAKEN_FOR_GRANTED = {
    "constant_batch": "batch and sequence length stay the same from the first step to the last",
    "constant_power": "nodes draw their full training power from the first step to the last",
    "offers_available": "offers can be had in the number and from the day asked: price lists state neither",
    "prices_as_quoted": "prices stay as quoted; prices of different years are not converted into each other",
}


_HardwareKey = tuple[str, int, int, float]


def _hardware_key(place: Place) -> _HardwareKey:
    """What a layout depends on: the nodes, how many, and how their network thins out."""
    pods = (
        (place.network.num_accelerators_per_pod, place.network.oversubscription)
        if place.network
        else (0, 1.0)
    )
    return (place.system.id if place.system else "", place.num_accelerators, *pods)


def _serves(place: Place, run: TrainingRun) -> bool:
    return not place.problems and (not place.runs or run.id in place.runs)


def _plan_run(desk: _Desk, run: TrainingRun) -> RunPlan:
    model = desk.models[run.id]
    index = desk.scenario.runs.index(run)
    here = f"/runs/{index}"
    num_steps = int(optimizer_steps(run.tokens, run.seq_len, run.global_batch))
    batch = (f"{here}/tokens", f"{here}/seq_len", f"{here}/global_batch")
    desk.trace.derive(f"{here}/num_steps", "laws.progress.optimizer_steps", batch)
    _trace_model(desk, run, model, here)
    designs = _Designs(desk, run, model, here)
    options: list[Option] = []
    for place in desk.places:
        if not place.runs or run.id in place.runs:
            options.append(_option(desk, run, place, designs, num_steps, f"{here}/options/{len(options)}"))
    decision = decide(options)
    plan = RunPlan(
        id=run.id,
        model=run.model,
        model_name=model.name,
        shape=model,
        tokens=run.tokens,
        seq_len=run.seq_len,
        global_batch=run.global_batch,
        precision=run.precision,
        software=run.software,
        num_steps=num_steps,
        start=run.start.isoformat(),
        deadline=run.deadline.isoformat(),
        designs=tuple(designs.found),
        options=tuple(options),
        decision=decision,
    )
    chosen = plan.option_named(decision.option)
    if chosen is not None and chosen.kind == "owned" and chosen.planned:
        desk.calendar.book(run, chosen)
    return plan


def _trace_model(desk: _Desk, run: TrainingRun, model: Model, here: str) -> None:
    try:
        card = desk.catalogue.model_card(run.model)
    except InputError:
        desk.trace.derive(f"{here}/model", "", (), "a config.json of the user's own")
        return
    shape = desk.trace.fact(f"models/{card.id}", model.name, card.provenance_of("name"))
    desk.trace.derive(f"{here}/model", "", (shape,), "its config.json, as published")


def _trace_calibration(desk: _Desk) -> str:
    fit = desk.catalogue.training_calibration().fit
    fitted = f"{len(fit.parameters)} fitted parameters"
    origin = Provenance(source=fit.source, basis=fit.basis, date=fit.date, note=fit.note)
    return desk.trace.fact("calibration/training", fitted, origin)


class _Designs:
    """The layouts of one run, searched once for each system and size."""

    def __init__(self, desk: _Desk, run: TrainingRun, model: Model, here: str) -> None:
        self.desk, self.run, self.model, self.here = desk, run, model, here
        self.found: list[TrainingDesign] = []
        self._known: dict[_HardwareKey, int | tuple[Binding, ...]] = {}

    def of(self, place: Place) -> int | tuple[Binding, ...]:
        """The index of the design for a place, or why there is none."""
        key = _hardware_key(place)
        if key not in self._known:
            self._known[key] = self._search(place)
        return self._known[key]

    def _search(self, place: Place) -> int | tuple[Binding, ...]:
        desk, run = self.desk, self.run
        assert place.system is not None
        assert place.accelerator is not None
        desk.progress(
            desk.num_done, desk.num_designs, f"{run.id} on {place.num_accelerators:,} x {place.system.id}"
        )
        job = TrainingJob(
            seq_len=run.seq_len, global_batch=run.global_batch, precision=run.precision, software=run.software
        )
        try:
            design = desk.design(
                self.model,
                place.system,
                place.accelerator,
                place.num_accelerators,
                job,
                desk.catalogue.training_calibration(),
                run.layout.chosen(),
                top=TOP,
                network=place.network,
            )
        except GigawattError as error:
            constraint = "infeasible" if isinstance(error, InfeasibleError) else "cannot be predicted"
            return (Binding(constraint=constraint, message=str(error)),)
        finally:
            desk.num_done += 1
        self.found.append(design)
        index = len(self.found) - 1
        inputs = (f"{self.here}/model", *place.hardware_pointers, _trace_calibration(desk))
        note = design.best[0].basis if design.best else ""
        desk.trace.derive(f"{self.here}/designs/{index}", "design.training.design_training", inputs, note)
        return index


TOP = 3
"""Layouts kept of each search: the one used, and why the next ones lose."""


def _option(
    desk: _Desk, run: TrainingRun, place: Place, designs: _Designs, num_steps: int, here: str
) -> Option:
    if place.problems:
        return Option(**describe(place), verdict="unplannable", binding=place.problems)
    found = designs.of(place)
    if isinstance(found, tuple):
        infeasible = found[0].constraint == "infeasible"
        verdict: Verdict = "infeasible" if infeasible else "unplannable"
        return Option(**describe(place), verdict=verdict, binding=found)
    design = designs.found[found]
    if not design.best:
        return Option(**describe(place), verdict="infeasible", design=found, binding=design.binding)
    window = desk.calendar.window(run, place)
    at = (designs.here, here, found)
    goodput = _goodput(desk, run, place, design.best[0].step_s, at)
    if goodput is not None:
        goodput = _rehearsed(desk, run, place, num_steps * design.best[0].step_s, goodput, here)
    return estimate(place, design.best[0], num_steps, window, desk.terms, goodput, desk.trace, at)


def _rehearsed(
    desk: _Desk, run: TrainingRun, place: Place, work_s: float, goodput: Goodput, here: str
) -> Goodput:
    """The closed form's place is taken by rehearsals; alike for all offers of the same hardware and size."""
    assert place.system is not None
    recovery = desk.recoveries[place.system.id]
    key = (run.id, *_hardware_key(place))
    if work_s > YEARS_10_S:
        by_form = (f"{here}/estimated_goodput_frac",)
        desk.trace.derive(f"{here}/goodput_frac", "", by_form, "by closed form: too long to be rehearsed")
        return replace(goodput, estimated=goodput.frac)
    if key not in desk.rehearsals:
        desk.progress(desk.num_done, desk.num_designs, f"rehearsing {run.id} on {place.label}")
        params = parameter_count(desk.models[run.id])
        pod = place.network.num_accelerators_per_pod if place.network else None
        stage = stage_of(
            desk.catalogue,
            place.system,
            place.num_accelerators,
            pod,
            params.total + params.mtp,
            work_s,
            desk.scenario.seed,
        )
        desk.rehearsals[key] = rehearsed(stage, recovery, goodput)
    trace_rehearsal(desk.trace, recovery, here)
    _log(desk, key, run, place)
    return desk.rehearsals[key]


def _log(desk: _Desk, key: tuple[object, ...], run: TrainingRun, place: Place) -> None:
    """One more option that rests on a rehearsal."""
    goodput = desk.rehearsals[key]
    assert goodput.estimated is not None
    others = desk.logbook[key].options if key in desk.logbook else ()
    desk.logbook[key] = RehearsedRun(
        run=run.id,
        options=(*others, place.id),
        goodput_frac=goodput.frac.middle,
        low_goodput_frac=goodput.frac.low,
        high_goodput_frac=goodput.frac.high,
        estimated_goodput_frac=goodput.estimated.middle,
        plays=goodput.plays,
    )


def _goodput(
    desk: _Desk, run: TrainingRun, place: Place, step_s: float, at: tuple[str, str, int]
) -> Goodput | None:
    """What share of the time makes progress, by closed form; None where the scenario states it."""
    if desk.terms.goodput_frac is not None:
        return None
    assert place.system is not None
    assert place.accelerator is not None
    key = place.system.id
    if key not in desk.recoveries:
        desk.recoveries[key] = recovery_of(place.system, place.accelerator, desk.catalogue, desk.trace)
    params = parameter_count(desk.models[run.id])
    trace_goodput(desk.trace, desk.recoveries[key], at[0], at[1])
    return goodput_of(
        desk.recoveries[key], place.system, place.num_accelerators, params.total + params.mtp, step_s
    )


def _bibliography(catalogue: Catalog) -> list[Reference]:
    return [
        Reference(
            key=source.id,
            title=f"{source.publisher}: {source.title}",
            url=source.url,
            date=source.date,
        )
        for source in catalogue.sources.values()
    ]
