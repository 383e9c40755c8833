"""An energy site as a PyPSA network, in its folder of CSV files: what PyPSA optimises to the same cost.

Each hour of the site is a snapshot. What is built is extendable, at the cost of a year (`capital_cost`); a
charge on peaks is a row of links, one for each month; a contract is a plant that must run, with a sink beside
it that resells. PyPSA counts emissions by primary energy: hourly carbon of the grid goes into the grid's
hourly `efficiency`. What cannot be said is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gigawatt.contract.energy_hours import Hours, Stamps, YearOfHours, joined_hours
from gigawatt.contract.energy_model import load_mw, plant_profile, running_usd_per_mwh, yearly_frac
from gigawatt.contract.energy_program import Megawatts, Values
from gigawatt.contract.energy_tariff import MW_W
from gigawatt.domain.energy import BuildOption, EnergySite, EnergyTechnology, Tariff
from gigawatt.exports.pypsa_grid import GridWriter
from gigawatt.exports.pypsa_network import CAMPUS, TONNE_KG, Network
from gigawatt.laws.finance import HOUR_S
from gigawatt.laws.power import MWH_J

NOTES = "notes.txt"


@dataclass(frozen=True, slots=True)
class PypsaFolder:
    """The files of a network, and what is to be known of it."""

    files: Mapping[str, Iterable[str]]
    notes: tuple[str, ...]
    """What differs from the site, in words."""
    constant_usd: float
    """A year: what the site's cost holds and the network's objective does not."""


def write_pypsa(
    site: EnergySite,
    technologies: Mapping[str, EnergyTechnology],
    tariff: Tariff | None,
    years: Sequence[YearOfHours],
    remarks: Sequence[str] = (),
) -> PypsaFolder:
    """A site with what it names, as a network and a file of notes beside it, `remarks` among them."""
    hours = joined_hours(years)
    network = Network(site.title, _stamps(hours), hours.weight_frac)
    writing = _Writing(site, tariff, hours, network, load_mw(site.load, hours))
    writing.write(technologies)
    notes = (*writing.notes, *remarks)
    constant_usd = tariff.fixed_usd_per_year if tariff else 0.0
    return PypsaFolder(network.files() | {NOTES: [f"{note}\n" for note in notes]}, notes, constant_usd)


def _stamps(hours: Hours) -> Stamps:
    """Every hour once: those of further years after those of the first."""
    stamps: list[Stamps] = [hours.years[0].stamps]
    for year in hours.years[1:]:
        stamps.append(year.stamps - year.stamps[0] + stamps[-1][-1] + np.timedelta64(1, "h"))
    return np.concatenate(stamps)


@dataclass
class _Writing:
    """The network in the making."""

    site: EnergySite
    tariff: Tariff | None
    hours: Hours
    network: Network
    load: Values
    """[hours] MW."""
    notes: list[str] = field(default_factory=list)

    def write(self, technologies: Mapping[str, EnergyTechnology]) -> None:
        """Everything."""
        self.notes.append(
            f"Money is in USD of {self.site.price_year}, power in MW, energy in MWh, emissions in tonnes; "
            "capital_cost is that of a year."
        )
        self.network.add("buses", CAMPUS)
        self.network.add("loads", "load", bus=CAMPUS, p_set=self.load)
        for option in self.site.build:
            technology = technologies[option.technology]
            write = self._storage if technology.kind == "storage" else self._plant
            write(option, technology)
        self._flexibility()
        if self.tariff is not None:
            GridWriter(self.site, self.tariff, self.hours, self.network, self.load, self.notes).write()
        self._carbon()
        if len(self.hours.years) > 1:
            self.notes.append(
                "The years stand one after the other, weighted: stores end all of them, not each of them, as "
                "full as they began."
            )

    def _carrier(self, name: str, **attributes: float) -> None:
        self.network.add("carriers", name, **attributes)

    def _plant(self, option: BuildOption, technology: EnergyTechnology) -> None:
        name, clean = option.label, technology.kind != "dispatchable"
        burnt = 1.0 if clean else technology.efficiency_frac
        self._carrier(
            name,
            co2_emissions=technology.fuel_kgco2_per_mwh / TONNE_KG,
            clean=float(clean),
            not_clean=0.0 if clean else burnt,
        )
        profile = plant_profile(option, technology, self.hours)
        common = {
            "bus": CAMPUS,
            "carrier": name,
            "p_max_pu": profile,
            "efficiency": burnt,
            "marginal_cost": running_usd_per_mwh(technology, self.site.carbon.usd_per_kgco2),
        }
        limit = np.inf if option.limit_w is None else option.limit_w / MW_W
        if limit > 0:
            yearly_usd = technology.capex_usd_per_w * MW_W * yearly_frac(technology, self.site.discount_frac)
            self.network.add(
                "generators", name, p_nom_extendable=True, p_nom_max=limit, capital_cost=yearly_usd,
                lifetime=technology.life_years, **common,
            )  # fmt: skip
        existing = option.existing_w / MW_W
        if existing:
            standing = name if limit <= 0 else f"{name}, existing"
            most = np.inf if technology.most_hours is None else technology.most_hours * existing
            self.network.add("generators", standing, p_nom=existing, e_sum_max=most, **common)
        if technology.most_hours is not None and limit > 0:
            self.notes.append(
                f"{name}: at most {technology.most_hours:g} hours of full load in a year are left out for "
                "what is built: PyPSA bounds the energy of a plant, not that of each MW."
            )

    def _storage(self, option: BuildOption, technology: EnergyTechnology) -> None:
        annuity_frac = yearly_frac(technology, self.site.discount_frac)
        power_usd = technology.capex_usd_per_w * MW_W * annuity_frac
        energy_usd = (technology.energy_capex_usd_per_mwh or 0.0) * annuity_frac
        limits = {
            "p_nom_max": np.inf if option.limit_w is None else option.limit_w / MW_W,
            "e_nom_max": np.inf if option.limit_j is None else option.limit_j / MWH_J,
        }
        self._carrier(option.label)
        if technology.full_power_s is not None:
            self._one_piece(option.label, technology, power_usd, energy_usd, limits)
        else:
            self._two_pieces(option.label, technology, power_usd, energy_usd, limits)

    def _one_piece(
        self,
        name: str,
        technology: EnergyTechnology,
        power_usd: float,
        energy_usd: float,
        limits: Mapping[str, Megawatts],
    ) -> None:
        """Cells and inverter sized together: a storage unit."""
        assert technology.full_power_s is not None
        span, each_way = technology.full_power_s / HOUR_S, technology.efficiency_frac
        self.network.add(
            "storage_units",
            name,
            bus=CAMPUS,
            carrier=name,
            p_nom_extendable=True,
            p_nom_max=min(limits["p_nom_max"], limits["e_nom_max"] / span),
            max_hours=span,
            capital_cost=power_usd + span * energy_usd,
            # Paid for what goes in and for what comes out: per MWh out, the more by what is lost between.
            marginal_cost=technology.variable_usd_per_mwh * (1.0 + each_way**-2),
            efficiency_store=each_way,
            efficiency_dispatch=each_way,
            standing_loss=technology.standing_loss_frac,
            cyclic_state_of_charge=True,
            lifetime=technology.life_years,
        )
        if technology.standing_loss_frac and technology.variable_usd_per_mwh:
            self.notes.append(f"{name}: the wear of charging what stands and is lost is not in its cost.")

    def _two_pieces(
        self,
        name: str,
        technology: EnergyTechnology,
        power_usd: float,
        energy_usd: float,
        limits: Mapping[str, Megawatts],
    ) -> None:
        """An inverter both ways, then what is lost on the way in and out, then cells."""
        inside, cells = f"{name}, behind its inverter", f"{name}, cells"
        each_way, wear_usd = technology.efficiency_frac, technology.variable_usd_per_mwh
        self.network.add("buses", inside)
        self.network.add("buses", cells)
        self.network.add(
            "links", f"{name}, inverter", bus0=CAMPUS, bus1=inside, carrier=name, p_nom_extendable=True,
            p_nom_max=limits["p_nom_max"], p_min_pu=-1.0, capital_cost=power_usd,
            lifetime=technology.life_years,
        )  # fmt: skip
        ample = {"carrier": name, "p_nom": self._ample(), "efficiency": each_way}
        charging, giving = f"{name}, charging", f"{name}, giving"
        self.network.add("links", charging, bus0=inside, bus1=cells, marginal_cost=wear_usd, **ample)
        self.network.add("links", giving, bus0=cells, bus1=inside, marginal_cost=wear_usd * each_way, **ample)
        self.network.add(
            "stores", name, bus=cells, carrier=name, e_nom_extendable=True, e_nom_max=limits["e_nom_max"],
            e_cyclic=True, capital_cost=energy_usd, standing_loss=technology.standing_loss_frac,
            lifetime=technology.life_years,
        )  # fmt: skip
        self.notes.append(
            f"{name}: the inverter bounds what goes in less what comes out, in the site each of them. That "
            "differs where it pays to burn power by doing both at once."
        )

    def _ample(self) -> Megawatts:
        """More than any plan moves in an hour."""
        grid = self.site.grid.limit_w / MW_W if self.site.grid else 0.0
        built = sum(option.existing_w for option in self.site.build) / MW_W
        return 10.0 * (float(self.load.max()) + grid + built)

    def _flexibility(self) -> None:
        """Load that is not served, dropped for a price, or put off."""
        load, peak = self.site.load, float(self.load.max())
        share = self.load / peak
        self._carrier("unserved")
        common = {"bus": CAMPUS, "p_nom": peak}
        self.network.add(
            "generators", "unserved", carrier="unserved", p_max_pu=share,
            marginal_cost=load.unserved_usd_per_mwh, **common,
        )  # fmt: skip
        if (curtail := load.curtailment) is not None:
            year = np.inf if curtail.year_frac is None else curtail.year_frac * self._load_mwh
            self._carrier("curtailed")
            self.network.add(
                "generators", "curtailed", carrier="curtailed", p_max_pu=curtail.most_frac * share,
                marginal_cost=curtail.usd_per_mwh, e_sum_max=year, **common,
            )  # fmt: skip
        if (shift := load.shifting) is not None:
            # What may still be put off is a store that putting off empties and catching up fills.
            self._carrier("shifted")
            self.network.add("buses", "shifted load")
            most = shift.most_frac * peak * shift.window_s / HOUR_S
            self.network.add(
                "stores", "shifted load", bus="shifted load", carrier="shifted", e_nom=most, e_cyclic=True
            )
            way = {"carrier": "shifted", "p_nom": peak}
            self.network.add(
                "links", "put off", bus0="shifted load", bus1=CAMPUS, p_max_pu=shift.most_frac * share, **way
            )
            self.network.add(
                "links", "caught up", bus0=CAMPUS, bus1="shifted load", p_max_pu=shift.catch_up_frac, **way
            )

    @property
    def _load_mwh(self) -> float:
        """Of an average year."""
        return float(self.hours.weight_frac @ self.load)

    def _carbon(self) -> None:
        """Limits on emissions and on what is not clean."""
        rules, load_mwh = self.site.carbon, self._load_mwh
        if rules.cap_kgco2_per_mwh is not None:
            self._limit("CO2 cap", "co2_emissions", "<=", rules.cap_kgco2_per_mwh * load_mwh / TONNE_KG)
        if rules.annual_frac is not None:
            self._limit("clean over the year", "clean", ">=", rules.annual_frac * load_mwh)
        if rules.hourly_frac is None:
            return
        if rules.cap_kgco2_per_mwh is not None and self.site.grid is not None:
            self.notes.append(
                f"hourly_frac, {rules.hourly_frac:.1%} of the load clean by the hour, is left out: the cap "
                "takes the one attribute by which PyPSA could count it."
            )
            return
        self._limit("clean by the hour", "not_clean", "<=", (1.0 - rules.hourly_frac) * load_mwh)

    def _limit(self, name: str, attribute: str, sense: str, constant: float) -> None:
        self.network.add(
            "global_constraints", name, type="primary_energy", carrier_attribute=attribute, sense=sense,
            constant=constant,
        )  # fmt: skip
