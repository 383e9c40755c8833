"""A roadmap with the construction projects that it names, and their dates in it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gigawatt.documents import Document, KeyPath
from gigawatt.documents.reading import key_text
from gigawatt.errors import InputError, Problem

if TYPE_CHECKING:
    from gigawatt.domain.dates import PortfolioDates
    from gigawatt.domain.portfolio import Place, PowerOffer, Roadmap
    from gigawatt.domain.schedule import ConstructionProject

Owner = TypeVar("Owner", "Place", "PowerOffer")


@dataclass(frozen=True, slots=True)
class RoadmapFile:
    """A roadmap as it was read, before any date is drawn."""

    path: Path
    document: Document
    roadmap: Roadmap
    projects: Mapping[str, ConstructionProject] = field(default_factory=dict)
    """By the name under which the roadmap has them."""

    def project_path(self, name: str) -> Path:
        """Where a project lies: names count from the roadmap's own folder."""
        return self.path.parent / name

    def dated(self, seed: int | None = None) -> tuple[Roadmap, PortfolioDates | None]:
        """The roadmap with the dates of its projects as futures, and what they are; None where it names none.

        `seed` of the draw; without one, the roadmap's own. Raises InputError, in its place, for what does not
        go together.
        """
        if not self.projects:
            return self.roadmap, None
        from gigawatt.contract.schedule_futures import date_roadmap

        try:
            return date_roadmap(self.roadmap, self.projects, self.roadmap.seed if seed is None else seed)
        except InputError as error:
            raise InputError([self._placed(problem) for problem in error.problems]) from None

    def _placed(self, problem: Problem) -> Problem:
        """A problem of the act by file and line; those without a key are a project's."""
        at = {key_text(one): one for one in _keys(self.roadmap)}.get(problem.key)
        return self.document.problem(problem.message, at) if at else replace(problem, file=str(self.path))


def _keys(roadmap: Roadmap) -> Iterator[KeyPath]:
    """What the act may complain of."""
    yield from (("most_futures",), ("dates_known",))
    for section, rows in (("places", roadmap.places), ("power", roadmap.power)):
        for number in range(len(rows)):
            yield from ((section, number, name) for name in ("schedule", "blocks"))


def spelt_alike(roadmap: Roadmap) -> Roadmap:
    """The same file under the same name wherever it is named, so that it is drawn as one."""

    def alike(one: Owner) -> Owner:
        name = os.path.normpath(one.schedule).replace(os.sep, "/") if one.schedule else ""
        return one.model_copy(update={"schedule": name}) if name else one

    places, power = tuple(map(alike, roadmap.places)), tuple(map(alike, roadmap.power))
    return roadmap.model_copy(update={"places": places, "power": power})


def read_projects(
    document: Document, roadmap: Roadmap, folder: Path, overlays: Sequence[Path]
) -> dict[str, ConstructionProject]:
    """The construction projects that a roadmap names, by name; paths count from `folder`.

    Raises InputError with everything that is wrong with any of them.
    """
    from gigawatt.project.schedule import read_project

    found: dict[str, ConstructionProject] = {}
    problems: dict[str, list[Problem]] = {}
    named: list[tuple[KeyPath, str]] = [(("places", n), one.schedule) for n, one in enumerate(roadmap.places)]
    named += [(("power", n), one.schedule) for n, one in enumerate(roadmap.power)]
    for at, name in named:
        if not name or name in found or name in problems:
            continue
        try:
            found[name] = read_project(folder / name, overlays)
        except InputError as error:
            problems[name] = [
                problem if problem.line else document.problem(str(problem), (*at, "schedule"))
                for problem in error.problems
            ]
    if problems:
        raise InputError([problem for several in problems.values() for problem in several])
    return found
