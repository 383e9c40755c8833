"""What capacity of one's own costs: a megawatt a year, an hour of an accelerator, a million tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gigawatt.domain.ownership import RANGED, Asset, AssetCost, Ownership, OwnershipCost
from gigawatt.domain.record import Provenance, Record
from gigawatt.laws.finance import (
    MEGAWATT_W,
    YEAR_H,
    capital_usd_per_year,
    energy_cost_usd,
    token_usd_per_million_output_tokens,
)
from gigawatt.laws.power import energy_j, facility_power_w
from gigawatt.laws.progress import YEAR_S
from gigawatt.units import format_quantity, suffix_of


def cost_of_ownership(money: Ownership) -> OwnershipCost:
    """Costs of a megawatt of IT, with capital repaid over each asset's life."""
    assets = tuple(_asset_cost(asset, money.discount_frac) for asset in money.assets)
    hour = hour_usd_per_gpu_h(money)
    tokens = money.per_gpu_tokens_per_s
    return OwnershipCost(
        megawatt_capex_usd=sum(one.capex_usd for one in assets),
        megawatt_usd_per_year=megawatt_usd_per_year(money),
        energy_usd_per_year=MEGAWATT_W * watt_energy_usd_per_year(money),
        upkeep_usd_per_year=sum(one.upkeep_usd_per_year for one in assets),
        assets=assets,
        hour_usd_per_gpu_h=hour,
        tokens_usd_per_million_output_tokens=(
            float(token_usd_per_million_output_tokens(hour, tokens)) if tokens else None
        ),
        assumptions=dict(_assumptions(money)),
    )


def watt_energy_usd_per_year(money: Ownership) -> float:
    """Energy of a watt of IT, with what its halls take."""
    drawn_w = facility_power_w(money.load_frac, money.pue)
    return float(energy_cost_usd(energy_j(drawn_w, YEAR_S), money.power_price_usd_per_mwh))


def megawatt_usd_per_year(money: Ownership) -> float:
    """Everything that a megawatt of IT costs a year."""
    assets = [_asset_cost(asset, money.discount_frac) for asset in money.assets]
    owned_usd = sum(one.capital_usd_per_year + one.upkeep_usd_per_year for one in assets)
    return owned_usd + MEGAWATT_W * watt_energy_usd_per_year(money)


def hour_usd_per_gpu_h(money: Ownership) -> float:
    """The same by the accelerator and hour in use."""
    num_accelerators = MEGAWATT_W / money.accelerator_w
    return megawatt_usd_per_year(money) / (num_accelerators * YEAR_H * money.utilisation_frac)


def _asset_cost(asset: Asset, discount_frac: float) -> AssetCost:
    capex_usd = MEGAWATT_W * asset.capex_usd_per_w
    years = asset.life_s / YEAR_S
    return AssetCost(
        id=asset.id,
        capex_usd=capex_usd,
        capital_usd_per_year=float(
            capital_usd_per_year(capex_usd, asset.residual_frac, discount_frac, years)
        ),
        upkeep_usd_per_year=capex_usd * asset.upkeep_frac,
    )


@dataclass(frozen=True, slots=True)
class Variant:
    """One figure at its low and its high end."""

    name: str
    texts: tuple[str, str]
    ends: tuple[Ownership, Ownership]


def variants(money: Ownership) -> Iterator[Variant]:
    """Everything that has a range, one figure at a time."""
    for name in RANGED:
        if (ends := _ends(money, name)) is not None:
            low, high = (money.model_copy(update={name: end}) for end in ends)
            yield Variant(name, _texts(name, ends), (low, high))
    for number, asset in enumerate(money.assets):
        for name in ("capex_usd_per_w", "life_s"):
            if (ends := _ends(asset, name)) is not None:
                low, high = (_with_asset(money, number, {name: end}) for end in ends)
                yield Variant(f"{asset.id}: {name}", _texts(name, ends), (low, high))


def _ends(record: Record, name: str) -> tuple[float, float] | None:
    low, high = (getattr(record, f"{end}_{name}") for end in ("low", "high"))
    return None if low is None or high is None else (low, high)


def _with_asset(money: Ownership, number: int, change: dict[str, float]) -> Ownership:
    assets = list(money.assets)
    assets[number] = assets[number].model_copy(update=change)
    return money.model_copy(update={"assets": tuple(assets)})


def _texts(name: str, ends: tuple[float, float]) -> tuple[str, str]:
    suffix = suffix_of(name)
    low, high = (format_quantity(end, suffix) if suffix else f"{end:g}" for end in ends)
    return low, high


def _assumptions(money: Ownership) -> Iterator[tuple[str, Provenance]]:
    for name, origin in money.provenance.items():
        yield name, origin
    for asset in money.assets:
        for name, origin in asset.provenance.items():
            yield f"{asset.id}.{name}", origin
