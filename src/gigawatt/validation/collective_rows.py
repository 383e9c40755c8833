"""Measured collectives: a CSV with the columns of `collectives_measured.csv`, one size a row, as records."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gigawatt.catalog import Catalog
from gigawatt.design.collectives.ranges import Band, band_of
from gigawatt.domain.calibration_collectives import (
    CollectiveCalibration,
    ExchangeKind,
    Harness,
    ScaleOut,
    ScaleUp,
)
from gigawatt.domain.validation import RunStatus
from gigawatt.units import parse_quantity
from gigawatt.validation.collective_files import NOTHING_GIVEN, Given, LogRow, read_measurements

MICRO = parse_quantity("1 us", "_s")
GIGA = parse_quantity("1 GB/s", "_bytes_per_s")
GIGABIT = parse_quantity("1 Gbit/s", "_bytes_per_s")


KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "send_recv")
NAMES = {
    "alltoall": "all_to_all",
    "sendrecv": "send_recv",
    "allreduce": "all_reduce",
    "allgather": "all_gather",
}


@dataclass(frozen=True)
class MeasuredCollectiveRow:
    """One row of a file as it stands; `reason` says why it cannot be predicted."""

    row: Mapping[str, str]
    status: RunStatus
    reason: str

    @property
    def series(self) -> str:
        return self.row.get("series", "")


@dataclass(frozen=True)
class MeasuredCollective(MeasuredCollectiveRow):
    """A row that the laws can express: which collective ran over what, and how long it took."""

    collective: str
    bytes_total: float
    """As nccl-tests count it; for an exchange of tokens, what a rank's tokens take without copies."""
    ranks: int
    inside: int
    domains: int
    near: ScaleUp
    far: ScaleOut | None
    near_bytes_per_s: float
    """Of one accelerator."""
    far_bytes_per_s: float
    """Of one accelerator."""
    allowed: tuple[str, ...]
    """Algorithms that the run was held to; blank: NCCL's own choice."""
    launches: int
    """Kernels that one process launches one after the other."""
    exchange: ExchangeKind | None
    measured_s: float
    captured: bool = False
    """Whether its iterations were captured in a CUDA graph."""

    @property
    def band(self) -> Band:
        """The range of sizes that it is scored in."""
        return band_of(self.collective, self.bytes_total)


def read_collectives(
    files: Sequence[Path], catalogue: Catalog, given: Given = NOTHING_GIVEN, as_set: bool = False
) -> tuple[MeasuredCollectiveRow, ...]:
    """Every row of the files (tables or raw logs): measurements, and what cannot be one, with the reason.

    `given` says of logs what they do not; `as_set` takes NCCL_ALGO in a log for what the run was held to.
    Errors: InputError where a file is neither, or a table lacks the columns that every row needs.
    """
    calibration = catalogue.collective_calibration()
    found: list[MeasuredCollectiveRow] = []
    for file in read_measurements(files, given, as_set):
        for at, row in enumerate(file.rows):
            read = read_collective(row, calibration, catalogue)
            found.append(_doubted(read, file.problems.get(at, "")))
    return tuple(found)


def _doubted(read: MeasuredCollectiveRow, problem: str) -> MeasuredCollectiveRow:
    """A line that its own file speaks against is predicted where it can be, and not scored."""
    if not problem:
        return read
    status: RunStatus = "document_error" if isinstance(read, MeasuredCollective) else "inexpressible"
    return replace(read, status=status, reason=problem)


def read_collective(
    row: Mapping[str, str], calibration: CollectiveCalibration, catalogue: Catalog
) -> MeasuredCollectiveRow:
    """One row as a measurement, or with the reason why it is none."""
    try:
        return _measurement(row, calibration, catalogue)
    except ValueError as problem:
        return MeasuredCollectiveRow(row, "inexpressible", str(problem))


def _measurement(
    row: Mapping[str, str], calibration: CollectiveCalibration, catalogue: Catalog
) -> MeasuredCollective:
    collective, kind = _kind(row)
    ranks, nodes = _whole(row, "gpus"), _whole(row, "nodes")
    near = near_of(row["gpu_kind"], calibration)
    inside = _inside(ranks, nodes, near, catalogue)
    domains = math.ceil(ranks / inside)
    if domains > 1 and isinstance(row, LogRow) and not row["fabric"]:
        raise ValueError("the log does not say which network joins its nodes: name it with --fabric")
    network = f"{row['fabric']}; {row.get('note', '')}"
    far = far_of(network, calibration) if domains > 1 else None
    exchange = _exchange(kind, row, calibration) if kind else None
    size = _exchange_bytes(collective, exchange) if exchange else _number(row, "bytes")
    return MeasuredCollective(
        row=row,
        status="predicted",
        reason="",
        collective=collective,
        bytes_total=size,
        ranks=ranks,
        inside=inside,
        domains=domains,
        near=near,
        far=far,
        near_bytes_per_s=near.bytes_per_s,
        far_bytes_per_s=_far_rate(row, near, far, inside, catalogue) if far else near.bytes_per_s,
        allowed=_allowed(row.get("algo", ""), near, domains),
        launches=_launches(row.get("source", ""), inside, calibration.harnesses),
        exchange=exchange,
        measured_s=_measured_s(row, size, ranks, domains, exchange),
        captured=isinstance(row, LogRow) and row.captured,
    )


def _inside(ranks: int, nodes: int, near: ScaleUp, catalogue: Catalog) -> int:
    """Ranks in one domain: those of a node, or of all nodes of a rack where links reach through it."""
    per_node = math.ceil(ranks / nodes)
    sizes = [catalogue.system(id).num_accelerators_per_node for id in near.systems]
    nodes_per_domain = near.num_accelerators_per_domain // sizes[0] if sizes else 1
    return min(ranks, per_node * max(1, nodes_per_domain))


def _kind(row: Mapping[str, str]) -> tuple[str, str]:
    """The collective, and for exchanges of tokens the kind of kernels."""
    name = row["collective"]
    name = NAMES.get(name, name)
    if name.startswith("moe_"):
        quick = name.endswith("_lowlat")
        return name.removesuffix("_lowlat"), "low-latency" if quick else "normal"
    if name not in KINDS:
        raise ValueError(f'there is no law for the collective "{name}"')
    return name, ""


def _number(row: Mapping[str, str], key: str) -> float:
    try:
        value = float(row.get(key) or "")
    except ValueError:
        raise ValueError(f'{key} is "{row.get(key, "")}", expected a number') from None
    if not 0.0 < value < math.inf:
        raise ValueError(f"{key} is {value:g}, expected more than 0")
    return value


def _whole(row: Mapping[str, str], key: str) -> int:
    return int(_number(row, key))


def _longest(text: str, words_of: Sequence[tuple[int, tuple[str, ...]]]) -> int | None:
    """Which entry has the longest of its words in the text."""
    found = [
        (len(word), -number)
        for number, words in words_of
        for word in words
        if re.search(rf"(?<![a-z0-9]){re.escape(word.lower())}(?![a-z])", text.lower())
    ]
    return -max(found)[1] if found else None


def near_of(accelerator: str, calibration: CollectiveCalibration) -> ScaleUp:
    """The scale-up links of an accelerator as a measurement names it. Raises ValueError for unknown ones."""
    rows = calibration.scale_up
    at = _longest(accelerator, [(number, row.accelerators) for number, row in enumerate(rows)])
    if at is None:
        raise ValueError(f'no scale-up links are known of the accelerator "{accelerator}"')
    return rows[at]


def far_of(fabric: str, calibration: CollectiveCalibration) -> ScaleOut:
    """The network as a measurement names it. Raises ValueError for unknown ones."""
    rows = calibration.scale_out
    at = _longest(fabric, [(number, row.words) for number, row in enumerate(rows)])
    if at is None:
        raise ValueError(f'no class of network is known for "{fabric}"')
    return rows[at]


def _far_rate(row: Mapping[str, str], near: ScaleUp, far: ScaleOut, inside: int, catalogue: Catalog) -> float:
    """Rate of one accelerator's network ports: as the row says, else as the machine or the system is sold.

    "8x400Gb/s" is a node's, unless it says "per GPU"; "400Gb/s" alone is a port's, of which the system has as
    many as make up its rate, an unknown system one per node.
    """
    fabric = row["fabric"]
    sold = [rate for id in near.systems if (rate := catalogue.system(id).scale_out_bytes_per_s)]
    if found := re.search(r"(\d+) ?x ?(\d+)(?: ?Gb/s)?", fabric):
        rate = float(found[1]) * float(found[2]) * GIGABIT
        return rate if "per GPU" in fabric else rate / inside
    if found := re.search(r"(\d+) ?Gb/s", fabric):
        rate = float(found[1]) * GIGABIT
        return rate if "per GPU" in fabric or (sold and rate <= sold[0]) else rate / inside
    for name, rate in far.node_bytes_per_s.items():
        if name in fabric:
            return rate / inside
    if sold:
        return sold[0]
    raise ValueError(f'the rate of the network is neither in "{fabric}" nor known of the accelerator')


def _allowed(algorithm: str, near: ScaleUp, domains: int) -> tuple[str, ...]:
    """Algorithms that a run was forced to; where switches do not reduce, NCCL ignores the wish for NVLS."""
    wanted = algorithm.strip().lower()
    if wanted.startswith("nvls") and near.in_network_reduction:
        return ("nvls",) if domains == 1 else ("nvls-tree",)
    return ("ring",) if wanted.startswith("ring") else ("tree",) if wanted.startswith("tree") else ()


def _launches(source: str, inside: int, harnesses: Sequence[Harness]) -> int:
    known = [
        h for h in harnesses if h.one_process and any(word.lower() in source.lower() for word in h.words)
    ]
    return inside if known else 1


# -- exchanges of tokens -----------------------------------------------------------------------------------


def _exchange(kind: str, row: Mapping[str, str], calibration: CollectiveCalibration) -> ExchangeKind:
    """The kind of exchange, with the number of tokens where the note says it."""
    known = next(one for one in calibration.exchanges if one.id == kind)
    said = re.search(r"(\d+)(K?) tokens", row.get("note", ""))
    if not said:
        return known
    return known.model_copy(update={"num_tokens": int(said[1]) * (1024 if said[2] else 1)})


def _exchange_bytes(collective: str, exchange: ExchangeKind) -> float:
    each = exchange.dispatch_bytes if collective == "moe_dispatch" else exchange.combine_bytes
    return exchange.num_tokens * exchange.hidden * each


def _measured_s(
    row: Mapping[str, str],
    size: float,
    ranks: int,
    domains: int,
    exchange: ExchangeKind | None,
) -> float:
    """The measured time; of exchanges that print a bandwidth only, from the bytes that it counts."""
    from gigawatt.laws.collectives import distinct_domains

    if row.get("time_us"):
        return _number(row, "time_us") * MICRO
    if exchange is None:
        raise ValueError("time_us is blank")
    if not exchange.token_once_per_domain:
        copies = float(exchange.top_k)
    else:
        copies = float(distinct_domains(exchange.top_k, domains if domains > 1 else ranks))
    return size * copies / (_number(row, "busbw_GBps") * GIGA)
