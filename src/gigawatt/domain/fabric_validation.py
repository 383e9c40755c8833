"""What comes of holding printed bills of material against the rules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gigawatt.domain.record import Record

RowStatus = Literal["predicted", "document_error", "inexpressible"]


class BillRow(Record):
    """A printed design: its counts and ours, by column."""

    id: str
    design: str
    fabric: str = ""
    """Id of the kind of fabric whose rules apply."""
    status: RowStatus
    reason: str = ""
    printed: dict[str, int] = Field(default={})
    predicted: dict[str, int] = Field(default={})

    @property
    def differing(self) -> tuple[str, ...]:
        """Columns in which a printed count is not ours."""
        return tuple(name for name, count in self.printed.items() if self.predicted.get(name) != count)


class BillReport(Record):
    """All rows of the files, in their order."""

    rows: tuple[BillRow, ...]

    @property
    def num_cells(self) -> int:
        """Printed counts of rows that the rules reach, but those in which a document contradicts itself."""
        return sum(len(row.printed) for row in self.rows if row.status != "inexpressible") - self.num_errors

    @property
    def num_errors(self) -> int:
        """Printed counts that contradict the document's own."""
        return sum(len(row.differing) for row in self.rows if row.status == "document_error")

    @property
    def num_wrong(self) -> int:
        """Printed counts that the rules miss."""
        return sum(len(row.differing) for row in self.rows if row.status == "predicted")

    @property
    def exact_frac(self) -> float:
        """Share of the cells that are ours to the unit."""
        return 1.0 - self.num_wrong / self.num_cells if self.num_cells else 0.0

    @property
    def coverage_frac(self) -> float:
        """Share of the rows that the rules reach."""
        reached = sum(row.status != "inexpressible" for row in self.rows)
        return reached / len(self.rows) if self.rows else 0.0
