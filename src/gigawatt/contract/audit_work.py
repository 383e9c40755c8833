"""Work as the audit counts it: from the roadmap's own words, one month at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gigawatt.domain.portfolio import (
    Future,
    PlannedRun,
    ResearchPool,
    Roadmap,
    Traffic,
    month_index,
)
from gigawatt.domain.portfolio_plan import Used
from gigawatt.laws.finance import HOUR_S, MONTH_H

Kind = PlannedRun | Traffic | ResearchPool
PETABYTE_BYTES = 10**15
MILLION = 10**6


def unit_kind(roadmap: Roadmap, work: Kind) -> str:
    """The kind whose month is the unit of a piece of work."""
    match work:
        case PlannedRun():
            return next(iter(work.work_gpu_h))
        case Traffic():
            return next(iter(work.tokens_per_s_per_gpu))
        case _:
            return (work.kinds or tuple(chip.id for chip in roadmap.chips))[0]


def unit_equivalents(roadmap: Roadmap, work: Kind) -> float:
    """Reference accelerators in a unit."""
    kind = unit_kind(roadmap, work)
    return next(chip.equivalents_per_gpu for chip in roadmap.chips if chip.id == kind)


def rate_of(roadmap: Roadmap, work: Kind, kind: str) -> float:
    """Units that an accelerator of a kind does in a month; 0 where it cannot."""
    first = unit_kind(roadmap, work)
    match work:
        case PlannedRun():
            return work.work_gpu_h[first] / work.work_gpu_h[kind] if kind in work.work_gpu_h else 0.0
        case Traffic():
            return work.tokens_per_s_per_gpu.get(kind, 0.0) / work.tokens_per_s_per_gpu[first]
        case _:
            if work.kinds and kind not in work.kinds:
                return 0.0
            worth = {chip.id: chip.equivalents_per_gpu for chip in roadmap.chips}
            return worth[kind] / worth[first]


def amount_in(roadmap: Roadmap, future: Future, work: Kind, month: int) -> float:
    """Units asked for in a month of a future; of a run the whole of it."""
    now = month_index(roadmap.start) + month
    if isinstance(work, PlannedRun):
        size = work.work_gpu_h[unit_kind(roadmap, work)] / MONTH_H
        last = min(month_index(work.deadline), month_index(roadmap.start) + roadmap.months - 1)
        changes = [one for one in future.changes if month_index(one.month) <= last]
    else:
        first = month_index(work.start)
        if now < first or (work.end is not None and now > month_index(work.end)):
            return 0.0
        if isinstance(work, Traffic):
            size = work.tokens_per_s / work.tokens_per_s_per_gpu[unit_kind(roadmap, work)]
        else:
            size = work.num_equivalents / unit_equivalents(roadmap, work)
        size *= (1.0 + work.growth_frac) ** ((now - first) / 12)
        changes = [one for one in future.changes if month_index(one.month) <= now]
    for change in changes:
        if not change.work or work.id in change.work:
            size *= 1.0 + change.demand_change_frac
    return size


def unmet_usd(roadmap: Roadmap, work: Kind) -> float:
    """What a unit left undone costs."""
    match work:
        case PlannedRun():
            return (work.undone_usd or 0.0) * MONTH_H / work.work_gpu_h[unit_kind(roadmap, work)]
        case Traffic():
            tokens = work.tokens_per_s_per_gpu[unit_kind(roadmap, work)] * HOUR_S * MONTH_H
            return (work.unserved_usd_per_million_output_tokens or 0.0) * tokens / MILLION
        case _:
            return (work.unmet_usd_per_gpu_h or 0.0) * MONTH_H * unit_equivalents(roadmap, work)


def peak_units(roadmap: Roadmap) -> float:
    """All work at its greatest, over all futures, a run spread over its window."""
    futures = roadmap.futures or (Future(id="expected", probability_frac=1.0),)
    total = 0.0
    for work in roadmap.work:
        sizes = [[amount_in(roadmap, one, work, month) for month in range(roadmap.months)] for one in futures]
        most = max(max(row) for row in sizes)
        if isinstance(work, PlannedRun):
            begin = month_index(roadmap.start)
            first = max(month_index(work.start) - begin, 0)
            last = min(month_index(work.deadline) - begin, roadmap.months - 1)
            most /= last - first + 1
        total += most
    return total


def cost_of_moves(roadmap: Roadmap, used: Sequence[Used], worth_frac: Sequence[float]) -> float:
    """Data and effort of work that leaves a site."""
    total, begin = 0.0, month_index(roadmap.start)
    for work in roadmap.work:
        if not (work.data_bytes or work.move_usd):
            continue
        at: dict[tuple[str, int], float] = defaultdict(float)
        for row in used:
            if row.work == work.id:
                month = month_index(row.month) - begin
                at[row.site, month] += row.num_accelerators * rate_of(roadmap, work, row.kind)
        stated = Future(id="stated", probability_frac=1.0)
        whole = max(amount_in(roadmap, stated, work, month) for month in range(roadmap.months))
        if isinstance(work, PlannedRun):
            last = min(month_index(work.deadline) - begin, roadmap.months - 1)
            whole /= last - max(month_index(work.start) - begin, 0) + 1
        for place in roadmap.places:
            effort = work.data_bytes / PETABYTE_BYTES * place.petabyte_egress_usd + work.move_usd
            for month in range(1, roadmap.months):
                gone = max(0.0, at[place.id, month - 1] - at[place.id, month])
                total += gone / whole * effort * worth_frac[month]
    return total
