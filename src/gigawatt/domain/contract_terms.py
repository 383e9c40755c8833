"""Parts of a contract that have terms of their own: tiers, rights, steps of the list price, promises."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gigawatt.domain.record import Record

Month = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]


class Tier(Record):
    """From so many accelerators in one signature on, the whole of it is cheaper."""

    accelerators: int = Field(gt=0, le=100_000_000)
    discount_frac: float = Field(gt=0, lt=1)


class Cancellation(Record):
    """The right to end a contract early, for a share of what would still have been paid."""

    after_months: int = Field(ge=1, le=600)
    every_months: int = Field(default=12, ge=1, le=600)
    fee_frac: float = Field(ge=0, le=1)


class Renewal(Record):
    """The right to go on at the end of the term."""

    months: int = Field(ge=1, le=600)
    price_change_frac: float = Field(default=0.0, gt=-1, le=10)


class Swap(Record):
    """The right to change the kind after some months, for the rest of the term."""

    after_months: int = Field(ge=1, le=600)
    to: str
    price_change_frac: float = Field(default=0.0, gt=-1, le=10)


class PriceStep(Record):
    """From this month on, the list price differs from the stated one by so much."""

    month: Month
    change_frac: float = Field(gt=-1, le=100)


class ServiceLevel(Record):
    """What is promised, and the share of the price that comes back while it is missed."""

    availability_frac: float = Field(gt=0, le=1)
    credit_frac: float = Field(ge=0, le=1)
