"""Published figures of reliability beside predicted ones, an organisation left out at a time.

`reliability_rows` reads the file and finds for each row how it is predicted; `reliability_pool` learns a few
quantities from whoever states them; `reliability_figures` turns one into the other.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, cast

import numpy as np

from gigawatt.catalog import Catalog
from gigawatt.domain.published_failures import Figure, PublishedFailures, Quantity, View
from gigawatt.domain.reliability_validation import FactGroup, FactReport, FactRow, LearntQuantity
from gigawatt.validation.reliability_figures import NUM_DRAWS, Knowledge, UnseenError, observation_of, predict
from gigawatt.validation.reliability_pool import Observation, Pool, pool_of
from gigawatt.validation.reliability_rows import (
    Fact,
    Value,
    evidence_value,
    organisations_of,
    read_facts,
    read_value,
)
from gigawatt.validation.scores import interval_score, score

_HELD_FRAC = 0.9
"""Share of outcomes that lies between the 5 % and the 95 % point."""
_TIMES = ("lost_time", "lost_time_by_hand")
"""Quantities that follow from shares of time, once it is known how often nodes fail."""
Taught = tuple[Figure, Value, frozenset[str]]


def validate_reliability(files: Sequence[Path], catalogue: Catalog, leave_out: str = "") -> FactReport:
    """Predict every row of the files, each from all, or with `leave_out="organisation"` from all others.

    Errors: InputError for a file that cannot be read, or an id that stands twice.
    """
    published = catalogue.published_failures()
    facts = read_facts(files, published)
    taught = taught_by(facts, published)
    pools: dict[frozenset[str], dict[Quantity, Pool | None]] = {}
    rows = []
    for fact in facts:
        kept_back = fact.organisations if leave_out else frozenset[str]()
        if fact.figure and kept_back not in pools:
            pools[kept_back] = learn([one for one in taught if not one[2] & kept_back], published)
        rows.append(_row(fact, pools.get(kept_back, {}), leave_out))
    learnt = pools.get(frozenset()) or learn(taught, published)
    return _report(rows, leave_out).model_copy(update={"learnt": tuple(_learnt(learnt))})


def taught_by(facts: Sequence[Fact], published: PublishedFailures) -> list[Taught]:
    """Everything that teaches a quantity: rows that do, and what sources print beside them."""
    rows = [
        (fact.figure, fact.value, fact.organisations)
        for fact in facts
        if fact.figure and fact.value and fact.figure.teaches and fact.value.kind != "bound"
    ]
    beside = [
        (one.figure, evidence_value(one), organisations_of(one.organisation)) for one in published.evidence
    ]
    return [*rows, *beside]


def learn(taught: Sequence[Taught], published: PublishedFailures) -> dict[Quantity, Pool | None]:
    """Pools of all quantities: shares first, then rates, then what follows from both."""
    by_id = {one.id: one for one in published.parameters}
    pools: dict[Quantity, Pool | None] = {}
    order: list[Quantity] = [
        "gpu_share", "memory_share", "frail_nodes", "frail_failures", "by_hand_share", "link_failures",
        "corruptions", "node_failures", "lost_time", "lost_time_by_hand",
    ]  # fmt: skip
    for quantity in order:
        of_it = [one for one in taught if one[0].quantity == quantity]
        observed = [_observed(*one, pools) for one in of_it]
        pools[quantity] = pool_of(by_id[quantity], [one for one in observed if one is not None])
    return pools


def _observed(
    figure: Figure, value: Value, organisations: frozenset[str], pools: dict[Quantity, Pool | None]
) -> Observation | None:
    gpu_frac = _middle(pools["gpu_share"], figure, organisations) if figure.of_gpus else 1.0
    from_time = figure.quantity in _TIMES and figure.predicts in ("kept", "lost")
    rate = _middle(pools["node_failures"], figure, organisations) if from_time else 1.0
    if gpu_frac is None or rate is None:
        return None
    return observation_of(figure, value.middle, value.sd, organisations, gpu_frac, rate)


def _middle(pool: Pool | None, figure: Figure, organisations: frozenset[str]) -> float | None:
    """The middle of what is known of a quantity at these organisations."""
    return None if pool is None else pool.middle(figure.view, organisations)


def _row(fact: Fact, pools: dict[Quantity, Pool | None], leave_out: str) -> FactRow:
    cells, figure, value = fact.cells, fact.figure, fact.value
    row = FactRow(
        id=cells["id"],
        organisation=cells["org"],
        topic=cells.get("topic", ""),
        metric=cells["metric"],
        unit=cells["unit"],
        measured=cells["value"],
        printed=value.kind if value else "text",
        status="inexpressible",
        reason=fact.reason,
        fold=cells["org"] if leave_out else "",
    )
    if figure is None or value is None:
        return row
    rng = np.random.default_rng(zlib.crc32(cells["id"].encode()))
    try:
        drawn = predict(figure, Knowledge(pools, fact.organisations, rng))
    except UnseenError as error:
        return row.model_copy(update={"reason": str(error)})
    low, middle, high = (float(one) for one in np.percentile(drawn, [5, 50, 95]))
    predicted = {
        "status": "document_error" if figure.contradiction else "predicted",
        "reason": figure.contradiction or figure.note,
        "same_as": figure.same_as,
        "predicted": middle,
        "low": low,
        "high": high,
        "error_frac": _error_frac(middle, value),
        "inside": low <= value.high and high >= value.low,
    }
    return row.model_copy(update=predicted)


def _error_frac(predicted: float, value: Value) -> float:
    nearest = min(max(predicted, value.low), value.high)
    return predicted / nearest - 1.0


def _learnt(pools: dict[Quantity, Pool | None]) -> Iterator[LearntQuantity]:
    """What is known of each quantity, seen as each view sees it."""
    for quantity, pool in pools.items():
        if pool is None:
            continue
        for view in ("census", *pool.parameter.offsets):
            rng = np.random.default_rng(zlib.crc32(f"{quantity} {view}".encode()))
            drawn = pool.draws(cast("View", view), frozenset(), NUM_DRAWS, rng)
            low, middle, high = (float(one) for one in np.percentile(drawn, [5, 50, 95]))
            yield LearntQuantity(
                quantity=quantity,
                view=view if pool.parameter.offsets else "",
                unit=pool.parameter.unit,
                num_observations=len(pool.observed),
                middle=middle,
                low=low,
                high=high,
                ratio=pool.ratio,
            )


def _report(rows: Sequence[FactRow], leave_out: str) -> FactReport:
    scored = [row for row in rows if row.counts]
    groups: list[tuple[Literal["organisation", "topic"], str]] = [
        *(("organisation", name) for name in dict.fromkeys(row.organisation for row in scored)),
        *(("topic", name) for name in dict.fromkeys(row.topic for row in scored)),
    ]
    numbers = [row for row in scored if row.printed == "number"]
    printed = [_printed(row) for row in numbers]
    return FactReport(
        cross_validation=leave_out,
        num_rows=len(rows),
        coverage_frac=sum(row.status != "inexpressible" for row in rows) / len(rows) if rows else 0.0,
        overall=score([row.predicted or 0.0 for row in numbers], printed),
        interval=interval_score(
            [row.low or 0.0 for row in numbers], [row.high or 0.0 for row in numbers], printed, _HELD_FRAC
        ),
        num_scored=len(scored),
        inside_frac=_inside_frac(scored),
        parts=tuple(_group(kind, name, scored) for kind, name in groups),
        rows=tuple(rows),
    )


def _group(kind: Literal["organisation", "topic"], name: str, scored: Sequence[FactRow]) -> FactGroup:
    members = [row for row in scored if getattr(row, kind) == name]
    numbers = [row for row in members if row.printed == "number"]
    return FactGroup(
        kind=kind,
        name=name,
        num_rows=len(members),
        score=score([row.predicted or 0.0 for row in numbers], [_printed(row) for row in numbers]),
        inside_frac=_inside_frac(members),
    )


def _printed(row: FactRow) -> float:
    value = read_value(row.measured)
    assert value is not None
    return value.middle


def _inside_frac(rows: Sequence[FactRow]) -> float:
    return sum(row.inside for row in rows) / len(rows) if rows else 0.0


def facts_csv(report: FactReport) -> str:
    """Every row as scripts read it; `measured` is what the file prints."""
    fold = ["fold"] if report.cross_validation else []
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["id", "measured", "predicted", "low", "high", "status", "reason", *fold])
    for row in report.rows:
        figures = ["" if one is None else f"{one:.6g}" for one in (row.predicted, row.low, row.high)]
        writer.writerow(
            [row.id, row.measured, *figures, row.status, row.reason, *([row.fold] if fold else [])]
        )
    return text.getvalue()
