"""What is answered: what to sign, what it proves, what every offer is worth, and what would change the
answer.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.accounts import FutureAccounts
from gigawatt.domain.break_even import BreakEven
from gigawatt.domain.dates import PortfolioDates
from gigawatt.domain.record import Record
from gigawatt.domain.whole_blocks import BlockWorth, JointFlip, WholeFlip, WholeRisk, WholeStrategy

Verdict = Literal["sign now", "sign later", "keep as option", "not needed"]


class Signed(Record):
    """One signature, or one right that is used. `futures` are those in which it happens."""

    offer: str
    provider: str
    form: str
    kind: str
    """Blank for power."""
    site: str
    right: str = ""
    """"tier 512", "cancel 12", "renew", "swap b200"; blank for the plain contract."""
    month: str
    """Of the signature; for a right, that of the contract it belongs to."""
    decided: str
    """When it is decided: the same month, or later for a right."""
    num_accelerators: float
    power_w: float = 0.0
    present_usd: float
    """Of all its payments within the horizon, at the start."""
    futures: tuple[str, ...]


class Used(Record):
    """Accelerators of one kind at work in one month."""

    work: str
    kind: str
    interruptible: bool
    single_tenant: bool
    confidential: bool
    region: str
    site: str
    month: str
    num_accelerators: float
    futures: tuple[str, ...]


class Taken(Record):
    """Use of a take-or-pay contract in one month, over all its signatures at one site."""

    offer: str
    right: str
    kind: str
    site: str
    month: str
    num_used: float
    num_paid_extra: float
    """Paid beyond the share that is paid anyhow."""
    futures: tuple[str, ...]


class Waiting(Record):
    """Hardware at a site that has no power yet."""

    site: str
    kind: str
    month: str
    num_accelerators: float
    futures: tuple[str, ...]


class Unmet(Record):
    """Work left undone, in accelerator-months of the first kind that it names."""

    work: str
    month: str
    """Of a run: that of its deadline."""
    num_units: float
    futures: tuple[str, ...]


class FutureCost(Record):
    """What one future costs."""

    future: str
    probability_frac: float
    present_usd: float
    cash_usd_per_year: dict[str, float]
    """By calendar year, not discounted, what is left undone not counted."""


class Binding(Record):
    """A limit that holds the plan back, and what one unit more of it would save."""

    limit: str
    month: str
    price_usd: float
    unit: str


class Certificate(Record):
    """What is proven of the plan, and how."""

    objective_usd: float
    bound_usd: float
    gap_frac: float
    complete: bool
    """False: time ran out; the best plan and the bound so far."""
    num_columns: int
    """Signatures that the bound speaks for."""
    num_made: int
    """Of those, how many had to be written out."""
    num_rows: int
    relaxed_blocks: tuple[str, ...] = ()
    """Offers whose blocks are too small to matter and are not counted one by one."""
    binding: tuple[Binding, ...] = ()


class AuditCheck(Record):
    """One rule, added up again without the solver."""

    rule: str
    num_checked: int
    worst_frac: float
    """Largest violation over the size of what is limited."""
    where: str = ""
    holds: bool


class Audit(Record):
    """The plan, recomputed from the roadmap and the list of signatures alone."""

    objective_usd: float
    difference_frac: float
    """To the certificate's."""
    checks: tuple[AuditCheck, ...]
    futures: tuple[FutureCost, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return all(check.holds for check in self.checks)


class OfferWorth(Record):
    """What an offer is worth to this roadmap: the negotiation sheet, by kind and site at which it is best."""

    offer: str
    kind: str
    site: str
    month: str
    """Of the signature at which it comes nearest."""
    price_usd_per_gpu_h: float
    """As quoted; owned hardware and campaigns: levelled over the hours within the horizon."""
    delivered_usd_per_gpu_h: float
    """Quoted, over what is delivered."""
    dual_usd_per_gpu_h: float
    """At which the relaxed plan is indifferent to a little of it."""
    left_usd_per_gpu_h: float | None = None
    """At which it would stop buying what it buys, from a re-solve; None where it buys nothing."""
    right_usd_per_gpu_h: float | None = None
    """At which it would begin to buy more."""
    block_usd: float | None = None
    """Worth of the whole offer: cost without it less cost with it, as quoted."""
    block_price_usd_per_gpu_h: float | None = None
    """At which the whole of what would be bought is worth nothing."""
    risk_usd: float | None = None
    """The same difference where the tail is weighed."""
    whole: BlockWorth | None = None
    """In whole blocks, minding the mean alone; the figures above are of the relaxed plan."""
    whole_with_risk: BlockWorth | None = None
    """In whole blocks, where the tail is weighed: by certainty equivalents."""
    num_accelerators: float = 0.0
    """Most that the plan has under this offer at one time."""
    verdict: Verdict = "not needed"


class Strategy(Record):
    """One way to go about it, in every future."""

    name: str
    mean_usd: float
    cvar_usd: float
    cost_by_future_usd: dict[str, float]
    regret_by_future_usd: dict[str, float]
    """Over perfect foresight."""
    whole: WholeStrategy | None = None
    """In whole blocks; None: time did not suffice, and the figures above are of relaxed plans."""


class FrontierPoint(Record):
    """Mean against tail, at one weight of the tail."""

    weight_frac: float
    mean_usd: float
    cvar_usd: float


class RiskFigures(Record):
    """What knowing more, or minding the tail, is worth, in parts of blocks."""

    mean_usd: float
    cvar_usd: float
    wait_and_see_usd: float
    """Mean cost with perfect foresight."""
    expected_value_usd: float
    """Mean cost of the plan made for the mean future."""
    evpi_usd: float
    vss_usd: float
    frontier: tuple[FrontierPoint, ...] = ()
    out_of_sample_usd: float | None = None
    """Mean cost of what is signed now, in futures that the plan has not seen."""
    num_out_of_sample: int = 0
    whole: WholeRisk | None = None
    """In whole blocks; None: time did not suffice."""


class Flip(Record):
    """The smallest change of one assumption that changes what is signed now."""

    assumption: str
    change_frac: float | None
    """None: no change within the range looked at does."""
    looked_frac: float
    """How far was looked."""
    before: str
    after: str = ""
    whole: WholeFlip | None = None
    """To the same side in whole blocks; None: time did not suffice. All else is of relaxed plans."""


class PriceRemark(Record):
    """Something about a price that its reader should know."""

    offer: str
    kind: Literal["stale", "conflicting", "unsourced"]
    message: str


class Portfolio(Record):
    """What to own, rent and sign, and when; what every offer is worth; what proves it."""

    title: str
    currency: str
    price_year: int
    start: str
    months: int
    certificate: Certificate
    audit: Audit
    signed: tuple[Signed, ...]
    used: tuple[Used, ...]
    taken: tuple[Taken, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    unmet: tuple[Unmet, ...] = ()
    worth: tuple[OfferWorth, ...] = ()
    options: tuple[Signed, ...] = ()
    """Signed or used in some futures only, after they can be told apart: what to keep open."""
    waiting_usd: float | None = None
    """What it costs to sign nothing within the first months."""
    strategies: tuple[Strategy, ...] = ()
    risk: RiskFigures | None = None
    flips: tuple[Flip, ...] = ()
    joint_flips: tuple[JointFlip, ...] = ()
    """Of several assumptions at once, nearest first."""
    joint_flips_left: tuple[str, ...] = ()
    """Groups that time did not suffice to look at."""
    break_evens: tuple[BreakEven, ...] = ()
    remarks: tuple[PriceRemark, ...] = ()
    accounts: tuple[FutureAccounts, ...] = ()
    """Cash beside the accounts, future by future."""
    dates: PortfolioDates | None = None
    """Of construction projects, where the roadmap names any."""
    assumptions: tuple[str, ...] = Field(default=())
