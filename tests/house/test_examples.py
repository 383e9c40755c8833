"""The examples are there, and each is a file that gigawatt accepts."""

from __future__ import annotations

from pathlib import Path

import pytest

from gigawatt.catalog import load_catalog
from gigawatt.documents import load_yaml, parse_record
from gigawatt.domain.scenario import Scenario
from gigawatt.project.fleet import read_fleet

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCENARIOS = sorted(EXAMPLES.glob("*/scenario.yaml"))
FLEETS = sorted(EXAMPLES.glob("*/fleet.yaml"))


def test_a_dense_and_a_mixture_of_experts_example_are_shipped() -> None:
    assert {path.parent.name for path in SCENARIOS} >= {"llama-405b"}
    assert len(SCENARIOS) >= 2


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_every_example_is_a_scenario(path: Path) -> None:
    scenario = parse_record(load_yaml(path), Scenario)
    assert scenario.title


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.parent.name)
def test_every_example_says_what_it_is_about(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("#")


@pytest.mark.parametrize("path", FLEETS, ids=lambda path: path.parent.name)
def test_every_fleet_can_be_rehearsed(path: Path) -> None:
    inputs = read_fleet(path, load_catalog())
    assert inputs.hazards
    assert path.read_text(encoding="utf-8").startswith("#")
