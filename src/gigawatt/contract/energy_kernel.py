"""The border of a year solved through the band: a loop over rows, each of which needs the ones before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def solve_band(factor: NDArray[np.float64], right: NDArray[np.float64]) -> None:
    """Solve in place by a Cholesky factor.

    `factor` [width, rows] holds the diagonal, then those below it, as LAPACK's lower form has them; `right`
    [rows, columns] is in the unit of what is solved for.
    """
    width, rows = factor.shape
    columns = right.shape[1]
    for row in range(rows):
        for column in range(columns):
            right[row, column] /= factor[0, row]
        for below in range(1, min(width, rows - row)):
            weight = factor[below, row]
            for column in range(columns):
                right[row + below, column] -= weight * right[row, column]
    for row in range(rows - 1, -1, -1):
        for below in range(1, min(width, rows - row)):
            weight = factor[below, row]
            for column in range(columns):
                right[row, column] -= weight * right[row + below, column]
        for column in range(columns):
            right[row, column] /= factor[0, row]
