"""Rows as the lines of a CSV file, quoted where need be, one after the other."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any


class _Line:
    """What csv writes to: hands the line on."""

    def write(self, line: str) -> str:
        return line


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The header, then each row; None becomes an empty field."""
    writer = csv.writer(_Line(), lineterminator="\n")
    yield writer.writerow(tuple(header))
    for row in rows:
        yield writer.writerow(tuple(row))
