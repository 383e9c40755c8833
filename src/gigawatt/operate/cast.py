"""Who the numbers in a log of spells stand for: jobs with their tenants, nodes, domains, hazards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.twin import FleetPlan, RunPlan
from gigawatt.operate.jobbook import job_book, without_giants
from gigawatt.operate.rehearse import Inputs
from gigawatt.operate.tables import NONE, Ints, Table
from gigawatt.operate.twin import SCOPES as HAZARD_SCOPES
from gigawatt.operate.world import PLANNED, STANDING_BY

SCOPES = HAZARD_SCOPES[1:]
"""What assets are, in the order of their numbers."""


class Cast(NamedTuple):
    """Names of one replication."""

    plan: FleetPlan
    hazards: tuple[str, ...]
    tenants: tuple[str, ...]
    tenant: Ints
    """[jobs] place in `tenants`."""
    kind: Ints
    """[jobs] place among runs, mixes and traces."""
    nth: Ints
    """[jobs] place among those of its kind."""
    num_gpus: Ints
    """[jobs] that it asks for."""
    is_alone: NDArray[np.bool_]
    """[kinds] whether the name of a kind stands for one job."""
    is_run: NDArray[np.bool_]
    """[kinds]"""
    first_asset: Ints
    """[scopes, sites] the number of the first node, rack, pod and site of each site."""

    def job(self, job: int) -> str:
        """The name of a job: that of its kind, with its place where there are several."""
        kind = self._kinds[self.kind[job]]
        return kind.name if self.is_alone[self.kind[job]] else f"{kind.name}[{self.nth[job]}]"

    def scope(self, asset: int) -> int:
        """Place in SCOPES of what an asset is."""
        return int(np.searchsorted(self.first_asset[:, 0], asset, side="right")) - 1

    def site(self, asset: int) -> int:
        """Place of the site that an asset stands on."""
        return int(np.searchsorted(self.first_asset[self.scope(asset)], asset, side="right")) - 1

    def asset(self, asset: int) -> str:
        """The name of an asset: its site's, and what and which it is there."""
        scope, site = self.scope(asset), self.site(asset)
        name = self.plan.sites[site].name
        number = asset - int(self.first_asset[scope, site])
        return name if SCOPES[scope] == "site" else f"{name}/{SCOPES[scope]}-{number}"

    def cause(self, cause: int) -> str:
        """The hazard's id; `planned`; blank for none."""
        return "planned" if cause == PLANNED else "" if cause == NONE else self.hazards[cause]

    def subjects(self, rows: Table) -> list[str]:
        """The name of what each row of a log is of."""
        numbers, is_job = rows.subject.tolist(), (rows.state < STANDING_BY).tolist()
        names = {True: self.job, False: self.asset}
        return [names[job](number) for job, number in zip(is_job, numbers, strict=True)]

    @property
    def _kinds(self) -> tuple[object, ...]:
        return (*self.plan.runs, *self.plan.mixes, *self.plan.traces)


def cast_of(inputs: Inputs, seed: int) -> Cast:
    """The names of the replication with this seed. Errors: InputError as `rehearse`."""
    plan = inputs.plan
    book = without_giants(plan, job_book(plan, inputs.traces, seed), inputs.system.num_accelerators_per_node)
    names = plan.tenant_names
    of_kind = np.array([names.index(kind.tenant) for kind in book.kinds], np.int64)
    return Cast(
        plan=plan,
        hazards=tuple(hazard.id for hazard in inputs.hazards),
        tenants=names,
        tenant=of_kind[book.kind],
        kind=book.kind,
        nth=_places(book.kind, len(book.kinds)),
        num_gpus=book.num_gpus,
        is_alone=np.array([isinstance(kind, RunPlan) and kind.count == 1 for kind in book.kinds]),
        is_run=np.array([isinstance(kind, RunPlan) for kind in book.kinds]),
        first_asset=_first_assets(plan),
    )


def _places(kind: Ints, num_kinds: int) -> Ints:
    """[jobs] how many of the same kind came before."""
    order = np.argsort(kind, kind="stable")
    sizes = np.bincount(kind, minlength=num_kinds)
    places = np.empty(len(kind), np.int64)
    places[order] = np.arange(len(kind)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return places


def _first_assets(plan: FleetPlan) -> Ints:
    nodes = [site.num_nodes for site in plan.sites]
    racks = [-(-site.num_nodes // site.nodes_per_rack) for site in plan.sites]
    pods = [-(-num // site.racks_per_pod) for num, site in zip(racks, plan.sites, strict=True)]
    sizes = np.array([nodes, racks, pods, [1] * len(nodes)], np.int64).ravel()
    return (np.cumsum(sizes) - sizes).reshape(len(SCOPES), len(nodes))
