"""Files that a scenario names: construction projects and energy sites of its clusters, and a roadmap.

They are read before anything is planned. What is wrong in them is named together, by their own lines, or by
the scenario's where the file as a whole is at fault.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from gigawatt.documents import Document, KeyPath, read_text
from gigawatt.errors import InputError, Problem
from gigawatt.project.directory import text_digest

if TYPE_CHECKING:
    from gigawatt.domain.scenario import Construction, Scenario
    from gigawatt.domain.schedule import ConstructionProject, Milestone
    from gigawatt.project.dates import RoadmapFile
    from gigawatt.project.energy import EnergyQuestion

Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Annexes:
    """What stands in the files, by their names as the scenario writes them."""

    projects: Mapping[str, ConstructionProject] = field(default_factory=dict)
    """Of clusters and of the roadmap; those of the roadmap relative to the scenario too."""
    sites: Mapping[str, EnergyQuestion] = field(default_factory=dict)
    roadmap: RoadmapFile | None = None
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of every file that went in, by what it is to the plan."""


def read_annexes(
    document: Document, scenario: Scenario, folder: Path, overlays: Sequence[Path] = ()
) -> Annexes:
    """The files that a scenario names; paths count from `folder`, its own.

    Raises InputError with everything that is wrong with any of them.
    """
    return _Reading(document, folder, overlays).annexes(scenario)


def block_of(construction: Construction, project: ConstructionProject) -> Milestone | None:
    """The block of capacity that a cluster waits for, if the project has it."""
    blocks = (one for one in project.milestones if one.id == construction.block)
    return next((one for one in blocks if one.power_w is not None), None)


def roadmap_project(roadmap: str, project: str) -> str:
    """The name of a roadmap's construction project as the scenario would write it."""
    return os.path.normpath(Path(roadmap).parent / project).replace(os.sep, "/")


@dataclass
class _Reading:
    document: Document
    folder: Path
    overlays: Sequence[Path]
    digests: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def annexes(self, scenario: Scenario) -> Annexes:
        projects: dict[str, ConstructionProject] = {}
        sites: dict[str, EnergyQuestion] = {}
        for number, cluster in enumerate(scenario.clusters):
            at = ("clusters", number)
            if cluster.construction:
                self._once(
                    projects, cluster.construction.project, self._project, (*at, "construction", "project")
                )
                self._find_block(cluster.construction, projects, (*at, "construction", "block"))
            if cluster.energy:
                self._once(sites, cluster.energy, self._site, (*at, "energy"))
        roadmaps: dict[str, RoadmapFile] = {}
        if scenario.portfolio:
            self._once(roadmaps, scenario.portfolio, self._roadmap, ("portfolio",))
        if self.problems:
            raise InputError(self.problems)
        roadmap = roadmaps.get(scenario.portfolio)
        for name, project in roadmap.projects.items() if roadmap else ():
            inside = roadmap_project(scenario.portfolio, name)
            self._digest(f"construction {inside}", self.folder / inside)
            projects.setdefault(inside, project)
        return Annexes(projects, sites, roadmap, self.digests)

    def _once(self, known: dict[str, Kind], name: str, read: Callable[[str], Kind], at: KeyPath) -> None:
        """What a file holds goes into `known`, or what is wrong with it to the problems."""
        if name in known:
            return
        try:
            known[name] = read(name)
        except InputError as error:
            self.problems += [self._placed(problem, at) for problem in error.problems]

    def _placed(self, problem: Problem, at: KeyPath) -> Problem:
        return problem if problem.line else self.document.problem(str(problem), at)

    def _digest(self, role: str, path: Path) -> None:
        self.digests[role] = text_digest(read_text(path))

    def _project(self, name: str) -> ConstructionProject:
        from gigawatt.project.schedule import read_project

        self._digest(f"construction {name}", self.folder / name)
        return read_project(self.folder / name, self.overlays)

    def _site(self, name: str) -> EnergyQuestion:
        from gigawatt.project.energy import read_question

        path = self.folder / name
        self._digest(f"energy {name}", path)
        asked = read_question(path, self.overlays)
        self._digest(f"hours of {name}", path.parent / asked.site.hours)
        if asked.site.catalogue:
            self._digest(f"catalogue of {name}", path.parent / asked.site.catalogue)
        if asked.site.prices:
            self._digest(f"prices of {name}", path.parent / asked.site.prices.file)
        return asked

    def _roadmap(self, name: str) -> RoadmapFile:
        from gigawatt.project.portfolio import open_roadmap

        self._digest(f"portfolio {name}", self.folder / name)
        return open_roadmap(self.folder / name, self.overlays)

    def _find_block(
        self, asked: Construction, projects: Mapping[str, ConstructionProject], at: KeyPath
    ) -> None:
        project = projects.get(asked.project)
        if project is not None and block_of(asked, project) is None:
            self.problems.append(self.document.problem("; ".join(_no_block(asked, project)), at))


def _no_block(asked: Construction, project: ConstructionProject) -> Iterator[str]:
    blocks = [one.id for one in project.milestones if one.power_w is not None]
    near = difflib.get_close_matches(asked.block, blocks, n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(blocks) or 'none'}"
    if any(one.id == asked.block for one in project.milestones):
        hint = f"it is a milestone without power_w; {hint}"
    yield f'no block of capacity "{asked.block}" in {asked.project}: {hint}'
