"""The grid of an energy site in a PyPSA network: market, contracts, charges on peaks, and what is fed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gigawatt.contract.energy_hours import Hours
from gigawatt.contract.energy_program import Megawatts, Values
from gigawatt.contract.energy_tariff import MW_W, energy_usd_per_mwh, grid_kgco2_per_mwh, grid_up
from gigawatt.domain.energy import MONTHS, DemandCharge, EnergySite, PowerPurchase, Tariff
from gigawatt.exports.pypsa_network import CAMPUS, GRID, TONNE_KG, Network

_CARBON_FREE = 1e-9
"""Of the highest intensity: what stands for none, where one is divided by it."""


@dataclass
class GridWriter:
    """Puts the grid into a network."""

    site: EnergySite
    tariff: Tariff
    hours: Hours
    network: Network
    load: Values
    """[hours] MW."""
    notes: list[str]

    def write(self) -> None:
        """All of it; nothing without a grid."""
        site, hours, tariff = self.site, self.hours, self.tariff
        if site.grid is None:
            return
        limit = site.grid.limit_w / MW_W
        up = grid_up(site, hours)
        price = hours.joined("price_usd_per_mwh")
        carbon = grid_kgco2_per_mwh(site, hours)
        market = (price if tariff.wholesale else 0.0) + site.carbon.usd_per_kgco2 * carbon
        delivery = energy_usd_per_mwh(tariff, hours)
        apart = bool(site.purchases or tariff.demand)
        self.network.add("carriers", GRID, **self._grid_carrier(carbon))
        if apart:
            self.network.add("buses", GRID)
        self.network.add(
            "generators", GRID, bus=GRID if apart else CAMPUS, carrier=GRID, p_nom=limit, p_max_pu=up,
            marginal_cost=market + (0.0 if apart else delivery), efficiency=self._grid_efficiency(carbon),
        )  # fmt: skip
        if apart:
            self._line(limit, tariff, delivery)
        for purchase in site.purchases:
            self._purchase(purchase, up, price)
        self._feed_in(price, up)
        if tariff.fixed_usd_per_year:
            self.notes.append(
                f"The tariff's fixed {tariff.fixed_usd_per_year:,.2f} USD a year are not in the network's "
                "objective: add them."
            )

    def _line(self, limit: Megawatts, tariff: Tariff, delivery: Values) -> None:
        """From the grid to the campus, through a stage for each charge on peaks."""
        ways = [GRID, *(f"billed {number}" for number in range(1, len(tariff.demand) + 1))]
        for number, charge in enumerate(tariff.demand, 1):
            self.network.add("buses", ways[number])
            self._stage(charge, number, ways[number - 1], ways[number], limit, tariff.hours_from_utc)
        self.network.add("links", "delivery", bus0=ways[-1], bus1=CAMPUS, p_nom=limit, marginal_cost=delivery)

    def _stage(
        self, charge: DemandCharge, number: int, source: str, sink: str, limit: Megawatts, clock: int
    ) -> None:
        """A link for each month, whose size is that month's peak, and a free one for all other hours."""
        hours = self.hours
        inside = hours.within(charge, clock)
        month = hours.month(clock) - 1 + len(MONTHS) * hours.year
        total = sum(year.weight_frac for year in hours.years)
        for one in np.unique(month[inside]):
            year, of_year = divmod(int(one), len(MONTHS))
            weight = hours.years[year].weight_frac / total
            self.network.add(
                "links",
                f"peak {number}, month {of_year + 1}"
                + (f", year {year + 1}" if len(hours.years) > 1 else ""),
                bus0=source,
                bus1=sink,
                p_nom_extendable=True,
                p_nom_max=limit,
                p_max_pu=(inside & (month == one)).astype(float),
                capital_cost=charge.usd_per_w_month * MW_W * weight,
            )
        if not inside.all():
            free = (~inside).astype(float)
            self.network.add(
                "links", f"peak {number}, other hours", bus0=source, bus1=sink, p_nom=limit, p_max_pu=free
            )
        if charge.ratchet_frac:
            self.notes.append(
                f"Charge {number} on peaks bills at least {charge.ratchet_frac:.0%} of the year's highest in "
                "every month: PyPSA cannot tie one size to another, so that is left out, and the network "
                "costs less."
            )

    def _purchase(self, purchase: PowerPurchase, up: Values, price: Values) -> None:
        """A plant that must run, a sink beside it that resells, and the way to the grid."""
        hours, name = self.hours, purchase.name
        profile = self.load / self.load.mean()
        if purchase.shape == "baseload":
            profile = np.ones_like(self.load)
        elif purchase.source is not None:
            profile = np.clip(hours.joined(f"{purchase.source}_frac"), 0.0, 1.0)
        arriving = profile * up
        limit = purchase.limit_w / MW_W
        self.network.add("carriers", name, clean=1.0)
        self.network.add("carriers", f"{name}, resold")
        self.network.add("buses", name)
        self.network.add(
            "generators", name, bus=name, carrier=name, p_nom_extendable=True, p_nom_max=limit,
            p_min_pu=arriving, p_max_pu=arriving,
            capital_cost=purchase.usd_per_mwh * float(hours.weight_frac @ profile),
        )  # fmt: skip
        most = limit * max(1.0, float(arriving.max()))
        earned = purchase.resale_frac * np.maximum(price, 0.0)
        self.network.add(
            "generators", f"{name}, resold", bus=name, carrier=f"{name}, resold", p_nom=most, p_min_pu=-1.0,
            p_max_pu=0.0, marginal_cost=earned,
        )  # fmt: skip
        self.network.add("links", f"{name}, delivered", bus0=name, bus1=GRID, p_nom=most)

    def _feed_in(self, price: Values, up: Values) -> None:
        grid = self.site.grid
        if grid is None or not grid.feed_in_w:
            return
        self.network.add("carriers", "fed in")
        self.network.add(
            "generators", "fed in", bus=CAMPUS, carrier="fed in", p_nom=grid.feed_in_w / MW_W, p_min_pu=-up,
            p_max_pu=0.0, marginal_cost=price - grid.feed_in_fee_usd_per_mwh,
        )  # fmt: skip

    @property
    def _counts_grid_carbon(self) -> bool:
        """Whether the grid's efficiency is used up for its carbon."""
        return self.site.carbon.hourly_frac is None or self.site.carbon.cap_kgco2_per_mwh is not None

    def _grid_carrier(self, carbon: Values) -> dict[str, float]:
        if self._counts_grid_carbon:
            return {"co2_emissions": float(np.abs(carbon).max()) / TONNE_KG}
        return {"not_clean": 1.0}

    def _grid_efficiency(self, carbon: Values) -> Values | float:
        """The one attribute by which emissions of a MWh can differ from hour to hour."""
        highest = float(np.abs(carbon).max())
        if not self._counts_grid_carbon or not highest:
            return 1.0
        self.notes.append(
            "The grid's efficiency is none: it is the carbon of its carrier over that of the hour, so that "
            "PyPSA's sum of emissions holds for every hour."
        )
        share = carbon / highest
        return 1.0 / np.where(np.abs(share) < _CARBON_FREE, _CARBON_FREE, share)
