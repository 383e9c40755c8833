"""Networks as drawn: accelerators of the pods add up, words fit their boxes, every cable is told."""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

import pytest

from gigawatt.domain.fabric import FabricDesign
from gigawatt.drawings.fabric import fabric_svg
from gigawatt.project.fabric import wire
from gigawatt.report.labels import text_width

SVG = "{http://www.w3.org/2000/svg}"
CASES = [
    ("hgx-h100", 8, "superpod-h100-ndr"),
    ("hgx-b300", 20_000, "superpod-b300-spectrum-x"),
    ("hgx-h100", 122_880, "hpn-7"),
    ("hgx-h200", 4096, "dragonfly-ndr"),
]


@cache
def wired(system: str, number: int, fabric: str) -> FabricDesign:
    return wire(system, number, fabric)


def words(svg: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(f"{SVG}text"))


@pytest.mark.parametrize("case", CASES)
def test_the_pods_hold_what_the_cluster_has(case: tuple[str, int, str]) -> None:
    design = wired(*case)
    told = [one.text or "" for one in words(fabric_svg(design))]
    drawn = [
        int(text.split()[0].replace(",", "")) for text in told if re.fullmatch(r"[\d,]+ accelerators", text)
    ]
    pods = design.compute.num_pods
    unseen = pods - len(drawn) if len(drawn) > 1 else 0
    assert sum(drawn) + unseen * drawn[0] == design.num_accelerators


@pytest.mark.parametrize("case", CASES)
def test_words_keep_to_their_boxes(case: tuple[str, int, str]) -> None:
    svg = fabric_svg(wired(*case))
    boxes = [
        tuple(float(one.get(key, 0)) for key in ("x", "y", "width", "height"))
        for one in ElementTree.fromstring(svg).iter(f"{SVG}rect")
        if float(one.get("x", 0)) > 100
    ]
    for one in words(svg):
        x, y, size = (float(one.get(key, 0)) for key in ("x", "y", "font-size"))
        half = text_width(one.text or "", size) / 2
        for left, top, width, height in boxes:
            if left < x < left + width and top < y < top + height and one.text != "…":
                assert left <= x - half
                assert x + half <= left + width


@pytest.mark.parametrize("case", CASES)
def test_all_cables_are_told(case: tuple[str, int, str]) -> None:
    design = wired(*case)
    told = " ".join(one.text or "" for one in words(fabric_svg(design)))
    numbers = [int(found.replace(",", "")) for found in re.findall(r"([\d,]+) cables", told)]
    assert sum(numbers) == sum(
        group.num_cables for group in design.compute.cables if group.lower != "manager"
    )
