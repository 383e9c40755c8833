"""What commands understand on the command line: quantities with units, layouts, counts within reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

MOST_ACCELERATORS = 10_000_000
MOST_TOKENS = 100_000_000


if TYPE_CHECKING:
    _FloatParam = click.ParamType[float]
else:
    _FloatParam = click.ParamType


class Quantity(_FloatParam):
    """Text such as "15.6T tokens", read into the canonical unit of a suffix."""

    name = "quantity"

    def __init__(self, suffix: str) -> None:
        self.suffix = suffix

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error that says what was expected."""
        from gigawatt import units
        from gigawatt.errors import UnitError

        try:
            number = units.read(value, self.suffix)
            assert isinstance(number, float | int)
        except UnitError as error:
            self.fail(str(error), param, ctx)
        if number <= 0:
            self.fail(f"expected more than nothing, found {value}", param, ctx)
        return float(number)


class Share(Quantity):
    """Text such as "0.2 %", more than nothing and less than all."""

    def __init__(self) -> None:
        super().__init__("_frac")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The fraction, or a usage error that says what was expected."""
        share = super().convert(value, param, ctx)
        if share >= 1.0:
            self.fail(f"expected less than 100 %, found {value}", param, ctx)
        return share


class FileOf(click.Path):
    """A file to write, of one of several kinds; another is refused before any work is done."""

    def __init__(self, *kinds: str) -> None:
        super().__init__(path_type=Path, dir_okay=False)
        self.kinds = kinds

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or a usage error that names the kinds."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix not in self.kinds:
            self.fail(f"the name must end in {' or '.join(self.kinds)}, found {value}", param, ctx)
        if not path.parent.is_dir():
            self.fail(f'{value}: there is no folder "{path.parent}"', param, ctx)
        return path


class _Count(click.IntRange):
    name = "whole number"


def count(most: int, least: int = 1) -> click.IntRange:
    """A whole number within reason."""
    return _Count(least, most)


def overlay_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--overlay FILE`, once or more: data that are laid over the catalogue."""
    return click.option(
        "--overlay",
        "overlays",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Data laid over the catalogue (a file or a folder); later ones win.",
    )(command)
