"""A plan added up again without the solver, and without anything that built the program.

Only the roadmap and the lists of the plan are read. Each future is lived through month by month in plain
Python: what stands where, what it draws, what it delivers, what is paid. Whoever changes a number in a plan
is found out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from gigawatt.contract.audit_contracts import Contract, contracts_in, unit_of
from gigawatt.contract.audit_work import amount_in, cost_of_moves, peak_units, rate_of, unmet_usd
from gigawatt.domain.portfolio import Future, Place, PlannedRun, Roadmap, Traffic, month_index, month_text
from gigawatt.domain.portfolio_plan import (
    Audit,
    AuditCheck,
    FutureCost,
    Signed,
    Taken,
    Unmet,
    Used,
    Waiting,
)
from gigawatt.laws.finance import conditional_value_usd, discount_factor_frac
from gigawatt.laws.power import facility_power_w

TOLERANCE = 1e-5
COST_TOLERANCE = 1e-5


@dataclass
class _Tally:
    """The worst violation of one rule so far."""

    count: int = 0
    worst: float = 0.0
    where: str = ""

    def look(self, found: float, limit: float, where: str) -> None:
        """`found` must not exceed `limit`."""
        self.count += 1
        over = (found - limit) / max(abs(limit), abs(found), 1.0)
        if over > self.worst:
            self.worst, self.where = over, where


@dataclass
class PlanLists:
    """The lists of a plan that are audited."""

    signed: Sequence[Signed]
    used: Sequence[Used]
    taken: Sequence[Taken] = ()
    waiting: Sequence[Waiting] = ()
    unmet: Sequence[Unmet] = ()

    def by_future(self, futures: Sequence[Future]) -> dict[str, PlanLists]:
        """The rows of each future."""
        parts = {one.id: PlanLists([], [], [], [], []) for one in futures}
        for name in ("signed", "used", "taken", "waiting", "unmet"):
            for row in getattr(self, name):
                for future in row.futures:
                    getattr(parts[future], name).append(row)
        return parts


@dataclass
class _Living:
    """One future, as it is lived through."""

    roadmap: Roadmap
    future: Future
    contracts: list[Contract]
    lists: PlanLists
    tallies: dict[str, _Tally]
    months: range = field(init=False)

    def __post_init__(self) -> None:
        self.months = range(self.roadmap.months)
        self.begin = month_index(self.roadmap.start)

    def mine(self, rows: Iterable[Used | Taken | Waiting | Unmet]) -> dict[int, list[object]]:
        """Rows of this future by month."""
        found: dict[int, list[object]] = defaultdict(list)
        for row in rows:
            found[month_index(row.month) - self.begin].append(row)
        return found

    def place(self, month: int, what: str) -> str:
        """Where something was found."""
        return f"{what}, {month_text(self.begin + month)}, future {self.future.id}"


def audit_plan(roadmap: Roadmap, lists: PlanLists, objective_usd: float) -> Audit:
    """Every rule and every dollar once more. `objective_usd` is what the plan says of itself."""
    futures = roadmap.futures or (Future(id="expected", probability_frac=1.0),)
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    costs = []
    _check_signatures(roadmap, lists, futures, tallies)
    parts = lists.by_future(futures)
    for future in futures:
        mine = parts[future.id]
        living = _Living(roadmap, future, contracts_in(roadmap, mine.signed, future), mine, tallies)
        _check_months(living)
        _check_runs(living)
        costs.append(_cost(living))
    total = _weighed(roadmap, costs)
    difference = abs(total - objective_usd) / max(abs(total), abs(objective_usd), 1.0)
    tallies["cash flows add up to the objective"].look(difference, COST_TOLERANCE, "the whole plan")
    checks = tuple(
        AuditCheck(
            rule=rule,
            num_checked=one.count,
            worst_frac=one.worst,
            where=one.where,
            holds=one.worst <= TOLERANCE,
        )
        for rule, one in tallies.items()
    )
    return Audit(objective_usd=total, difference_frac=difference, checks=checks, futures=tuple(costs))


def _weighed(roadmap: Roadmap, costs: Sequence[FutureCost]) -> float:
    """Mean, or mean and CVaR."""
    mean = sum(one.probability_frac * one.present_usd for one in costs)
    weight = roadmap.risk.cvar_weight_frac if len(costs) > 1 else 0.0
    if not weight:
        return mean
    import numpy as np

    ordered = sorted(costs, key=lambda one: one.present_usd)
    cvar = conditional_value_usd(
        np.array([one.present_usd for one in ordered]),
        np.array([one.probability_frac for one in ordered]),
        roadmap.risk.cvar_level_frac,
    )
    return (1.0 - weight) * mean + weight * float(cvar)


def _check_signatures(
    roadmap: Roadmap, lists: PlanLists, futures: Sequence[Future], tallies: dict[str, _Tally]
) -> None:
    """Windows, least amounts, rights within their contracts, exclusive offers, and no foresight."""
    begin = month_index(roadmap.start)
    offers = {one.id: one for one in roadmap.signable}
    together: dict[tuple[str, str, str, str], float] = defaultdict(float)
    chosen: dict[str, set[str]] = defaultdict(set)
    small = peak_units(roadmap) / SMALL_BLOCKS
    for row in lists.signed:
        offer = offers[row.offer]
        where = f"{row.offer}, {row.month}"
        amount = max(row.num_accelerators, row.power_w)
        tallies["amounts are not negative"].look(-amount, 0.0, where)
        first = month_index(offer.sign_from) if offer.sign_from else begin
        last = month_index(offer.sign_until) if offer.sign_until else begin + roadmap.months - 1
        month = month_index(row.month)
        tallies["signed while the offer stands"].look(max(first - month, month - last, 0), 0.0, where)
        blocks = amount / unit_of(offer)
        if offer in roadmap.power or (getattr(offer, "whole_blocks", False) and blocks < MANY_BLOCKS):
            # Blocks below a thousandth of all demand are not counted one by one (the certificate names them).
            loose = offer not in roadmap.power and unit_of(offer) <= small
            tallies["whole blocks"].look(0.0 if loose else abs(blocks - round(blocks)), TOLERANCE, where)
        if not row.right or row.right.startswith("tier"):
            together[row.offer, row.right, row.month, row.futures[0]] += amount
            if getattr(offer, "exclusive", "") and amount > TOLERANCE:
                chosen[offer.exclusive].add(offer.provider)  # type: ignore[union-attr]
    for (name, right, signed, _), amount in together.items():
        offer = offers[name]
        least = float(right.split()[1]) if right else float(getattr(offer, "least_accelerators", 0))
        if amount > TOLERANCE:
            tallies["least amounts"].look(least, amount, f"{name}, {signed}")
    for word, names in chosen.items():
        tallies["exclusive offers"].look(len(names), 1.0, word)
    _check_foresight(roadmap, lists, futures, tallies)


MANY_BLOCKS = 1e9


SMALL_BLOCKS = 1024


def _check_foresight(
    roadmap: Roadmap, lists: PlanLists, futures: Sequence[Future], tallies: dict[str, _Tally]
) -> None:
    """What is decided before futures part is decided in all of them: signatures, rights, and use by month."""
    reveals = [month_index(month) for month in roadmap.reveals]
    signed = ((row.decided, row.futures, f"{row.offer}, {row.month}") for row in lists.signed)
    used = ((row.month, row.futures, f"{row.work}, {row.month}") for row in lists.used)
    taken = ((row.month, row.futures, f"{row.offer}, {row.month}") for row in lists.taken)
    idle = ((row.month, row.futures, f"{row.kind}, {row.month}") for row in lists.waiting)
    for decided, names, where in chain(signed, used, taken, idle):
        stage = sum(month_index(decided) >= reveal for reveal in reveals)
        words = {_word(one, stage) for one in futures if one.id in names}
        members = {one.id for one in futures if _word(one, stage) in words}
        missing = len(members - set(names))
        tallies["nothing is decided by what is not known"].look(missing, 0.0, where)


def _word(future: Future, stage: int) -> tuple[str, ...]:
    """What is known of a future after so many reveals."""
    return future.path[:stage] if future.path else (future.id,) * bool(stage)


def _check_months(living: _Living) -> None:
    used, taken = living.mine(living.lists.used), living.mine(living.lists.taken)
    waiting, unmet = living.mine(living.lists.waiting), living.mine(living.lists.unmet)
    banks: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for month in living.months:
        _check_pools(living, month, used[month], taken[month], waiting[month])
        _check_taken(living, month, taken[month], banks)
        _check_power(living, month, waiting[month])
        _check_work(living, month, used[month], unmet[month])
        _check_shares(living, month)


def _check_pools(
    living: _Living, month: int, used: list[object], taken: list[object], waiting: list[object]
) -> None:
    """Work fits into what contracts with those promises deliver: every set of promises, and all that is
    above it.
    """
    roadmap = living.roadmap
    by_use = {(row.offer, row.right, row.kind, row.site): row.num_used for row in taken}  # type: ignore[attr-defined]
    supplies: list[tuple[Contract, str, float]] = []
    seen: set[tuple[str, str, str, str]] = set()
    for contract in living.contracts:
        for kind, standing in contract.standing(month).items():
            key = (contract.offer.id, contract.tier, kind, contract.site.id)
            if contract.by_use:
                if key in seen:
                    continue
                seen.add(key)
                standing = by_use.get(key, 0.0)
            supplies.append((contract, kind, standing * contract.delivered_frac))
    for kind in (chip.id for chip in roadmap.chips):
        idle = sum(row.num_accelerators for row in waiting if row.kind == kind)  # type: ignore[attr-defined]
        rows = [row for row in used if row.kind == kind]  # type: ignore[attr-defined]
        for needs in {_needs_of(row) for row in rows}:
            wanted = sum(row.num_accelerators for row in rows if _covers(needs, _needs_of(row)))  # type: ignore[attr-defined]
            there = sum(
                amount
                for contract, of, amount in supplies
                if of == kind and _covers(needs, _gives(contract, needs))
            )
            living.tallies["work fits into what is delivered"].look(
                wanted, there - (idle if needs[0] == 0 else 0.0), living.place(month, kind)
            )


def _needs_of(row: object) -> tuple[int, bool, bool, str, str]:
    return (
        int(row.interruptible), row.single_tenant, row.confidential, row.region, row.site,  # type: ignore[attr-defined]
    )  # fmt: skip


def _minded(roadmap: Roadmap) -> bool:
    """Whether any work minds that capacity may be taken away."""
    return any(work.interruptible_frac < 1 for work in roadmap.work)


def _gives(contract: Contract, needs: tuple[int, bool, bool, str, str]) -> tuple[int, bool, bool, str, str]:
    """What a contract promises, as far as the row minds it."""
    return (
        int(_minded(contract.roadmap) and contract.offer.interruptible),  # type: ignore[union-attr]
        contract.single_tenant,
        contract.confidential,
        contract.site.region if needs[3] else "",
        contract.site.id if needs[4] else "",
    )


def _covers(needs: tuple[int, bool, bool, str, str], given: tuple[int, bool, bool, str, str]) -> bool:
    """Whether capacity (or a row of use) with what is given counts among what needs that much."""
    firm = given[0] <= needs[0]
    kept = (given[1] or not needs[1]) and (given[2] or not needs[2])
    return firm and kept and needs[3] in ("", given[3]) and needs[4] in ("", given[4])


def _check_taken(
    living: _Living, month: int, taken: list[object], banks: dict[tuple[str, str, str, str], list[float]]
) -> None:
    """Take or pay: use within the contract, and paid or made up from what was paid and not used."""
    groups: dict[tuple[str, str, str, str], list[Contract]] = defaultdict(list)
    for contract in living.contracts:
        if contract.by_use:
            groups[contract.offer.id, contract.tier, contract.kind, contract.site.id].append(contract)
    rows = {(row.offer, row.right, row.kind, row.site): row for row in taken}  # type: ignore[attr-defined]
    for key in {*groups, *rows}:
        offer = next(one for one in living.roadmap.offers if one.id == key[0])
        there = sum(one.standing(month).get(key[2], 0.0) for one in groups[key])
        used = rows[key].num_used if key in rows else 0.0  # type: ignore[attr-defined]
        extra = rows[key].num_paid_extra if key in rows else 0.0  # type: ignore[attr-defined]
        where = living.place(month, key[0])
        living.tallies["take or pay: use within the contract"].look(used, there, where)
        bank, left = banks[key], used - extra
        living.tallies["take or pay: extra is paid for use"].look(extra, used, where)
        for back, banked in enumerate(bank):
            part = min(max(left, 0.0), banked)
            bank[back] -= part
            left -= part
        living.tallies["take or pay: paid or made up"].look(left, offer.take_frac * there, where)
        bank.append(max(0.0, offer.take_frac * there - max(left, 0.0)))
        while len(bank) > offer.make_up_months:
            bank.pop(0)


def _check_power(living: _Living, month: int, waiting: list[object]) -> None:
    roadmap = living.roadmap
    chips = {chip.id: chip for chip in roadmap.chips}
    for place in roadmap.places:
        phases = [one for one in roadmap.power if one.site == place.id]
        if place.energised is None and not phases:
            continue
        there = _unsigned_w(living, place, month)
        drawn = 0.0
        for contract in living.contracts:
            if contract.site.id != place.id:
                continue
            there += contract.power_standing_w(month)
            drawn += sum(
                number * facility_power_w(chips[kind].power_w, place.pue)
                for kind, number in contract.standing(month).items()
            )
        idle = sum(
            row.num_accelerators * facility_power_w(chips[row.kind].power_w, place.pue)  # type: ignore[attr-defined]
            for row in waiting
            if row.site == place.id  # type: ignore[attr-defined]
        )
        living.tallies["power drawn is energised"].look(drawn - idle, there, living.place(month, place.id))


def _unsigned_w(living: _Living, place: Place, month: int) -> float:
    """What is energised at a place without signing anything."""
    steps, now = place.energised or (), living.begin + month
    for change in living.future.changes:
        here = not change.sites or place.id in change.sites
        if change.energised is not None and here and month_index(change.month) <= now:
            steps = change.energised
    return next((step.power_w for step in reversed(steps) if month_index(step.month) <= now), 0.0)


def _check_work(living: _Living, month: int, used: list[object], unmet: list[object]) -> None:
    """Monthly work is served or counted as unmet, on capacity that it may run on."""
    for work in living.roadmap.work:
        rows = [row for row in used if row.work == work.id]  # type: ignore[attr-defined]
        for row in rows:
            fits = (
                (row.single_tenant or not work.needs.single_tenant)  # type: ignore[attr-defined]
                and (row.confidential or not work.needs.confidential)  # type: ignore[attr-defined]
                and (not work.needs.regions or row.region in work.needs.regions)  # type: ignore[attr-defined]
                and rate_of(living.roadmap, work, row.kind) > 0  # type: ignore[attr-defined]
            )
            living.tallies["tenancy, residency and secrecy"].look(0.0 if fits else 1.0, 0.0, work.id)
        if isinstance(work, PlannedRun):
            total = sum(row.num_accelerators for row in rows)  # type: ignore[attr-defined]
            if work.most_accelerators is not None:
                living.tallies["runs at their greatest size"].look(
                    total, work.most_accelerators, living.place(month, work.id)
                )
            continue
        needed = amount_in(living.roadmap, living.future, work, month)
        done = sum(row.num_accelerators * rate_of(living.roadmap, work, row.kind) for row in rows)  # type: ignore[attr-defined]
        left = sum(row.num_units for row in unmet if row.work == work.id)  # type: ignore[attr-defined]
        living.tallies["traffic and research are served"].look(
            needed, done + left, living.place(month, work.id)
        )
        spot = sum(
            row.num_accelerators * rate_of(living.roadmap, work, row.kind)  # type: ignore[attr-defined]
            for row in rows
            if row.interruptible  # type: ignore[attr-defined]
        )
        living.tallies["interruptible share"].look(
            spot, needed * work.interruptible_frac, living.place(month, work.id)
        )


def _check_runs(living: _Living) -> None:
    """Each run is done in its window, or counted as undone."""
    for run in living.roadmap.training:
        first, last = month_index(run.start), month_index(run.deadline)
        rows = [row for row in living.lists.used if row.work == run.id]
        for row in rows:
            month = month_index(row.month)
            living.tallies["runs within their windows"].look(max(first - month, month - last), 0.0, run.id)
        done = sum(row.num_accelerators * rate_of(living.roadmap, run, row.kind) for row in rows)
        left = sum(row.num_units for row in living.lists.unmet if row.work == run.id)
        needed = amount_in(living.roadmap, living.future, run, 0)
        living.tallies["runs are done"].look(needed, done + left, f"{run.id}, future {living.future.id}")
        spot = sum(
            row.num_accelerators * rate_of(living.roadmap, run, row.kind) for row in rows if row.interruptible
        )
        living.tallies["interruptible share"].look(spot, needed * run.interruptible_frac, run.id)


def _check_shares(living: _Living, month: int) -> None:
    """Concentration, the loss of one provider, and what each offer has at most."""
    roadmap, limits = living.roadmap, living.roadmap.limits
    worth = {chip.id: chip.equivalents_per_gpu for chip in roadmap.chips}
    by_provider: dict[str, float] = defaultdict(float)
    by_supplier: dict[str, float] = defaultdict(float)
    by_offer: dict[str, float] = defaultdict(float)
    for contract in living.contracts:
        size = sum(
            number * contract.delivered_frac * worth[kind]
            for kind, number in contract.standing(month).items()
        )
        by_provider[contract.provider] += size
        for supplier in contract.suppliers:
            by_supplier[supplier] += size
        by_offer[contract.offer.id] += contract.count(month)
    total = sum(by_provider.values())
    others = {name: size for name, size in by_provider.items() if name not in limits.own_providers}
    for name, size in others.items():
        if limits.provider_frac is not None:
            living.tallies["share of a provider"].look(
                size, limits.provider_frac * total, living.place(month, name)
            )
    for name, share in limits.supplier_frac.items():
        living.tallies["share of a supplier"].look(
            by_supplier[name], share * total, living.place(month, name)
        )
    if any(work.survive_frac for work in roadmap.work):
        needed = sum(
            work.survive_frac * _even(living, work, month) for work in roadmap.work if work.survive_frac
        )
        for name, size in others.items():
            living.tallies["loss of a provider"].look(needed, total - size, living.place(month, name))
    for offer in roadmap.signable:
        most = getattr(offer, "most_accelerators", None) or getattr(offer, "most_blocks", None)
        if most is not None:
            living.tallies["no more than is offered"].look(
                by_offer[offer.id], most, living.place(month, offer.id)
            )


def _even(living: _Living, work: object, month: int) -> float:
    """Reference accelerators that a piece of work needs in a month; a run spread over its window."""
    from gigawatt.contract.audit_work import unit_equivalents

    roadmap = living.roadmap
    size = amount_in(roadmap, living.future, work, month)  # type: ignore[arg-type]
    if isinstance(work, PlannedRun):
        first = max(month_index(work.start) - living.begin, 0)
        last = min(month_index(work.deadline) - living.begin, roadmap.months - 1)
        size = size / (last - first + 1) if first <= month <= last else 0.0
    assert isinstance(work, PlannedRun | Traffic) or hasattr(work, "num_equivalents")
    return size * unit_equivalents(roadmap, work)  # type: ignore[arg-type]


def _cost(living: _Living) -> FutureCost:
    """Everything that is paid in a future, month by month, and what is left undone at its price."""
    roadmap = living.roadmap
    cash = [0.0] * (roadmap.months + 1)
    fees: set[tuple[str, str, str]] = set()
    for contract in living.contracts:
        for month in living.months:
            cash[month] += contract.payment_usd(month)
        cash[contract.ends] -= contract.resale_usd()
        cash[roadmap.months] += contract.owed_usd()
        key = (contract.offer.id, contract.tier, contract.signed.month)
        if contract.fee_usd and key not in fees and not contract.is_right:
            fees.add(key)
            cash[contract.month] += contract.fee_usd
    for row in living.lists.taken:
        month = month_index(row.month) - living.begin
        cash[month] += row.num_paid_extra * _extra_usd(living, row, month)
    years: dict[str, float] = defaultdict(float)
    for month in living.months:
        years[month_text(living.begin + month)[:4]] += cash[month]
    worth = [discount_factor_frac(roadmap.discount_frac, month / 12) for month in range(roadmap.months + 1)]
    total = sum(amount * value for amount, value in zip(cash, worth, strict=True))
    for left in living.lists.unmet:
        month = min(month_index(left.month) - living.begin, roadmap.months - 1)
        work = next(one for one in roadmap.work if one.id == left.work)
        total += left.num_units * unmet_usd(roadmap, work) * worth[month]
    total += cost_of_moves(roadmap, living.lists.used, worth)
    for year, limit in roadmap.limits.budget_usd_per_year.items():
        living.tallies["budget of the year"].look(years[year], limit, f"{year}, future {living.future.id}")
    return FutureCost(
        future=living.future.id,
        probability_frac=living.future.probability_frac,
        present_usd=float(total),
        cash_usd_per_year={year: float(amount) for year, amount in sorted(years.items())},
    )


def _extra_usd(living: _Living, row: Taken, month: int) -> float:
    """List price of one accelerator more, for a month."""
    from gigawatt.contract.audit_contracts import list_price_usd

    return list_price_usd(living.roadmap, row.offer, row.right, row.kind, row.site, living.future, month)
