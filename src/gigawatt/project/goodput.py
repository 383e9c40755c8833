"""What share of an option's time makes progress, by closed form from what fleets have published.

It stands beside what rehearsals give (`gigawatt.project.rehearsal`), and is where they begin: the effective
training time ratio of a job that fails at a constant rate and writes checkpoints at the best interval. Each
input is a middle with a 10 % and a 90 % point; their effects on the time lost combine as independent factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gigawatt.domain.hardware import Accelerator, System
from gigawatt.domain.logbook import Play
from gigawatt.domain.record import Provenance
from gigawatt.domain.reliability import SPREAD, FleetReliability
from gigawatt.errors import InputError
from gigawatt.laws import reliability
from gigawatt.project.trace import Trace

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog

_RATE = "node_failures_per_s"
_WAITS = ("detection_s", "replacement_s", "restart_s")


@dataclass(frozen=True, slots=True)
class Ends:
    """A middle value, its 10 % and its 90 % point."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Goodput:
    """The share of the time that makes progress, and what it follows from."""

    frac: Ends
    interruption_interval_s: Ends
    checkpoint_write_s: Ends
    checkpoint_interval_s: float
    estimated: Ends | None = None
    """The share by closed form, where `frac` was rehearsed."""
    plays: tuple[Play, ...] = ()
    """The rehearsals, those at the middle first."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What plans take from the catalogue for one kind of node, by field, and where the blueprint notes it."""

    inputs: Mapping[str, Ends]
    pointers: Mapping[str, tuple[str, ...]]


def recovery_of(system: System, accelerator: Accelerator, catalogue: Catalog, trace: Trace) -> Recovery:
    """Failures and recovery of nodes of one kind, from the fleets of its architecture, else from all.

    Where an overlay brings some of these, only those count: what one has watched oneself. Several fleets
    count as one at their geometric mean, with the least low and the highest high of them.
    Raises InputError where the catalogue says nothing at all.
    """
    rows = catalogue.rows("reliability")
    fleets = [row for row in rows if isinstance(row, FleetReliability) and row.planned_with]
    inputs, pointers = {}, {}
    for field in SPREAD:
        telling = [fleet for fleet in fleets if getattr(fleet, field) is not None]
        alike = [fleet for fleet in telling if _is_of(fleet, accelerator, catalogue)] or telling
        alike = [fleet for fleet in alike if catalogue.is_overlaid("reliability", fleet.id)] or alike
        if not alike:
            raise InputError(f"no entry of the catalogue's section reliability states {field}")
        inputs[field] = _together([_ends(fleet, field, system.num_accelerators_per_node) for fleet in alike])
        pointers[field] = tuple(one for fleet in alike for one in _note(fleet, field, trace))
    return Recovery(inputs, pointers)


def _is_of(fleet: FleetReliability, accelerator: Accelerator, catalogue: Catalog) -> bool:
    if not fleet.accelerator:
        return True
    return catalogue.accelerator(fleet.accelerator).architecture == accelerator.architecture


def _ends(fleet: FleetReliability, field: str, accelerators_per_node: int) -> Ends:
    middle = getattr(fleet, field)
    ends = [getattr(fleet, f"{end}{field}") for end in ("low_", "high_")]
    values = [middle if value is None else value for value in (middle, *ends)]
    if field == _RATE:
        seen = fleet.accelerators_per_node
        values = [
            reliability.rescaled_node_failures_per_s(rate, seen, accelerators_per_node) for rate in values
        ]
    return Ends(*values)


def _together(found: list[Ends]) -> Ends:
    middle = float(np.prod([one.middle for one in found]) ** (1.0 / len(found)))
    return Ends(middle, min(one.low for one in found), max(one.high for one in found))


def _note(fleet: FleetReliability, field: str, trace: Trace) -> Iterable[str]:
    for name in (field, f"low_{field}", f"high_{field}"):
        if (value := getattr(fleet, name)) is not None:
            yield trace.fact(f"reliability/{fleet.id}/{name}", value, fleet.provenance_of(name))


def goodput_of(
    recovery: Recovery, system: System, num_accelerators: int, num_params: float, step_s: float
) -> Goodput:
    """The closed form for a model of `num_params` parameters on so many accelerators, at steps of `step_s`.

    Every input is set to its ends in turn, the others at their middle; checkpoints are written at the best
    interval of each case, but not within a step.
    """
    cases = _cases(recovery)
    rate = reliability.job_failures_per_s(num_accelerators / system.num_accelerators_per_node, cases[_RATE])
    write_s = reliability.checkpoint_write_s(
        num_params, cases["saved_bytes"], cases["write_bytes_per_s"] * num_accelerators
    )
    interval_s = np.maximum(reliability.daly_interval_s(write_s, 1.0 / rate), step_s)
    wait_s = reliability.interruption_wait_s(cases["detection_s"], cases["replacement_s"], 0.0, 1.0)
    kept = reliability.renewal_ettr_frac(rate, interval_s, write_s, cases["restart_s"], wait_s)
    return Goodput(
        frac=_kept(kept),
        interruption_interval_s=_extent(1.0 / rate),
        checkpoint_write_s=_extent(write_s),
        checkpoint_interval_s=float(interval_s[0]),
    )


def _cases(recovery: Recovery) -> dict[str, np.ndarray]:
    """Each input over all cases: first every middle, then one after the other at its low and high end."""
    cases = {field: np.full(1 + 2 * len(SPREAD), ends.middle) for field, ends in recovery.inputs.items()}
    for number, field in enumerate(SPREAD):
        ends = recovery.inputs[field]
        cases[field][1 + 2 * number : 3 + 2 * number] = ends.low, ends.high
    return cases


def _kept(kept: np.ndarray) -> Ends:
    """A share with its range: that of the time lost for each that is kept, which has no upper bound."""
    lost = _extent(1.0 / kept - 1.0)
    return Ends(float(kept[0]), 1.0 / (1.0 + lost.high), 1.0 / (1.0 + lost.low))


def _extent(values: np.ndarray) -> Ends:
    """A quantity that follows from independent factors, with its range."""
    pairs = values[1:].reshape(-1, 2) / values[0]
    more, less = np.maximum(pairs.max(axis=1), 1.0), np.maximum(1.0 / pairs.min(axis=1), 1.0)
    up, down = (float(reduce(reliability.independent_product_ratio, ratios)) for ratios in (more, less))
    middle = float(values[0])
    return Ends(middle, middle / down, middle * up)


def trace_goodput(trace: Trace, recovery: Recovery, run_at: str, here: str) -> None:
    """Note where each figure of an option's goodput comes from."""
    pointers, size = recovery.pointers, f"{here}/num_accelerators"
    trace.derive(
        f"{here}/interruption_interval_s",
        "laws.reliability.job_failures_per_s + laws.reliability.rescaled_node_failures_per_s",
        (size, *pointers[_RATE]),
        "geometric mean of the fleets of its architecture, else of all; the range from the least to the most",
    )
    trace.derive(
        f"{here}/checkpoint_write_s",
        "laws.reliability.checkpoint_write_s",
        (f"{run_at}/model", size, *pointers["saved_bytes"], *pointers["write_bytes_per_s"]),
        "training stands still meanwhile",
    )
    trace.derive(
        f"{here}/checkpoint_interval_s",
        "laws.reliability.daly_interval_s",
        (f"{here}/checkpoint_write_s", f"{here}/interruption_interval_s"),
        "the interval that loses the least, at least a step",
    )
    waits = tuple(one for field in _WAITS for one in pointers[field])
    figures = ("interruption_interval_s", "checkpoint_interval_s", "checkpoint_write_s")
    trace.derive(
        f"{here}/estimated_goodput_frac",
        "laws.reliability.renewal_ettr_frac + laws.reliability.interruption_wait_s"
        " + laws.reliability.independent_product_ratio",
        (*(f"{here}/{figure}" for figure in figures), *waits),
        "by closed form, beside which the rehearsed share stands",
    )


_PREMISES = {
    "hazards": "what goes wrong is what the catalogue's hazards say, as often as in published fleets",
    "blocking_checkpoints": "training stands still while a checkpoint is written, at the best interval",
    "nodes_at_hand": "spare nodes and parts are at hand, and burnt in; planned maintenance does not count",
}


def assume_goodput(trace: Trace, stated_frac: float | None, origin: Provenance) -> str:
    """Note what a scenario says of goodput, or what stands in for it; returns its pointer."""
    if stated_frac is None:
        note = "not stated: each run is rehearsed on each option, with failures and recovery as published"
        origin = Provenance(source="gigawatt", basis="estimate", note=note)
    pointer = trace.assume("goodput_frac", "share of the time that makes progress", stated_frac, origin)
    if stated_frac is None:
        for key, label in _PREMISES.items():
            trace.assume(key, label, None, Provenance(source="gigawatt", basis="estimate"))
    return pointer
