"""How a training run is laid out: predict one layout, or search all of them. Loaded when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gigawatt.design.training.context import context_of as context_of
    from gigawatt.design.training.predict import predict_training as predict_training
    from gigawatt.design.training.search import SearchReport as SearchReport
    from gigawatt.design.training.search import design_training as design_training
    from gigawatt.design.training.search import search_layouts as search_layouts
    from gigawatt.design.training.tables import Pricer as Pricer

_HOMES = {
    "Pricer": "tables",
    "SearchReport": "search",
    "context_of": "context",
    "design_training": "search",
    "predict_training": "predict",
    "search_layouts": "search",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
