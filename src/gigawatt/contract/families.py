"""What a signed position counts towards, month by month: its memberships in families that are kept in stock.

A family is one quantity that adds up over contracts: the delivered accelerators of a pool, the power that is
drawn at a site, what a provider supplies. Each position joins several, with one coefficient for each of its
steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.demand import Demand
from gigawatt.contract.signatures import Choice
from gigawatt.contract.terms import FAR, NONE, Positions
from gigawatt.domain.portfolio import ContractOffer, Roadmap, Work
from gigawatt.laws.power import facility_power_w

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
MEGAWATT_W = 10**6


@dataclass(frozen=True)
class Pool:
    """Delivered accelerators that are alike to all work: of one kind, with the same promises."""

    kind: int
    interruptible: bool
    single_tenant: bool
    confidential: bool
    region: str
    site: int
    """NONE where no work minds the site."""


@dataclass(frozen=True)
class Families:
    """Families, and the memberships of every position: `P` positions, `E` entries each."""

    pools: tuple[Pool, ...]
    limited_sites: tuple[int, ...]
    providers: tuple[str, ...]
    suppliers: tuple[str, ...]
    capped_offers: tuple[int, ...]
    taken: tuple[int, ...]
    """Positions that are paid for as they are used."""
    family: Ints
    """[P, E]; NONE where there is no such entry."""
    offsets: Ints
    coefficients: Numbers
    count: int
    first_site: int
    first_supply: int
    first_provider: int
    first_supplier: int
    first_offer: int
    first_taken: int

    pool_index: Ints
    """[P] the pool of each position's own kind."""
    allowed: Flags
    """[pools, K]: which pool may do which work."""


def families_of(roadmap: Roadmap, demand: Demand, positions: Positions) -> Families:
    """All memberships of all positions."""
    return _Joining(roadmap, demand, positions).families()


def suits(pool: Pool, work: Work, units_per_gpu: float) -> bool:
    """Whether work may run in a pool: never traded against money."""
    needs = work.needs
    return (
        units_per_gpu > 0
        and (pool.single_tenant or not needs.single_tenant)
        and (pool.confidential or not needs.confidential)
        and (not needs.regions or pool.region in needs.regions)
        and not (pool.interruptible and work.interruptible_frac == 0)
    )


def standing_by_offer(positions: Positions, choice: Choice, units: Numbers, months: int) -> Numbers:
    """[offers, T] accelerators under contract, from so many units of each signature."""
    used = np.flatnonzero(units > 0)
    choice, units = choice.taken(used), units[used]
    change = np.zeros((int(positions.offer.max(initial=NONE)) + 1, months + 1))
    for step in range(positions.offsets.shape[1]):
        offset = positions.offsets[choice.position, step]
        at = np.minimum(choice.month + np.minimum(offset, FAR), months)
        amount = units * positions.unit[choice.position] * positions.shares[choice.position, step]
        np.add.at(change, (positions.offer[choice.position], at), amount)
    return np.cumsum(change[:, :months], axis=1)


class _Joining:
    """Collects memberships, one kind of family after the other."""

    def __init__(self, roadmap: Roadmap, demand: Demand, positions: Positions) -> None:
        self.roadmap, self.demand, self.positions = roadmap, demand, positions
        self.depth = positions.offsets.shape[1]
        self.families_: list[Ints] = []
        self.coefficients: list[Numbers] = []
        self.count = 0
        work = demand.work
        self.by_site = any(one.data_bytes or one.move_usd for one in work)
        self.by_region = any(one.needs.regions for one in work)
        self.by_tenant = any(one.needs.single_tenant for one in work)
        self.by_secrecy = any(one.needs.confidential for one in work)
        self.by_grade = any(one.interruptible_frac < 1 for one in work)
        self.pools: dict[Pool, int] = {}

    def families(self) -> Families:
        pool_of_step = self._pools()
        own_pool = np.array(
            [
                NONE if one.power else self.pools[self._pool(n, one.kind)]
                for n, one in enumerate(self.positions.entries)
            ]
        )
        taken = tuple(n for n, one in enumerate(self.positions.entries) if one.takes < 1)
        by_use = np.zeros(len(self.positions), dtype=bool)
        by_use[list(taken)] = True
        self.count = len(self.pools)
        unit = self.positions.unit[:, None] * self.positions.shares
        self._join(np.where(by_use[:, None], NONE, pool_of_step), unit * self.positions.delivered[:, None])
        marks = self._sites(unit), self._supply(), self._providers(unit), self._suppliers(unit)
        (first_site, sites), first_supply, (first_provider, providers), (first_supplier, suppliers) = marks
        first_offer, capped = self._offers(unit)
        first_taken = self.count
        numbered = np.full(len(self.positions), NONE)
        numbered[list(taken)] = first_taken + np.arange(len(taken))
        self._join(np.broadcast_to(numbered[:, None], unit.shape), unit)
        self.count += len(taken)
        return Families(
            pools=tuple(self.pools), limited_sites=sites, providers=providers, suppliers=suppliers,
            capped_offers=capped, taken=taken, family=np.hstack(self.families_),
            offsets=np.tile(self.positions.offsets, (1, len(self.families_))),
            coefficients=np.hstack(self.coefficients), count=self.count, first_site=first_site,
            first_supply=first_supply, first_provider=first_provider, first_supplier=first_supplier,
            first_offer=first_offer, first_taken=first_taken, pool_index=own_pool,
            allowed=np.array([
                [suits(pool, one, self.demand.rate[k, pool.kind]) for k, one in enumerate(self.demand.work)]
                for pool in self.pools
            ]).reshape(len(self.pools), len(self.demand.work)),
        )  # fmt: skip

    def _join(self, family: Ints, coefficients: Numbers) -> None:
        """One membership of every position; left out where it is nobody's."""
        live = (self.positions.offsets < FAR) & (family >= 0)
        if live.any():
            self.families_.append(np.where(live, family, NONE))
            self.coefficients.append(np.where(live, coefficients, 0.0))

    def _pool(self, position: int, kind: int) -> Pool:
        one = self.positions.entries[position]
        offer: ContractOffer = self.roadmap.offers[one.offer]
        place = self.roadmap.places[one.site]
        return Pool(
            kind=kind,
            interruptible=self.by_grade and offer.interruptible,
            single_tenant=self.by_tenant and (offer.single_tenant or offer.form == "owned"),
            confidential=self.by_secrecy and (offer.confidential or offer.form == "owned"),
            region=place.region if self.by_region else "",
            site=one.site if self.by_site else NONE,
        )

    def _pools(self) -> Ints:
        """[P, D] the pool that each step feeds."""
        found = np.full(self.positions.offsets.shape, NONE)
        for position, one in enumerate(self.positions.entries):
            if one.power:
                continue
            for step, (_, kind, *_) in enumerate(one.steps):
                pool = self._pool(position, kind)
                found[position, step] = self.pools.setdefault(pool, len(self.pools))
            self.pools.setdefault(self._pool(position, one.kind), len(self.pools))
        return found

    def _sites(self, unit: Numbers) -> tuple[int, tuple[int, ...]]:
        """Megawatts drawn at sites whose power is limited, by what is installed there."""
        sites = tuple(
            n
            for n, place in enumerate(self.roadmap.places)
            if place.energised is not None or any(one.site == place.id for one in self.roadmap.power)
        )
        first, index = self.count, np.full(len(self.roadmap.places), NONE)
        index[list(sites)] = first + np.arange(len(sites))
        drawn = np.array([
            [facility_power_w(chip.power_w, place.pue) / MEGAWATT_W for chip in self.roadmap.chips]
            for place in self.roadmap.places
        ])  # fmt: skip
        family = np.where(self.positions.power, NONE, index[self.positions.site])
        per_step = drawn[self.positions.site[:, None], np.maximum(self.positions.kinds, 0)]
        self._join(np.broadcast_to(family[:, None], unit.shape), unit * per_step)
        self.count += len(sites)
        self.sites = sites
        return first, sites

    def _supply(self) -> int:
        """Megawatts that signed phases and colocation bring to those sites."""
        first, index = self.count, np.full(len(self.roadmap.places), NONE)
        index[list(self.sites)] = first + np.arange(len(self.sites))
        family = np.where(self.positions.power, index[self.positions.site], NONE)
        offers = len(self.roadmap.offers)
        block = np.array([
            self.roadmap.power[one.offer - offers].block_w / MEGAWATT_W if one.power else 0.0
            for one in self.positions.entries
        ])  # fmt: skip
        self._join(
            np.broadcast_to(family[:, None], self.positions.shares.shape),
            self.positions.shares * block[:, None],
        )
        self.count += len(self.sites) if self.roadmap.power else 0
        return first

    def _equivalents(self, unit: Numbers) -> Numbers:
        worth = np.array([chip.equivalents_per_gpu for chip in self.roadmap.chips])
        of_step = worth[np.maximum(self.positions.kinds, 0)]
        return np.asarray(unit * of_step * self.positions.delivered[:, None])

    def _providers(self, unit: Numbers) -> tuple[int, tuple[str, ...]]:
        """Reference accelerators by provider, where a limit or the loss of one is looked at."""
        asked = self.roadmap.limits.provider_frac is not None or any(
            one.survive_frac for one in self.demand.work
        )
        needed = asked or bool(self.roadmap.limits.supplier_frac)
        compute = [one for one in self.positions.entries if not one.power]
        names = tuple(dict.fromkeys(one.provider for one in compute)) if needed else ()
        first, numbered = self.count, {name: self.count + n for n, name in enumerate(names)}
        family = np.array([
            NONE if one.power else numbered.get(one.provider, NONE) for one in self.positions.entries
        ])  # fmt: skip
        self._join(np.broadcast_to(family[:, None], unit.shape), self._equivalents(unit))
        self.count += len(names)
        return first, names

    def _suppliers(self, unit: Numbers) -> tuple[int, tuple[str, ...]]:
        """The same by what stands behind the providers."""
        first, names = self.count, tuple(self.roadmap.limits.supplier_frac)
        for number, name in enumerate(names):
            behind = np.array([
                not one.power and name in self.roadmap.offers[one.offer].suppliers
                for one in self.positions.entries
            ])  # fmt: skip
            family = np.where(behind, first + number, NONE)
            self._join(np.broadcast_to(family[:, None], unit.shape), self._equivalents(unit))
        self.count += len(names)
        return first, names

    def _offers(self, unit: Numbers) -> tuple[int, tuple[int, ...]]:
        """Accelerators (or blocks of power) under one offer, where it says how many there are at most."""
        offers = self.roadmap.offers
        capped = [n for n, offer in enumerate(offers) if offer.most_accelerators is not None]
        capped += [len(offers) + n for n in range(len(self.roadmap.power))]
        first, index = self.count, np.full(len(offers) + len(self.roadmap.power), NONE)
        index[capped] = first + np.arange(len(capped))
        # What is swapped stays under contract; only the first and the last step of a position count.
        self._join(np.broadcast_to(index[self.positions.offer][:, None], unit.shape), unit)
        self.count += len(capped)
        return first, tuple(capped)
