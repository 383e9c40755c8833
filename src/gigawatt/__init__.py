"""gigawatt designs, contracts and operates AI compute.

The public API: every name in `__all__` can be imported from here, and is loaded when it is first used, so
that `import gigawatt` costs nothing. Whatever is not listed may change without notice.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gigawatt.domain.training import Layout as Layout
    from gigawatt.domain.training import TrainingJob as TrainingJob
    from gigawatt.errors import ExternalError as ExternalError
    from gigawatt.errors import GigawattError as GigawattError
    from gigawatt.errors import InfeasibleError as InfeasibleError
    from gigawatt.errors import InputError as InputError
    from gigawatt.errors import ValidityError as ValidityError

_HOMES = {
    "ExternalError": "errors",
    "GigawattError": "errors",
    "InfeasibleError": "errors",
    "InputError": "errors",
    "Layout": "domain.training",
    "TrainingJob": "domain.training",
    "ValidityError": "errors",
}
"""The module below `gigawatt` that each public name comes from."""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
