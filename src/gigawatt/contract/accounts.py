"""A plan in the accounts: hardware and buildings written off, leases expensed, prepayments used up.

Read from the roadmap and the list of signatures alone, contract by contract and month by month, as the audit
is. Each payment of capital is an asset from the day it is made; it is written off from the later of that and
readiness to the end of the life in the books. What is given up before is written off with what it does not
fetch. Interest and taxes are left out, and leases are expensed as they are used, whatever a standard says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gigawatt.contract.audit_contracts import Contract, contracts_in, list_price_usd
from gigawatt.domain.accounts import AccountYear, BookLives, FutureAccounts
from gigawatt.domain.portfolio import Future, PowerOffer, Roadmap, month_index, month_text
from gigawatt.domain.portfolio_plan import Portfolio, Taken
from gigawatt.laws.finance import straight_line_book_usd
from gigawatt.laws.progress import YEAR_S
from gigawatt.units import format_quantity

MONTH_S = YEAR_S / 12
AS_STATED = "as stated"


def accounts_of(roadmap: Roadmap, plan: Portfolio, lives: BookLives) -> tuple[FutureAccounts, ...]:
    """Every future of a plan, year by year."""
    futures = roadmap.futures or (Future(id="expected", probability_frac=1.0),)
    return tuple(_future(roadmap, plan, future, lives) for future in futures)


def _future(roadmap: Roadmap, plan: Portfolio, future: Future, lives: BookLives) -> FutureAccounts:
    contracts = contracts_in(roadmap, plan.signed, future)
    taken = [row for row in plan.taken if future.id in row.futures]
    books = _Books(roadmap, _labels(roadmap, lives))
    books.add_fees(contracts)
    books.add_use(taken, future)
    for contract in contracts:
        books.add(contract, lives)
    left = [one for one in contracts if one.ends == roadmap.months]
    return FutureAccounts(
        future=future.id,
        probability_frac=future.probability_frac,
        years=tuple(books.years()),
        resale_usd=sum(one.resale_usd() for one in left),
        owed_usd=sum(one.owed_usd() for one in contracts),
    )


def _labels(roadmap: Roadmap, lives: BookLives) -> dict[str, float | None]:
    """Lives of servers that are tried; none where every kind that can be owned states its own."""
    owned = {kind for offer in roadmap.offers for kind in offer.capex_usd or {}}
    if all(chip.book_life_s for chip in roadmap.chips if chip.id in owned):
        return {AS_STATED: None}
    return {format_quantity(life, "_s"): life for life in lives.servers_s}


def book_life_s(contract: Contract, lives: BookLives, servers_s: float | None) -> float:
    """Over which a contract's capital is written off, where servers have this life unless they state one."""
    if isinstance(contract.offer, PowerOffer):
        return contract.offer.book_life_s or lives.building_s
    chip = next(one for one in contract.roadmap.chips if one.id == contract.kind)
    life = chip.book_life_s or servers_s
    assert life is not None
    return life


def _by_life() -> dict[str, defaultdict[int, float]]:
    return defaultdict(lambda: defaultdict(float))


@dataclass
class _Books:
    """Sums of one future by month of the horizon."""

    roadmap: Roadmap
    labels: dict[str, float | None]
    cash: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    rent: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    running: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    prepaid: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Paid ahead less used up."""
    written: dict[str, defaultdict[int, float]] = field(default_factory=_by_life)
    spent: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Capital less what was fetched."""

    def add(self, contract: Contract, lives: BookLives) -> None:
        """One contract's payments, and what of them is whose expense."""
        expense = self.running if contract.owned else self.rent
        gone = min(contract.lost, self.roadmap.months)
        for month in range(self.roadmap.months):
            paid, capital, ahead = (
                contract.payment_usd(month), contract.capital_usd(month), contract.prepaid_usd(month)
            )  # fmt: skip
            used_up = contract.used_up_usd(month)
            if month == gone:
                used_up = sum(contract.prepaid_usd(m) - contract.used_up_usd(m) for m in range(gone))
            self.cash[month] += paid
            expense[month] += paid - capital - ahead + used_up
            self.prepaid[month] += ahead - used_up
            self.spent[month] += capital
        if contract.owned:
            self._dispose(contract, gone)
            for label, servers_s in self.labels.items():
                life = book_life_s(contract, lives, servers_s)
                for month, usd in _written_off(contract, life, gone):
                    self.written[label][month] += usd

    def _dispose(self, contract: Contract, gone: int) -> None:
        """What is fetched before the horizon ends."""
        at = min(contract.ends, gone)
        if at < self.roadmap.months:
            self.cash[at] -= contract.resale_usd()
            self.spent[at] -= contract.resale_usd()

    def add_fees(self, contracts: Iterable[Contract]) -> None:
        """Once for each signing of a tier, whatever its size."""
        paid: set[tuple[str, str, str]] = set()
        for one in contracts:
            key = (one.offer.id, one.tier, one.signed.month)
            if one.fee_usd and key not in paid and not one.is_right:
                paid.add(key)
                self.cash[one.month] += one.fee_usd
                (self.running if one.owned else self.rent)[one.month] += one.fee_usd

    def add_use(self, taken: Iterable[Taken], future: Future) -> None:
        """What is paid beyond the share that is paid anyhow."""
        begin = month_index(self.roadmap.start)
        for row in taken:
            month = month_index(row.month) - begin
            price = list_price_usd(self.roadmap, row.offer, row.right, row.kind, row.site, future, month)
            self.cash[month] += row.num_paid_extra * price
            self.rent[month] += row.num_paid_extra * price

    def years(self) -> Iterator[AccountYear]:
        """By calendar year."""
        begin = month_index(self.roadmap.start)
        by_year: dict[str, list[int]] = defaultdict(list)
        for month in range(self.roadmap.months):
            by_year[month_text(begin + month)[:4]].append(month)
        spent = prepaid = 0.0
        left_off = dict.fromkeys(self.labels, 0.0)
        for year, months in by_year.items():
            rent, running = (sum(kept[m] for m in months) for kept in (self.rent, self.running))
            written = {label: sum(self.written[label][m] for m in months) for label in self.labels}
            spent += sum(self.spent[m] for m in months)
            prepaid += sum(self.prepaid[m] for m in months)
            left_off = {label: left_off[label] + usd for label, usd in written.items()}
            yield AccountYear(
                year=year,
                cash_usd=sum(self.cash[m] for m in months),
                rent_usd=rent,
                running_usd=running,
                depreciation_usd=written,
                expense_usd={label: rent + running + usd for label, usd in written.items()},
                book_usd={label: spent - usd for label, usd in left_off.items()},
                prepaid_usd=prepaid,
            )


def _written_off(contract: Contract, life_s: float, gone: int) -> Iterator[tuple[int, float]]:
    """What a contract's capital loses in each month, and on disposal all that it does not fetch."""
    months, at = contract.roadmap.months, min(contract.ends, gone)
    left = 0.0
    end = contract.arrives + life_s / MONTH_S
    for paid_in in range(months):
        usd = contract.capital_usd(paid_in)
        if not usd:
            continue
        begun = max(paid_in, contract.arrives)
        span_s = max(end - begun, 1.0) * MONTH_S
        before = usd
        for month in range(begun, min(at, months)):
            age_s = (month + 1 - begun) * MONTH_S
            book = float(straight_line_book_usd(usd, 0.0, span_s, age_s))
            yield month, before - book
            before = book
        left += before
    if at < months:
        yield at, left - contract.resale_usd()
