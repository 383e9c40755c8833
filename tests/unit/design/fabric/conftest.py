"""A fabric of any kind of the catalogue, planned in a line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gigawatt.catalog import Catalog, load_catalog
from gigawatt.design.fabric import plan_fabric
from gigawatt.domain.fabric import FabricDesign
from gigawatt.project.parts import fabric_parts

Plan = Callable[..., FabricDesign]


@pytest.fixture(scope="session")
def catalogue() -> Catalog:
    return load_catalog()


@pytest.fixture(scope="session")
def plan(catalogue: Catalog) -> Plan:
    def planned(system: str, num_accelerators: int, fabric: str, **asked: float) -> FabricDesign:
        found = catalogue.system(system)
        return plan_fabric(found, num_accelerators, fabric_parts(catalogue, fabric, found), **asked)

    return planned
