"""A blueprint as tables."""

from __future__ import annotations

from gigawatt import units
from gigawatt.domain.blueprint import Assumption, Blueprint, Option, RunPlan
from gigawatt.views.table import Column, Table, Value, interval, text_column, without_blank_columns
from gigawatt.views.training import layout_brief, position_remark

VERDICTS = {
    "meets": "meets the deadline",
    "late": "late",
    "infeasible": "does not work",
    "unplannable": "cannot be planned",
}

_OPTION_COLUMNS = (
    text_column("choice", ""),
    text_column("label", "Option"),
    text_column("verdict", "Verdict"),
    text_column("layout", "Layout"),
    Column("step", "Step (10 to 90 %)"),
    Column("goodput", "Goodput (10 to 90 %)"),
    Column("train_s", "Takes"),
    Column("finish", "Done (10 to 90 %)"),
    Column("gpu_hours", "GPU-hours"),
    Column("energy_j", "Energy"),
    Column("cost", "Cost (10 to 90 %)"),
    text_column("binding", "What binds"),
)


def run_tables(blueprint: Blueprint) -> tuple[Table, ...]:
    """For each run, its options: the chosen one first, then by verdict and cost."""
    return tuple(_run_table(blueprint, index) for index in range(len(blueprint.runs)))


def _run_table(blueprint: Blueprint, index: int) -> Table:
    run = blueprint.runs[index]
    order = option_order(run)
    with_year = len(_price_years(run)) > 1
    table = Table(
        title=_run_title(blueprint, run),
        columns=_OPTION_COLUMNS,
        rows=tuple(_option_row(run, run.options[position], with_year) for position in order),
        pointers=tuple(f"/runs/{index}/options/{position}" for position in order),
        notes=(decision_text(run), *_binding_notes(run), *_remarks(run)),
    )
    return without_blank_columns(table)


def option_order(run: RunPlan) -> tuple[int, ...]:
    """Positions in `run.options`: the chosen one, then by verdict, then cheapest first."""
    return tuple(sorted(range(len(run.options)), key=lambda position: _rank(run, run.options[position])))


def _rank(run: RunPlan, option: Option) -> tuple[bool, int, bool, float, str]:
    verdicts = list(VERDICTS)
    return (
        option.id != run.decision.option,
        verdicts.index(option.verdict),
        option.cost_usd is None,
        option.cost_usd or 0.0,
        option.id,
    )


def _run_title(blueprint: Blueprint, run: RunPlan) -> str:
    tokens = units.format_quantity(run.tokens, "_tokens")
    years = _price_years(run)
    prices = f"{blueprint.currency} of {', '.join(map(str, years))}" if years else "no prices"
    return (
        f"{run.id}: {run.model_name} on {tokens}, {run.num_steps:,} steps of "
        f"{run.global_batch:,} x {run.seq_len:,}, {run.precision}; from {run.start}, due {run.deadline}; "
        f"costs in {prices}"
    )


def _price_years(run: RunPlan) -> list[int]:
    """The years in whose prices the options' costs are."""
    priced = [option for option in run.options if option.cost_usd is not None]
    return sorted({option.price_year for option in priced if option.price_year})


def _option_row(run: RunPlan, option: Option, with_year: bool) -> tuple[Value, ...]:
    prediction = run.prediction_of(option)
    mark = {run.decision.option: ">", run.decision.runner_up: "2"}.get(option.id, "")
    return (
        mark,
        option.label,
        VERDICTS[option.verdict],
        layout_brief(prediction.layout) if prediction else None,
        interval(option.step_s, option.low_step_s, option.high_step_s, "_s"),
        interval(option.goodput_frac, option.low_goodput_frac, option.high_goodput_frac, "_frac"),
        option.train_s,
        _dates(option),
        units.format_quantity(option.gpu_hours, "_tokens").removesuffix(" tokens")
        if option.gpu_hours
        else None,
        option.energy_j,
        _cost(option, with_year),
        "; ".join(dict.fromkeys(one.constraint for one in option.binding)),
    )


def _dates(option: Option) -> str | None:
    if not option.finish:
        return None
    low, high = option.low_finish[:10], option.high_finish[:10]
    return option.finish[:10] if low == high else f"{option.finish[:10]} ({low} to {high})"


def _cost(option: Option, with_year: bool) -> str | None:
    if option.cost_usd is None:
        return None
    cost = interval(option.cost_usd, option.low_cost_usd, option.high_cost_usd, "_usd")
    return f"{cost}, {option.price_year}" if with_year else cost


def decision_text(run: RunPlan) -> str:
    """The decision of a run in a sentence or two."""
    return f"{run.id}: {run.decision.reason}."


def _binding_notes(run: RunPlan) -> tuple[str, ...]:
    return tuple(
        f"{option.label}: {one.constraint}: {one.message}" for option in run.options for one in option.binding
    )


def _remarks(run: RunPlan) -> tuple[str, ...]:
    remark = position_remark(run.shape, run.seq_len) if run.shape else ""
    return (f"{run.id}: {remark}",) if remark else ()


def goodput_text(blueprint: Blueprint) -> str:
    """On what the share of time that makes progress rests, where the scenario does not state it."""
    if any(one.key == "goodput_frac" and one.value is not None for one in blueprint.assumptions):
        return ""
    gaps = [
        option.goodput_frac - option.estimated_goodput_frac
        for run in blueprint.runs
        for option in run.options
        if option.goodput_frac is not None and option.estimated_goodput_frac is not None
    ]
    beside = f" It lies {min(gaps):+.1%} to {max(gaps):+.1%} off the closed form." if gaps else ""
    return (
        "Goodput is an estimate: each run is rehearsed on each option, with failures, repairs, checkpoints "
        "and restarts as fleets have published them, in all times, dates and costs."
        f"{beside} A scenario that states goodput_frac under its assumptions replaces it."
    )


def calendar_table(blueprint: Blueprint) -> Table | None:
    """Which run has which owned cluster, and when; None where none is used."""
    if not blueprint.calendar:
        return None
    return Table(
        title="Owned clusters",
        columns=(
            text_column("cluster", "Cluster"),
            text_column("run", "Run"),
            text_column("start", "From"),
            text_column("finish", "To"),
            text_column("high_finish", "To (90 %)"),
        ),
        rows=tuple(
            (one.cluster, one.run, one.start[:10], one.finish[:10], one.high_finish[:10])
            for one in blueprint.calendar
        ),
        pointers=tuple(f"/calendar/{index}" for index in range(len(blueprint.calendar))),
    )


def assumption_table(blueprint: Blueprint) -> Table:
    """What the plan takes for granted."""
    return Table(
        title="Assumptions",
        columns=(
            text_column("key", "Key"),
            text_column("value", "Value"),
            text_column("label", "What"),
            text_column("basis", "Basis"),
            text_column("source", "Source"),
            text_column("note", "Note"),
        ),
        rows=tuple(
            (one.key, _assumed(one), one.label, one.basis, one.source, one.note)
            for one in blueprint.assumptions
        ),
        pointers=tuple(f"/assumptions/{index}" for index in range(len(blueprint.assumptions))),
    )


def _assumed(one: Assumption) -> str:
    return Column(one.key.rpartition("/")[2], "").text(one.value)
