"""How often fleets fail, and how long they take to go on: what has been published, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from gigawatt.domain.record import Sourced

SPREAD = (
    "node_failures_per_s",
    "detection_s",
    "replacement_s",
    "restart_s",
    "write_bytes_per_s",
    "saved_bytes",
)
"""Fields with a range: `low_` and `high_` stand for the 10 % and 90 % points."""


class FleetReliability(Sourced):
    """What one fleet, run or study says of failures and recovery. Every value is optional; none is zero for
    want of knowing.
    """

    organisation: str
    accelerator: str = ""
    """Catalogue id of what the fleet consists of; blank where it does not matter."""
    num_accelerators: int | None = Field(default=None, gt=0)
    accelerators_per_node: int | None = Field(default=None, gt=0)
    """Of the nodes whose failures were counted."""
    planned_with: bool = True
    """Whether plans go by it; where not, the note says why."""

    node_failures_per_s: float | None = Field(default=None, gt=0)
    """Failures of a node that interrupt a job on it."""
    low_node_failures_per_s: float | None = Field(default=None, gt=0)
    high_node_failures_per_s: float | None = Field(default=None, gt=0)

    detection_s: float | None = Field(default=None, ge=0)
    """From the failure to the moment when somebody or something knows."""
    low_detection_s: float | None = Field(default=None, ge=0)
    high_detection_s: float | None = Field(default=None, ge=0)
    replacement_s: float | None = Field(default=None, ge=0)
    """From then until all nodes are there again: a spare swapped in, or a place in the queue."""
    low_replacement_s: float | None = Field(default=None, ge=0)
    high_replacement_s: float | None = Field(default=None, ge=0)
    restart_s: float | None = Field(default=None, ge=0)
    """From then to the first step: processes, communicators, loading, warming up."""
    low_restart_s: float | None = Field(default=None, ge=0)
    high_restart_s: float | None = Field(default=None, ge=0)

    write_bytes_per_s: float | None = Field(default=None, gt=0)
    """To storage, for each accelerator of a job that writes with all of them."""
    low_write_bytes_per_s: float | None = Field(default=None, gt=0)
    high_write_bytes_per_s: float | None = Field(default=None, gt=0)
    saved_bytes: float | None = Field(default=None, gt=0)
    """Of a checkpoint, per parameter: weights and optimizer."""
    low_saved_bytes: float | None = Field(default=None, gt=0)
    high_saved_bytes: float | None = Field(default=None, gt=0)

    num_interruptions: int | None = Field(default=None, ge=0)
    """Unexpected ones of one job on all accelerators, in `observed_s`."""
    observed_s: float | None = Field(default=None, gt=0)
    effective_frac: float | None = Field(default=None, gt=0, le=1)
    """Share of the time that made progress, or the bound that was published for it."""

    def contradictions(self) -> Iterator[str]:
        """What in this row cannot be true, in words."""
        for field in SPREAD:
            middle, low, high = (getattr(self, f"{end}{field}") for end in ("", "low_", "high_"))
            if middle is None and (low is not None or high is not None):
                yield f"{field}: a range without a middle"
            if (low is None) != (high is None):
                yield f"{field}: a range has two ends"
            if None not in (middle, low, high) and not low <= middle <= high:
                yield f"{field}: {middle:.4g} is not within {low:.4g} to {high:.4g}"
        if self.node_failures_per_s is not None and self.accelerators_per_node is None:
            yield "node_failures_per_s: of how many accelerators a node? (accelerators_per_node)"
        if (self.num_interruptions is None) != (self.observed_s is None):
            yield "num_interruptions and observed_s belong together"
