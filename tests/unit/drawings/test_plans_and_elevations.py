"""Drawings are well-formed, draw everything once, and keep within their sheet."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from gigawatt.domain.facility import FacilityDesign
from gigawatt.drawings.elevation import elevation_svg
from gigawatt.drawings.floor_plan import floor_plan_svg
from gigawatt.drawings.sheet import ROLES
from gigawatt.project.facility import draw_facility, house

SVG = "{http://www.w3.org/2000/svg}"
CASES = [("hgx-h100", 64, "colocation"), ("gb200-nvl72", 576, "generic"), ("gb200-nvl72", 18432, "generic")]


@cache
def housed(system: str, number: int, site: str) -> FacilityDesign:
    return house(system, number, site)


def rects(svg: str) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in ElementTree.fromstring(svg).iter(f"{SVG}rect")]


@pytest.mark.parametrize("case", CASES)
def test_the_first_hall_shows_each_of_its_racks_once(case: tuple[str, int, str]) -> None:
    design = housed(*case)
    svg = floor_plan_svg(design)
    racks = [
        one
        for one in ElementTree.fromstring(svg).iter(f"{SVG}rect")
        if (hint := one.find(f"{SVG}title")) is not None and ", row " in (hint.text or "")
    ]
    spots = {(one.get("x"), one.get("y")) for one in racks}
    assert len(spots) == len(racks)
    if design.floor.num_halls == 1:
        assert len(racks) == design.floor.num_racks
    else:
        assert 0 < len(racks) < design.floor.num_racks


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_drawn_beyond_the_sheet(case: tuple[str, int, str]) -> None:
    design = housed(*case)
    for svg in (floor_plan_svg(design), *(elevation_svg(kind) for kind in design.floor.racks)):
        sheet = ElementTree.fromstring(svg)
        width, height = float(sheet.get("width", 0)), float(sheet.get("height", 0))
        for one in rects(svg):
            assert float(one["x"]) >= 0
            assert float(one["y"]) >= 0
            assert float(one["x"]) + float(one["width"]) <= width + 0.5
            assert float(one["y"]) + float(one["height"]) <= height + 0.5


def test_a_campus_shows_every_hall() -> None:
    design = housed(*CASES[2])
    svg = floor_plan_svg(design)
    assert design.floor.num_halls > 1
    white = [one for one in rects(svg) if one.get("fill") == "#ffffff"]
    assert len(white) == design.floor.num_halls + 1  # and the sheet itself
    assert len(svg) < 200_000


@pytest.mark.parametrize("case", CASES)
def test_an_elevation_has_every_item_at_its_height(case: tuple[str, int, str]) -> None:
    for kind in housed(*case).floor.racks:
        drawn = [one for one in rects(elevation_svg(kind)) if one.get("rx") == "2" and float(one["y"]) > 100]
        assert len(drawn) == sum(item.quantity for item in kind.items)
        spans = sorted((float(one["y"]), float(one["y"]) + float(one["height"])) for one in drawn)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_trays_of_a_rack_are_numbered_on() -> None:
    """An NVL72 has eighteen compute trays, eight below its switch trays and ten above."""
    svg = elevation_svg(housed("gb200-nvl72", 576, "generic").floor.racks[0])
    told = [one.text or "" for one in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    trays = sorted(int(text.split()[-1]) for text in told if text.startswith("compute tray"))
    assert trays == list(range(1, 19))


def test_text_from_the_catalogue_cannot_become_a_tag() -> None:
    kind = housed(*CASES[0]).floor.racks[0].model_copy(update={"name": "<script>&"})
    assert "<script>" not in elevation_svg(kind)


def test_the_files_are_written_where_asked(tmp_path) -> None:
    paths = draw_facility(housed(*CASES[0]), tmp_path / "drawings")
    assert all(re.fullmatch(r"[a-z0-9-]+\.svg", path.name) for path in paths)
    assert {"floor-plan.svg"} <= {path.name for path in paths}
    for path in paths:
        ElementTree.parse(path)


def test_colours_of_roles_differ() -> None:
    assert len(set(ROLES.values())) == len(ROLES)
