"""A fleet file by name in, its rehearsal out: what is wrong with the file is named all at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gigawatt.documents import Document, KeyPath, growing, load_yaml, parse_record, read_text, write_atomic
from gigawatt.domain.hazard import Hazard, Part
from gigawatt.domain.twin import FleetPlan
from gigawatt.errors import InputError, Problem
from gigawatt.units import format_quantity

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog
    from gigawatt.domain.fleet import JobTrace
    from gigawatt.domain.hardware import System
    from gigawatt.domain.outlook import FleetOutlook
    from gigawatt.domain.twin import Rehearsal
    from gigawatt.operate.rehearse import Inputs
    from gigawatt.operate.replications import Progress, Runner

KINDS = ("runs", "mixes", "traces")
"""Sections of a fleet file that jobs come from."""
SHOWN_NAMES = 12


class Recorders(NamedTuple):
    """Where the first replication is written down as it goes."""

    log: Path | None = None
    """Every spell, `.csv` or `.parquet`."""
    trace: Path | None = None
    """For Perfetto, `.json`."""


NOWHERE = Recorders()


class Rehearsed(NamedTuple):
    """A fleet and what became of it."""

    inputs: Inputs
    rehearsal: Rehearsal
    outlook: FleetOutlook
    """What all replications say together."""


def simulate_fleet(
    path: Path | str,
    replications: int = 1,
    until_frac: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    overlays: Sequence[Path] = (),
    runner: Runner = "threads",
) -> Rehearsal:
    """Rehearse the fleet in a YAML file so many times over: what failures, repairs and queues leave of it.

    `until_frac`: stop as soon as the mean goodput is known to within so much, to either side. `seed` takes
    the place of the file's; `runner` "ray" plays on a cluster. Raises InputError as `read_fleet`.
    """
    inputs = open_fleet(path, seed, overlays)
    return rehearse_fleet(inputs, str(path), replications, until_frac, workers, runner).rehearsal


def open_fleet(path: Path | str, seed: int | None = None, overlays: Sequence[Path] = ()) -> Inputs:
    """What a fleet file says, with the catalogue and overlays over it. Raises InputError as `read_fleet`."""
    from gigawatt.catalog import load_catalog

    return read_fleet(Path(path), load_catalog(overlays), seed)


def compile_twin() -> None:
    """Compile what plays fleets, which takes half a minute once, by playing the least one there is."""
    from gigawatt.domain.twin import RunPlan, SitePlan
    from gigawatt.operate.rehearse import play
    from gigawatt.operate.twin import new_twin

    run = RunPlan(name="run", num_gpus=1, work_s=1.0)
    plan = FleetPlan(name="least", system="any", sites=(SitePlan(num_nodes=1),), runs=(run,))
    play(new_twin(plan, 1, (), {}, {}, seed=0), lambda _rows: None)


def rehearse_fleet(
    inputs: Inputs,
    file: str,
    replications: int = 1,
    until_frac: float | None = None,
    workers: int | None = None,
    runner: Runner = "threads",
    recorders: Recorders = NOWHERE,
    progress: Progress = lambda _done, _total, _label: None,
) -> Rehearsed:
    """A fleet rehearsed, what all replications say together, and the first of them written down.

    Raises InputError for what only the playing shows, with the name of its file, and WriteError.
    """
    from gigawatt.operate.outlook import outlook
    from gigawatt.operate.replications import rehearse_many

    try:
        with _recording(inputs, recorders) as (keep, finish):
            found = rehearse_many(inputs, replications, until_frac, workers, runner, progress, keep)
            finish(found)
    except InputError as error:
        raise _in_file(error, file) from None
    return Rehearsed(inputs, found, outlook(found, inputs.plan.lasts_s))


def draw_timeline(found: Rehearsed, path: Path) -> Path:
    """Writes what the fleet did over the time as SVG; the path written. Raises WriteError."""
    from gigawatt.drawings.timeline import timeline_svg

    write_atomic(path, timeline_svg(found.rehearsal) + "\n")
    return path


@contextmanager
def _recording(
    inputs: Inputs, recorders: Recorders
) -> Iterator[tuple[Callable[[Any], None], Callable[[Rehearsal], None]]]:
    """What takes in the log of the first replication, and what is told its end."""
    takers: list[Callable[[Any], None]] = []
    ends: list[Callable[[Rehearsal], None]] = []
    with ExitStack() as stack:
        if recorders.log or recorders.trace:
            from gigawatt.exports.perfetto import written_trace
            from gigawatt.exports.spells import require_kind, written_spells
            from gigawatt.operate.cast import cast_of

            cast = cast_of(inputs, inputs.plan.seed)
            if recorders.log:
                require_kind(recorders.log.suffix)
                file = stack.enter_context(growing(recorders.log))
                takers.append(stack.enter_context(written_spells(file, recorders.log.suffix, cast)))
            if recorders.trace:
                file = stack.enter_context(growing(recorders.trace))
                writing = stack.enter_context(written_trace(file, cast))
                takers.append(writing.add)
                ends.append(lambda found: writing.add_timeline(found.timeline))

        def keep(rows: Any) -> None:
            for take in takers:
                take(rows)

        def finish(found: Rehearsal) -> None:
            for end in ends:
                end(found)

        yield keep, finish


def read_fleet(path: Path, catalogue: Catalog, seed: int | None = None) -> Inputs:
    """The fleet in a YAML file, with all that it names looked up: system, hazards, parts, traces, recovery.

    What the file leaves to the catalogue is filled in. Raises InputError with everything that is wrong: keys,
    units, names that are not there, runs that their site cannot hold, traces without a job.
    """
    from gigawatt.operate.rehearse import Inputs

    document = load_yaml(path)
    hazards, parts = _rows(catalogue, "hazards", Hazard), _rows(catalogue, "parts", Part)
    problems = list(_references(document, hazards, parts))
    plan = system = None
    try:
        plan = parse_record(document, FleetPlan)
    except InputError as error:
        # What the file as a whole objects to has its place among the names that are not there.
        problems += [one for one in error.problems if one.key or not problems]
    named = _text(document, "system")
    if named:
        try:
            system = _system(catalogue, named, priced=_is_priced(document))
        except InputError as error:
            problems += [document.problem(one.message, ("system",)) for one in error.problems]
    if plan and system and not problems:
        problems += _misfits(document, plan, system)
    traces: dict[str, JobTrace] = {}
    for place, file in _trace_files(document):
        problems += _read_trace(document, place, path.parent / file, file, traces)
    if problems or plan is None or system is None:
        own = str(path)
        raise InputError(sorted(problems, key=lambda one: (one.file != own, one.file, one.line, one.column)))
    struck = [row for id, row in hazards.items() if id in (plan.hazards.only or hazards)]
    return Inputs(
        plan=_filled_in(plan, system, catalogue, seed),
        system=system,
        hazards=tuple(row for row in struck if row.id not in plan.hazards.without),
        parts=parts,
        traces={file: _remarked(plan, system, file, trace) for file, trace in traces.items()},
    )


def _in_file(error: InputError, file: str) -> InputError:
    """The same problems, each with its file."""
    return InputError([one if one.file else replace(one, file=file) for one in error.problems])


def _rows(catalogue: Catalog, section: Any, kind: type[Any]) -> dict[str, Any]:
    return {row.id: row for row in catalogue.rows(section) if isinstance(row, kind)}


def _system(catalogue: Catalog, named: str, priced: bool) -> System:
    from gigawatt.project.parts import one_system

    system = one_system(catalogue, named)
    if priced and system.node_power_w is None:
        raise InputError(
            f"{system.name}: the power of a node is not known (node_power_w), and energy is to be paid for: "
            f"state it in systems/{system.id}.yaml of an overlay, with its source"
        )
    return system


def _filled_in(plan: FleetPlan, system: System, catalogue: Catalog, seed: int | None) -> FleetPlan:
    """The plan with what it leaves to the catalogue: recovery, frail nodes; and another seed."""
    from gigawatt.project.goodput import recovery_of
    from gigawatt.project.trace import Trace

    usual = recovery_of(system, catalogue.accelerator(system.accelerator), catalogue, Trace()).inputs
    frail, recovery, hazards = catalogue.frail_nodes(), plan.recovery, plan.hazards
    return plan.model_copy(
        update={
            "seed": plan.seed if seed is None else seed,
            "recovery": recovery.model_copy(
                update={
                    "restart_s": _stated(recovery.restart_s, usual["restart_s"].middle),
                    "swap_s": _stated(recovery.swap_s, usual["replacement_s"].middle),
                }
            ),
            "hazards": hazards.model_copy(
                update={
                    "frail_frac": _stated(hazards.frail_frac, frail.nodes_frac),
                    "frail_ratio": _stated(hazards.frail_ratio, frail.ratio),
                }
            ),
        }
    )


def _stated(own: float | None, usual: float) -> float:
    return usual if own is None else own


# -- names and sizes ---------------------------------------------------------------------------------------


def _references(
    document: Document, hazards: Mapping[str, Hazard], parts: Mapping[str, Part]
) -> Iterator[Problem]:
    """Names that are nowhere, each in its place, before anything else is checked."""
    here, catalogue = "in this file", "in the catalogue"
    for sections in (("sites",), ("tenants",), KINDS):
        yield from _twice(document, sections)
    sites, tenants = _names(document, "sites"), _names(document, "tenants")
    for section in KINDS:
        for at, row in _mappings(document, section):
            yield from _unknown(document, (*at, "site"), row.get("site"), "site", sites, here)
            if tenants:
                yield from _unknown(document, (*at, "tenant"), row.get("tenant"), "tenant", tenants, here)
    rules = _mapping(document, "hazards")
    for key in ("only", "without"):
        listed = rules.get(key)
        for number, id in enumerate(listed if isinstance(listed, tuple) else ()):
            yield from _unknown(document, ("hazards", key, number), id, "hazard", hazards, catalogue)
    stock = _mapping(document, "repair").get("stock")
    for id in stock if isinstance(stock, dict) else ():
        yield from _unknown(document, ("repair", "stock", id), id, "part", parts, catalogue)


def _twice(document: Document, sections: Iterable[str]) -> Iterator[Problem]:
    seen = set[str]()
    for section in sections:
        for at, row in _mappings(document, section):
            name = row.get("name")
            if name in seen:
                yield document.problem(f'"{name}" is a name given twice', (*at, "name"))
            if isinstance(name, str):
                seen.add(name)


def _unknown(
    document: Document, at: KeyPath, name: Any, noun: str, named: Iterable[str], where: str
) -> Iterator[Problem]:
    names = list(named)
    if isinstance(name, str) and name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        many = f"`gigawatt catalog list {noun}s` shows all"
        known = many if len(names) > SHOWN_NAMES else f"there are {', '.join(names) or 'none'}"
        hint = f'did you mean "{near[0]}"?' if near else known
        yield document.problem(f'no {noun} "{name}" {where}: {hint}', at)


def _misfits(document: Document, plan: FleetPlan, system: System) -> Iterator[Problem]:
    """Runs that their site can never hold, and checkpoints of which nobody says how often."""
    each, sites = system.num_accelerators_per_node, {site.name: site for site in plan.sites}
    for number, run in enumerate(plan.runs):
        site = sites[run.site] if run.site else plan.sites[0]
        nodes, room = -(-run.num_gpus // each) + run.num_hot_nodes, site.num_nodes - site.num_spares
        if nodes > room:
            hot = f", {run.num_hot_nodes} of them kept idle" if run.num_hot_nodes else ""
            message = (
                f"{run.num_gpus:,} GPUs are {nodes:,} nodes of {each}{hot}, and {site.name} has {room:,}"
                f" beside its spares"
            )
            yield document.problem(message, ("runs", number, "num_gpus"))
        if run.min_gpus is not None and run.min_gpus > run.num_gpus:
            message = f"expected at most num_gpus, {run.num_gpus:,}, found {run.min_gpus:,}"
            yield document.problem(message, ("runs", number, "min_gpus"))
        if run.deadline_s is not None and run.deadline_s <= run.submit_s:
            submitted = format_quantity(run.submit_s, "_s")
            message = f"lies before the run is submitted, at {submitted}"
            yield document.problem(message, ("runs", number, "deadline_s"))
    if plan.policy.checkpoint == "fixed":
        for section, kinds in zip(KINDS, (plan.runs, plan.mixes, plan.traces), strict=True):
            for number, kind in enumerate(kinds):
                if kind.checkpoint_write_s > 0 and kind.checkpoint_interval_s is None:
                    message = "checkpoint_interval_s is missing, and policy.checkpoint is fixed"
                    yield document.problem(message, (section, number))


def _is_priced(document: Document) -> bool:
    return "usd_per_mwh" in _mapping(document, "prices")


def _text(document: Document, key: str) -> str:
    value = document.value.get(key) if isinstance(document.value, dict) else None
    return value if isinstance(value, str) else ""


def _mapping(document: Document, key: str) -> Mapping[str, Any]:
    value = document.value.get(key) if isinstance(document.value, dict) else None
    return value if isinstance(value, dict) else {}


def _mappings(document: Document, section: str) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    rows = document.value.get(section, ()) if isinstance(document.value, dict) else ()
    for number, row in enumerate(rows if isinstance(rows, tuple) else ()):
        if isinstance(row, dict):
            yield (section, number), row


def _names(document: Document, section: str) -> list[str]:
    return [str(row.get("name", _UNNAMED[section])) for _, row in _mappings(document, section)]


_UNNAMED = {"sites": "site", "tenants": ""}
"""As the records have it; a tenant must be named."""


# -- traces ------------------------------------------------------------------------------------------------


def _trace_files(document: Document) -> Iterator[tuple[KeyPath, str]]:
    for at, row in _mappings(document, "traces"):
        if isinstance(row.get("file"), str):
            yield (*at, "file"), row["file"]


def _read_trace(
    document: Document, place: KeyPath, path: Path, named: str, traces: dict[str, JobTrace]
) -> Iterator[Problem]:
    """Reads a trace into `traces`; wrong lines have their own place, a missing file that of its name."""
    from gigawatt.exports.job_files import read_jobs

    if named in traces:
        return
    try:
        traces[named] = read_jobs(read_text(path), str(path))
    except InputError as error:
        for one in error.problems:
            yield one if one.line else document.problem(_bare(one), place)


def _remarked(plan: FleetPlan, system: System, file: str, trace: JobTrace) -> JobTrace:
    """The trace with what is to be said of jobs that the fleet cannot take: too large, or after the end."""
    from gigawatt.domain.fleet import LineRemark

    (name, *_) = [kind.site for kind in plan.traces if kind.file == file]
    site = next(one for one in plan.sites if name in (None, one.name))
    each, room = system.num_accelerators_per_node, site.num_nodes - site.num_spares
    ends = format_quantity(plan.lasts_s, "_s")
    remarks = []
    for n in (trace.num_gpus > each * room).nonzero()[0]:
        message = f"{trace.num_gpus[n]} GPUs, and {site.name} has {each * room} beside its spares"
        remarks.append(LineRemark(int(trace.line[n]), "larger than pool", trace.ids[n], message))
    for n in (trace.submit_s >= plan.lasts_s).nonzero()[0]:
        message = (
            f"submitted after {format_quantity(float(trace.submit_s[n]), '_s')}, and all ends after {ends}"
        )
        remarks.append(LineRemark(int(trace.line[n]), "after the end", trace.ids[n], message))
    return replace(trace, remarks=(*trace.remarks, *remarks))


def _bare(problem: Problem) -> str:
    return f"{problem.file}: {problem.message}" if problem.file else problem.message
