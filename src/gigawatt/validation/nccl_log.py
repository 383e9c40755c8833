"""Raw output of nccl-tests and rccl-tests, of any release, read line by line.

Logs come as they are: with the prefixes of mpirun, srun or a container's log, with NCCL's own messages
between the lines, several runs in one file, cut off at either end. What looks like a measurement and cannot
be read is kept as a problem with its line; nothing is dropped in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gigawatt.documents import read_text
from gigawatt.units import parse_quantity
from gigawatt.validation.nccl_hints import Hints, hints_in

_TYPES = (
    r"u?int(?:8|32|64)|int|char|half|float|double|bfloat16|float16|float32|float64|bf16|fp16|fp32"
    r"|(?:fp8|f8|float8)\w*"
)
_ELEMENT_BYTES = {
    "int8": 1,
    "uint8": 1,
    "char": 1,
    "half": 2,
    "bfloat16": 2,
    "float16": 2,
    "bf16": 2,
    "fp16": 2,
}
_ELEMENT_BYTES |= {"double": 8, "int64": 8, "uint64": 8, "float64": 8}
_ROW = re.compile(rf"(?:^|[\s\]>:|])(?P<size>\d+)\s+(?P<count>\d+)\s+(?P<type>{_TYPES})\b(?P<rest>.*)$")
_RANK = re.compile(
    r"Rank\s+(?P<rank>\d+)\s+(?:Group\s+(?P<group>\d+)\s+)?Pid\s+\S+\s+on\s+(?P<host>\S+)\s+device\s+"
    r"(?P<device>\d+)\s+\[[^\]]*\]\s*(?P<name>.*?)\s*$"
)
_SETUP = re.compile(r"nThread\s+\d+\s+nGpus\s+(?P<gpus>\d+)")
_STARTS = re.compile(r"Collective test starting:\s*(?P<name>\w+)|(?P<typed>\b\w+_perf)(?:_mpi)?\b")
_HEADER = re.compile(r"\bsize\s+count\s+.*\btime\s+algbw\s+busbw")
_LIBRARY = re.compile(r"\b(?:NCCL|RCCL) version\s*:?\s*(?P<version>\d+\.\d+\.\d+)|nccl-library=(?P<code>\d+)")
_TAG = re.compile(r"\[\d+(?:,\d+)?\](?:<std(?:out|err)>:?)?|<std(?:out|err)>:?")
_DATE = re.compile(r"\s\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*\s*$")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|N/A|nan|inf", re.IGNORECASE)

COLLECTIVES = {
    "all_reduce": "all_reduce",
    "all_gather": "all_gather",
    "reduce_scatter": "reduce_scatter",
    "alltoall": "all_to_all",
    "broadcast": "broadcast",
    "sendrecv": "send_recv",
}
"""What gigawatt calls the tests of nccl-tests."""
MICRO = 1e-6
GIGA = parse_quantity("1 GB/s", "_bytes_per_s")
_MAX_ROUNDING = 0.005
"""Bandwidths are printed to the hundredth."""
_MANY_RANKS = 200_000
_MAX_APART_FRAC = 0.05
"""By how much size over time may differ from the printed bandwidth."""
_MAX_UNEVEN_FRAC = 0.01


@dataclass(frozen=True, slots=True)
class Timing:
    """One of a line's two measurements: into another buffer, or in place."""

    time_s: float
    algbw_bytes_per_s: float
    busbw_bytes_per_s: float
    num_wrong: float | None
    """Values that came out wrong; older releases print the largest error instead. None where unchecked."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of measurements."""

    line: int
    size_bytes: int
    num_elements: int
    element: str
    redop: str
    root: int | None
    out_of_place: Timing
    in_place: Timing | None


@dataclass(frozen=True, slots=True)
class LogProblem:
    """A line that looks like a measurement and is none, or a run that cannot be placed."""

    line: int
    why: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Rank:
    """One rank as the table at the start of a run lists it."""

    rank: int
    group: int
    host: str
    device: str


@dataclass
class LogRun:
    """One run of one test."""

    path: str
    line: int
    test: str = ""
    """The test's name as printed (`all_reduce_perf`), or as the command line or the file's name has it."""
    captured: bool = False
    """Whether the iterations were captured in a CUDA graph."""
    library: str = ""
    ranks: list[Rank] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    problems: list[LogProblem] = field(default_factory=list)
    hints: Hints = field(default_factory=Hints)

    @property
    def collective(self) -> str:
        """In gigawatt's words; blank where the log does not tell, or the test is none of them."""
        named = COLLECTIVES.get(self.test.removesuffix("_mpi").removesuffix("_perf"), "")
        return named or ("" if self.test else _collective_of(self.lines))

    @property
    def table_is_whole(self) -> bool:
        """Whether the table lists every rank up to its last; a log may be cut off, or shown in part."""
        return bool(self.ranks) and len(self.ranks) == self._num_listed

    @property
    def _num_listed(self) -> int:
        return max((rank.rank for rank in self.ranks), default=-1) + 1

    @property
    def num_ranks(self) -> int:
        """Of one communicator: by the whole table, by elements per rank, by the bandwidths; 0 if unknown."""
        if self.table_is_whole:
            return sum(rank.group == self.ranks[0].group for rank in self.ranks)
        by_lines = _ranks_by_elements(self.lines) or ranks_by_factor(self.lines, self.collective)
        return by_lines or self._num_listed

    @property
    def num_groups(self) -> int:
        """Communicators that ran at the same time."""
        return len({rank.group for rank in self.ranks}) or 1

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names of the nodes of the first communicator, in the order of their ranks."""
        own = [rank for rank in self.ranks if rank.group == self.ranks[0].group]
        return tuple(dict.fromkeys(rank.host for rank in own))

    @property
    def device(self) -> str:
        """What the driver calls the accelerators; blank where the table is missing or they differ."""
        names = {rank.device for rank in self.ranks}
        return names.pop() if len(names) == 1 else ""


def read_nccl_log(path: str) -> tuple[LogRun, ...]:
    """Every run in a log, in order. Errors: InputError for a file that cannot be read as text."""
    return parse_nccl_log(read_text(path), path)


def is_nccl_log(text: str) -> bool:
    """Whether the text has anything that nccl-tests print.

    >>> is_nccl_log("series,collective,bytes"), is_nccl_log("# nThread 1 nGpus 8 minBytes 8")
    (False, True)
    """
    return any(_SETUP.search(line) or _HEADER.search(line) or _row(line) for line in text.splitlines())


def parse_nccl_log(text: str, path: str = "<log>") -> tuple[LogRun, ...]:
    """As read_nccl_log, of text that is at hand."""
    runs: list[LogRun] = []
    typed = next((name for name in COLLECTIVES if name in path.replace("-", "_").lower()), "")
    run = LogRun(path, 1)
    for number, raw in enumerate(text.splitlines(), start=1):
        line = _TAG.sub(" ", raw).replace("|", " ")
        if _begins(line, run):
            runs.append(run)
            run = LogRun(path, number)
        _take(run, number, line)
    runs.append(run)
    kept = [one for one in runs if one.lines or one.problems or one.ranks]
    for one in kept:
        one.test = one.test or (f"{typed}_perf" if typed else "")
        one.problems += _doubts(one)
    return tuple(kept)


def _begins(line: str, run: LogRun) -> bool:
    """Whether a line is the first of a further run."""
    if not run.lines and not run.problems:
        return bool(run.ranks) and _SETUP.search(line) is not None
    if "Collective test concluded" in line or "NCCL INFO" in line:
        return False
    rank = _RANK.search(line)
    return bool(
        _SETUP.search(line)
        or _STARTS.search(line)
        or _HEADER.search(line)
        or (rank is not None and rank["rank"] == "0")
    )


def _take(run: LogRun, number: int, line: str) -> None:
    """What one line adds to a run."""
    if found := _ROW.search(_DATE.sub("", line)):
        read = _line_of(number, found, line, run)
        if isinstance(read, LogLine):
            run.lines.append(read)
        else:
            run.problems.append(read)
        return
    if "NCCL_" in line or "NCCL INFO" in line:
        run.hints = hints_in(line, run.hints)
    if rank := _RANK.search(line):
        run.ranks.append(Rank(int(rank["rank"]), int(rank["group"] or 0), rank["host"], rank["name"]))
    elif _SETUP.search(line):
        run.captured = re.search(r"\bgraph:\s*[1-9]", line) is not None
    elif (name := _STARTS.search(line)) and not run.lines:
        run.test = (name["name"] or name["typed"]).removesuffix("_mpi")
    if library := _LIBRARY.search(line):
        run.library = library["version"] or _version_of(library["code"])


def _row(line: str) -> re.Match[str] | None:
    return _ROW.search(_DATE.sub("", _TAG.sub(" ", line).replace("|", " ")))


def _version_of(code: str) -> str:
    """The release behind NCCL's version code.

    >>> _version_of("22606"), _version_of("2708")
    ('2.26.6', '2.7.8')
    """
    cut = -4 if len(code) > 4 else -3
    return f"{int(code[:cut])}.{int(code[cut:-2])}.{int(code[-2:])}"


def _line_of(number: int, found: re.Match[str], text: str, run: LogRun) -> LogLine | LogProblem:
    words = found["rest"].split()
    redop = words.pop(0) if words and words[0].isalpha() and words[0].lower() not in ("nan", "inf") else ""
    values = [word for word in words if _NUMBER.fullmatch(word)]
    if len(values) < len(words):
        values = values[: next(n for n, word in enumerate(words) if not _NUMBER.fullmatch(word))]
    rooted = _has_root(len(values), run)
    root = values.pop(0) if rooted and values else None
    first, second = _timing(values[:4]), _timing(values[4:8])
    if first is None:
        return LogProblem(number, "cannot be read as time, algbw and busbw", text.strip())
    if int(found["size"]) == 0:
        return LogProblem(number, "no bytes were moved", text.strip())
    return LogLine(
        line=number,
        size_bytes=int(found["size"]),
        num_elements=int(found["count"]),
        element=found["type"],
        redop=redop,
        root=int(float(root)) if root and root[-1].isdigit() else None,
        out_of_place=first,
        in_place=second,
    )


def _has_root(num_values: int, run: LogRun) -> bool:
    """Whether the first number is the root: a line of both timings has nine, else eight."""
    if num_values in (5, 9):
        return True
    if num_values in (4, 8):
        return bool(run.lines) and num_values == 4 and run.lines[-1].root is not None
    return bool(run.lines) and run.lines[-1].root is not None


def _timing(values: list[str]) -> Timing | None:
    """Time, bandwidths and, where it was printed, what came out wrong; None if one is no number above 0."""
    if len(values) < 3:
        return None
    try:
        time_us, algbw, busbw = (float(value) for value in values[:3])
    except ValueError:
        return None
    if not 0.0 < time_us < float("inf") or not 0.0 <= algbw < float("inf") or not 0.0 <= busbw < float("inf"):
        return None
    wrong = None if len(values) < 4 or values[3].upper() == "N/A" else float(values[3])
    return Timing(time_us * MICRO, algbw * GIGA, busbw * GIGA, wrong)


def _doubts(run: LogRun) -> Iterator[LogProblem]:
    """What cannot be right about a run as a whole."""
    if not run.lines:
        yield LogProblem(run.line, "a run without measurements: it was cut off or failed")
        return
    last = run.lines[-1].out_of_place
    if run.num_ranks == 1 or (last.algbw_bytes_per_s > GIGA and last.busbw_bytes_per_s == 0.0):
        yield LogProblem(
            run.line, "one rank talks to nobody: were the tests built without MPI, or started without -g?"
        )
    elif run.ranks and (found := ranks_by_factor(run.lines, run.collective)):
        listed = run.num_ranks if run.table_is_whole else run._num_listed
        if not _is_factor_of(listed, run.lines, run.collective):
            yield LogProblem(run.line, f"{listed} ranks are listed, and busbw over algbw is that of {found}")
    for one in run.lines:
        moved = one.size_bytes / one.out_of_place.time_s
        if (
            abs(moved - one.out_of_place.algbw_bytes_per_s)
            > _MAX_APART_FRAC * moved + 2 * _MAX_ROUNDING * GIGA
        ):
            yield LogProblem(one.line, "size over time is not the printed algbw: the line contradicts itself")


def _ranks_by_elements(lines: list[LogLine]) -> int:
    """All-gathers and all-to-alls print the elements of one rank: bytes over them are the ranks; else 0."""
    if not lines:
        return 0
    last = lines[-1]
    each = last.num_elements * (
        1 if "8_" in last.element or "f8" in last.element else _ELEMENT_BYTES.get(last.element, 4)
    )
    ratio = last.size_bytes / each if each else 0.0
    return round(ratio) if ratio > 1.5 and abs(ratio - round(ratio)) < _MAX_UNEVEN_FRAC * ratio else 0


def _factor(lines: list[LogLine]) -> tuple[float, float]:
    """Bounds of busbw over algbw by all lines and how they are rounded; 0 and 0 if they say nothing."""
    low, high = 0.0, 2.0
    for timing in (timing for line in lines for timing in (line.out_of_place, line.in_place) if timing):
        algbw, busbw, half = timing.algbw_bytes_per_s, timing.busbw_bytes_per_s, _MAX_ROUNDING * GIGA
        if algbw > half and busbw > half:
            low, high = max(low, (busbw - half) / (algbw + half)), min(high, (busbw + half) / (algbw - half))
    return (low, high) if 0.0 < low <= high else (0.0, 0.0)


def _whole(collective: str) -> float:
    """What busbw over algbw tends to for many ranks; 0 where it does not depend on them."""
    return {"all_reduce": 2.0, "": 0.0, "broadcast": 0.0, "send_recv": 0.0}.get(collective, 1.0)


def _is_factor_of(ranks: int, lines: list[LogLine], collective: str) -> bool:
    low, high = _factor(lines)
    return low <= _whole(collective) * (ranks - 1) / ranks <= high


def ranks_by_factor(lines: list[LogLine], collective: str) -> int:
    """Ranks from busbw over algbw, which is 2(n-1)/n or (n-1)/n; 0 where the rounding leaves it open.

    Of the counts that the rounding allows, the multiple of four is taken, if there is one alone.
    """
    (low, high), whole = _factor(lines), _whole(collective)
    if not 0.0 < low < whole:
        return 0
    least, most = whole / (whole - low), whole / max(whole - high, whole / _MANY_RANKS)
    fitting = range(
        max(2, math.ceil(least - _MAX_UNEVEN_FRAC)), min(math.floor(most + _MAX_UNEVEN_FRAC), _MANY_RANKS) + 1
    )
    if len(fitting) > 1:
        fitting = range(-(-fitting[0] // 4) * 4, fitting[-1] + 1, 4)
    return fitting[0] if len(fitting) == 1 else 0


def _collective_of(lines: list[LogLine]) -> str:
    """The collective by its factor, operator and root, where only one has them; else blank."""
    low, high = _factor(lines)
    if low > 1.0:
        return "all_reduce"
    scattered = bool(lines) and lines[-1].redop not in ("", "none")
    return "reduce_scatter" if scattered and 0.0 < high < 1.0 and _ranks_by_elements(lines) else ""
