"""The one-line diagram tells each stage, draws each lineup and keeps its words on the paper."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from types import SimpleNamespace

import pytest

from gigawatt.domain.facility import Redundancy
from gigawatt.drawings.one_line import one_line_svg

SVG = "{http://www.w3.org/2000/svg}"
LINEUPS = {"n": 1, "n+1": 3, "2n": 2, "distributed": 4, "block": 4}


@pytest.mark.parametrize("redundancy", list(LINEUPS))
def test_it_tells_every_stage_and_draws_every_lineup(chains: SimpleNamespace, redundancy: Redundancy) -> None:
    chain = chains.chain_of(redundancy)
    root = ElementTree.fromstring(one_line_svg(chain))
    words = [element.text or "" for element in root.iter(f"{SVG}text")]
    for node in chain.nodes:
        if node.equipment and node.kind != "generator":
            assert any(text.startswith(f"{node.num_installed:,} × ") for text in words), node.name
    assert sum(text == "cooling" for text in words) == LINEUPS[redundancy] == chain.lineups_per_block
    assert sum(text == "G" for text in words) == (1 if redundancy == "n+1" else LINEUPS[redundancy])
    told = "not concurrently" if redundancy in ("n", "n+1") else "concurrently maintainable"
    assert any(text.startswith(told) for text in words)


@pytest.mark.parametrize("redundancy", list(LINEUPS))
def test_words_stay_on_the_paper_and_off_each_other(chains: SimpleNamespace, redundancy: Redundancy) -> None:
    """By an estimate of how wide letters are: 0.56 of their size."""
    root = ElementTree.fromstring(one_line_svg(chains.chain_of(redundancy)))
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    boxes = []
    for element in root.iter(f"{SVG}text"):
        size, text = float(element.attrib["font-size"]), element.text or ""
        long = 0.56 * size * len(text)
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        left = x - {"middle": long / 2, "end": long}.get(element.attrib.get("text-anchor", ""), 0.0)
        assert left >= 0
        assert left + long <= width, text
        assert 0 < y < height, text
        boxes.append((left, left + long, y - 0.7 * size, y, text))
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]
            assert apart, (one[4], other[4])


def test_the_same_chain_gives_the_same_picture(chains: SimpleNamespace) -> None:
    assert one_line_svg(chains.chain_of("2n")) == one_line_svg(chains.chain_of("2n"))
