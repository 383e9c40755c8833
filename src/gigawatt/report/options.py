"""The tables of every place where a run could be trained, and of those where it cannot."""

from __future__ import annotations

from collections.abc import Sequence

from gigawatt.domain.blueprint import Option, RunPlan
from gigawatt.domain.training import Binding
from gigawatt.drawings.markup import Markup, join
from gigawatt.report import series, wording
from gigawatt.report.decision import margin
from gigawatt.report.elements import Cell, Line, badge, paragraph, table
from gigawatt.views.plan import VERDICTS, option_order

_PLANNED = ("Place", "Deadline", "GPUs", "Step", "Goodput", "Finish")
_PRICED = ("Price", "Energy", "Layout")
_REFUSED = ("Place", "Verdict", "GPUs", "What binds")


def _why(bindings: Sequence[Binding]) -> Markup:
    return join([paragraph(binding.message) for binding in bindings])


def _place(option: Option) -> Cell:
    where = (option.provider, option.region, option.system_name or option.system)
    return Cell(option.label, " · ".join(part for part in where if part), sort=option.label)


def _sort(value: float | None) -> float | str:
    return "" if value is None else value


def _verdict(option: Option, pointer: str = "") -> Cell:
    waits = f"waits for {', '.join(option.waits_for)}" if option.waits_for else ""
    small = "; ".join(part for part in (margin(option), waits) if part)
    shown = badge(option.verdict, "meets" if option.verdict == "meets" else VERDICTS[option.verdict])
    return Cell(shown, small, sort=_sort(option.slack_s), pointer=pointer)


def _size(option: Option) -> Cell:
    return Cell(f"{option.num_accelerators:,}", "", float(option.num_accelerators), True)


def _time_cells(option: Option, pointer: str) -> tuple[Cell, ...]:
    step_range = wording.between(option.low_step_s, option.high_step_s, "_s")
    dates = wording.days_between(option.low_finish, option.high_finish)
    return (
        Cell(
            wording.quantity(option.step_s, "_s"), step_range, _sort(option.step_s), True, f"{pointer}/step_s"
        ),
        Cell(
            wording.quantity(option.goodput_frac, "_frac"),
            wording.goodput_range(option),
            _sort(option.goodput_frac),
            True,
            f"{pointer}/goodput_frac",
        ),
        Cell(wording.day(option.finish), dates, option.finish, True, f"{pointer}/finish"),
    )


def _terms(option: Option) -> str:
    year = f"prices of {option.price_year}" if option.price_year else ""
    return "; ".join(part for part in (option.price_note, year) if part)


def _money_cells(option: Option, pointer: str) -> tuple[Cell, ...]:
    cost, price = option.cost_usd, option.price_usd_per_gpu_h
    cost_range = wording.between(option.low_cost_usd, option.high_cost_usd, "_usd")
    return (
        Cell(wording.money(cost, option.currency), cost_range, _sort(cost), True, f"{pointer}/cost_usd"),
        Cell(wording.quantity(price, "_usd_per_gpu_h"), _terms(option), _sort(price)),
    )


def _energy(option: Option, pointer: str) -> Cell:
    power = "" if option.power_w is None else wording.quantity(option.power_w, "_w")
    return Cell(
        wording.quantity(option.energy_j, "_j"), power, _sort(option.energy_j), True, f"{pointer}/energy_j"
    )


def _layout(run: RunPlan, option: Option) -> Cell:
    prediction = run.prediction_of(option)
    if prediction is None:
        return Cell("—")
    return Cell(wording.layout(prediction.layout), wording.layout_manner(prediction.layout), wide=True)


def _planned_line(run: RunPlan, run_index: int, index: int) -> Line:
    option, pointer = run.options[index], f"/runs/{run_index}/options/{index}"
    cells = (
        _place(option),
        _verdict(option, f"{pointer}/slack_s"),
        _size(option),
        *_time_cells(option, pointer),
        *_money_cells(option, pointer),
        _energy(option, pointer),
        _layout(run, option),
    )
    return Line(cells, series.anchor(run_index, index), option.id == run.decision.option)


def options_table(run: RunPlan, run_index: int, currency: str) -> Markup:
    """Every option that can be planned: the chosen one first, then those in time, cheapest first."""
    lines = [
        _planned_line(run, run_index, index) for index in option_order(run) if run.options[index].planned
    ]
    heads = (*_PLANNED, f"Cost, {series.prices(run, currency)}", *_PRICED)
    return table(f"Every place that can train {run.id}", heads, lines, sortable=True) if lines else Markup()


def refused_table(run: RunPlan, run_index: int) -> Markup:
    """The options that cannot, with the reason."""
    lines = [
        Line(
            (_place(option), _verdict(option), _size(option), Cell(_why(option.binding), wide=True)),
            series.anchor(run_index, index),
        )
        for index in option_order(run)
        if not (option := run.options[index]).planned
    ]
    return table(f"Places that cannot train {run.id}, and why", _REFUSED, lines) if lines else Markup()
