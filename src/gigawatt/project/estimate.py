"""One run in one place: how long, until when, how much energy and money. Each figure leaves its trail."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from gigawatt.domain.blueprint import Option
from gigawatt.domain.training import Binding, TrainingPrediction
from gigawatt.laws.finance import energy_cost_usd, gpu_hours, rental_cost_usd
from gigawatt.laws.power import emissions_kgco2, energy_j, facility_power_w, nodes_power_w
from gigawatt.laws.progress import DAY_S, YEAR_S, training_time_s
from gigawatt.laws.reliability import independent_product_ratio
from gigawatt.project.goodput import Ends, Goodput
from gigawatt.project.places import Place, Price
from gigawatt.project.trace import Trace

_MOST_YEARS = 1000.0
_LITTLE_KEPT_FRAC = 0.1

Spread = tuple[datetime, datetime, datetime]
"""Middle, early (10 %) and late (90 %) point of a date."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every option of a plan, with the pointers under which it is noted."""

    goodput_frac: float | None
    """Where the scenario states it; else each option has its own."""
    goodput_pointer: str
    carbon_kgco2_per_mwh: float | None
    carbon_pointer: str
    late: bool
    """Whether deadlines are judged at the 90 % point (else at the middle)."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a run may begin in a place, by when it must be done, and which runs are ahead of it."""

    free: Spread
    deadline: datetime
    waits_for: tuple[str, ...] = ()


def day_start(day: date) -> datetime:
    """Midnight (UTC) at which a day begins."""
    return datetime.combine(day, time(), UTC)


def day_end(day: date) -> datetime:
    """Midnight (UTC) at which a day ends."""
    return day_start(day) + timedelta(days=1)


def instant(moment: datetime) -> str:
    """A date and time of day as ISO 8601 text, to the second."""
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def read_instant(text: str) -> datetime:
    """The moment that `instant` wrote."""
    return datetime.fromisoformat(text)


def describe(place: Place) -> dict[str, Any]:
    """The fields of an option that say what and where it is."""
    return {
        "id": place.id,
        "kind": place.kind,
        "label": place.label,
        "provider": place.provider,
        "region": place.region,
        "system": place.system.id if place.system else "",
        "system_name": place.system.name if place.system else "",
        "accelerator": place.accelerator.id if place.accelerator else "",
        "accelerator_name": place.accelerator.name if place.accelerator else "",
        "num_accelerators": place.num_accelerators,
    }


def estimate(
    place: Place,
    prediction: TrainingPrediction,
    num_steps: int,
    window: Window,
    terms: Terms,
    goodput: Goodput | None,
    trace: Trace,
    at: tuple[str, str, int],
) -> Option:
    """The option that this prediction makes of this place.

    `goodput` is its own, where `terms` state none. `at` is the pointer of the run, the pointer of the option
    and the index of the design behind it.
    """
    run_at, here, design = at
    fields: dict[str, Any] = {**describe(place), "design": design, "waits_for": window.waits_for}
    step_s = np.array([prediction.step_s, prediction.low_step_s, prediction.high_step_s])
    kept = _kept(terms, goodput)
    train_s = _train_s(num_steps, step_s, kept)
    if not train_s[2] <= _MOST_YEARS * YEAR_S:
        binding = Binding(constraint="duration", message=_endless(train_s[0] / YEAR_S, kept))
        return Option(**fields, verdict="infeasible", binding=(binding,))
    fields |= _spread("step_s", step_s) | _spread("train_s", train_s) | _delivery(kept, goodput)
    best = f"{run_at}/designs/{design}/best/0/step_s"
    trace.derive(f"{here}/step_s", "", (best,), "the step time of the best layout")
    _trace_law(trace, here, "train_s", "laws.progress.training_time_s",
               f"{run_at}/num_steps", f"{here}/step_s", f"{here}/goodput_frac")  # fmt: skip
    if goodput is None:
        trace.derive(f"{here}/goodput_frac", "", (terms.goodput_pointer,), "as the scenario states it")
    if place.available_pointer:
        ready = (f"{run_at}/start", place.available_pointer)
        trace.derive(f"{here}/start", "", ready, "the later of both; early with early, late with late")
    fields |= _dates(window, train_s, terms, trace, here)
    fields |= _energy(place, train_s, terms, trace, here)
    fields |= _money(place, train_s, fields, trace, here)
    fields["binding"] = _bindings(place, fields, window)
    return Option(**fields, verdict="late" if fields["slack_s"] < 0 else "meets")


def _kept(terms: Terms, goodput: Goodput | None) -> Ends:
    """The share of the time that makes progress: stated, known exactly then, or by closed form."""
    if goodput is not None:
        return goodput.frac
    stated = 1.0 if terms.goodput_frac is None else terms.goodput_frac
    return Ends(stated, stated, stated)


def _train_s(num_steps: int, step_s: np.ndarray, kept: Ends) -> np.ndarray:
    """Middle, early and late end: slow steps and many failures know nothing of each other."""
    middle = training_time_s(num_steps, step_s[0], kept.middle)
    sooner = independent_product_ratio(step_s[0] / step_s[1], kept.high / kept.middle)
    later = independent_product_ratio(step_s[2] / step_s[0], kept.middle / kept.low)
    return np.array([middle, middle / sooner, middle * later])


def _delivery(kept: Ends, goodput: Goodput | None) -> dict[str, float]:
    fields = _ends("goodput_frac", kept)
    if goodput is None:
        return fields
    fields |= _ends("interruption_interval_s", goodput.interruption_interval_s)
    fields |= _ends("checkpoint_write_s", goodput.checkpoint_write_s)
    if goodput.estimated is not None:
        fields["estimated_goodput_frac"] = goodput.estimated.middle
    return fields | {"checkpoint_interval_s": goodput.checkpoint_interval_s}


def _ends(name: str, ends: Ends) -> dict[str, float]:
    return _spread(name, (ends.middle, ends.low, ends.high))


def _spread(name: str, values: Iterable[float]) -> dict[str, float]:
    middle, low, high = (float(value) for value in values)
    return {name: middle, f"low_{name}": low, f"high_{name}": high}


def _trace_law(trace: Trace, here: str, figure: str, law: str, *inputs: str) -> None:
    trace.derive(f"{here}/{figure}", law, [pointer for pointer in inputs if pointer])


def _dates(window: Window, train_s: np.ndarray, terms: Terms, trace: Trace, here: str) -> dict[str, Any]:
    spans = zip(window.free, train_s, strict=True)
    finishes = [free + timedelta(seconds=float(span)) for free, span in spans]
    judged = finishes[2] if terms.late else finishes[0]
    trace.derive(f"{here}/finish", "", (f"{here}/start", f"{here}/train_s"), "start plus training time")
    trace.derive(f"{here}/slack_s", "", (f"{here}/finish",), "from the finish to the deadline")
    return {
        "start": instant(window.free[0]),
        "low_start": instant(window.free[1]),
        "high_start": instant(window.free[2]),
        "finish": instant(finishes[0]),
        "low_finish": instant(finishes[1]),
        "high_finish": instant(finishes[2]),
        "slack_s": (window.deadline - judged).total_seconds(),
    }


def _energy(place: Place, train_s: np.ndarray, terms: Terms, trace: Trace, here: str) -> dict[str, Any]:
    system = place.system
    if system is None or system.node_power_w is None:
        return {}
    nodes_w = nodes_power_w(place.num_accelerators, system.num_accelerators_per_node, system.node_power_w)
    assert place.pue is not None
    power_w = float(facility_power_w(nodes_w + place.network_w, place.pue))
    used_j = energy_j(power_w, train_s)
    _trace_law(trace, here, "power_w", "laws.power.nodes_power_w + laws.power.facility_power_w",
               f"{here}/num_accelerators", *place.node_pointers, *place.network_pointers,
               place.pue_pointer)  # fmt: skip
    _trace_law(trace, here, "energy_j", "laws.power.energy_j", f"{here}/power_w", f"{here}/train_s")
    fields = {"power_w": power_w} | _spread("energy_j", used_j)
    carbon_kgco2_per_mwh, carbon_pointer = _carbon(place, terms)
    if carbon_kgco2_per_mwh is not None:
        fields |= _spread("emissions_kgco2", emissions_kgco2(used_j, carbon_kgco2_per_mwh))
        _trace_law(trace, here, "emissions_kgco2", "laws.power.emissions_kgco2",
                   f"{here}/energy_j", carbon_pointer)  # fmt: skip
    return fields


def _carbon(place: Place, terms: Terms) -> tuple[float | None, str]:
    """Of the place's own energy, where that is planned; else the scenario's."""
    if place.carbon_kgco2_per_mwh is not None:
        return place.carbon_kgco2_per_mwh, place.carbon_pointer
    return terms.carbon_kgco2_per_mwh, terms.carbon_pointer


def _money(
    place: Place, train_s: np.ndarray, fields: dict[str, Any], trace: Trace, here: str
) -> dict[str, Any]:
    hours = gpu_hours(place.num_accelerators, train_s)
    _trace_law(trace, here, "gpu_hours", "laws.finance.gpu_hours",
               f"{here}/num_accelerators", f"{here}/train_s")  # fmt: skip
    money: dict[str, Any] = _spread("gpu_hours", hours)
    price = place.price
    if price is None:
        return money
    money |= {"price_usd_per_gpu_h": price.usd_per_gpu_h, "price_note": price.note, "price_year": price.year}
    trace.derive(f"{here}/price_usd_per_gpu_h", price.law, price.inputs, price.note)
    cost_usd = rental_cost_usd(hours, price.usd_per_gpu_h)
    inputs = [f"{here}/gpu_hours", f"{here}/price_usd_per_gpu_h"]
    law = "laws.finance.rental_cost_usd"
    if price.power_usd_per_mwh is not None:
        if "energy_j" not in fields:
            return money
        used_j = np.array([fields["energy_j"], fields["low_energy_j"], fields["high_energy_j"]])
        cost_usd = cost_usd + energy_cost_usd(used_j, price.power_usd_per_mwh)
        inputs += [f"{here}/energy_j", price.power_pointer]
        law += " + laws.finance.energy_cost_usd"
    _trace_law(trace, here, "cost_usd", law, *inputs)
    return money | _spread("cost_usd", cost_usd)


def _bindings(place: Place, fields: dict[str, Any], window: Window) -> tuple[Binding, ...]:
    found = []
    if fields["slack_s"] < 0:
        found.append(Binding(constraint="deadline", message=_lateness(fields, window)))
    if "cost_usd" not in fields:
        found.append(Binding(constraint="unknown price", message=_unpriced(place.price)))
    if "energy_j" not in fields:
        message = f"the catalogue has no node power for {fields['system']}: energy is not counted"
        found.append(Binding(constraint="unknown power", message=message))
    return tuple(found)


def _endless(years: float, kept: Ends) -> str:
    if kept.middle > _LITTLE_KEPT_FRAC:
        return f"would take {years:,.0f} years: more accelerators"
    return "is interrupted before it gets anywhere: fewer accelerators, or faster restarts"


def _lateness(fields: dict[str, Any], window: Window) -> str:
    late_days = -fields["slack_s"] / DAY_S
    message = f"{late_days:,.1f} days late"
    available_s = (window.deadline - window.free[0]).total_seconds()
    if available_s <= 0:
        return f"{message}: cannot begin before the deadline"
    speed_up = (fields["slack_s"] * -1 + available_s) / available_s
    waits = f" (waits for {', '.join(window.waits_for)})" if window.waits_for else ""
    return f"{message}{waits}: needs {speed_up:,.2f} times the speed"


def _unpriced(price: Price | None) -> str:
    if price is None:
        return "no price is stated, so it cannot be compared by cost"
    return "energy is paid on top and the node's power is not known, so it cannot be compared by cost"
