"""What would change the answer: the smallest change of one assumption that changes what is signed now."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.blocks import Plan
from gigawatt.contract.demand import demand_of
from gigawatt.contract.futures import tree_of
from gigawatt.contract.payments import everything_signed
from gigawatt.contract.portfolio_model import Model
from gigawatt.contract.risk import Outcome, neutral, outcome_of
from gigawatt.contract.signatures import Choice
from gigawatt.domain.portfolio import ContractOffer, PlannedRun, ResearchPool, Roadmap, Traffic
from gigawatt.domain.portfolio_plan import Flip
from gigawatt.errors import InfeasibleError

Progress = Callable[[int, int, str], None]
Changed = Callable[[Roadmap, float], Roadmap]
LOOKED_FRAC = 0.5
NUM_HALVINGS = 6
HALF_A_BLOCK = 0.5
LEAST_SHARE = 0.25


def flips(roadmap: Roadmap, progress: Progress) -> tuple[Flip, ...]:
    """Every assumption in turn, up and down."""
    base = neutral(roadmap) if not roadmap.risk.cvar_weight_frac else roadmap
    before = signed_now(base)
    table = assumptions(base)
    found = []
    for number, (name, change) in enumerate(table.items()):
        progress(number, len(table), f"what if {name} changes")
        found.append(_flip(base, name, change, before))
    return tuple(
        sorted(found, key=lambda one: abs(one.change_frac) if one.change_frac is not None else np.inf)
    )


def signed_now(roadmap: Roadmap) -> str:
    """Which offers carry what is signed now, each with a quarter of its volume or more; in words."""
    try:
        return words_of(outcome_of(roadmap, tree_of(roadmap, demand_of(roadmap))))
    except InfeasibleError:
        return "nothing meets the roadmap"


def words_of(outcome: Outcome) -> str:
    """What a relaxed outcome signs within the first months."""
    pinned = outcome.root()
    return in_words(_carrying(outcome.model, pinned.choice, pinned.units))


def signs_now(plan: Plan) -> tuple[str, ...]:
    """Which offers carry what a plan in whole blocks signs within the first months, and what it builds."""
    choice, units = everything_signed(plan)
    at_root = np.flatnonzero((choice.node == 0) & (units > 0))
    return _carrying(plan.model, choice.taken(at_root), units[at_root])


def in_words(names: tuple[str, ...]) -> str:
    """Offers as people name them together."""
    return " and ".join(names) or "nothing"


def _carrying(model: Model, choice: Choice, units: NDArray[np.float64]) -> tuple[str, ...]:
    volume: dict[str, float] = {}
    built: set[str] = set()
    size = carried(model)
    for position, month, count in zip(choice.position, choice.month, units, strict=True):
        one = model.positions.entries[int(position)]
        if month >= model.roadmap.now_months or one.label.startswith(("cancel", "renew", "swap")):
            continue
        if one.power:
            built |= {model.roadmap.signable[one.offer].id} if count >= HALF_A_BLOCK else set()
            continue
        name = model.roadmap.offers[one.offer].id
        volume[name] = volume.get(name, 0.0) + float(count * size[position])
    total = sum(volume.values())
    kept = sorted(name for name, size in volume.items() if size >= LEAST_SHARE * total and size > 0)
    return (*kept, *sorted(built))


def carried(model: Model) -> NDArray[np.float64]:
    """[P] reference accelerator-months of a unit over its term; nothing for power."""
    offers, chips = model.roadmap.offers, model.roadmap.chips
    return np.array([
        0.0 if one.power
        else one.unit * chips[one.kind].equivalents_per_gpu * offers[one.offer].term_months
        for one in model.positions.entries
    ])  # fmt: skip


def _flip(roadmap: Roadmap, name: str, change: Changed, before: str) -> Flip:
    """The nearer of the smallest change up and the smallest down."""
    nearest: tuple[float, str] | None = None
    for sign in (1.0, -1.0):
        low, high = 0.0, LOOKED_FRAC
        after = signed_now(change(roadmap, sign * high))
        if after == before:
            continue
        for _ in range(NUM_HALVINGS):
            middle = (low + high) / 2
            there = signed_now(change(roadmap, sign * middle))
            if there == before:
                low = middle
            else:
                high, after = middle, there
        if nearest is None or high < abs(nearest[0]):
            nearest = (sign * high, after)
    return Flip(
        assumption=name,
        change_frac=nearest[0] if nearest else None,
        looked_frac=LOOKED_FRAC,
        before=before,
        after=nearest[1] if nearest else "",
    )


def assumptions(roadmap: Roadmap) -> dict[str, Changed]:
    """What is taken for granted, and how to take it otherwise."""
    found: dict[str, Changed] = {"all demand": _demand}
    for form in dict.fromkeys(offer.form for offer in roadmap.offers):
        noun = "capital of owned hardware" if form == "owned" else f"price of {form}"
        found[noun] = _priced(form)
    if any(chip.resale_frac[-1] > 0 or len(chip.resale_frac) > 2 for chip in roadmap.chips):
        found["what hardware fetches second-hand"] = _resale
    if any(place.power_price_usd_per_mwh for place in roadmap.places):
        found["price of power"] = _power
    if roadmap.discount_frac:
        found["cost of capital"] = lambda one, x: one.model_copy(
            update={"discount_frac": one.discount_frac * (1.0 + x)}
        )
    if any(one.lead_months for one in roadmap.power) or any(
        one.form == "owned" and one.lead_months for one in roadmap.offers
    ):
        found["lead times of one's own building and hardware"] = _leads
    return found


def _demand(roadmap: Roadmap, change: float) -> Roadmap:
    factor = 1.0 + change

    def run(one: PlannedRun) -> PlannedRun:
        hours = {kind: size * factor for kind, size in one.work_gpu_h.items()}
        undone = one.undone_usd * factor if one.undone_usd else None
        return one.model_copy(update={"work_gpu_h": hours, "undone_usd": undone})

    def traffic(one: Traffic) -> Traffic:
        return one.model_copy(update={"tokens_per_s": one.tokens_per_s * factor})

    def pool(one: ResearchPool) -> ResearchPool:
        return one.model_copy(update={"num_equivalents": one.num_equivalents * factor})

    return roadmap.model_copy(
        update={
            "training": tuple(map(run, roadmap.training)),
            "serving": tuple(map(traffic, roadmap.serving)),
            "research": tuple(map(pool, roadmap.research)),
        }
    )


def _priced(form: str) -> Changed:
    def change(roadmap: Roadmap, share: float) -> Roadmap:
        def one(offer: ContractOffer) -> ContractOffer:
            if offer.form != form:
                return offer
            field = "capex_usd" if form == "owned" else "price_usd_per_gpu_h"
            prices = {kind: price * (1.0 + share) for kind, price in (getattr(offer, field) or {}).items()}
            return offer.model_copy(update={field: prices})

        return roadmap.model_copy(update={"offers": tuple(map(one, roadmap.offers))})

    return change


def _resale(roadmap: Roadmap, change: float) -> Roadmap:
    chips = tuple(
        chip.model_copy(
            update={
                "resale_frac": (
                    chip.resale_frac[0],
                    *(min(1.0, share * (1.0 + change)) for share in chip.resale_frac[1:]),
                )
            }
        )
        for chip in roadmap.chips
    )
    return roadmap.model_copy(update={"chips": chips})


def _power(roadmap: Roadmap, change: float) -> Roadmap:
    places = tuple(
        place.model_copy(update={"power_price_usd_per_mwh": place.power_price_usd_per_mwh * (1.0 + change)})
        for place in roadmap.places
    )
    return roadmap.model_copy(update={"places": places})


def _leads(roadmap: Roadmap, change: float) -> Roadmap:
    def later(lead: int) -> int:
        return max(0, round(lead * (1.0 + change)))

    offers = tuple(
        one.model_copy(update={"lead_months": later(one.lead_months)}) if one.form == "owned" else one
        for one in roadmap.offers
    )
    power = tuple(one.model_copy(update={"lead_months": later(one.lead_months)}) for one in roadmap.power)
    return roadmap.model_copy(update={"offers": offers, "power": power})
