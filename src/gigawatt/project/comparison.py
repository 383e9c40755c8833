"""What changed between two plans: in what went in, and in what came out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gigawatt.domain.blueprint import Blueprint, ClusterPlan, Option
from gigawatt.domain.comparison import Change, Comparison
from gigawatt.project.directory import PlanDirectory

_FABRIC = ("fabric", "num_nodes", "power_w", "price_usd")
_FACILITY = ("site", "it_w", "peak_w", "pue", "cost_usd")
_FIGURES = (
    "verdict",
    "price_usd_per_gpu_h",
    "step_s",
    "goodput_frac",
    "train_s",
    "finish",
    "energy_j",
    "cost_usd",
)


def compare_plans(before: Path, after: Path) -> Comparison:
    """Causes (assumptions, facts, inputs, tool) and effects (decisions, figures) that differ.

    Raises InputError where a directory holds no complete plan.
    """
    old, new = PlanDirectory(before).record(), PlanDirectory(after).record()
    return Comparison(causes=tuple(_causes(old, new)), effects=tuple(_effects(old, new)))


def _causes(old: Blueprint, new: Blueprint) -> Iterator[Change]:
    yield from _differences("input", dict(old.inputs), dict(new.inputs))
    yield from _differences("tool", {"version": old.tool_version}, {"version": new.tool_version})
    for kind in ("assumptions", "facts"):
        was, now = ({one.key: one.value for one in getattr(plan, kind)} for plan in (old, new))
        yield from _differences(kind.removesuffix("s"), was, now)
    for run in new.runs:
        earlier = next((one for one in old.runs if one.id == run.id), None)
        if earlier:
            names = ("model", "tokens", "seq_len", "global_batch", "precision", "start", "deadline")
            was, now = ({name: getattr(one, name) for name in names} for one in (earlier, run))
            yield from _differences(f"run {run.id}", was, now)


def _effects(old: Blueprint, new: Blueprint) -> Iterator[Change]:
    chosen_was, chosen_now = ({run.id: run.decision.option for run in plan.runs} for plan in (old, new))
    yield from _differences("decision", chosen_was, chosen_now)
    was, now = (
        {f"{run.id} on {option.id}": option for run in plan.runs for option in run.options}
        for plan in (old, new)
    )
    for name in dict.fromkeys((*was, *now)):
        yield from _differences(name, _figures(was.get(name)), _figures(now.get(name)))
    signed_was, signed_now = (_signed(plan) for plan in (old, new))
    yield from _differences("portfolio", signed_was, signed_now)
    built_was, built_now = ({one.cluster: one for one in plan.clusters} for plan in (old, new))
    for name in dict.fromkeys((*built_was, *built_now)):
        yield from _differences(f"cluster {name}", _built(built_was.get(name)), _built(built_now.get(name)))


def _figures(option: Option | None) -> dict[str, object]:
    return {name: getattr(option, name) for name in _FIGURES} if option else {}


def _built(plan: ClusterPlan | None) -> dict[str, object]:
    """What a cluster's fabric and facility come to, when it is ready and what its power costs."""
    figures: dict[str, object] = {}
    if plan and plan.fabric:
        figures |= {f"fabric {name}": getattr(plan.fabric, name) for name in _FABRIC}
    if plan and plan.facility:
        figures |= {f"facility {name}": getattr(plan.facility, name) for name in _FACILITY}
    if plan and plan.ready:
        figures |= {f"ready {name}": getattr(plan.ready, name) for name in ("block", "p10", "p50", "p90")}
    if plan and plan.energy:
        figures |= {f"energy {name}": getattr(plan.energy, name) for name in ("usd_per_mwh", "kgco2_per_mwh")}
    return figures


def _signed(plan: Blueprint) -> dict[str, object]:
    """What the portfolio costs, and how many of what are to be signed now, by offer, kind, site and month."""
    answer = plan.portfolio
    if answer is None:
        return {}
    signed = {
        f"{one.offer} {one.kind} {one.site} {one.month}": one.num_accelerators for one in answer.sign_now
    }
    return {"objective_usd": answer.objective_usd, **signed}


def _differences(where: str, was: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Change]:
    for key in dict.fromkeys((*was, *now)):
        old, new = was.get(key), now.get(key)
        if old != new:
            yield Change(where=where, key=key, before=_plain(old), after=_plain(new))


def _plain(value: object) -> float | str | bool | None:
    return value if isinstance(value, float | int | str | bool) or value is None else str(value)
