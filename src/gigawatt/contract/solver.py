"""HiGHS, held by a thin hand: programs go in as arrays, answers come out as arrays, every status is looked
at.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gigawatt.contract.program import Columns, Program
from gigawatt.errors import ExternalError, GigawattError, InfeasibleError, InputError

if TYPE_CHECKING:
    import highspy

Numbers = NDArray[np.float64]
_INTEGER, _CONTINUOUS = 1, 0
DUAL_SIMPLEX = 1


@lru_cache(maxsize=1)
def _banner_swallowed() -> None:
    """HiGHS greets on standard output when it is first made, and standard output belongs to answers."""
    import highspy

    sys.stdout.flush()
    kept, ends = os.dup(1), os.pipe()
    os.dup2(ends[1], 1)
    try:
        highspy.Highs()  # type: ignore[no-untyped-call]
    finally:
        os.dup2(kept, 1)
        for one in (kept, *ends):
            os.close(one)


def _quiet_highs() -> highspy.Highs:
    import highspy

    _banner_swallowed()
    return highspy.Highs()  # type: ignore[no-untyped-call]


class Unsolvable(Exception):
    """No answer: the program is infeasible or unbounded."""


def unsolved(reason: Unsolvable) -> GigawattError:
    """What to tell somebody who wrote a roadmap."""
    if "nbounded" in str(reason):
        return InputError(
            "something can be bought and earns more than it costs, without end: look at resale_frac, at "
            "price changes near -100 %, and at power prices below zero"
        )
    return InfeasibleError(f"{reason}: give more solving.time_limit_s, or ask for fewer months or offers")


@dataclass(frozen=True)
class Answer:
    """What HiGHS found; `bound` is proven. `complete` says whether it stopped because it was done."""

    values: Numbers
    objective_usd: float
    bound: float
    row_duals: Numbers
    column_duals: Numbers
    complete: bool
    found: bool = True


class Solver:
    """One program in HiGHS, which can be changed and solved again from where it stands."""

    def __init__(self, program: Program, scale: float = 1.0, **options: Any) -> None:
        self.highs = _quiet_highs()
        self.scale = scale
        self.set(output_flag=False, threads=1, **options)
        self._pass(program)
        self.num_columns = program.num_columns

    def set(self, **options: Any) -> None:
        """Options by HiGHS' own names."""
        for name, value in options.items():
            self.highs.setOptionValue(name, value)

    def _pass(self, program: Program) -> None:
        import highspy

        whole = np.where(program.whole, _INTEGER, _CONTINUOUS).astype(np.int32)
        status = self.highs.passModel(
            program.num_columns, program.num_rows, len(program.values), int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize), 0.0, program.cost / self.scale, program.lower, program.upper,
            program.row_lower, program.row_upper, program.starts[:-1].astype(np.int32),
            program.rows.astype(np.int32), program.values, whole,
        )  # fmt: skip
        if status == highspy.HighsStatus.kError:
            raise ExternalError("HiGHS refused the program: its numbers are out of range")

    def relax(self) -> None:
        """Forget that columns are whole."""
        import highspy

        index = np.arange(self.num_columns, dtype=np.int32)
        kinds = np.full(self.num_columns, int(highspy.HighsVarType.kContinuous), dtype=np.uint8)
        self.highs.changeColsIntegrality(self.num_columns, index, kinds)

    def add(self, columns: Columns) -> None:
        """More columns, after the others."""
        count = len(columns.cost)
        if count:
            self.highs.addCols(
                count, columns.cost / self.scale, columns.lower, columns.upper, len(columns.values),
                columns.starts[:-1].astype(np.int32), columns.rows.astype(np.int32), columns.values,
            )  # fmt: skip
            self.num_columns += count

    def bound_columns(self, index: NDArray[np.int64], lower: Numbers, upper: Numbers) -> None:
        """Other bounds for some columns."""
        self.highs.changeColsBounds(len(index), index.astype(np.int32), lower, upper)

    def bound_rows(self, index: NDArray[np.int64], lower: Numbers, upper: Numbers) -> None:
        """Other bounds for some rows."""
        for row, low, high in zip(index, lower, upper, strict=True):
            self.highs.changeRowBounds(int(row), float(low), float(high))

    def price_columns(self, index: NDArray[np.int64], cost: Numbers) -> None:
        """Other costs for some columns."""
        self.highs.changeColsCost(len(index), index.astype(np.int32), cost / self.scale)

    def start_from(self, values: Numbers) -> None:
        """A plan to begin with."""
        import highspy

        solution = highspy.HighsSolution()
        solution.col_value = list(values)
        self.highs.setSolution(solution)

    def cost_of(self, column: int) -> float:
        """What a unit of a column costs."""
        return float(self.highs.getCol(column)[1]) * self.scale

    def basis(self) -> Any:
        """Where the simplex method stands."""
        return self.highs.getBasis()

    def widened(self, basis: Any) -> Any:
        """An earlier basis, with columns that came later at their lower bounds."""
        import highspy

        count = self.num_columns - len(basis.col_status)
        basis.col_status = [*basis.col_status, *[highspy.HighsBasisStatus.kLower] * count]
        return basis

    def set_basis(self, basis: Any) -> None:
        """Stand there again."""
        self.highs.setBasis(basis)

    def solve(self, time_limit_s: float = float("inf")) -> Answer:
        """The optimum, or the best until the time is up. Raises Unsolvable where there is none."""
        import highspy

        ends_s = self.highs.getRunTime() + time_limit_s
        self.set(time_limit=ends_s)
        self.highs.run()
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kUnknown and self.highs.getRunTime() < ends_s:
            status = self._again()
        if status in (
            highspy.HighsModelStatus.kInfeasible,
            highspy.HighsModelStatus.kUnboundedOrInfeasible,
            highspy.HighsModelStatus.kUnbounded,
        ):
            raise Unsolvable(self.highs.modelStatusToString(status))
        return self._answer(status == highspy.HighsModelStatus.kOptimal)

    def _again(self) -> Any:
        """From nothing, where rounding errors led pivots astray."""
        kept = {name: self.highs.getOptionValue(name)[1] for name in ("presolve", "simplex_strategy")}
        self.highs.clearSolver()
        self.set(presolve="on", simplex_strategy=DUAL_SIMPLEX)
        self.highs.run()
        self.set(**kept)
        return self.highs.getModelStatus()

    def _answer(self, complete: bool) -> Answer:
        solution, info = self.highs.getSolution(), self.highs.getInfo()
        whole = bool(info.mip_node_count >= 0)
        objective = float(info.objective_function_value)
        bound = float(info.mip_dual_bound) if whole else objective
        if not complete and not whole:
            bound = -np.inf
        return Answer(
            values=np.array(solution.col_value),
            objective_usd=objective * self.scale,
            bound=bound * self.scale,
            row_duals=np.array(solution.row_dual) * self.scale,
            column_duals=np.array(solution.col_dual) * self.scale,
            complete=complete,
            found=len(solution.col_value) > 0 and info.primal_solution_status == int(highspy_feasible()),
        )


def highspy_feasible() -> Any:
    """HiGHS' word for a solution that keeps to everything."""
    import highspy

    return highspy.SolutionStatus.kSolutionStatusFeasible
