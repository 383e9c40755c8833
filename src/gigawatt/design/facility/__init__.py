"""Where the racks stand, how power reaches them and how their heat leaves. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gigawatt.design.facility.facility import design_facility as design_facility
    from gigawatt.design.facility.floor import device_positions as device_positions
    from gigawatt.design.facility.floor import plan_floor as plan_floor
    from gigawatt.design.facility.floor import rack_positions as rack_positions
    from gigawatt.design.facility.racks import rack_kinds as rack_kinds

_HOMES = {
    "design_facility": "facility",
    "device_positions": "floor",
    "plan_floor": "floor",
    "rack_kinds": "racks",
    "rack_positions": "floor",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
