"""What goes wrong in a fleet, how it is found and what mends it: one row for each component and cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Sourced

Component = Literal[
    "gpu",
    "hbm",
    "nvlink",
    "nic",
    "cable",
    "switch",
    "host",
    "storage",
    "cooling",
    "power",
    "software",
]
HazardScope = Literal["gpu", "node", "rack", "pod", "site"]
"""Of what there is one event per `events_per_s`, and what it takes along: one accelerator's job, all jobs of
a node, all nodes of a rack, of a pod (what hangs on one pair of leaf switches), of a site."""
HazardEffect = Literal["stops", "slows", "corrupts"]
"""Jobs stop; they go on at a fraction of their speed; they go on and compute garbage."""


class Hazard(Sourced):
    """One way in which a component fails. Low and high stand for the 10 % and 90 % points."""

    component: Component
    scope: HazardScope
    effect: HazardEffect = "stops"
    events_per_s: float = Field(ge=0)
    """For each one of the scope that is in service."""
    low_events_per_s: float | None = Field(default=None, ge=0)
    high_events_per_s: float | None = Field(default=None, ge=0)
    speed_frac: float = Field(default=1.0, gt=0, le=1)
    """Of a job with a machine that is slow, until it is found."""
    infant_ratio: float = Field(default=1.0, ge=1)
    """Rate of a part just put in over its rate in later life; in between it decays over `infant_s`."""
    infant_s: float = Field(default=0.0, ge=0)
    detection_s: float = Field(ge=0)
    """Mean time until it is known; exponentially distributed where it is not stopped by a timeout."""
    low_detection_s: float | None = Field(default=None, ge=0)
    high_detection_s: float | None = Field(default=None, ge=0)
    misdiagnosed_frac: float = Field(default=0.0, ge=0, lt=1)
    """Of those after which the job restarts with the machine at fault still in it."""
    reboot_frac: float = Field(default=0.0, ge=0, le=1)
    """Of those that a reset or reboot of the node mends."""
    repair_frac: float = Field(default=0.0, ge=0, le=1)
    """Of those that hands have to mend; what neither mends needs nothing but a restart of the job."""
    part: str = ""
    """Id of the part that a repair takes; blank where it takes none (reseating, cleaning)."""
    part_frac: float = Field(default=0.0, ge=0, le=1)
    """Of the repairs that take the part."""
    hands_on_s: float = Field(default=0.0, ge=0)
    """Mean time of a technician on one repair; exponentially distributed."""
    skill: str = "technician"
    """Whose hands: technicians of this skill, or `vendor`."""
    failed_repair_frac: float = Field(default=0.0, ge=0, lt=1)
    """Of the repairs after which the burn-in fails, so that the next one follows."""

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words."""
        for field in ("events_per_s", "detection_s"):
            low, middle, high = (getattr(self, f"{end}{field}") for end in ("low_", "", "high_"))
            if (low is None) != (high is None):
                yield f"{field}: a range has two ends"
            if None not in (low, high) and not low <= middle <= high:
                yield f"{field}: {middle:.4g} is not within {low:.4g} to {high:.4g}"
        if self.reboot_frac + self.repair_frac > 1.0:
            yield "reboot_frac and repair_frac add up to more than all"
        if self.effect == "slows" and self.speed_frac == 1.0:
            yield "it slows, but speed_frac says at full speed"
        if self.repair_frac and not self.hands_on_s:
            yield "repair_frac: repairs that take no time (hands_on_s)"
        if self.part_frac and not self.part:
            yield "part_frac: of what part?"


class Part(Sourced):
    """What is kept on the shelf: a module, a cable, a whole node."""

    price_usd: float | None = Field(default=None, ge=0)
    lead_time_s: float = Field(gt=0)
    """From the order, or from sending the broken one in, to the shelf."""
    low_lead_time_s: float | None = Field(default=None, gt=0)
    high_lead_time_s: float | None = Field(default=None, gt=0)

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words."""
        low, high = self.low_lead_time_s, self.high_lead_time_s
        if (low is None) != (high is None):
            yield "lead_time_s: a range has two ends"
        if low is not None and high is not None and not low <= self.lead_time_s <= high:
            yield f"lead_time_s: {self.lead_time_s:.4g} is not within {low:.4g} to {high:.4g}"


class FrailNodes(Sourced):
    """Lemons: the few nodes that cause many of the failures. Low and high stand for the 10 % and 90 % points.

    A hazard's rate is the mean over all nodes, the frail ones included.
    """

    nodes_frac: float = Field(gt=0, lt=1)
    """Of all nodes that are frail."""
    low_nodes_frac: float = Field(gt=0, lt=1)
    high_nodes_frac: float = Field(gt=0, lt=1)
    failures_frac: float = Field(gt=0, lt=1)
    """Of all failures that are theirs."""
    low_failures_frac: float = Field(gt=0, lt=1)
    high_failures_frac: float = Field(gt=0, lt=1)

    @property
    def ratio(self) -> float:
        """Failure rate of a frail node over that of another."""
        odds, share = (frac / (1.0 - frac) for frac in (self.failures_frac, self.nodes_frac))
        return odds / share

    @property
    def sound_ratio(self) -> float:
        """Failure rate of a node that is not frail over the mean of all."""
        return (1.0 - self.failures_frac) / (1.0 - self.nodes_frac)
