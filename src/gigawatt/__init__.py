"""gigawatt designs, contracts and operates AI compute.

The public API: every name in `__all__` can be imported from here, and is loaded when it is first used, so
that `import gigawatt` costs nothing. Whatever is not listed may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gigawatt.catalog import Catalog as Catalog
    from gigawatt.catalog import load_catalog as load_catalog
    from gigawatt.contract.energy import energy_frontier as energy_frontier
    from gigawatt.contract.energy import plan_energy as plan_energy
    from gigawatt.contract.portfolio import plan_portfolio as plan_portfolio
    from gigawatt.contract.schedule import simulate_schedule as simulate_schedule
    from gigawatt.design.collectives import predict_collective as predict_collective
    from gigawatt.design.device import measure_device as measure_device
    from gigawatt.design.fabric import design_fabric as design_fabric
    from gigawatt.design.facility import design_facility as design_facility
    from gigawatt.design.training import design_training as design_training
    from gigawatt.design.training import predict_training as predict_training
    from gigawatt.documents import json_schema as json_schema
    from gigawatt.domain.blueprint import Blueprint as Blueprint
    from gigawatt.domain.hardware import Accelerator as Accelerator
    from gigawatt.domain.hardware import System as System
    from gigawatt.domain.huggingface import read_config as read_config
    from gigawatt.domain.market import Offer as Offer
    from gigawatt.domain.model import Model as Model
    from gigawatt.domain.scenario import Scenario as Scenario
    from gigawatt.domain.training import Layout as Layout
    from gigawatt.domain.training import TrainingJob as TrainingJob
    from gigawatt.errors import ExternalError as ExternalError
    from gigawatt.errors import GigawattError as GigawattError
    from gigawatt.errors import InfeasibleError as InfeasibleError
    from gigawatt.errors import InputError as InputError
    from gigawatt.errors import ValidityError as ValidityError
    from gigawatt.exports import export_layout as export_layout
    from gigawatt.exports import import_layout as import_layout
    from gigawatt.operate import replay_jobs as replay_jobs
    from gigawatt.operate.search import best_checkpoint_interval as best_checkpoint_interval
    from gigawatt.operate.search import extra_nodes as extra_nodes
    from gigawatt.operate.search import size_spares as size_spares
    from gigawatt.operate.search import size_technicians as size_technicians
    from gigawatt.project import explain_figure as explain_figure
    from gigawatt.project import plan_scenario as plan_scenario
    from gigawatt.project.comparison import compare_plans as compare_plans
    from gigawatt.project.energy import import_network as import_network
    from gigawatt.project.fleet import open_fleet as open_fleet
    from gigawatt.project.fleet import simulate_fleet as simulate_fleet
    from gigawatt.project.handover import draw_report as draw_report
    from gigawatt.project.handover import export_plan as export_plan
    from gigawatt.project.portfolio import import_offers as import_offers
    from gigawatt.project.template import write_template as write_template
    from gigawatt.report import render_report as render_report
    from gigawatt.validation.calibrate import calibrate_training as calibrate_training
    from gigawatt.validation.collectives import calibrate_collectives as calibrate_collectives
    from gigawatt.validation.collectives import validate_collectives as validate_collectives
    from gigawatt.validation.energy import validate_energy as validate_energy
    from gigawatt.validation.fabric import validate_fabric as validate_fabric
    from gigawatt.validation.reliability import validate_reliability as validate_reliability
    from gigawatt.validation.reliability_overlay import calibrate_reliability as calibrate_reliability
    from gigawatt.validation.training import validate_training as validate_training

_HOMES = {
    "Accelerator": "domain.hardware",
    "Blueprint": "domain.blueprint",
    "Catalog": "catalog",
    "ExternalError": "errors",
    "GigawattError": "errors",
    "InfeasibleError": "errors",
    "InputError": "errors",
    "Layout": "domain.training",
    "Model": "domain.model",
    "Offer": "domain.market",
    "Scenario": "domain.scenario",
    "System": "domain.hardware",
    "TrainingJob": "domain.training",
    "ValidityError": "errors",
    "best_checkpoint_interval": "operate.search",
    "calibrate_collectives": "validation.collectives",
    "calibrate_reliability": "validation.reliability_overlay",
    "calibrate_training": "validation.calibrate",
    "compare_plans": "project.comparison",
    "design_fabric": "design.fabric",
    "design_facility": "design.facility",
    "design_training": "design.training",
    "draw_report": "project.handover",
    "energy_frontier": "contract.energy",
    "explain_figure": "project",
    "export_layout": "exports",
    "export_plan": "project.handover",
    "extra_nodes": "operate.search",
    "import_layout": "exports",
    "import_network": "project.energy",
    "import_offers": "project.portfolio",
    "json_schema": "documents",
    "load_catalog": "catalog",
    "measure_device": "design.device",
    "open_fleet": "project.fleet",
    "plan_energy": "contract.energy",
    "plan_portfolio": "contract.portfolio",
    "plan_scenario": "project",
    "predict_collective": "design.collectives",
    "predict_training": "design.training",
    "read_config": "domain.huggingface",
    "render_report": "report",
    "replay_jobs": "operate",
    "simulate_fleet": "project.fleet",
    "simulate_schedule": "contract.schedule",
    "size_spares": "operate.search",
    "size_technicians": "operate.search",
    "validate_collectives": "validation.collectives",
    "validate_energy": "validation.energy",
    "validate_fabric": "validation.fabric",
    "validate_reliability": "validation.reliability",
    "validate_training": "validation.training",
    "write_template": "project.template",
}
"""The module below `gigawatt` that each public name comes from."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
