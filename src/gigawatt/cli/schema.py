"""schema: for editors."""

from __future__ import annotations

import json
from importlib import import_module

import click

_SCHEMAS = {
    "scenario": ("domain.scenario", "Scenario"),
    "fleet": ("domain.twin", "FleetPlan"),
    "accelerator": ("domain.hardware", "Accelerator"),
    "system": ("domain.hardware", "System"),
    "offer": ("domain.market", "Offer"),
    "switch": ("domain.fabric", "Switch"),
    "link": ("domain.fabric", "Link"),
    "fabric": ("domain.fabric", "FabricKind"),
    "hazard": ("domain.hazard", "Hazard"),
    "part": ("domain.hazard", "Part"),
    "reliability": ("domain.reliability", "FleetReliability"),
    "schedule": ("domain.schedule", "SchedulePrior"),
    "deal": ("domain.deals", "PublishedFact"),
    "project": ("domain.schedule", "ConstructionProject"),
    "energy": ("domain.energy", "EnergyTechnology"),
    "tariff": ("domain.energy", "Tariff"),
    "campus": ("domain.energy", "EnergySite"),
    "equipment": ("domain.facility", "Equipment"),
    "climate": ("domain.facility", "Climate"),
    "site": ("domain.facility", "Site"),
}


@click.command()
@click.argument("name", type=click.Choice(list(_SCHEMAS)), metavar="NAME")
def schema(name: str) -> int:
    """Print the JSON Schema of NAME: a scenario or a row of the catalogue."""
    from gigawatt.documents import json_schema

    module, record = _SCHEMAS[name]
    record_class = getattr(import_module(f"gigawatt.{module}"), record)
    print(json.dumps(json_schema(record_class), indent=1))
    return 0
