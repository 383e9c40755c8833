"""What an offer is worth in whole blocks: the best plan with it, the best plan without it, and what is proven
of both.

A plan costs no more than what was found and no less than its bound, so the difference of two plans is an
interval. Of an offer that is bought, all of it is taken away. Of one that is not, the price is sought at
which a plan would begin to sign it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.blocks import Plan
from gigawatt.contract.columns import keys_of
from gigawatt.contract.indifference import Appraisal, moving_costs
from gigawatt.contract.payments import Held, units_of
from gigawatt.contract.portfolio_model import Model, build_model
from gigawatt.contract.program import INFINITE
from gigawatt.contract.replan import (
    Allowance,
    near_signatures,
    replanned,
    replanned_model,
    telling_gap_frac,
)
from gigawatt.contract.signatures import Choice
from gigawatt.contract.terms import NONE
from gigawatt.domain.portfolio import Roadmap
from gigawatt.domain.whole_blocks import BlockWorth
from gigawatt.errors import InfeasibleError

Numbers = NDArray[np.float64]
Progress = Callable[[int, int, str], None]
LEAST_BOUGHT = 1e-6
LIKE_FRAC = 1e-9
LEAST_GAIN_FRAC = 1e-9


@dataclass(frozen=True)
class Question:
    """One offer, and what the relaxed portfolio says of it."""

    offer: int
    position: int
    month: int
    node: int
    num_least: float
    price_usd_per_gpu_h: float
    """As quoted, where it comes nearest."""
    relaxed_usd: float
    """What is at stake: of the whole that is bought, or of the least signature's payments."""
    indispensable: bool
    nearest_frac: float
    """Price of indifference of a little of it over the quoted one."""


def questions_of(model: Model, appraisals: Sequence[Appraisal]) -> list[Question]:
    """Offers in the order in which they are asked about: what is at stake first, then the nearest."""
    found = []
    for one in appraisals:
        entry = model.positions.entries[one.nearest.position]
        units = max(1.0, np.ceil(entry.least / entry.unit))
        paid_usd = one.nearest.quoted_usd * units * one.nearest.chance
        lost = not np.isfinite(one.block_usd)
        found.append(
            Question(
                offer=one.offer,
                position=one.nearest.position,
                month=one.nearest.month,
                node=one.nearest.node,
                num_least=units,
                price_usd_per_gpu_h=one.nearest.quoted_usd / max(one.nearest.gpu_hours, LIKE_FRAC),
                relaxed_usd=one.block_usd if one.bought > LEAST_BOUGHT and not lost else paid_usd,
                indispensable=lost,
                nearest_frac=one.nearest.ratio,
            )
        )
    return found


def block_worths(
    roadmap: Roadmap, base: Plan, asked: Sequence[Question], allowance: Allowance, progress: Progress
) -> dict[int, BlockWorth]:
    """Worth of offers in whole blocks, at the weight of risk that the roadmap has; `base` is a plan of it.

    Offers that the allowance did not suffice for say so.
    """
    bought = {one.offer: units_of(base, one.offer) for one in asked}
    order = sorted(asked, key=lambda one: (bought[one.offer] <= LEAST_BOUGHT, -one.nearest_frac))
    goals = [telling_gap_frac(roadmap, one.relaxed_usd, base.objective_usd) for one in order]
    if goals and base.gap_frac > min(goals):
        allowance.num_left = len(order) + 1
        progress(0, len(order), "plan with every offer, more exactly")
        base = _sharper(base, replanned(roadmap, min(goals), allowance.next_deadline_s()))
        bought = {one.offer: units_of(base, one.offer) for one in asked}
    found: dict[int, BlockWorth] = {}
    allowance.num_left = len(order)
    for number, (one, goal) in enumerate(zip(order, goals, strict=True)):
        name = roadmap.offers[one.offer].id
        progress(number, len(order), f"worth of {name} in whole blocks")
        if allowance.spent:
            found[one.offer] = _unanswered(bought[one.offer], "out of time")
            continue
        ask = _without if bought[one.offer] > LEAST_BOUGHT else _entering
        found[one.offer] = ask(roadmap, base, one, goal, allowance.next_deadline_s())
    return found


def _sharper(base: Plan, other: Plan | None) -> Plan:
    """Of two plans of one roadmap the cheaper, with the higher of their bounds."""
    if other is None:
        return base
    best = other if other.objective_usd <= base.objective_usd else base
    best.bound = min(max(base.bound, other.bound), best.objective_usd)
    return best


def _without(roadmap: Roadmap, base: Plan, one: Question, gap_frac: float, deadline_s: float) -> BlockWorth:
    """All that is bought of an offer, against the best plan that does without it."""
    units = units_of(base, one.offer)
    if one.indispensable:
        return _unanswered(units, "indispensable")
    model = build_model(roadmap, base.model.tree)
    first = shut(model, one.offer, near_signatures(base.relaxed))
    try:
        other = replanned_model(model, gap_frac, deadline_s, first=first)
    except InfeasibleError:
        return _unanswered(units, "indispensable")
    if other is None:
        return _unanswered(units, "out of time")
    saved = max(0.0, other.bound - base.objective_usd), max(0.0, other.objective_usd - base.bound)
    return _answer(base, other, one, units, saved)


def _entering(roadmap: Roadmap, base: Plan, one: Question, gap_frac: float, deadline_s: float) -> BlockWorth:
    """The highest price at which a plan with the offer costs no more than the best plan, which has none.

    Its least signature is put in where it comes nearest; the price at which that breaks even is raised for
    as long as planning at it finds a better use for the offer.
    """
    model = build_model(roadmap, base.model.tree)
    require(model, Choice(*(np.array([n]) for n in (one.position, one.month, one.node))), one.num_least)
    halfway_s = (time.monotonic() + deadline_s) / 2
    try:
        held = replanned_model(model, gap_frac, halfway_s, first=_others(model, base))
    except InfeasibleError:
        return _unanswered(0.0, "cannot be signed")
    if held is None:
        return _unanswered(0.0, "out of time")
    risky = len(base.model.cost_rows) > 0
    # A dollar more in every payment costs at least its share of the mean.
    felt = 1.0 - roadmap.risk.cvar_weight_frac if risky else 1.0
    entry = _Entry(base, one, base.objective_usd - base.bound, felt * least_paid_usd(base.model, one))
    if not entry.take(held, 1.0):
        return _unanswered(0.0, "cannot be signed")
    while not (entry.settled or entry.hopeless) and time.monotonic() < deadline_s:
        asked = build_model(repriced(roadmap, one.offer, entry.ratio))
        plan = replanned_model(asked, gap_frac, deadline_s, first=near_signatures(base.relaxed))
        if plan is None:
            break
        entry.look(plan)
    return entry.answer()


@dataclass
class _Entry:
    """Where the price of entry lies, as ratios to the quoted price."""

    base: Plan
    one: Question
    slack_usd: float
    """What is not known of the best plan's cost."""
    least_paid_usd: float
    ratio: float = 0.0
    low: float = 0.0
    high: float = INFINITE
    units: float = 0.0
    gap_frac: float = 0.0
    settled: bool = False

    def __post_init__(self) -> None:
        # Above the quoted price a plan with the offer costs no less than the bound and what is paid more.
        self.high = 1.0 + self.slack_usd / self.least_paid_usd if self.least_paid_usd else INFINITE

    @property
    def hopeless(self) -> bool:
        """Whether what is not known exceeds the payments of a least signature: no price can then be told."""
        return self.slack_usd >= self.ratio * self.least_paid_usd

    def take(self, plan: Plan, at: float) -> bool:
        """A plan with the offer, made at a ratio; whether anything is paid for it."""
        held = Held.of(plan, self.one.offer, at or 1.0)
        if held.paid.max() <= 0:
            return False
        self.gap_frac = max(self.base.gap_frac, plan.gap_frac)
        self.units = units_of(plan, self.one.offer)
        self.ratio = held.ratio_at(self.base.objective_usd)
        self.low = held.ratio_at(self.base.bound)
        return True

    def look(self, plan: Plan) -> None:
        """A plan made at the present ratio: a better use of the offer, or what proves that there is none."""
        at, cost = self.ratio, self.base.objective_usd
        if self.least_paid_usd:
            self.high = min(self.high, at + max(0.0, cost - plan.bound) / self.least_paid_usd)
        better = cost - plan.objective_usd > LEAST_GAIN_FRAC * abs(cost)
        found = better and units_of(plan, self.one.offer) > LEAST_BOUGHT
        self.settled = not (found and self.take(plan, at))

    def answer(self) -> BlockWorth:
        """As prices."""
        low, high = (self.one.price_usd_per_gpu_h * ratio for ratio in (self.low, max(self.high, self.low)))
        told = np.isfinite(high) and high - low <= (high + low) / 2
        return BlockWorth(
            bought=False,
            outcome="told apart" if told else "not told apart at this gap",
            num_accelerators=self.units * self.base.model.positions.unit[self.one.position],
            low_usd_per_gpu_h=low,
            high_usd_per_gpu_h=high if np.isfinite(high) else None,
            gap_frac=self.gap_frac,
        )


def least_paid_usd(model: Model, one: Question) -> float:
    """What the cheapest of an offer's least signatures pays at the quoted price, wherever and whenever."""
    positions, tables = model.positions, moving_costs(model)
    month = np.arange(model.roadmap.months)
    mine = np.flatnonzero((positions.offer == one.offer) & (positions.parent == NONE))
    least = [max(1.0, np.ceil(positions.entries[p].least / positions.unit[p])) for p in mine]
    inside = (positions.first[mine, None] <= month) & (month <= positions.last[mine, None])
    found = INFINITE
    for node in model.tree.nodes:
        usd = tables[node.number][mine] * np.array(least)[:, None] * node.probability_frac
        asked = inside & (month >= node.begin) & (month < node.end) & (usd > 0)
        found = min(found, float(usd[asked].min(initial=INFINITE)))
    return found


def repriced(roadmap: Roadmap, offer: int, ratio: float) -> Roadmap:
    """The roadmap in which one offer costs so many times what is quoted."""
    one = roadmap.offers[offer]
    field = "capex_usd" if one.form == "owned" else "price_usd_per_gpu_h"
    prices = {kind: price * ratio for kind, price in (getattr(one, field) or {}).items()}
    offers = list(roadmap.offers)
    offers[offer] = one.model_copy(update={field: prices})
    return roadmap.model_copy(update={"offers": tuple(offers)})


def _answer(
    base: Plan, other: Plan, one: Question, units: float, saved_usd: tuple[float, float]
) -> BlockWorth:
    """Of what `base` has of an offer; its payments turn what is saved into a price."""
    low, high = saved_usd
    held = Held.of(base, one.offer)
    ends: list[float | None] = [None, None]
    if held.paid.max() > 0:
        ratios = (held.ratio_at(base.objective_usd + usd) for usd in saved_usd)
        ends = [one.price_usd_per_gpu_h * ratio for ratio in ratios]
    return BlockWorth(
        bought=True,
        outcome="told apart" if high - low <= (high + low) / 2 else "not told apart at this gap",
        num_accelerators=units * base.model.positions.unit[one.position],
        low_usd=low,
        high_usd=high,
        low_usd_per_gpu_h=ends[0],
        high_usd_per_gpu_h=ends[1],
        gap_frac=max(base.gap_frac, other.gap_frac),
    )


def _unanswered(units: float, outcome: str) -> BlockWorth:
    return BlockWorth(bought=units > LEAST_BOUGHT, outcome=outcome)  # type: ignore[arg-type]


def require(
    model: Model,
    choice: Choice,
    num_units: float,
    num_most: float = INFINITE,
    weights: NDArray[np.float64] | None = None,
) -> None:
    """At least so many units of some signatures together, and no more than so many, in every plan of a model
    from now on; each counts by its weight, if there are `weights`.
    """
    found = model.signatures
    kept = set(keys_of(found.special))
    fresh = np.array([n for n, key in enumerate(keys_of(choice)) if key not in kept], dtype=np.int64)
    more = choice.taken(fresh)
    for position, month, node in keys_of(more):
        found.plain[node][position, month] = False
    found.special = found.special.joined(more)
    found.special_cost = np.append(found.special_cost, np.zeros(len(more)))
    counts = np.ones(len(choice)) if weights is None else weights
    wanted = dict(zip(keys_of(choice), counts, strict=True))
    at = np.array([n for n, key in enumerate(keys_of(found.special)) if key in wanted], dtype=np.int64)
    count = np.array([wanted[key] for key in keys_of(found.special) if key in wanted])
    name = f"wanted {len(found.extras)} {len(model.builder.rows.blocks)}"
    row = model.builder.rows.add(name, [1], num_units, num_most)
    found.extras.append((np.full(len(at), row[0]), at, count))


def early_signatures(model: Model, which: NDArray[np.bool_], months: int) -> Choice:
    """All signatures of some positions at the root within so many months."""
    months = min(months, model.tree.nodes[0].end)
    month = np.arange(months)
    positions = model.positions
    inside = (positions.first[:, None] <= month) & (month <= positions.last[:, None]) & which[:, None]
    position, at = np.nonzero(inside)
    return Choice(position, at, np.zeros(len(position), dtype=np.int64))


def shut(model: Model, offer: int, first: Choice) -> Choice:
    """Nothing of an offer in any plan of a model from now on; returns what is left of `first`."""
    found, of = model.signatures, model.positions.offer
    for plain in found.plain.values():
        plain[of == offer] = False
    always = np.flatnonzero(of[found.special.position] == offer)
    if len(always):
        row = model.builder.rows.add("unwanted", [1], -INFINITE, 0.0)
        found.extras.append((np.full(len(always), row[0]), always, np.ones(len(always))))
    return first.taken(of[first.position] != offer)


def _others(model: Model, base: Plan) -> Choice:
    """What a plan uses or nearly uses, without what is always there by now."""
    first = near_signatures(base.relaxed)
    plain = [
        model.signatures.plain[int(n)][p, t]
        for p, t, n in zip(first.position, first.month, first.node, strict=True)
    ]
    return first.taken(np.array(plain, dtype=bool))
