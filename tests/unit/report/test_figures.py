"""What is drawn stands where the numbers say."""

from __future__ import annotations

import re
from datetime import date
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigawatt.domain.blueprint import Blueprint
from gigawatt.report.axes import date_axis, quantity_axis
from gigawatt.report.labels import Box, Wanted, place_labels
from gigawatt.report.series import MEMORY_PARTS, alike_stages, shown_stages

amounts = st.floats(min_value=1e-3, max_value=1e12)


@given(st.lists(amounts, min_size=1, max_size=20), st.booleans())
def test_amounts_keep_their_order_and_stay_on_the_axis(values: list[float], from_zero: bool) -> None:
    axis = quantity_axis("Cost", values, str, from_zero=from_zero)
    ordered = sorted(values)
    places = [axis.position(value) for value in ordered]
    assert places == sorted(places)
    assert all(0 <= place <= 1 for place in places)
    assert all(axis.low <= tick.value <= axis.high for tick in axis.ticks)
    assert 1 <= len(axis.ticks) <= 20


def test_a_wide_range_is_logarithmic_and_says_so() -> None:
    axis = quantity_axis("Cost", [1e6, 1e9], str)
    assert axis.logarithmic
    assert "logarithmic" in axis.label
    # The geometric mean lies half-way.
    assert axis.position((1e6 * 1e9) ** 0.5) == pytest.approx(0.5)


@given(st.integers(700_000, 3_000_000), st.integers(0, 40_000), st.integers(2, 9))
def test_dates_have_ticks_on_whole_days_in_order(first: int, span: int, num_ticks: int) -> None:
    axis = date_axis("Finish", [float(first), float(first + span)], num_ticks)
    days = [tick.value for tick in axis.ticks]
    assert days == sorted(set(days))
    assert all(day == int(day) and axis.low <= day <= axis.high for day in days)
    assert len(days) <= num_ticks + 2


def test_months_are_named_for_their_first_day() -> None:
    first = date(2027, 1, 20).toordinal()
    axis = date_axis("Finish", [float(first), float(first + 150)], 6)
    shown = {tick.text: date.fromordinal(int(tick.value)) for tick in axis.ticks}
    assert shown["Feb 2027"] == date(2027, 2, 1)
    assert shown["Jun 2027"] == date(2027, 6, 1)


def test_days_say_their_year_once() -> None:
    first = date(2027, 12, 24).toordinal()
    shown = [tick.text for tick in date_axis("Finish", [float(first), float(first + 12)], 7).ticks]
    assert [text for text in shown if "20" in text.split(" ")[-1]] == ["23 Dec 2027", "2 Jan 2028"]


points = st.lists(
    st.tuples(st.text("abcW mi10", min_size=1, max_size=16), st.floats(0, 400), st.floats(0, 300)),
    max_size=25,
)


@given(points)
def test_labels_never_meet(wanted: list[tuple[str, float, float]]) -> None:
    frame = Box(0, 0, 400, 300)
    dots = [Box(x - 5, y - 5, x + 5, y + 5) for _, x, y in wanted]
    placed = place_labels([Wanted(*one) for one in wanted], 12.0, frame, dots, [])
    for one in placed:
        assert one.box.within(frame)
        assert not any(one.box.overlaps(dot) for dot in dots)
    assert not any(one.box.overlaps(other.box) for one, other in combinations(placed, 2))


def test_a_lone_label_stands_right_beside_its_point() -> None:
    (placed,) = place_labels([Wanted("abc", 100, 100)], 12.0, Box(0, 0, 400, 300), [], [])
    assert placed.box.left > 100
    assert placed.box.top < 100 < placed.box.bottom
    assert not placed.leader


def _picture(page: Any, name: str) -> Any:
    (title,) = [node for node in page.all("title") if node.attributes.get("id") == f"{name}-title"]
    return next(svg for svg in page.all("svg") if title in svg.children)


def _center(mark: Any) -> tuple[float, float]:
    for circle in mark.all("circle"):
        return circle.number("cx"), circle.number("cy")
    path = mark.all("path")[0].attributes["d"]
    x, y = re.match(r"M([-\d.]+) ([-\d.]+)", path).groups()  # type: ignore[union-attr]
    return float(x), float(y)


@pytest.mark.parametrize("kind", ["wide", "narrow"])
def test_points_lie_by_date_and_cost(plan: Blueprint, page: Any, kind: str) -> None:
    options = {option.label: option for option in plan.runs[0].options if option.cost_usd}
    marks = _picture(page, f"run-0-cost-{kind}").all("g", "mark")
    assert len(marks) == len(options)
    found = {mark.all("title")[0].text.partition(":")[0]: _center(mark) for mark in marks}
    assert set(found) == set(options)
    in_time = [label for label, option in options.items() if option.verdict == "meets"]
    by_date = sorted(in_time, key=lambda label: options[label].finish)
    assert all(found[a][0] <= found[b][0] for a, b in pairwise(by_date))
    by_cost = sorted(options, key=lambda label: options[label].cost_usd or 0.0)
    assert all(found[a][1] >= found[b][1] - 12 for a, b in pairwise(by_cost))


def test_the_chosen_point_wears_a_ring_and_late_ones_another_shape(page: Any) -> None:
    picture = _picture(page, "run-0-cost-wide")
    (ring,) = picture.all("circle", "ring")
    (chosen,) = picture.all("g", "standing-chosen")[-1:]
    assert ring in chosen.all("circle")
    for late in picture.all("g", "standing-late"):
        assert not late.all("circle")


@pytest.mark.parametrize("kind", ["wide", "narrow"])
def test_bars_are_as_long_as_the_times_they_show(plan: Blueprint, page: Any, kind: str) -> None:
    rects = _picture(page, f"run-0-step-{kind}").all("rect")
    design = plan.runs[0].designs[0]
    shown = [part.time_s for one in (*design.best, design.asked) if one for part in one.parts]
    assert len(rects) == len(shown)
    scale = rects[0].number("width") / shown[0]
    for rect, time_s in zip(rects, shown, strict=True):
        assert rect.number("width") == pytest.approx(time_s * scale, abs=0.01)


def test_memory_bars_end_before_their_limit_where_they_fit(plan: Blueprint, page: Any) -> None:
    picture = _picture(page, "run-0-memory-wide")
    limits = [node.number("x1") for node in picture.all("line", "limit")]
    assert len(set(limits)) == 1
    first = plan.runs[0].designs[0].best[0]
    fullest = max(rect.number("x") + rect.number("width") for rect in picture.all("rect"))
    left = min(rect.number("x") for rect in picture.all("rect"))
    # The picture's proportions are those of the numbers.
    assert (fullest - left) / (limits[0] - left) == pytest.approx(
        first.memory_bytes / first.capacity_bytes, abs=1e-3
    )


def test_equal_neighbouring_stages_are_drawn_once(plan: Blueprint) -> None:
    prediction = plan.runs[0].designs[0].best[0]
    names = [name for name, _ in alike_stages(prediction)]
    assert names == [
        "Stage 0",
        "Stage 1",
        "Stage 2",
        "Stage 3",
        "Stage 4",
        "Stage 5",
        "Stages 6 – 14",
        "Stage 15",
    ]


@given(st.integers(1, 200), st.integers(0, 199), st.integers(3, 20))
def test_of_many_stages_the_ends_and_the_fullest_are_shown(num: int, fullest: int, most: int) -> None:
    class Stage:
        def __init__(self, index: int) -> None:
            self.total_bytes = 2.0 if index == fullest else 1.0

    stages = [(str(index), Stage(index)) for index in range(num)]
    shown = [name for name, _ in shown_stages(stages, most)]  # type: ignore[arg-type]
    assert len(shown) <= most
    assert {shown[0], shown[-1]} == {"0", str(num - 1)}
    assert fullest >= num or str(fullest) in shown
    assert len(set(shown)) == len(shown)


def test_every_kind_of_memory_has_a_part(plan: Blueprint) -> None:
    stage = plan.runs[0].designs[0].best[0].memory[0]
    parts = sum(getattr(stage, name) for name, _ in MEMORY_PARTS)
    assert parts == pytest.approx(stage.total_bytes)
