"""A portfolio's years in cash and in the accounts."""

from __future__ import annotations

from gigawatt.domain.record import Record


class BookLives(Record):
    """Lives over which hardware and buildings are written off, where a roadmap states none."""

    servers_s: tuple[float, ...]
    """Each is tried."""
    building_s: float


class AccountYear(Record):
    """One calendar year of one future. Mappings are by the life of hardware in the accounts ("6 years")."""

    year: str
    cash_usd: float
    """Paid, less what hardware fetched whose life ended; sales at the end of the horizon are left out."""
    rent_usd: float
    """Expense of what is rented: leases and services as they are used, prepayments with them."""
    running_usd: float
    """Expense of what is owned, capital apart: power, upkeep, staff, fees."""
    depreciation_usd: dict[str, float]
    """Straight-line from readiness on, with what is lost or gained where something is given up."""
    expense_usd: dict[str, float]
    """All three."""
    book_usd: dict[str, float]
    """Of everything owned or under construction, at the end of the year."""
    prepaid_usd: float
    """Paid and not yet used, at the end of the year."""


class FutureAccounts(Record):
    """Cash beside accounts, year by year. In every future and for every life, what was paid is what was
    expensed and what is left in the books: sum of cash = sum of expense + book value + prepaid at the end.
    """

    future: str
    probability_frac: float
    years: tuple[AccountYear, ...]
    resale_usd: float
    """What the plan counts on for everything that is left at the end of the horizon."""
    owed_usd: float
    """Capital that is still to be spent then."""
