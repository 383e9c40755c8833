"""The public names: an asserted list, each documented and each loaded only when it is used."""

from __future__ import annotations

import ast
import inspect

import pytest

import gigawatt

PUBLIC = (
    "Accelerator",
    "Blueprint",
    "Catalog",
    "ExternalError",
    "GigawattError",
    "InfeasibleError",
    "InputError",
    "Layout",
    "Model",
    "Offer",
    "Scenario",
    "System",
    "TrainingJob",
    "ValidityError",
    "__version__",
    "best_checkpoint_interval",
    "calibrate_collectives",
    "calibrate_reliability",
    "calibrate_training",
    "compare_plans",
    "design_fabric",
    "design_facility",
    "design_training",
    "draw_report",
    "energy_frontier",
    "explain_figure",
    "export_layout",
    "export_plan",
    "extra_nodes",
    "import_layout",
    "import_network",
    "import_offers",
    "json_schema",
    "load_catalog",
    "measure_device",
    "open_fleet",
    "plan_energy",
    "plan_portfolio",
    "plan_scenario",
    "predict_collective",
    "predict_training",
    "read_config",
    "render_report",
    "replay_jobs",
    "simulate_fleet",
    "simulate_schedule",
    "size_spares",
    "size_technicians",
    "validate_collectives",
    "validate_energy",
    "validate_fabric",
    "validate_reliability",
    "validate_training",
    "write_template",
)


def test_the_public_names_are_these() -> None:
    """Adding one is a decision; taking one away breaks somebody's script."""
    assert tuple(sorted(gigawatt.__all__)) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    thing = getattr(gigawatt, name)
    assert name in dir(gigawatt)
    if callable(thing):
        assert inspect.getdoc(thing)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'design_everything'"):
        gigawatt.design_everything  # noqa: B018


def test_type_checkers_see_the_same_names(source: dict[str, ast.Module]) -> None:
    """The imports under TYPE_CHECKING and the table of lazy homes are one list."""
    (guarded,) = (node for node in source["__init__.py"].body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"gigawatt.{home}" for name, home in gigawatt._HOMES.items()}
