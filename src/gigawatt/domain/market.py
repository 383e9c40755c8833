"""What can be rented, from whom, at what price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator

from gigawatt.domain.record import Sourced

_DATE = re.compile(r"20\d\d(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


class Offer(Sourced):
    """One price for one kind of accelerator, as a provider or a market stated it on one day.

    A price that was not stated is None, never zero. Prices are per accelerator and hour in dollars of
    `price_year`.
    """

    provider: str = Field(min_length=1)
    region: str = ""
    """Blank where one price holds everywhere, or where the source does not say."""
    instance: str = ""
    accelerator: str = ""
    """Catalogue id; blank where the catalogue has no such accelerator, or the source leaves it open."""
    system: str = ""
    """Catalogue id of the node kind, where the offer is for whole nodes of a known kind."""
    gpu_kind: str = Field(min_length=1)
    """Verbatim, as the source calls it."""
    accelerators_per_instance: int = Field(gt=0)
    on_demand_usd_per_gpu_h: float | None = Field(default=None, gt=0)
    spot_usd_per_gpu_h: float | None = Field(default=None, gt=0)
    """May be taken away at any time; market minima are no firm quotes."""
    term: str = "on-demand"
    """on-demand, spot, marketplace, reserved-1y, ...: as the source has it."""
    currency: Literal["USD"] = "USD"

    @field_validator("date")
    @classmethod
    def _is_a_date(cls, date: str) -> str:
        if not _DATE.fullmatch(date):
            raise ValueError(f'expected a date such as "2026-05-24" or "2026-05", found "{date}"')
        return date

    @property
    def price_year(self) -> int:
        """The year whose dollars the prices are in: that of the quote."""
        return int(self.date[:4])

    def contradictions(self) -> Iterator[str]:
        """What in this offer cannot be true, in words."""
        on_demand, spot = self.on_demand_usd_per_gpu_h, self.spot_usd_per_gpu_h
        if on_demand is None and spot is None:
            yield "on_demand_usd_per_gpu_h: neither an on-demand nor a spot price is given"
        if on_demand is not None and spot is not None and spot > on_demand:
            yield f"spot_usd_per_gpu_h: {spot:g} USD/h is more than on demand at {on_demand:g} USD/h"
