"""The hours of a solved campus, summed up for people: days of the year, a typical and the dearest week."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gigawatt.contract.energy_interior import Solution
from gigawatt.contract.energy_model import BALANCE, EnergyModel, Part
from gigawatt.contract.energy_program import Values
from gigawatt.contract.energy_tariff import MW_W
from gigawatt.domain.energy import HOURS_OF_DAY
from gigawatt.domain.energy_dispatch import DispatchKind, EnergyDispatch, PowerSeries, Stretch
from gigawatt.laws.finance import HOUR_S

_WEEK = 7 * HOURS_OF_DAY
_POINTS = 100
_NOTHING = 1e-6
"""Of the highest load: what the search leaves of nothing."""
_WHOLE_KW = -3
_KINDS: dict[str, DispatchKind] = {
    "purchase": "purchase", "dispatchable": "dispatchable", "grid": "grid", "wind": "wind", "solar": "solar",
    "storage": "storage", "shifted": "shifted", "curtailed": "curtailed", "unserved": "unserved",
    "feed-in": "feed-in",
}  # fmt: skip
_Row = tuple[str, DispatchKind, Values]
"""Name, kind and MW hour by hour."""


def energy_dispatch(model: EnergyModel, solution: Solution) -> EnergyDispatch:
    """What each source gives and each use takes, in the first of the years."""
    first, last = model.program.spans[0]
    rows = [(name, kind, mw[first:last]) for name, kind, mw in _rows(model, solution)]
    load, spilled = model.load[first:last], _spilled(model, solution)[first:last]
    emitted = np.sum(model.kgco2_per_mwh * solution.flows, axis=0)[first:last]
    stamps = model.hours.years[0].stamps

    def stretch(words: str, begin: int, end: int, step: int) -> Stretch:
        def each(values: Values) -> Values:
            return np.add.reduceat(values[begin:end], np.arange(0, end - begin, step))

        hours = each(np.ones_like(load))
        series = (
            PowerSeries(name=name, kind=kind, values_w=_watts(each(mw) / hours)) for name, kind, mw in rows
        )
        return Stretch(
            words=words,
            begin=str(stamps[begin].astype("datetime64[h]")),
            step_s=step * HOUR_S,
            load_w=_watts(each(load) / hours),
            spilled_w=_watts(each(spilled) / hours),
            emitted_kgco2=tuple(np.round(each(emitted)).tolist()),
            series=tuple(series),
        )

    price = solution.prices[BALANCE, first:last] * load
    weeks = [stretch(words, at, min(at + _WEEK, len(load)), 1) for words, at in _weeks(rows, price)]
    return EnergyDispatch(
        year=stretch("the year", 0, len(load), HOURS_OF_DAY),
        weeks=tuple(weeks),
        durations=tuple(_duration(*row) for row in rows if row[2].max() > 0.0),
    )


def _rows(model: EnergyModel, solution: Solution) -> Iterator[_Row]:
    """What gives, then what takes, leaving out what is nothing all year."""
    least = _NOTHING * float(model.load.max())
    for name, part in model.parts.items():
        kind = _KINDS[part.kind]
        for number, mw in enumerate(_powers(part, model, solution)):
            cleaned = np.where(np.abs(mw) < least, 0.0, mw)
            if cleaned.any():
                yield (f"{name}, taken" if number else name), kind, cleaned


def _powers(part: Part, model: EnergyModel, solution: Solution) -> Iterator[Values]:
    """What a part gives, then what it takes."""
    flows = solution.flows
    if part.kind == "purchase":
        arriving = sum(-g.profile_frac for g in model.program.gifts if g.size == part.sizes[0])
        yield arriving * solution.sizes[part.sizes[0]] - flows[part.flows[0]]
    elif part.kind == "feed-in":
        yield np.zeros_like(model.load)
        yield -flows[part.flows[0]]
    else:
        net = net_mw(part, flows)
        yield np.maximum(net, 0.0)
        yield np.minimum(net, 0.0)


def net_mw(part: Part, flows: Values) -> Values:
    """[hours] what a part gives less what it takes.

    Where power is left over, a plan of least cost may charge and give at once, which means nothing.
    """
    net: Values = flows[part.flows[0]].copy()
    for flow in part.flows[1:]:
        net -= flows[flow]
    return net


def _spilled(model: EnergyModel, solution: Solution) -> Values:
    """[hours] MW that wind and sun could have given beside."""
    most = model.program.bounds(solution.sizes)
    spilled = np.zeros_like(model.load)
    for part in model.parts.values():
        if part.kind in ("wind", "solar"):
            spilled += most[part.flows[0]] - solution.flows[part.flows[0]]
    return np.maximum(spilled, 0.0)


def _weeks(rows: list[_Row], price: Values) -> list[tuple[str, int]]:
    """A week like the year, and the one in which power is worth most; the whole, where it is no longer."""
    if len(price) <= _WEEK:
        return [("all hours", 0)]
    starts = np.arange(0, len(price) - _WEEK + 1, HOURS_OF_DAY)

    def means(values: Values) -> Values:
        summed = np.concatenate([[0.0], np.cumsum(values)])
        found: Values = (summed[starts + _WEEK] - summed[starts]) / _WEEK
        return found

    apart = sum((means(mw) - mw.mean()) ** 2 for _, _, mw in rows)
    dearest = int(starts[np.argmax(means(price))])
    typical = int(starts[np.argmin(apart)])
    return [("a week like the year", typical), ("the week in which power is worth most", dearest)]


def _duration(name: str, kind: DispatchKind, mw: Values) -> PowerSeries:
    ordered = np.sort(mw)[::-1]
    at = np.linspace(0, len(mw) - 1, _POINTS + 1).round().astype(int)
    return PowerSeries(name=name, kind=kind, values_w=_watts(ordered[at]))


def _watts(mw: Values) -> tuple[float, ...]:
    return tuple((np.round(mw * MW_W, _WHOLE_KW) + 0.0).tolist())
