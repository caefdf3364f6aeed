"""Sparse models straight into HiGHS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.siting.problem import Floats


@dataclass(frozen=True)
class Answer:
    """What HiGHS found: ``x`` is None when nothing feasible was found."""

    x: Floats | None
    objective: float
    bound: float
    optimal: bool
    infeasible: bool
    row_dual: Floats | None = None


def stack(blocks: list[list[Any]]) -> Any:
    """Join blocks of a constraint matrix; None is an empty block.

    Parameters
    ----------
    blocks
        Rows of blocks.

    Returns
    -------
    csr_matrix
        The matrix.
    """
    return sparse.csr_matrix(sparse.bmat(blocks))


def minimise(
    cost: Floats,
    matrix: Any,
    row_lower: Floats,
    row_upper: Floats,
    *,
    upper: Floats,
    lower: Floats | None = None,
    integer: NDArray[np.bool_] | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
    start: Floats | None = None,
    target: float | None = None,
) -> Answer:
    """Minimise ``cost @ x`` subject to ``row_lower <= matrix @ x <= row_upper``.

    Parameters
    ----------
    cost
        Objective coefficients; (n,).
    matrix
        Constraint matrix; (m, n).
    row_lower, row_upper
        Limits of the rows; (m,).
    upper, lower
        Limits of the variables; (n,); lower is 0 by default.
    integer
        True where a variable must be whole; (n,).
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop (repeatable, unlike a clock).
    start
        A feasible solution to begin with.
    target
        Stop as soon as a solution is at most this, or none can be.

    Returns
    -------
    Answer
        The solution with a proven bound.
    """
    import highspy

    highs = loaded(cost, matrix, row_lower, row_upper, upper=upper, lower=lower, integer=integer)
    whole = integer is not None and bool(np.any(integer))
    highs.setOptionValue("mip_rel_gap", max(gap, 0.0))
    highs.setOptionValue("mip_abs_gap", 1e-9)
    if time_limit is not None:
        highs.setOptionValue("time_limit", float(max(time_limit, 0.01)))
    if max_nodes is not None:
        highs.setOptionValue("mip_max_nodes", int(max_nodes))
    if target is not None:
        highs.setOptionValue("objective_target", float(target))
    if start is not None and whole:
        solution = highspy.HighsSolution()
        solution.col_value = list(start)
        highs.setSolution(solution)
    highs.run()
    return _answer(highs, highspy, whole=whole)


def loaded(
    cost: Floats,
    matrix: Any,
    row_lower: Floats,
    row_upper: Floats,
    *,
    upper: Floats,
    lower: Floats | None = None,
    integer: NDArray[np.bool_] | None = None,
) -> Any:
    """Hand a model to HiGHS, up to the point where it may start.

    Parameters
    ----------
    cost, matrix, row_lower, row_upper, upper, lower, integer
        As for `minimise`.

    Returns
    -------
    highspy.Highs
        With the model, silent, on one thread.
    """
    import highspy

    n = cost.size
    model = highspy.HighsLp()
    columns = matrix.tocsc()
    model.num_col_, model.num_row_ = n, matrix.shape[0]
    model.col_cost_ = cost
    model.col_lower_ = np.zeros(n) if lower is None else lower
    model.col_upper_ = upper
    model.row_lower_, model.row_upper_ = row_lower, row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = columns.indptr
    model.a_matrix_.index_ = columns.indices
    model.a_matrix_.value_ = columns.data.astype(np.float64)
    if integer is not None and bool(np.any(integer)):
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        model.integrality_ = [kinds[int(flag)] for flag in integer]
    highs = highspy.Highs()
    highs.silent()
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("random_seed", 0)
    highs.passModel(model)
    return highs


def _answer(highs, highspy, *, whole: bool) -> Answer:  # type: ignore[no-untyped-def]  # noqa: ANN001
    state = highs.getModelStatus()
    info = highs.getInfo()
    infeasible = state in (
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
    )
    optimal = state == highspy.HighsModelStatus.kOptimal
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    solution = highs.getSolution()
    objective = float(info.objective_function_value)
    bound = float(info.mip_dual_bound) if whole else (objective if optimal else -np.inf)
    return Answer(
        x=np.asarray(solution.col_value) if found else None,
        objective=objective if found else np.inf,
        bound=bound,
        optimal=optimal,
        infeasible=infeasible,
        row_dual=None if whole or not optimal else np.asarray(solution.row_dual),
    )
