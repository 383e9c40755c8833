"""Colours that can be read: contrast by the formula of WCAG 2.1, in light and in dark."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

TEXT = 4.5
SHAPE = 3.0


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def _schemes() -> dict[str, dict[str, str]]:
    style = (files("gigawatt.report") / "style.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    light, dark, paper = (_colours(block) for block in blocks)
    return {"light": light, "dark": dark, "print": light | paper}


def _luminance(colour: str) -> float:
    def linear(channel: str) -> float:
        share = int(channel, 16) / 255
        return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    ("ink", "paper", TEXT),
    ("ink", "panel", TEXT),
    ("ink", "info-paper", TEXT),
    ("muted", "paper", TEXT),
    ("muted", "panel", TEXT),
    ("muted", "info-paper", TEXT),
    ("link", "paper", TEXT),
    ("link", "panel", TEXT),
    ("bad", "paper", TEXT),
    ("ink", "plain-paper", TEXT),
    *((name, f"{name}-paper", TEXT) for name in ("good", "bad", "warn", "info")),
    *(("on-part", f"part-{index}", TEXT) for index in range(16)),
    *((f"part-{index}", "paper", SHAPE) for index in range(16)),
]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(scheme: str, front: str, back: str, least: float) -> None:
    colours = _schemes()[scheme]
    assert _contrast(colours[front], colours[back]) >= least


def test_black_on_white_has_the_contrast_that_the_standard_states() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
