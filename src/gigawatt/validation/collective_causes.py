"""Why a measured collective is not what was predicted: what one change would give its whole curve.

Each hypothesis changes one thing about where or how the collective ran (one network port of eight, rings
where switches could reduce, messages through host memory) and predicts every size anew. The one whose curve
lies nearest to the measured one is named, with those that look alike; what NCCL itself said in the log
decides between them. Where none comes near, that is said instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.units import format_quantity
from gigawatt.validation.nccl_hints import Hints

Floats = NDArray[np.float64]

MAX_LEFT = 0.15
"""How near, in the logarithm and over the curve, a hypothesis must bring the prediction to be the cause."""
PARTLY = 0.5
"""Share of the gap that a hypothesis must close to be named as part of the reason."""
MIN_WORTH_A_WORD = 0.12
"""Gaps below this are what repeats of one measurement differ by."""
MAX_TIE = 0.03
"""Hypotheses this near to each other look alike: what the log says decides, then which is more usual."""
_SMALL_FRAC = 0.5
"""Share of a fixed time in a measured one from which on a size tells about latency, not bandwidth."""


_SHOWN_ALIKE = 2
SWITCHED = frozenset({"nvls", "nvls-tree", "sharp"})
"""Algorithms in which switches reduce."""

_ADVICE = {
    "delay": "Look at the CPU: launches (capture them in a CUDA graph), clocks and power states, affinity "
    "of processes, a tuner or plugin that was not loaded.",
    "ports": "Check NCCL_IB_HCA, links that are down (ibstat, ibv_devinfo), and that the container sees "
    "every port.",
    "staged": "Check nvidia-peermem or DMA-BUF, NCCL_NET_GDR_LEVEL, PCIe ACS and the IOMMU; with "
    "NCCL_DEBUG=INFO every network channel must say GDRDMA.",
    "slow port": "Look for a port at a lower speed or with errors (ibqueryerrors, ethtool -S): every ring "
    "waits for it.",
    "socket": "Check that each accelerator uses the port on its own PCIe switch (nvidia-smi topo -m); in a "
    "VM give NCCL_TOPO_FILE; see NCCL_IB_HCA and NCCL_CROSS_NIC.",
    "tcp": "NCCL found no RDMA network: check the plugin (IB, AWS OFI, gIB), NCCL_IB_DISABLE, NCCL_NET, and "
    "device files in the container.",
    "links": "Check nvidia-smi nvlink -s and -e for links that are down or retry, and the clocks under load.",
    "no links": "Check nvidia-smi nvlink -s and topo -m, that the fabric manager runs, NCCL_P2P_DISABLE and "
    "NCCL_P2P_LEVEL.",
    "switches": "Unset NCCL_ALGO; see NCCL_NVLS_ENABLE; the fabric manager must run, and IMEX in a rack.",
    "algorithm": "Unset NCCL_ALGO, and look for a tuner plugin made for other machines.",
    "faster": "Calibrate with these measurements, and predictions for such machines will know.",
    "protocol": "Unset NCCL_PROTO, and look for a tuner plugin made for other machines.",
}
"""What to look at, by kind of cause."""


class Change(NamedTuple):
    """One thing that is otherwise; 1 and blank leave it as predicted."""

    near_frac: float = 1.0
    """Rate of the scale-up ports, over what it is."""
    far_frac: float = 1.0
    """Rate of the network ports, over what it is."""
    algorithm: str = ""
    protocol: str = ""


class Place(NamedTuple):
    """Where a collective ran, as far as hypotheses need to know."""

    collective: str
    num_ranks: int
    num_domains: int
    algorithms: frozenset[str] = frozenset()
    """Those that the prediction could have chosen."""
    protocols: frozenset[str] = frozenset()
    num_ports: int = 1
    """Network ports of one scale-up domain."""


class Cause(NamedTuple):
    """What a curve looks like, and what to look at."""

    words: str
    advice: str = ""
    gap_frac: float = 0.0
    """Median of measured over predicted, less one, where the two are apart."""
    left_frac: float = 0.0
    """What the cause leaves of the gap: typical measured over its prediction, less one, either way."""
    said: str = ""
    """What the log itself says for it."""
    alike: tuple[str, ...] = ()
    """Other causes whose curves fit as well."""

    @property
    def text(self) -> str:
        """In a line; blank where there is nothing to explain."""
        if not self.words:
            return ""
        if abs(self.gap_frac) < MIN_WORTH_A_WORD:
            return f"slower than predicted at some sizes, faster at others: {self.words}"
        side = "slower" if self.gap_frac > 0.0 else "faster"
        size = self.gap_frac if self.gap_frac > 0.0 else -self.gap_frac
        said = f" (the log: {self.said})" if self.said else ""
        alike = f"; looks alike: {', or '.join(self.alike)}" if self.alike and not self.said else ""
        return f"{size:.0%} {side} than predicted: {self.words}{said}{alike}"


class _Hypothesis(NamedTuple):
    words: str
    advice: str
    change: Change
    said: str = ""
    against: bool = False
    """Whether the log says that it is not so."""


class _Tried(NamedTuple):
    left: float
    hypothesis: _Hypothesis


Retime = Callable[[Change], Floats | None]
"""Times of all sizes [sizes] s with one thing changed; None where that cannot be."""


def likely_cause(
    measured_s: Sequence[float],
    predicted_s: Sequence[float],
    outside: Sequence[bool],
    retime: Retime,
    place: Place,
    hints: Hints | None = None,
) -> Cause:
    """The likely cause of the gap between one run's measured and predicted times, by size.

    `outside` says which measurements lie beyond their 10 % and 90 % points. Nothing is said of a run of which
    no more than a fifth does, which is what chance allows, or whose gap is within what repeats differ by.
    """
    true, base = np.asarray(measured_s, dtype=float), np.asarray(predicted_s, dtype=float)
    beyond = np.asarray(outside, dtype=bool)
    if true.size == 0 or beyond.mean() <= 0.2:
        return Cause("")
    gap = float(np.median(np.log(true / base)[beyond]))
    if np.median(np.abs(np.log(true / base)[beyond])) < math.log1p(MIN_WORTH_A_WORD):
        return Cause("")
    if gap < -math.log1p(MIN_WORTH_A_WORD):
        return Cause("nothing to repair", _ADVICE["faster"], math.expm1(gap))
    whole = _left(true, base)
    tried = sorted(_trials(true, base, retime, place, hints or Hints()), key=lambda one: one.left)
    told = math.expm1(gap)
    if not tried or tried[0].left > (1.0 - PARTLY) * whole:
        return Cause("no single cause explains it", gap_frac=told, left_frac=math.expm1(whole))
    near = [one for one in tried if one.left <= tried[0].left + MAX_TIE]
    best = min(near, key=lambda one: (one.hypothesis.against, not one.hypothesis.said))
    sure = "as if" if best.left <= MAX_LEFT else "in part as if"
    one = best.hypothesis
    alike = dict.fromkeys(other.hypothesis.words for other in near if not other.hypothesis.against)
    others = tuple(words for words in alike if words != one.words)[:_SHOWN_ALIKE]
    return Cause(f"{sure} {one.words}", one.advice, told, math.expm1(best.left), one.said, others)


def _left(true: Floats, found: Floats) -> float:
    """Typical distance of two curves in the logarithm; one size far off does not decide."""
    return float(np.mean(np.abs(np.log(true / found))))


def _trials(true: Floats, base: Floats, retime: Retime, place: Place, hints: Hints) -> Iterator[_Tried]:
    for hypothesis in _hypotheses(place, hints):
        times = retime(hypothesis.change)
        if times is not None:
            yield _Tried(_left(true, times), hypothesis)
    yield from _fixed_delay(true, base)


def _fixed_delay(true: Floats, base: Floats) -> Iterator[_Tried]:
    """A delay of every call, whatever its size: what small messages take too long."""
    delay_s = float(np.median((true - base)[: max(1, true.size // 2)]))
    slow = delay_s > _SMALL_FRAC * float(base[0]) and true.size > 2
    if slow:
        words = f"each call took {format_quantity(delay_s, '_s')} more, whatever its size"
        yield _Tried(_left(true, base + delay_s), _Hypothesis(words, _ADVICE["delay"], Change()))


def _hypotheses(place: Place, hints: Hints) -> Iterator[_Hypothesis]:
    if place.num_domains > 1:
        yield from _network(place, hints)
    yield from _scale_up(place, hints)
    yield from _choice(place, hints)


def _network(place: Place, hints: Hints) -> Iterator[_Hypothesis]:
    yield from _ports(place, hints)
    yield _Hypothesis(
        "messages to the network went through host memory (GPUDirect RDMA off)",
        _ADVICE["staged"],
        Change(far_frac=0.5),
        said="network channels without GDRDMA" if hints.staged else "",
        against=hints.staged is False,
    )
    slow = "one network port ran at {:.0%} of its rate, and the others waited for it"
    for share in (0.5, 0.25):
        yield _Hypothesis(slow.format(share), _ADVICE["slow port"], Change(far_frac=share))
    words = "accelerators used network ports behind another PCIe switch or CPU socket"
    yield _Hypothesis(words, _ADVICE["socket"], Change(far_frac=0.75))
    over_tcp = hints.network == "Socket"
    for share in (0.1, 0.1 / 2, 0.1 / 4):
        yield _Hypothesis(
            "the network was spoken to by TCP sockets",
            _ADVICE["tcp"],
            Change(far_frac=share),
            said="network Socket" if over_tcp else "",
            against=bool(hints.network) and not over_tcp,
        )


def _ports(place: Place, hints: Hints) -> Iterator[_Hypothesis]:
    """Fewer network ports than the domain has."""
    used = len(hints.nics)
    ports, most = 1, place.num_ports
    while ports < most:
        were = "was" if ports == 1 else "were"
        yield _Hypothesis(
            f"{ports} of {most} network ports of each domain {were} used",
            _ADVICE["ports"],
            Change(far_frac=ports / most),
            said=f"channels on {used} port{'s' * (used != 1)}" if used == ports else "",
            against=used > ports,
        )
        ports *= 2


def _scale_up(place: Place, hints: Hints) -> Iterator[_Hypothesis]:
    if place.num_ranks <= place.num_domains:
        return
    disabled = hints.settings.get("NCCL_P2P_DISABLE", "0") != "0"
    for share in (0.1, 0.1 / 2):
        yield _Hypothesis(
            "accelerators of a domain talked over PCIe or host memory, not over their own links",
            _ADVICE["no links"],
            Change(near_frac=share),
            said="NCCL_P2P_DISABLE is set" if disabled else "",
        )
    for share in (0.25, 0.5, 0.75):
        words = f"links within the domain ran at {share:.0%} of their rate"
        yield _Hypothesis(words, _ADVICE["links"], Change(near_frac=share))


def _choice(place: Place, hints: Hints) -> Iterator[_Hypothesis]:
    """Another algorithm or protocol than the library should have chosen."""
    algorithm, protocol = (hints.settings.get(key, "") for key in ("NCCL_ALGO", "NCCL_PROTO"))
    for name in sorted(place.algorithms):
        reduces = name in SWITCHED
        idle = not reduces and bool(SWITCHED & place.algorithms)
        said = "NVLS multicast is not available" if idle and hints.nvls is False else ""
        yield _Hypothesis(
            f"it ran by {name}" + (", the switches not reducing" if idle else ""),
            _ADVICE["switches" if idle else "algorithm"],
            Change(algorithm=name),
            said=f"NCCL_ALGO is {algorithm}" if _names(algorithm, name) else said,
            against=reduces and hints.nvls is False,
        )
    for name in sorted(place.protocols):
        yield _Hypothesis(
            f"it used the protocol {name} at every size",
            _ADVICE["protocol"],
            Change(protocol=name),
            said=f"NCCL_PROTO is {protocol}" if _names(protocol, name) else "",
        )


def _names(setting: str, name: str) -> bool:
    """Whether a setting such as "Ring" or "ring,tree" is this one alone."""
    return setting.replace("-", "").lower() == name.replace("-", "").lower()
