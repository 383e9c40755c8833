"""One signed contract as it is lived through: what stands in a month, and what is paid in it.

Written from the terms of the offer alone, one month at a time, so that it shares nothing with the arrays of
the program that it checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gigawatt.domain.portfolio import ContractOffer, Future, Place, PowerOffer, Roadmap, month_index
from gigawatt.domain.portfolio_plan import Signed
from gigawatt.laws.finance import HOUR_S, MONTH_H, energy_cost_usd
from gigawatt.laws.power import energy_j, facility_power_w
from gigawatt.laws.reliability import daly_interval_s, renewal_ettr_frac

Offer = ContractOffer | PowerOffer
MANY_MONTHS = 100_000


def unit_of(offer: Offer) -> float:
    """Accelerators in a block, or watts."""
    return float(offer.block_accelerators) if isinstance(offer, ContractOffer) else offer.block_w


def list_change(roadmap: Roadmap, offer: Offer, future: Future, month: int) -> float:
    """The list price of a month over the one that the offer states."""
    now = month_index(roadmap.start) + month
    factor = 1.0
    for step in offer.steps if isinstance(offer, ContractOffer) else ():
        if month_index(step.month) <= now:
            factor = 1.0 + step.change_frac
    for change in future.changes:
        if month_index(change.month) <= now and (not change.offers or offer.id in change.offers):
            factor *= 1.0 + change.price_change_frac
    return factor


def _discount(offer: ContractOffer, right: str) -> float:
    """Of the tier that a label such as "tier 512" names."""
    if not right.startswith("tier"):
        return 0.0
    floor = int(right.split()[1])
    return next(tier.discount_frac for tier in offer.tiers if tier.accelerators == floor)


def _stated_usd(offer: ContractOffer, tier: str, kind: str, site: str) -> float:
    """Rent of one accelerator for a month, credits and tier counted, at the list as stated."""
    price = (offer.price_usd_per_gpu_h or {}).get(kind, 0.0) * MONTH_H
    price *= (1.0 - _discount(offer, tier)) * (1.0 + offer.site_change_frac.get(site, 0.0))
    level = offer.service_level
    if level is not None and offer.availability_frac < level.availability_frac:
        price *= 1.0 - level.credit_frac
    return price


def list_price_usd(
    roadmap: Roadmap, offer_id: str, tier: str, kind: str, site: str, future: Future, month: int
) -> float:
    """The same, in a month of a future."""
    offer = next(one for one in roadmap.offers if one.id == offer_id)
    return _stated_usd(offer, tier, kind, site) * list_change(roadmap, offer, future, month)


def contracts_in(roadmap: Roadmap, signed: Iterable[Signed], future: Future) -> list[Contract]:
    """What is signed in a future, with its rights taken into account as further contracts."""
    offers: dict[str, Offer] = {one.id: one for one in roadmap.signable}
    places = {place.id: place for place in roadmap.places}
    return [
        Contract(roadmap, future, row, offers[row.offer], places[row.site])
        for row in signed
        if future.id in row.futures
    ]


@dataclass
class Contract:
    """One row of signatures in one future."""

    roadmap: Roadmap
    future: Future
    signed: Signed
    offer: Offer
    site: Place

    def __post_init__(self) -> None:
        begin = month_index(self.roadmap.start)
        self.month = month_index(self.signed.month) - begin
        self.kind = self.signed.kind
        self.provider = self.signed.provider
        right = self.signed.right
        self.tier = right if right.startswith("tier") else ""
        self.is_right = bool(right) and not self.tier
        self.arrives = self.month + self.offer.lead_months + self._slip()
        self.expires = self.arrives + self.offer.term_months
        self.lost = self._lost()
        self.ends = min(self.expires, self.roadmap.months)
        self.fee_usd = getattr(self.offer, "fee_usd", 0.0)
        self.by_use = isinstance(self.offer, ContractOffer) and self.offer.take_frac < 1
        self.delivered_frac = self._delivered() if isinstance(self.offer, ContractOffer) else 0.0
        owned = getattr(self.offer, "form", "") == "owned"
        self.owned = self.offer.form in ("owned", "build")
        self.single_tenant = owned or getattr(self.offer, "single_tenant", False)
        self.confidential = owned or getattr(self.offer, "confidential", False)
        self.suppliers: tuple[str, ...] = getattr(self.offer, "suppliers", ())

    def _slip(self) -> int:
        late = 0
        for change in self.future.changes:
            before = self.month < month_index(change.month) - month_index(self.roadmap.start)
            if isinstance(self.offer, PowerOffer) and change.delays(self.offer) and before:
                late = change.slip_months
        return late

    def _lost(self) -> int:
        since = [
            month_index(change.month) - month_index(self.roadmap.start)
            for change in self.future.changes
            if change.lost_provider and change.lost_provider == self.provider
        ]
        return min(since, default=MANY_MONTHS)

    def _delivered(self) -> float:
        offer = self.offer
        assert isinstance(offer, ContractOffer)
        if offer.goodput_frac is not None:
            return offer.goodput_frac
        if not offer.interruptions_per_s:
            return offer.availability_frac
        every_s = float(daly_interval_s(offer.checkpoint_s, 1.0 / offer.interruptions_per_s))
        kept = renewal_ettr_frac(offer.interruptions_per_s, every_s, offer.checkpoint_s, offer.restart_s, 0.0)
        return offer.availability_frac * float(kept)

    def _ramped(self, month: int) -> float:
        """Share of the volume that stands in a month of the plain contract."""
        if not self.arrives <= month < self.expires:
            return 0.0
        ramp = getattr(self.offer, "ramp_frac", (1.0,))
        return float(ramp[min(month - self.arrives, len(ramp) - 1)])

    def shares(self, month: int) -> dict[str, float]:
        """Share of the volume by kind; negative where a right gives it back."""
        if month >= self.lost:
            return {}
        if not self.is_right:
            return {self.kind: self._ramped(month)}
        word, _, rest = self.signed.right.partition(" ")
        offer = self.offer
        assert isinstance(offer, ContractOffer)
        if word == "cancel":
            gone = self.arrives + int(rest) <= month < self.expires
            return {self.kind: -1.0 if gone else 0.0}
        if word == "renew":
            assert offer.renew is not None
            on = self.expires <= month < self.expires + offer.renew.months
            return {self.kind: 1.0 if on else 0.0}
        assert offer.swap is not None
        swapped = self.arrives + offer.swap.after_months <= month < self.expires
        return {self.kind: -1.0, rest: 1.0} if swapped else {}

    def standing(self, month: int) -> dict[str, float]:
        """Accelerators by kind."""
        if isinstance(self.offer, PowerOffer):
            return {}
        return {kind: share * self.signed.num_accelerators for kind, share in self.shares(month).items()}

    def power_standing_w(self, month: int) -> float:
        """Power that this brings to its site."""
        if not isinstance(self.offer, PowerOffer) or month >= self.lost:
            return 0.0
        return self.signed.power_w * self._ramped(month)

    def count(self, month: int) -> float:
        """Accelerators (or blocks of power) under contract."""
        if isinstance(self.offer, PowerOffer):
            return self.power_standing_w(month) / self.offer.block_w
        return sum(self.standing(month).values())

    def payment_usd(self, month: int) -> float:
        """What is paid in a month."""
        if month >= self.lost:
            return 0.0
        offer = self.offer
        if isinstance(offer, PowerOffer):
            rent = (offer.rent_usd_per_w_month or 0.0) + offer.upkeep_usd_per_w_month
            due = rent * self._ramped(month) * self._list(self.month)
            return self.signed.power_w * (due + self._spent(month, offer.capex_usd_per_w or 0.0))
        return self.signed.num_accelerators * self._per_accelerator(offer, month)

    def capital_usd(self, month: int) -> float:
        """What of a month's payment is capital."""
        offer = self.offer
        if month >= self.lost:
            return 0.0
        if isinstance(offer, PowerOffer):
            return self.signed.power_w * self._spent(month, offer.capex_usd_per_w or 0.0)
        return self.signed.num_accelerators * self._spent(month, self._capex(offer))

    def prepaid_usd(self, month: int) -> float:
        """What of a month's payment is for later months."""
        offer = self.offer
        if month >= self.lost or month != self.month or isinstance(offer, PowerOffer) or self.is_right:
            return 0.0
        return sum(self._prepaid_for(offer, later) for later in range(self.roadmap.months))

    def used_up_usd(self, month: int) -> float:
        """What of a prepayment is for this month."""
        offer = self.offer
        if month >= self.lost or isinstance(offer, PowerOffer) or self.is_right:
            return 0.0
        return self._prepaid_for(offer, month)

    def _prepaid_for(self, offer: ContractOffer, month: int) -> float:
        rent = _stated_usd(offer, self.tier, self.kind, self.site.id) * offer.take_frac
        share = offer.prepay_frac * self._ramped(month) * self._list(self.month)
        return self.signed.num_accelerators * rent * share

    def _list(self, month: int) -> float:
        return list_change(self.roadmap, self.offer, self.future, month)

    def _spent(self, month: int, capex: float) -> float:
        """Capital due in a month."""
        since = month - self.month
        spend = getattr(self.offer, "spend_frac", (1.0,))
        if self.is_right or not 0 <= since < len(spend):
            return 0.0
        return capex * spend[since] * self._list(self.month)

    def owed_usd(self) -> float:
        """Capital that is still to be spent at the end of the horizon."""
        offer, months = self.offer, self.roadmap.months
        later = range(months, self.month + len(getattr(offer, "spend_frac", (1.0,))))
        if isinstance(offer, PowerOffer):
            return self.signed.power_w * sum(
                self._spent(month, offer.capex_usd_per_w or 0.0) for month in later
            )
        return self.signed.num_accelerators * sum(self._spent(month, self._capex(offer)) for month in later)

    def _capex(self, offer: ContractOffer) -> float:
        price = (offer.capex_usd or {}).get(self.kind, 0.0)
        return (
            price
            * (1.0 - _discount(offer, self.tier))
            * (1.0 + offer.site_change_frac.get(self.site.id, 0.0))
        )

    def _per_accelerator(self, offer: ContractOffer, month: int) -> float:
        rent = _stated_usd(offer, self.tier, self.kind, self.site.id) * offer.take_frac
        listed = self._list(self.month if offer.price_locked else month)
        changed = {"renew": offer.renew, "swap": offer.swap}.get(self.signed.right.split(" ")[0])
        dearer = 1.0 + changed.price_change_frac if changed else 1.0
        total = self._spent(month, self._capex(offer))
        for kind, share in self.shares(month).items():
            # A right that gives back saves at the contract's own price; what it takes on has its own.
            price = rent if share < 0 or not self.is_right else rent * dearer
            total += share * price * listed * (1.0 - offer.prepay_frac)
            total += share * self._power_usd(kind) if offer.form == "owned" else 0.0
        if month == self.month and offer.prepay_frac and not self.is_right:
            paid = sum(self._ramped(later) for later in range(self.roadmap.months))
            total += offer.prepay_frac * rent * paid * self._list(self.month)
        return total + self._cancelling_usd(offer, rent, month)

    def _cancelling_usd(self, offer: ContractOffer, rent: float, month: int) -> float:
        if not (self.is_right and self.signed.right.startswith("cancel") and offer.cancel):
            return 0.0
        after = int(self.signed.right.split()[1])
        if month != self.arrives + after:
            return 0.0
        return offer.cancel.fee_frac * rent * (offer.term_months - after) * self._list(self.month)

    def _power_usd(self, kind: str) -> float:
        chip = next(one for one in self.roadmap.chips if one.id == kind)
        drawn_w = facility_power_w(chip.power_w, self.site.pue)
        return float(energy_cost_usd(energy_j(drawn_w, MONTH_H * HOUR_S), self.site.power_price_usd_per_mwh))

    def resale_usd(self) -> float:
        """What the hardware fetches at the end of its life or of the horizon."""
        if self.is_right:
            return 0.0
        age = self.ends - self.arrives
        if isinstance(self.offer, PowerOffer):
            capex = (self.offer.capex_usd_per_w or 0.0) * self.signed.power_w
            return max(0.0, capex * (1.0 - max(age, 0) / self.offer.term_months) * self._list(self.month))
        capex = self._capex(self.offer) * self.signed.num_accelerators * self._list(self.month)
        if not capex or self.lost <= self.ends:
            return 0.0
        curve = next(one for one in self.roadmap.chips if one.id == self.kind).resale_frac
        years = max(age, 0) / 12
        low = min(int(years), len(curve) - 1)
        high = min(low + 1, len(curve) - 1)
        return capex * (curve[low] + (curve[high] - curve[low]) * (min(years, len(curve) - 1) - low))
