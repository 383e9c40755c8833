"""Measured collectives from files of either kind: a table with a row for each size, or a raw nccl-tests log.

Both come out as rows of the table's columns, each of which knows its file and line, so that whatever reads
the table reads logs too. A line of a log that cannot be used is a row as well, and `problems` says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from gigawatt.catalog import Catalog
from gigawatt.documents import Row, load_csv, read_text
from gigawatt.domain.hardware import System
from gigawatt.errors import InputError, Problem, UnknownIdError
from gigawatt.validation.nccl_log import GIGA, MICRO, LogLine, LogRun, is_nccl_log, parse_nccl_log

COLUMNS = (
    "series", "collective", "bytes", "gpus", "nodes", "gpu_kind", "fabric", "algbw_GBps", "busbw_GBps",
    "time_us", "time_us_inplace", "busbw_inplace_GBps", "algo", "source", "note",
)  # fmt: skip
NEEDED = ("series", "collective", "gpus", "nodes", "gpu_kind", "fabric")
_NETWORKS = {
    "IB": "InfiniBand",
    "AWS Libfabric": "EFA",
    "Socket": "TCP sockets",
    "FasTrak": "GPUDirect-TCPXO",
}
"""What NCCL calls the network it uses, in the words of the table."""


class Given(NamedTuple):
    """What a log does not say, as whoever ran it says it; blank and 0 where the log is to tell."""

    gpu_kind: str = ""
    fabric: str = ""
    collective: str = ""
    num_ranks: int = 0
    num_ranks_per_node: int = 0


NOTHING_GIVEN = Given()


class LogRow(Row):
    """A line of a log in the table's columns, with what the log says besides."""

    def __init__(self, cells: Mapping[str, str], line: int, run: LogRun) -> None:
        super().__init__(cells, run.path, line)
        self.hints = run.hints
        self.captured = run.captured
        """Whether its iterations were captured in a CUDA graph."""
        self.num_groups = run.num_groups
        """Communicators that ran at the same time."""


@dataclass(frozen=True)
class Measurements:
    """Rows of one file, and why some cannot be used, by their place among them."""

    rows: tuple[Row, ...]
    problems: dict[int, str]


def given_of(
    catalogue: Catalog,
    system: str = "",
    fabric: str = "",
    collective: str = "",
    num_ranks: int = 0,
) -> Given:
    """What whoever ran a log says of it: a system's id, a network's id or its words, counts.

    A network that is not named is the system's own. Errors: UnknownIdError for a system that there is not.
    """
    if not system:
        return Given("", _network_words(fabric, catalogue), collective, num_ranks)
    kind = catalogue.system(system)
    return Given(
        gpu_kind=catalogue.accelerator(kind.accelerator).name,
        fabric=_network_words(fabric, catalogue) or _own_network(kind, catalogue),
        collective=collective,
        num_ranks=num_ranks,
        num_ranks_per_node=kind.num_accelerators_per_node,
    )


def _network_words(fabric: str, catalogue: Catalog) -> str:
    """A fabric of the catalogue in the words of the table; other words as they are."""
    try:
        kind = catalogue.fabric(fabric) if fabric else None
    except UnknownIdError:
        return fabric
    if kind is None:
        return ""
    technology = "InfiniBand" if kind.technology == "infiniband" else "RoCE"
    return f"{technology} {_per_accelerator(kind.port_bytes_per_s * kind.ports_per_accelerator)}"


def _own_network(system: System, catalogue: Catalog) -> str:
    rows = catalogue.collective_calibration().scale_out
    known = next((row for row in rows if system.scale_out in row.networks), None)
    if known is None or not system.scale_out_bytes_per_s:
        return system.scale_out
    return f"{known.words[0]} {_per_accelerator(system.scale_out_bytes_per_s)}"


def _per_accelerator(bytes_per_s: float) -> str:
    return f"{8.0 * bytes_per_s / GIGA:.0f}Gb/s per GPU"


def read_measurements(
    files: Sequence[Path], given: Given = NOTHING_GIVEN, as_set: bool = False
) -> tuple[Measurements, ...]:
    """The rows of every file, in order.

    A log's `NCCL_ALGO` is taken for what the run was held to if `as_set`, as a fit needs it; otherwise it is
    left for a cause, since the question is what the machines could do.
    Errors: InputError for files that cannot be read, that are neither, or that lack a needed column.
    """
    return tuple(_measurements(Path(file), given, as_set) for file in files)


def _measurements(file: Path, given: Given, as_set: bool) -> Measurements:
    text = read_text(file)
    if is_nccl_log(text):
        return log_measurements(parse_nccl_log(text, str(file)), given, as_set)
    first = text.lstrip().partition("\n")[0]
    if "," not in first:
        raise InputError(
            Problem(
                "is neither a table (CSV with a header) nor output of nccl-tests or rccl-tests",
                file=str(file),
            )
        )
    return Measurements(tuple(load_csv(file, NEEDED)), {})


def log_measurements(
    runs: Sequence[LogRun], given: Given = NOTHING_GIVEN, as_set: bool = False
) -> Measurements:
    """The runs of one log as rows. Every measured line gives one row, and every problem too."""
    rows: list[Row] = []
    problems: dict[int, str] = {}
    for number, run in enumerate(runs, start=1):
        series = _series(run, number, len(runs))
        lacking = "; ".join(_lacking(run, given))
        for cells, line, problem in _cells_of(run, series, given, as_set):
            if problem or lacking:
                problems[len(rows)] = problem or lacking
            rows.append(LogRow(cells, line, run))
    return Measurements(tuple(rows), problems)


def _series(run: LogRun, number: int, of: int) -> str:
    stem = Path(run.path).name.rsplit(".", 1)[0]
    return f"{stem}#{number}" if of > 1 else stem


def _lacking(run: LogRun, given: Given) -> Iterator[str]:
    """What is known neither from the log nor from its owner."""
    if not (given.collective or run.collective):
        yield (
            f"{run.test} is none of the collectives that are predicted"
            if run.test
            else "the log does not say which collective it is: name it with --collective"
        )
    if not (given.num_ranks or run.num_ranks):
        yield "the log has no table of ranks, and its bandwidths leave their number open: give it with --gpus"
    if not (given.gpu_kind or run.device):
        yield "the log does not say which accelerators it ran on: name them with --system"


def _cells_of(
    run: LogRun, series: str, given: Given, as_set: bool
) -> Iterator[tuple[dict[str, str], int, str]]:
    by_line = {problem.line: problem for problem in run.problems}
    about = _about(run, series, given) | {"algo": run.hints.settings.get("NCCL_ALGO", "") if as_set else ""}
    for one in run.lines:
        doubt = by_line.pop(one.line, None)
        yield about | _figures(one), one.line, doubt.why if doubt else _wrong(one)
    for problem in sorted(by_line.values(), key=lambda one: one.line):
        yield about, problem.line, problem.why + (f": {problem.text}" if problem.text else "")


def _wrong(line: LogLine) -> str:
    """Wrong values spoil a measurement; before their count there was an error, whose size says nothing."""
    num_wrong = line.out_of_place.num_wrong or 0.0
    return f"values came out wrong ({num_wrong:g})" if num_wrong >= 1.0 else ""


def _about(run: LogRun, series: str, given: Given) -> dict[str, str]:
    """What all lines of a run share, in the table's columns."""
    num_ranks = given.num_ranks or run.num_ranks
    per_node = given.num_ranks_per_node
    nodes = len(run.hosts) if run.ranks else -(-num_ranks // per_node) if per_node else 0
    blank = dict.fromkeys(COLUMNS, "")
    return blank | {
        "series": series,
        "collective": given.collective or run.collective,
        "gpus": str(num_ranks or ""),
        "nodes": str(nodes or ""),
        "gpu_kind": given.gpu_kind or run.device,
        "fabric": given.fabric or _NETWORKS.get(run.hints.network, run.hints.network),
        "source": run.path,
        "note": f"NCCL {run.library}" if run.library else "",
    }


def _figures(line: LogLine) -> dict[str, str]:
    out, into = line.out_of_place, line.in_place
    return {
        "bytes": str(line.size_bytes),
        "time_us": f"{out.time_s / MICRO:.9g}",
        "algbw_GBps": f"{out.algbw_bytes_per_s / GIGA:.9g}",
        "busbw_GBps": f"{out.busbw_bytes_per_s / GIGA:.9g}",
        "time_us_inplace": f"{into.time_s / MICRO:.9g}" if into else "",
        "busbw_inplace_GBps": f"{into.busbw_bytes_per_s / GIGA:.9g}" if into else "",
    }
