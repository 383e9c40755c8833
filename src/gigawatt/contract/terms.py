"""Every offer, tier and right as positions: what a unit of it delivers and costs by month since its
signature.

A position is one offer at one tier, for one kind at one site. A right (to cancel, renew or swap) is a
position too: it changes what its parent delivers and costs, and may be taken up to the parent's volume.
Capacity and payments change by steps; `offsets` say when, in months since the signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gigawatt.domain.portfolio import ContractOffer, PowerOffer, Roadmap, month_index
from gigawatt.laws.finance import HOUR_S, MONTH_H, energy_cost_usd
from gigawatt.laws.power import energy_j, facility_power_w
from gigawatt.laws.reliability import daly_interval_s, renewal_ettr_frac

Numbers = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
NONE = -1
FAR = 2**14


class Step(NamedTuple):
    """From `offset` months after the signature on, so much more (or less, where negative) for each
    accelerator.
    """

    offset: int
    kind: int
    share: float
    pay_usd: float
    """By the month, before the list moves."""
    run_usd: float
    """By the month: power of one's own hardware."""


@dataclass(frozen=True)
class Entry:
    """One position, before all are put into arrays."""

    label: str
    offer: int
    provider: str
    kind: int
    site: int
    unit: float
    whole: bool
    first: int
    last: int
    steps: tuple[Step, ...]
    spend_usd: tuple[float, ...] = ()
    """By month since the signature."""
    capex_usd: float = 0.0
    delivery: int = 0
    """Months from signature to capacity."""
    life: int = 0
    fee_usd: float = 0.0
    """Once, at `fee_offset`: a cancellation's."""
    fee_offset: int = 0
    parent: int = NONE
    decide: int = 0
    """Months from the parent's signature to the choice."""
    prepay_frac: float = 0.0
    saved_frac: float = 1.0
    """Share of the steps' payments that is still open to be saved or owed: not prepaid."""
    least: float = 0.0
    most: float = np.inf
    delivered: float = 1.0
    locked: bool = True
    takes: float = 1.0
    power: bool = False
    tier: int = 0


def delivered_frac(offer: ContractOffer) -> float:
    """Share of the paid hours that does work: availability, and what interruptions leave by closed form."""
    if offer.goodput_frac is not None:
        return offer.goodput_frac
    if not offer.interruptions_per_s:
        return offer.availability_frac
    interval_s = daly_interval_s(offer.checkpoint_s, 1.0 / offer.interruptions_per_s)
    kept = renewal_ettr_frac(offer.interruptions_per_s, interval_s, offer.checkpoint_s, offer.restart_s, 0.0)
    return offer.availability_frac * float(kept)


def credited_frac(offer: ContractOffer) -> float:
    """Share of the price that is paid after credits for a service level that is missed."""
    level = offer.service_level
    missed = level is not None and offer.availability_frac < level.availability_frac
    return 1.0 - level.credit_frac if level is not None and missed else 1.0


def entries_of(roadmap: Roadmap) -> list[Entry]:
    """Every position of every offer; rights stand after their parents."""
    entries: list[Entry] = []
    for number, offer in enumerate(roadmap.offers):
        for entry in _offer_entries(roadmap, number, offer):
            parent = len(entries)
            entries.append(entry)
            entries.extend(_rights(roadmap, offer, entry, parent))
    for number, power in enumerate(roadmap.power, start=len(roadmap.offers)):
        entries.append(_power_entry(roadmap, number, power))
    return entries


def _window(roadmap: Roadmap, since: str | None, until: str | None, lead: int) -> tuple[int, int]:
    """First and last month of signature; capacity has to arrive within the horizon."""
    begin = month_index(roadmap.start)
    first = 0 if since is None else max(0, month_index(since) - begin)
    last = roadmap.months - 1 if until is None else month_index(until) - begin
    return first, min(last, roadmap.months - 1 - lead)


def _offer_entries(roadmap: Roadmap, number: int, offer: ContractOffer) -> Iterator[Entry]:
    kinds = {chip.id: n for n, chip in enumerate(roadmap.chips)}
    sites = {place.id: n for n, place in enumerate(roadmap.places)}
    bands = _tier_bands(offer)
    for (tier, band), kind, site in product(enumerate(bands), offer.kinds, offer.sites):
        yield _offer_entry(roadmap, number, offer, (kinds[kind], sites[site]), tier, band)


def _tier_bands(offer: ContractOffer) -> list[tuple[float, float, float]]:
    """Least and most in one signature, and the discount, of each tier."""
    floors = [float(offer.least_accelerators), *(float(tier.accelerators) for tier in offer.tiers), np.inf]
    discounts = [0.0, *(tier.discount_frac for tier in offer.tiers)]
    bands = [(low, high, discount) for (low, high), discount in zip(pairwise(floors), discounts, strict=True)]
    return [band for band in bands if band[1] > band[0]]


def _offer_entry(
    roadmap: Roadmap,
    number: int,
    offer: ContractOffer,
    where: tuple[int, int],
    tier: int,
    band: tuple[float, float, float],
) -> Entry:
    kind, site = where
    chip, place = roadmap.chips[kind], roadmap.places[site]
    price = (1.0 - band[2]) * (1.0 + offer.site_change_frac.get(place.id, 0.0))
    capex = (offer.capex_usd or {}).get(chip.id, 0.0) * price
    rent = (offer.price_usd_per_gpu_h or {}).get(chip.id, 0.0) * price * MONTH_H * credited_frac(offer)
    first, last = _window(roadmap, offer.sign_from, offer.sign_until, offer.lead_months)
    run = _power_usd(roadmap, kind, site) if offer.form == "owned" else 0.0
    if month_index(chip.available_from) > month_index(roadmap.start):
        first = max(first, month_index(chip.available_from) - month_index(roadmap.start) - offer.lead_months)
    return Entry(
        label=f"tier {int(band[0])}" if tier else "",
        offer=number,
        provider=offer.provider,
        kind=kind,
        site=site,
        unit=float(offer.block_accelerators),
        whole=offer.whole_blocks,
        first=first,
        last=last,
        steps=tuple(_volume_steps(offer, kind, rent * offer.take_frac, run)),
        spend_usd=tuple(share * capex for share in offer.spend_frac) if capex else (),
        capex_usd=capex,
        delivery=offer.lead_months,
        life=offer.term_months,
        prepay_frac=offer.prepay_frac,
        least=band[0],
        most=band[1],
        delivered=delivered_frac(offer),
        locked=offer.price_locked,
        takes=offer.take_frac,
        tier=tier,
    )


def _volume_steps(offer: ContractOffer, kind: int, pay_usd: float, run_usd: float) -> Iterator[Step]:
    """The ramp up, and the end."""
    before = 0.0
    for month, share in enumerate(offer.ramp_frac[: offer.term_months]):
        more = share - before
        if more:
            yield Step(offer.lead_months + month, kind, more, pay_usd * more, run_usd * more)
        before = share
    yield Step(offer.lead_months + offer.term_months, kind, -before, -pay_usd * before, -run_usd * before)


def _power_usd(roadmap: Roadmap, kind: int, site: int) -> float:
    """What the power of one accelerator costs by the month."""
    place = roadmap.places[site]
    drawn_w = facility_power_w(roadmap.chips[kind].power_w, place.pue)
    return float(energy_cost_usd(energy_j(drawn_w, MONTH_H * HOUR_S), place.power_price_usd_per_mwh))


def _rights(roadmap: Roadmap, offer: ContractOffer, parent: Entry, number: int) -> Iterator[Entry]:
    """What may be done with a signed contract later."""
    full = [step for step in parent.steps if step.share > 0]
    pay, run = sum(step.pay_usd for step in full), sum(step.run_usd for step in full)
    end = offer.lead_months + offer.term_months
    keeps = {
        "offer": parent.offer, "provider": parent.provider, "kind": parent.kind, "site": parent.site,
        "unit": parent.unit, "whole": parent.whole, "first": parent.first, "last": parent.last,
        "parent": number, "delivered": parent.delivered, "locked": parent.locked,
        "saved_frac": 1.0 - offer.prepay_frac,
    }  # fmt: skip
    steps: tuple[Step, ...]
    if offer.cancel:
        right = offer.cancel
        for month in range(right.after_months, offer.term_months, right.every_months):
            at = offer.lead_months + month
            steps = (Step(at, parent.kind, -1.0, -pay, -run), Step(end, parent.kind, 1.0, pay, run))
            fee = right.fee_frac * pay * (offer.term_months - month)
            yield Entry(**keeps, label=f"cancel {month}", steps=steps, fee_usd=fee, fee_offset=at, decide=at)  # type: ignore[arg-type]
    if offer.renew:
        again, changed = end + offer.renew.months, pay * (1.0 + offer.renew.price_change_frac)
        steps = (Step(end, parent.kind, 1.0, changed, run), Step(again, parent.kind, -1.0, -changed, -run))
        yield Entry(**keeps, label="renew", steps=steps, decide=end)  # type: ignore[arg-type]
    if offer.swap:
        to = next(n for n, chip in enumerate(roadmap.chips) if chip.id == offer.swap.to)
        at, changed = offer.lead_months + offer.swap.after_months, pay * (1.0 + offer.swap.price_change_frac)
        run_to = _power_usd(roadmap, to, parent.site) if offer.form == "owned" else 0.0
        steps = (
            Step(at, parent.kind, -1.0, -pay, -run), Step(at, to, 1.0, changed, run_to),
            Step(end, to, -1.0, -changed, -run_to), Step(end, parent.kind, 1.0, pay, run),
        )  # fmt: skip
        yield Entry(**keeps, label=f"swap {offer.swap.to}", steps=steps, decide=at)  # type: ignore[arg-type]


def _power_entry(roadmap: Roadmap, number: int, power: PowerOffer) -> Entry:
    first, last = _window(roadmap, power.sign_from, power.sign_until, power.lead_months)
    capex = (power.capex_usd_per_w or 0.0) * power.block_w
    rent = ((power.rent_usd_per_w_month or 0.0) + power.upkeep_usd_per_w_month) * power.block_w
    end = power.lead_months + power.term_months
    return Entry(
        label="",
        offer=number,
        provider=power.provider,
        kind=NONE,
        site=next(n for n, place in enumerate(roadmap.places) if place.id == power.site),
        unit=1.0,
        whole=True,
        first=first,
        last=last,
        steps=(Step(power.lead_months, NONE, 1.0, rent, 0.0), Step(end, NONE, -1.0, -rent, 0.0)),
        spend_usd=tuple(share * capex for share in power.spend_frac) if capex else (),
        capex_usd=capex,
        delivery=power.lead_months,
        life=power.term_months,
        most=float(power.most_blocks),
        power=True,
    )


@dataclass(frozen=True)
class Positions:
    """All positions as arrays: `P` positions, at most `D` steps each."""

    entries: tuple[Entry, ...]
    offer: Ints
    kind: Ints
    site: Ints
    parent: Ints
    decide: Ints
    first: Ints
    last: Ints
    unit: Numbers
    """[P] accelerators in one unit; power comes in blocks."""
    whole: Flags
    delivered: Numbers
    power: Flags
    offsets: Ints
    """[P, D] months after signature; FAR where there is no such step."""
    kinds: Ints
    """[P, D]"""
    shares: Numbers
    pay_usd: Numbers
    """[P, D] by the month for one accelerator (for power: for one block)."""
    run_usd: Numbers
    locked: Flags
    saved: Numbers
    """[P] share of payments that is due month by month."""
    prepay: Numbers
    fee_usd: Numbers
    fee_offset: Ints
    spend_usd: Numbers
    """[P, S] for one accelerator, by month since signature."""
    resale: Numbers = field(repr=False)
    """[P, months + 1] share of the capital that hardware of that age fetches."""
    capex_usd: Numbers
    delivery: Ints
    life: Ints

    def __len__(self) -> int:
        return len(self.entries)


def positions_of(roadmap: Roadmap, entries: Sequence[Entry] | None = None) -> Positions:
    """Everything that can be signed, as arrays."""
    found = tuple(entries_of(roadmap) if entries is None else entries)
    steps = [one.steps for one in found]
    depth, spans = max(map(len, steps)), max(1, *(len(one.spend_usd) for one in found), 1)

    def padded(name: str, empty: float) -> Numbers:
        rows = [[getattr(step, name) for step in row] + [empty] * (depth - len(row)) for row in steps]
        return np.array(rows, dtype=float)

    def column(name: str) -> NDArray[np.generic]:
        return np.array([getattr(one, name) for one in found])

    return Positions(
        entries=found,
        **{name: column(name).astype(np.int64) for name in _WHOLE},  # type: ignore[arg-type]
        **{name: column(name).astype(float) for name in _REAL},
        **{name: column(name).astype(bool) for name in ("whole", "power", "locked")},
        saved=np.array([one.saved_frac * (1.0 - one.prepay_frac) for one in found]),
        prepay=column("prepay_frac").astype(float),
        offsets=padded("offset", FAR).astype(np.int64),
        kinds=padded("kind", NONE).astype(np.int64),
        shares=padded("share", 0.0),
        pay_usd=padded("pay_usd", 0.0),
        run_usd=padded("run_usd", 0.0),
        spend_usd=np.array([[*one.spend_usd, *[0.0] * (spans - len(one.spend_usd))] for one in found]),
        resale=_resale(roadmap, found),
    )


_WHOLE = ("offer", "kind", "site", "parent", "decide", "first", "last", "fee_offset", "delivery", "life")
_REAL = ("unit", "delivered", "fee_usd", "capex_usd")


def _resale(roadmap: Roadmap, found: Sequence[Entry]) -> Numbers:
    """Share of the capital by age in months: of hardware as its kind sells, of buildings evenly over their
    life.
    """
    ages = np.arange(roadmap.months + 1)
    kinds = [
        np.interp(ages / 12, np.arange(len(chip.resale_frac)), chip.resale_frac) for chip in roadmap.chips
    ]
    rows = [np.maximum(0.0, 1.0 - ages / max(one.life, 1)) if one.power else kinds[one.kind] for one in found]
    return np.array(rows)
