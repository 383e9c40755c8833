"""Measured runs as curves over their sizes, priced anew with one thing changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gigawatt.design.collectives.algorithms import Span
from gigawatt.design.collectives.physics import keys_of, physics_of
from gigawatt.design.collectives.pricing import Choice, Links, Physics, fastest, price
from gigawatt.domain.calibration_collectives import CollectiveCalibration, Protocol
from gigawatt.validation.collective_batch import links_of, span_of
from gigawatt.validation.collective_causes import Cause, Change, Floats, Place, likely_cause
from gigawatt.validation.collective_files import LogRow
from gigawatt.validation.collective_rows import GIGABIT, MeasuredCollective
from gigawatt.validation.nccl_hints import Hints


@dataclass(frozen=True)
class Curve:
    """One collective over all sizes of a run, as it is predicted: what a change is made to."""

    collective: str
    sizes_bytes: Floats
    span: Span
    links: Links
    physics: Physics
    protocols: tuple[Protocol, ...]
    predicted_s: Floats
    captured: bool = False

    def retime(self, change: Change) -> Floats | None:
        """Times of all sizes [sizes] s with one thing changed; None where that cannot be.

        The change of the price is laid upon the prediction, so that what else went into it stays.
        """
        usual, changed = self._priced(Change()), self._priced(change)
        return None if usual is None or changed is None else self.predicted_s * changed / usual

    def place(self, num_ports: int) -> Place:
        """What the hypotheses need to know of it."""
        usable = [one for one in self._choices(Change()) if np.isfinite(one.time_s).any()]
        return Place(
            collective=self.collective,
            num_ranks=int(self.span.ranks),
            num_domains=int(self.span.domains),
            algorithms=frozenset(one.algorithm for one in usable),
            protocols=frozenset(one.protocol for one in usable),
            num_ports=num_ports,
        )

    def _choices(self, change: Change) -> tuple[Choice, ...]:
        links = self.links._replace(
            near_bytes_per_s=self.links.near_bytes_per_s * change.near_frac,
            far_bytes_per_s=self.links.far_bytes_per_s * change.far_frac,
        )
        protocols = [one for one in self.protocols if change.protocol in ("", one.protocol)]
        allowed = (change.algorithm,) if change.algorithm else ()
        return price(
            self.collective,
            self.sizes_bytes,
            self.span,
            links,
            self.physics,
            protocols,
            allowed,
            self.captured,
        )

    def _priced(self, change: Change) -> Floats | None:
        choices = self._choices(change)
        found = fastest(choices)[0] if choices else None
        return found if found is not None and np.isfinite(found).all() else None


def curve_of(
    cases: Sequence[MeasuredCollective], predicted_s: Floats, calibration: CollectiveCalibration
) -> Curve:
    """The curve of one run: its sizes on the same ranks, links and network, as predicted."""
    one = cases[0]
    spoken = one.far.protocols if one.far else ()
    return Curve(
        collective=one.collective,
        sizes_bytes=np.array([case.bytes_total for case in cases]),
        span=span_of(one),
        links=links_of(one),
        physics=physics_of(calibration, keys_of(one.near, one.far)),
        protocols=tuple(p for p in calibration.protocols if not spoken or p.protocol in spoken),
        predicted_s=predicted_s,
        captured=one.captured,
    )


def series_causes(
    cases: Sequence[MeasuredCollective],
    predicted_s: Floats,
    outside: Sequence[bool],
    calibration: CollectiveCalibration,
) -> dict[str, Cause]:
    """The likely cause of each series' gap, by its name; token exchanges and series without one are left out.

    `outside` says of each case whether it lies beyond its 10 % and 90 % points.
    """
    runs: dict[tuple[str, str, int], list[int]] = {}
    for at, case in enumerate(cases):
        if not case.exchange:
            runs.setdefault((case.series, case.collective, case.ranks), []).append(at)
    found: dict[str, Cause] = {}
    for (series, _, _), places in runs.items():
        by_size = sorted(places, key=lambda at: cases[at].bytes_total)
        cause = _run_cause(
            [cases[at] for at in by_size], predicted_s[by_size], [outside[at] for at in by_size], calibration
        )
        if cause.words:
            found[series] = cause
    return found


def _run_cause(
    cases: Sequence[MeasuredCollective],
    predicted_s: Floats,
    outside: Sequence[bool],
    calibration: CollectiveCalibration,
) -> Cause:
    one = cases[0]
    curve = curve_of(cases, predicted_s, calibration)
    hints = one.row.hints if isinstance(one.row, LogRow) else Hints()
    place = curve.place(_num_ports(one))
    return likely_cause(
        [case.measured_s for case in cases], list(predicted_s), outside, curve.retime, place, hints
    )


def _num_ports(case: MeasuredCollective) -> int:
    """Network ports of a domain: as its network's words count them, or as many as make up its rate."""
    words = case.row.get("fabric", "")
    if "per GPU" in words:
        return case.inside
    if counted := re.search(r"(\d+) ?x ?\d+", words):
        return int(counted[1])
    if said := re.search(r"(\d+) ?Gb/s", words):
        return max(1, round(case.inside * case.far_bytes_per_s / (float(said[1]) * GIGABIT)))
    return case.inside
