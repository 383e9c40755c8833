"""The picture of an energy plan: areas as large as the energy they stand for, words on the paper."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from gigawatt import plan_energy
from gigawatt.drawings.dispatch import dispatch_svg

SVG = "{http://www.w3.org/2000/svg}"
HOURS, YEAR_H = 28 * 24, 8760


@pytest.fixture(scope="module")
def plan(campuses):
    site = campuses.campus(
        load=campuses.FLEXIBLE, purchases=campuses.PURCHASES, carbon={"cap_kgco2_per_mwh": 60.0},
        build=(
            *({"technology": id} for id in ("solar", "wind", "gas", "battery")),
            {"technology": "wind", "name": "a park of wind turbines in the far north", "profile": "far"},
        ),
    )  # fmt: skip
    known = campuses.technologies(HOURS / YEAR_H)
    return plan_energy(site, known, campuses.tariff(), [campuses.made_up_year(HOURS, 2)])


def area(path: str) -> float:
    """Of a closed path of M, L, H, V and Z, by the shoelace formula."""
    x = y = 0.0
    points = []
    for letter, rest in re.findall(r"([MLHV])([^MLHVZ]*)", path):
        numbers = [float(text) for text in rest.split()]
        if letter in "ML":
            x, y = numbers
        elif letter == "H":
            (x,) = numbers
        else:
            (y,) = numbers
        points.append((x, y))
    turned = zip(points, [*points[1:], points[0]], strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in turned)) / 2


def test_areas_are_as_large_as_their_energy(plan) -> None:
    """In every panel, by source: square pixels per joule are the same for all."""
    root = ElementTree.fromstring(dispatch_svg(plan))
    drawn: dict[str, list[float]] = {}
    for path in root.iter(f"{SVG}path"):
        title = path.find(f"{SVG}title")
        if title is not None and path.attrib["fill"] != "none":
            drawn.setdefault(title.text, []).append(area(path.attrib["d"]))
    scales = []
    for one in plan.dispatch.year.series:
        energy = abs(sum(one.values_w))
        if energy * plan.dispatch.year.step_s > 0.02 * plan.load_j_per_year:
            scales.append(drawn[one.name][0] / energy)
    assert len(scales) >= 5
    assert max(scales) / min(scales) == pytest.approx(1.0, abs=0.03)


def test_words_stay_on_the_paper(plan) -> None:
    root = ElementTree.fromstring(dispatch_svg(plan))
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    for element in root.iter(f"{SVG}text"):
        size, words = float(element.attrib["font-size"]), element.text or ""
        long, x = 0.56 * size * len(words), float(element.attrib["x"])
        anchor = element.attrib.get("text-anchor", "start")
        left = {"start": x, "middle": x - long / 2, "end": x - long}[anchor]
        assert left >= 0.0, words
        assert left + long <= width + 1.0, words
        assert 0.0 < float(element.attrib["y"]) < height, words


def test_it_says_what_it_shows(plan) -> None:
    text = dispatch_svg(plan)
    words = [element.text or "" for element in ElementTree.fromstring(text).iter(f"{SVG}text")]
    for start in (
        "A week like the year, ",
        "The week in which power is worth most, ",
        "a park of wind turbi",
    ):
        assert any(one.startswith(start) for one in words), start
    assert any("dollars of 2022" in one for one in words)
    assert "nan" not in text


def test_a_plan_without_hours_is_refused(plan) -> None:
    with pytest.raises(ValueError, match="no hours"):
        dispatch_svg(plan.model_copy(update={"dispatch": None}))
