"""Printed designs against the rules: which switches and cables follow from a row's inputs, to the unit.

A row is never known by its name. Its inputs (switch, port speed, planes, nodes, scalable units) pick a kind
of fabric from the catalogue, whose rules count. Where a printed count is not ours, the row's other counts
decide who is wrong: a document contradicts itself only if these agree with our count and not with its own.
"""

from __future__ import annotations

import csv
import io
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gigawatt.catalog import Catalog
from gigawatt.design.fabric.parts import FabricParts
from gigawatt.design.fabric.plan import plan_network
from gigawatt.documents import load_csv
from gigawatt.domain.fabric import SCALE_UP, FabricKind, Network, Switch
from gigawatt.domain.fabric_validation import BillReport, BillRow
from gigawatt.errors import InfeasibleError, InputError, UnknownIdError
from gigawatt.units import format_link_rate, read

COUNTS = ("leaf", "spine", "core", "cables_node_leaf", "cables_leaf_spine", "cables_spine_core")
_NEEDED = ("id", "switch_model", *COUNTS)
_WORDS = {"one": 1, "two": 2, "four": 4, "eight": 8}
_COUNT = re.compile(r"\s*(\d+)(?![\d.])\s*(?:$|[(/\s])")
_RATE = re.compile(r"\s*(?:(\d+)\s*x\s*)?(\d+)\s*(?:\((\w+) planes\))?")
_FIGURES = {"exact": "exact_frac", "coverage": "coverage_frac", "wrong": "num_wrong", "cells": "num_cells"}
_BOUND = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*(%?)\s*")
_SIGNS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What a row says of the design, apart from its counts."""

    switch: str
    num_nodes: int
    num_accelerators: int
    per_node: int
    num_ports: int
    """Network ports of a node."""
    port_bytes_per_s: float
    num_planes: int
    num_units: int


class _Unread(Exception):
    """Why a row cannot be expressed."""


def validate_fabric(files: Sequence[Path], catalogue: Catalog) -> BillReport:
    """Predict every row of the files. Errors: InputError for a file that cannot be read."""
    rows = [_row(cells, catalogue) for path in files for cells in load_csv(path, _NEEDED)]
    sound = {row.fabric for row in rows if row.printed and not row.differing}
    return BillReport(rows=tuple(_judged(row, row.fabric in sound, catalogue) for row in rows))


def _row(cells: Mapping[str, str], catalogue: Catalog) -> BillRow:
    found = {name: match[1] for name in COUNTS if (match := _COUNT.match(cells[name]))}
    row = BillRow(
        id=cells["id"],
        design=cells.get("design", ""),
        status="inexpressible",
        printed={name: int(text) for name, text in found.items()},
    )
    try:
        inputs = _inputs(cells)
        kind = _kind(inputs, catalogue)
        net = plan_network(kind, "compute", inputs.num_nodes, inputs.per_node, _parts(kind, catalogue))
    except (_Unread, InfeasibleError) as error:
        return row.model_copy(update={"reason": str(error)})
    counted = inputs.num_nodes * inputs.per_node
    reason = _miscounted(inputs, counted, row) if counted != inputs.num_accelerators else ""
    return row.model_copy(
        update={
            "fabric": kind.id,
            "status": "document_error" if reason else "predicted",
            "reason": reason,
            "predicted": _counts(net),
        }
    )


def _miscounted(inputs: _Inputs, counted: int, row: BillRow) -> str:
    """Where a row's nodes and its accelerators disagree, what its cables say."""
    cables = row.printed.get("cables_node_leaf")
    witness = f", as many as its {cables:,} cables" if cables == inputs.num_nodes * inputs.num_ports else ""
    return (
        f"prints {inputs.num_accelerators:,} accelerators; {inputs.num_nodes:,} nodes of {inputs.per_node} "
        f"hold {counted:,}{witness}"
    )


def _inputs(cells: Mapping[str, str]) -> _Inputs:
    per_node = _number(cells, "gpus_per_node")
    nodes, gpus = cells.get("nodes", "").strip(), cells.get("gpus", "").strip()
    if not nodes and not gpus.isdigit():
        raise _Unread(f'gives no number of nodes, and "{gpus}" is no number of accelerators')
    num_nodes = int(nodes) if nodes.isdigit() else -(-int(gpus) // per_node)
    rate = _RATE.match(cells.get("nic_Gbps", ""))
    if rate is None:
        raise _Unread(f'nic_Gbps: "{cells.get("nic_Gbps", "")}" is no speed')
    split, speed, planes = rate.groups()
    if planes and planes not in _WORDS and not planes.isdigit():
        raise _Unread(f'nic_Gbps: "{planes} planes" is no number')
    adapters = _COUNT.match(cells.get("nic_per_node", "").replace("+", " "))
    port = read(f"{speed} Gbit/s", "_bytes_per_s")
    assert isinstance(port, float)
    su_count = cells.get("su_count", "").strip()
    return _Inputs(
        switch=cells["switch_model"].split(";")[0].strip(),
        num_nodes=num_nodes,
        num_accelerators=int(gpus) if gpus.isdigit() else num_nodes * per_node,
        per_node=per_node,
        num_ports=int(adapters[1]) if adapters else per_node,
        port_bytes_per_s=port,
        num_planes=_WORDS.get(planes, 0) or int(planes) if planes else int(split or 1),
        num_units=int(su_count) if su_count.isdigit() else 0,
    )


def _number(cells: Mapping[str, str], name: str) -> int:
    text = cells.get(name, "").strip()
    if not text.isdigit():
        raise _Unread(f'{name}: "{text}" is no number')
    return int(text)


def _kind(inputs: _Inputs, catalogue: Catalog) -> FabricKind:
    """The kind of fabric that has the row's switch, port speed and planes, and best fits its units."""
    switch = _switch(inputs.switch, catalogue)
    kinds = [catalogue.fabric(id) for id in catalogue.ids("fabrics")]
    fitting = [kind for kind in kinds if kind.leaf_switch == switch.id and _fits(kind, inputs, catalogue)]
    if not fitting:
        raise _Unread(
            f"no kind of fabric in the catalogue has {switch.id} with {inputs.num_planes} x "
            f"{format_link_rate(inputs.port_bytes_per_s)} to an accelerator, {inputs.per_node} to a node"
        )
    return max(fitting, key=lambda kind: (_same_units(kind, inputs), kind.nodes_per_unit > 0))


def _switch(text: str, catalogue: Catalog) -> Switch:
    try:
        return catalogue.switch(text)
    except UnknownIdError as error:
        raise _Unread(str(error)) from None


def _fits(kind: FabricKind, inputs: _Inputs, catalogue: Catalog) -> bool:
    held = {catalogue.system(id).num_accelerators_per_node for id in kind.systems}
    if kind.ports_per_node or (held and inputs.per_node not in held):
        return False
    if kind.technology in SCALE_UP:
        return True
    per_accelerator = inputs.num_ports * inputs.num_planes // inputs.per_node
    same_ports = kind.ports_per_accelerator == max(per_accelerator, 1)
    same_speed = kind.port_bytes_per_s == inputs.port_bytes_per_s
    return same_speed and same_ports and kind.num_planes == inputs.num_planes


def _same_units(kind: FabricKind, inputs: _Inputs) -> bool:
    """Whether the row's scalable units are the kind's units, or its pods."""
    if not kind.nodes_per_unit:
        return False
    units = -(-inputs.num_nodes // kind.nodes_per_unit)
    pods = -(-units // kind.units_per_pod) if kind.units_per_pod else 0
    return inputs.num_units in (0, units, pods)


def _parts(kind: FabricKind, catalogue: Catalog) -> FabricParts:
    names = {kind.leaf_switch, kind.spine_switch, kind.core_switch} - {""}
    return FabricParts(kind, {id: catalogue.switch(id) for id in names})


def _counts(net: Network) -> dict[str, int]:
    """The counts of a network, by column."""
    counts = dict.fromkeys(COUNTS, 0)
    counts |= {tier.role: tier.num_switches for tier in net.tiers}
    return counts | {f"cables_{group.lower}_{group.upper}": group.num_cables for group in net.cables}


def _judged(row: BillRow, kind_is_sound: bool, catalogue: Catalog) -> BillRow:
    """A miss, or a document that contradicts its own counts and the rule that its other rows keep."""
    if row.status != "predicted" or not row.differing:
        return row
    said = [_contradiction(row, name, catalogue) for name in row.differing]
    if kind_is_sound and all(said):
        return row.model_copy(update={"status": "document_error", "reason": "; ".join(said)})
    missed = ", ".join(f"{name} {row.printed[name]:,} printed" for name in row.differing)
    return row.model_copy(update={"reason": f"differs: {missed}"})


def _contradiction(row: BillRow, name: str, catalogue: Catalog) -> str:
    """Why a printed number of spines or cores does not go with the row's own cables; blank where it may."""
    above = {"spine": "cables_leaf_spine", "core": "cables_spine_core"}
    if name not in above or above[name] not in row.printed or above[name] in row.differing:
        return ""
    kind = catalogue.fabric(row.fabric)
    ports = catalogue.switch(kind.spine_switch if name == "spine" else kind.core_switch).num_ports
    links, ours = row.printed[above[name]], row.predicted[name]
    if (name == "spine" and row.predicted["core"]) or -(-links // ports) != ours or row.printed[name] < ours:
        return ""
    even = _even_spread(row, links, name)
    return (
        f"prints {row.printed[name]:,} {name} switches; its {links:,} links fill {ours:,} of {ports} ports"
        f"{even}"
    )


def _even_spread(row: BillRow, links: int, name: str) -> str:
    """A remark where the printed count would give every switch below equally many links to each above."""
    below = row.predicted["leaf" if name == "spine" else "spine"]
    up, printed = links // below, row.printed[name]
    if not printed or up % printed or up % row.predicted[name] == 0:
        return ""
    idle = links // printed
    return (
        f" ({printed:,} would be the least over which the {up} uplinks of each spread evenly, with {idle} "
        "ports used on each)"
    )


def bill_csv(report: BillReport) -> str:
    """Every row as scripts read it: our counts, blank where there are none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", *COUNTS, "status", "reason"])
    for row in report.rows:
        writer.writerow([row.id, *(row.predicted.get(name, "") for name in COUNTS), row.status, row.reason])
    return text.getvalue()


def missed_bounds(report: BillReport, required: Sequence[str]) -> tuple[str, ...]:
    """The demands that the report does not meet: "exact>=100%", "coverage>=80%", "wrong<=0", "cells>=60".

    Errors: InputError for a demand that cannot be read.
    """
    missed = []
    for text in required:
        match = _BOUND.fullmatch(text)
        if match is None or match[1] not in _FIGURES:
            raise InputError(
                f"--require {text!r}: expected FIGURE<=BOUND, such as 'exact>=100%' or 'wrong<=0', with a "
                f"figure among {', '.join(_FIGURES)}"
            )
        bound = float(match[3]) / (100 if match[4] else 1)
        if not _SIGNS[match[2]](getattr(report, _FIGURES[match[1]]), bound):
            missed.append(text)
    return tuple(missed)
