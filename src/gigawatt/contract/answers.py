"""Everything that is asked of a plan once it stands: worth of offers, options, waiting, regret, flips,
remarks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from gigawatt.contract.blocks import Plan
from gigawatt.contract.breakeven_ranges import ranged_break_evens
from gigawatt.contract.columns import Relaxed, relax
from gigawatt.contract.demand import demand_of
from gigawatt.contract.families import standing_by_offer
from gigawatt.contract.foresight import judge_whole
from gigawatt.contract.futures import tree_of
from gigawatt.contract.indifference import Appraisal, Appraiser, appraise_all
from gigawatt.contract.joint_flips import held_against_blocks, joint_flips
from gigawatt.contract.payments import by_the_mean, everything_signed
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.questions import flips, signs_now
from gigawatt.contract.replan import Allowance
from gigawatt.contract.reservation import Question, block_worths, questions_of
from gigawatt.contract.risk import foresight, judge_risk, neutral, outcome_of, signing_later, strategies
from gigawatt.domain.portfolio import Roadmap, month_index, month_text
from gigawatt.domain.portfolio_plan import Flip, OfferWorth, Portfolio, PriceRemark, Signed, Verdict
from gigawatt.domain.whole_blocks import JointFlip
from gigawatt.errors import InfeasibleError

Progress = Callable[[int, int, str], None]
CONFLICT_FRAC = 0.25
WORTH_SHARE = 0.5
"""Of solving.time_limit_s: what goes into worth in whole blocks."""
MOST_SHARES = 8
"""An offer may take an eighth of what is left of it."""
RISK_SHARE = 0.25
"""And into foresight and strategies in whole blocks."""
FLIP_SHARE = 0.25
"""And into flips of several assumptions, and as much again into flips in whole blocks."""


def answered(roadmap: Roadmap, plan: Plan, found: Portfolio, progress: Progress) -> Portfolio:
    """The portfolio with everything that is asked beyond what to sign."""
    tree = tree_of(roadmap, demand_of(roadmap))
    more: dict[str, object] = {
        "worth": tuple(worth_of(roadmap, plan, found, progress)),
        "options": tuple(options_of(roadmap, found)),
        "waiting_usd": _waiting(roadmap),
        "break_evens": tuple(ranged_break_evens(roadmap, found.dates)),
        "remarks": tuple(price_remarks(roadmap)),
    }
    more["flips"], more["joint_flips"], more["joint_flips_left"] = _flips(roadmap, plan, progress)
    if len(tree.courses) > 1:
        known = foresight(neutral(roadmap), tree, progress)
        figures, relaxed = judge_risk(roadmap, tree, known, progress)
        ways = strategies(roadmap, known, relaxed, progress)
        budget_s = roadmap.solving.time_limit_s * RISK_SHARE
        judged = judge_whole(roadmap, (figures, ways, known), found, progress, budget_s)
        more["risk"], more["strategies"] = judged
    return found.model_copy(update=more)


def _flips(
    roadmap: Roadmap, plan: Plan, progress: Progress
) -> tuple[tuple[Flip, ...], tuple[JointFlip, ...], tuple[str, ...]]:
    """One assumption at a time and several at once, in parts of blocks and then in whole ones."""
    alone = flips(roadmap, progress)
    budget_s = roadmap.solving.time_limit_s * FLIP_SHARE
    together, left = joint_flips(roadmap, alone, budget_s, progress)
    found = held_against_blocks(roadmap, signs_now(plan), alone, together, budget_s, progress)
    return *found, left


def _waiting(roadmap: Roadmap) -> float | None:
    """What it costs to sign nothing but month by month within the first months; None where that cannot be."""
    base = neutral(roadmap)
    try:
        later = signing_later(base)
        waited = outcome_of(later, tree_of(later, demand_of(later))).mean_usd
    except InfeasibleError:
        return None
    return max(0.0, waited - outcome_of(base, tree_of(base, demand_of(base))).mean_usd)


def options_of(roadmap: Roadmap, found: Portfolio) -> Iterator[Signed]:
    """Rights that are used, and signatures that only some futures need."""
    every = max(1, len(roadmap.futures))
    for one in found.signed:
        if len(one.futures) < every or (one.right and not one.right.startswith("tier")):
            yield one


def worth_of(roadmap: Roadmap, plan: Plan, found: Portfolio, progress: Progress) -> Iterator[OfferWorth]:
    """The negotiation sheet, in the order of the roadmap's offers."""
    model, relaxed = plan.model, plan.relaxed
    tail: dict[int, float] = {}
    if risky := len(model.cost_rows) > 0:
        tail = dict(_risk_worth(model, relaxed))
        model = build_model(neutral(roadmap))
        relaxed = relax(model)
    appraisals = list(appraise_all(model, relaxed, progress))
    asked = questions_of(model, appraisals)
    budget_s = roadmap.solving.time_limit_s * WORTH_SHARE / (2 if risky else 1)
    base = by_the_mean(plan, relaxed.bound) if risky else plan
    by_mean = block_worths(neutral(roadmap), base, asked, _allowance(asked, budget_s), progress)
    by_risk = block_worths(roadmap, plan, asked, _allowance(asked, budget_s), progress) if risky else {}
    standing = _standing(plan)
    for one in appraisals:
        row = _worth(
            model, one, float(standing[one.offer]), tail.get(one.offer), _verdict(roadmap, found, one)
        )
        whole = {"whole": by_mean.get(one.offer), "whole_with_risk": by_risk.get(one.offer)}
        yield row.model_copy(update=whole)


def _allowance(asked: Sequence[Question], budget_s: float) -> Allowance:
    return Allowance.of(budget_s, len(asked), MOST_SHARES)


def _risk_worth(model: Model, relaxed: Relaxed) -> Iterator[tuple[int, float]]:
    """What the whole of each offer saves where the tail is weighed."""
    appraiser = Appraiser(model, relaxed)
    for offer in appraiser.nearest:
        saved = appraiser.cost_without(offer)
        if np.isfinite(saved):
            yield offer, saved


def _standing(plan: Plan) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """[offers] the most accelerators under each offer in any month of any future."""
    model = plan.model
    everything, units = everything_signed(plan)
    count = len(model.roadmap.offers) + len(model.roadmap.power)
    most = np.zeros(count)
    for course in model.tree.courses:
        mine = np.flatnonzero(np.isin(everything.node, course.nodes) & (units > 0))
        if len(mine):
            table = standing_by_offer(
                model.positions, everything.taken(mine), units[mine], model.roadmap.months
            )
            most[: len(table)] = np.maximum(most[: len(table)], table.max(axis=1))
    return most


def _worth(model: Model, one: Appraisal, standing: float, tail: float | None, verdict: Verdict) -> OfferWorth:
    entry = model.positions.entries[one.nearest.position]
    price = one.nearest.quoted_usd / max(one.nearest.gpu_hours, 1e-9)

    def priced(ratio: float | None) -> float | None:
        return None if ratio is None or not np.isfinite(ratio) else max(0.0, price * ratio)

    return OfferWorth(
        offer=model.roadmap.offers[one.offer].id,
        kind=model.roadmap.chips[entry.kind].id,
        site=model.roadmap.places[entry.site].id,
        month=model.month(one.nearest.month),
        price_usd_per_gpu_h=price,
        delivered_usd_per_gpu_h=price / entry.delivered,
        dual_usd_per_gpu_h=max(0.0, price * one.nearest.ratio),
        left_usd_per_gpu_h=priced(one.left_ratio),
        right_usd_per_gpu_h=priced(one.right_ratio),
        block_usd=one.block_usd if np.isfinite(one.block_usd) else None,
        block_price_usd_per_gpu_h=priced(one.block_ratio),
        risk_usd=tail,
        num_accelerators=standing,
        verdict=verdict,
    )


def _verdict(roadmap: Roadmap, found: Portfolio, one: Appraisal) -> Verdict:
    name = roadmap.offers[one.offer].id
    rows = [row for row in found.signed if row.offer == name]
    if not rows:
        return "not needed"
    soon = month_text(month_index(roadmap.start) + roadmap.now_months)
    if any(row.month < soon for row in rows):
        return "sign now"
    every = max(1, len(roadmap.futures))
    return "sign later" if any(len(row.futures) == every for row in rows) else "keep as option"


def price_remarks(roadmap: Roadmap) -> Iterator[PriceRemark]:
    """Prices that are old, without a source, or at odds with each other."""
    seen: dict[tuple[object, ...], tuple[str, float]] = {}
    for offer in roadmap.offers:
        for kind, price in (offer.price_usd_per_gpu_h or {}).items():
            origin = next(
                (
                    offer.provenance[key]
                    for key in (f"price_usd_per_gpu_h.{kind}", "price_usd_per_gpu_h")
                    if key in offer.provenance
                ),
                None,
            )
            if origin is None or not origin.source:
                yield PriceRemark(
                    offer=offer.id, kind="unsourced", message=f"{kind} at {price:g} USD/h names no source"
                )
            elif roadmap.stale_after and origin.date and origin.date[:7] < roadmap.stale_after:
                message = f"{kind} at {price:g} USD/h is of {origin.date}, before {roadmap.stale_after}"
                yield PriceRemark(offer=offer.id, kind="stale", message=message)
            same = (offer.provider, kind, offer.form, offer.term_months, offer.sites)
            if same in seen and abs(price / seen[same][1] - 1.0) > CONFLICT_FRAC:
                other, there = seen[same]
                message = (
                    f"{kind} at {price:g} USD/h, where {other} of the same provider and term says {there:g}"
                )
                yield PriceRemark(offer=offer.id, kind="conflicting", message=message)
            seen.setdefault(same, (offer.id, price))
