"""What can go wrong, as one tree.

    GigawattError            exit code 1, never raised itself
    |-- InputError           exit code 2: a file, an option or an id is wrong; carries every problem found
    |   |-- UnitError        a quantity's text cannot be read, or has the wrong dimension
    |   `-- UnknownIdError   an id that the catalogue does not have, with the nearest ones
    |-- InfeasibleError      exit code 1: the question was understood and the answer is no
    |-- ValidityError        exit code 2: a law was asked outside the range in which it holds
    `-- ExternalError        exit code 3: another system cannot be reached
        `-- WriteError       a file cannot be written (disk full, no permission); nothing half-written is left

Every message says what is wrong, where, what was found and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it stands, what was found, what would be right."""

    message: str
    key: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}:{self.column}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class GigawattError(Exception):
    """Root of every error that gigawatt raises on purpose."""

    exit_code = 1


class InputError(GigawattError):
    """One or more problems with what the user gave; `problems` lists all of them."""

    exit_code = 2

    def __init__(self, problems: str | Problem | Sequence[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class UnitError(InputError, ValueError):
    """A quantity that cannot be read, or that has another dimension than its key asks for."""


class UnknownIdError(InputError):
    """An id that is not in the catalogue."""


class ValidityError(GigawattError):
    """A law was asked outside the range for which its source vouches."""

    exit_code = 2


class InfeasibleError(GigawattError):
    """The request is well formed and cannot be met; the message names what binds."""


class ExternalError(GigawattError):
    """A system outside gigawatt (a scheduler, a metrics server) cannot be reached."""

    exit_code = 3


class WriteError(ExternalError):
    """A file cannot be written: the disk is full, the folder is missing or closed to us."""
