"""The report in a real browser: quiet console, no requests, pictures that show, labels that keep apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from gigawatt.report import render_report

# The visible labels of a scatter, as the browser's own fonts lay them out.
LABELS = """[...document.querySelectorAll('#run-0-cost svg .mark-label')]
  .map((label) => label.getBoundingClientRect()).filter((box) => box.width > 0)
  .map((box) => [box.left, box.top, box.right, box.bottom])"""
VISIBLE = """[...document.querySelectorAll('figure > svg')]
  .map((svg) => [svg.classList[0], svg.getBoundingClientRect().width, svg.getBoundingClientRect().height])"""
# Text of pictures that sticks out of its picture.
STICKING_OUT = """[...document.querySelectorAll('figure > svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return frame.width === 0 ? [] : [...svg.querySelectorAll('text')].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
  }).map((text) => text.textContent);
})"""
SORTED = """(() => {
  const table = document.querySelector('table.sortable');
  const column = [...table.tHead.rows[0].cells].findIndex((head) => head.textContent.startsWith('Cost'));
  const head = table.tHead.rows[0].cells[column];
  const costs = () => [...table.tBodies[0].rows].map((row) => row.cells[column].dataset.sort);
  head.querySelector('button').click();
  const up = [head.getAttribute('aria-sort'), costs()];
  head.querySelector('button').click();
  return [...up, head.getAttribute('aria-sort'), costs()];
})()"""


def test_console_is_quiet_and_pictures_are_there(visit: Callable[..., Any], html: str) -> None:
    seen = visit(html)
    assert seen.complaints == []
    assert len(re.findall(r"<figure ", seen.dom)) == 7
    assert seen.dom.count("<svg") == html.count("<svg")
    assert '<th scope="col"><button type="button">Place</button></th>' in seen.dom


def test_a_page_that_does_load_something_is_caught(visit: Callable[..., Any], html: str) -> None:
    spoilt = html.replace("<main>", '<main><img src="https://gigawatt.invalid/x.png">')
    assert visit(spoilt).complaints


def test_hostile_text_does_not_run(visit: Callable[..., Any], example: Any) -> None:
    attack = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    run = example.run(attack, f"Model {attack}")
    seen = visit(render_report(example.blueprint(run).model_copy(update={"title": f"Plan {attack}"})))
    assert seen.complaints == []
    assert "<title>owned</title>" not in seen.dom


@pytest.mark.parametrize(("width", "kind"), [(1200, "wide"), (600, "narrow")])
def test_each_picture_shows_once_in_the_form_that_suits(
    visit: Callable[..., Any], html: str, width: int, kind: str
) -> None:
    shown = [one for one in visit(html, width, VISIBLE).measured if one[1] > 0]
    assert len(shown) == 7
    assert {one[0] for one in shown} == {kind}
    assert all(one[2] > 50 for one in shown)


@pytest.mark.parametrize("width", [1200, 600])
def test_labels_keep_apart_in_real_fonts(visit: Callable[..., Any], html: str, width: int) -> None:
    boxes = visit(html, width, LABELS).measured
    assert len(boxes) >= 10
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            apart = (
                one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 3 or other[3] <= one[1] + 3
            )
            assert apart, (one, other)


@pytest.mark.parametrize("width", [1200, 600])
def test_text_stays_within_its_picture(visit: Callable[..., Any], html: str, width: int) -> None:
    assert visit(html, width, STICKING_OUT).measured == []


@pytest.mark.parametrize("width", [1200, 500])
def test_the_page_never_scrolls_sideways(visit: Callable[..., Any], html: str, width: int) -> None:
    inner, needed = visit(html, width, "[innerWidth, document.documentElement.scrollWidth]").measured
    assert needed <= inner


def test_a_click_on_a_head_sorts_what_has_no_value_last(visit: Callable[..., Any], html: str) -> None:
    first, up, second, down = visit(html, probe=SORTED).measured
    assert (first, second) == ("ascending", "descending")
    assert up[-1] == down[-1] == ""
    costs = [float(cost) for cost in up[:-1]]
    assert costs == sorted(costs)
    assert [float(cost) for cost in down[:-1]] == costs[::-1]


def test_dark_and_light_differ(visit: Callable[..., Any], html: str) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    light = visit(html, probe=colour, flags=("--blink-settings=preferredColorScheme=1",)).measured
    dark = visit(html, probe=colour, flags=("--blink-settings=preferredColorScheme=0",)).measured
    assert light == "rgb(255, 255, 255)"
    assert dark == "rgb(21, 24, 28)"
