"""Replications of a fleet together: means, and dates of runs that hold in one, five and nine of ten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import ceil
from statistics import fmean
from typing import Any, TypeVar

from gigawatt.domain.outlook import (
    CauseOutlook,
    FleetOutlook,
    PartOutlook,
    RunOutlook,
    ShareOutlook,
    SkillOutlook,
    TenantOutlook,
)
from gigawatt.domain.record import Record
from gigawatt.domain.twin import FleetFigures, Rehearsal, RunFigures, TenantFigures

USES = {
    "useful work": "useful_gpu_h",
    "work undone by faults": "lost_gpu_h",
    "writing checkpoints": "saving_gpu_h",
    "slower than full speed": "slow_gpu_h",
    "restarts and swaps": "restart_gpu_h",
    "hanging, unnoticed": "unnoticed_gpu_h",
    "held but idle": "idle_held_gpu_h",
}
"""Of what jobs hold, with the field of `TimeShares`."""
BESIDE = {"free": "idle_gpu_h", "standing by as spares": "spare_gpu_h", "out of service": "out_gpu_h"}
"""Of what no job holds, with the field of `FleetFigures`."""

MEANS = {"mean_repair_s": "num_repairs", "mean_wait_s": "num_jobs"}
"""Figures that are means themselves, with what they are over."""

RowT = TypeVar("RowT", bound=Record)


def outlook(rehearsal: Rehearsal, lasts_s: float) -> FleetOutlook:
    """What all replications of a rehearsal say together."""
    all_figures = rehearsal.replications
    return FleetOutlook(
        num_replications=len(all_figures),
        lasts_s=lasts_s,
        num_jobs=_mean(all_figures, "num_jobs"),
        num_done=_mean(all_figures, "num_done"),
        num_too_large=_mean(all_figures, "too_large"),
        num_faults=_mean(all_figures, "num_faults"),
        events=sum(one.events for one in all_figures),
        shares=_shares(all_figures),
        runs=tuple(_run(alike) for alike in zip(*(one.runs for one in all_figures), strict=True)),
        tenants=tuple(_tenant(alike) for alike in zip(*(one.tenants for one in all_figures), strict=True)),
        causes=_causes(all_figures),
        parts=_averaged(all_figures, "parts", "part", PartOutlook, whole=("num_stock",)),
        skills=_averaged(all_figures, "skills", "skill", SkillOutlook),
    )


def _mean(rows: Iterable[Any], field: str) -> float:
    return fmean(getattr(row, field) for row in rows)


def _shares(all_figures: Sequence[FleetFigures]) -> tuple[ShareOutlook, ...]:
    shares = [one.shares for one in all_figures]
    held, fleet = _mean(shares, "held_gpu_h"), _mean(all_figures, "fleet_gpu_h")
    rows = [(use, True, _mean(shares, field)) for use, field in USES.items()]
    rows += [(use, False, _mean(all_figures, field)) for use, field in BESIDE.items()]
    return tuple(
        ShareOutlook(
            use=use,
            held=is_held,
            gpu_h=gpu_h,
            held_frac=(gpu_h / held if held else 0.0) if is_held else None,
            fleet_frac=gpu_h / fleet,
        )
        for use, is_held, gpu_h in rows
    )


def _run(alike: Sequence[RunFigures]) -> RunOutlook:
    first = alike[0]
    ends_s = sorted((one.done_s for one in alike), key=_never_last)
    deadline_s = first.deadline_s
    met = [one.done_s is not None and one.done_s <= deadline_s for one in alike] if deadline_s else []
    return RunOutlook(
        name=first.name,
        num_gpus=first.num_gpus,
        deadline_s=deadline_s,
        meets_deadline_frac=fmean(met) if met else None,
        done_frac=_mean(alike, "done_frac"),
        p10_done_s=_percentile(ends_s, 0.1),
        p50_done_s=_percentile(ends_s, 0.5),
        p90_done_s=_percentile(ends_s, 0.9),
        num_faults=_mean(alike, "num_faults"),
        ettr_frac=_mean(alike, "ettr_frac"),
    )


def _never_last(end_s: float | None) -> tuple[bool, float]:
    return (end_s is None, end_s or 0.0)


def _percentile(ordered_s: Sequence[float | None], share_frac: float) -> float | None:
    """The first of which so many are not later."""
    return ordered_s[max(0, ceil(share_frac * len(ordered_s)) - 1)]


def _tenant(alike: Sequence[TenantFigures]) -> TenantOutlook:
    held, useful = (fmean(getattr(one.shares, f"{use}_gpu_h") for one in alike) for use in ("held", "useful"))
    means = {
        field: _mean(alike, field)
        for field in ("num_jobs", "num_done", "mean_queue_s", "p50_queue_s", "p90_queue_s")
    }
    return TenantOutlook(
        tenant=alike[0].tenant, held_gpu_h=held, goodput_frac=useful / held if held else 0.0, **means
    )


def _causes(all_figures: Sequence[FleetFigures]) -> tuple[CauseOutlook, ...]:
    rows = _averaged(all_figures, "causes", "hazard", CauseOutlook)
    return tuple(sorted(rows, key=lambda one: (-one.num_interruptions, -one.num_faults, one.hazard)))


def _averaged(
    all_figures: Sequence[FleetFigures],
    section: str,
    key: str,
    kind: Callable[..., RowT],
    whole: Sequence[str] = (),
) -> tuple[RowT, ...]:
    """Rows of the same name averaged over all replications; one that has none counts nothing."""
    found: dict[str, list[Any]] = {}
    for one in all_figures:
        for row in getattr(one, section):
            found.setdefault(getattr(row, key), []).append(row)
    num = len(all_figures)
    made = []
    for name, rows in found.items():
        fields = {field: getattr(rows[0], field) for field in (key, *whole)}
        for field in type(rows[0]).model_fields:
            if field in MEANS:
                fields[field] = _weighted(rows, field, MEANS[field])
            elif field not in fields:
                fields[field] = sum(getattr(row, field) for row in rows) / num
        made.append(kind(**{**fields, key: name}))
    return tuple(made)


def _weighted(rows: Sequence[Any], field: str, weight: str) -> float:
    """A figure that is a mean itself, over all that it is of."""
    total = sum(getattr(row, weight) for row in rows)
    if not total:
        return fmean(getattr(row, field) for row in rows)
    return float(sum(getattr(row, field) * getattr(row, weight) for row in rows) / total)
