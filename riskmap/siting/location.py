"""Every location model by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from riskmap.errors import UsageError
from riskmap.i18n import text
from riskmap.siting.capacitated import c_mclp, c_p_median
from riskmap.siting.center import p_center
from riskmap.siting.cover import lscp, lscp_b, mclp, mexclp
from riskmap.siting.exact.median import p_median

if TYPE_CHECKING:
    from riskmap.siting.problem import Instance, Solution

MODELS: Final = ("lscp", "lscp-b", "mclp", "p-median", "p-center", "c-p-median", "c-mclp",
                 "mexclp")  # fmt: skip


def solve(
    model: str,
    instance: Instance,
    *,
    p: int | None = None,
    radius: float | None = None,
    time_limit: float | None = None,
    gap: float = 0.0,
    max_nodes: int | None = None,
    busy: float | None = None,
) -> Solution:
    """Solve a location model.

    Parameters
    ----------
    model
        One of `MODELS`.
    instance
        Demands, facilities and costs.
    p
        Number of open sites, existing ones included.
    radius
        Service radius in the unit of cost, inclusive; a hard limit for the medians and p-center.
    time_limit
        Seconds; None for no limit.
    gap
        Relative gap at which to stop.
    max_nodes
        Nodes of the search tree after which to stop.
    busy
        Share of the time in which a site cannot answer, for ``mexclp``.

    Returns
    -------
    Solution
        Sites, assignment, value, proven bound.

    Raises
    ------
    UsageError
        When the model is unknown or an option is missing.
    """
    limits = {"time_limit": time_limit, "gap": gap}
    searched = {**limits, "max_nodes": max_nodes}
    if model in {"lscp", "lscp-b", "mclp", "c-mclp", "mexclp"} and (radius is None or radius < 0):
        raise UsageError(text("{model} needs --radius, at least 0", model=model))
    reach = float(radius or 0.0)
    if model == "lscp":
        return lscp(instance, radius=reach, **limits)  # type: ignore[arg-type]
    if model == "lscp-b":
        return lscp_b(instance, radius=reach, **limits)  # type: ignore[arg-type]
    if model == "mclp":
        return mclp(instance, radius=reach, p=p, **searched)  # type: ignore[arg-type]
    if model == "mexclp":
        share = -1.0 if busy is None else busy
        return mexclp(instance, radius=reach, p=p, busy=share, **searched)  # type: ignore[arg-type]
    if model == "p-median":
        return p_median(instance, p=p, radius=radius, **searched)  # type: ignore[arg-type]
    if model == "p-center":
        return p_center(instance, p=p, radius=radius, time_limit=time_limit)
    if model == "c-p-median":
        return c_p_median(instance, p=p, radius=radius, **searched)  # type: ignore[arg-type]
    if model == "c-mclp":
        return c_mclp(instance, p=p, radius=reach, **searched)  # type: ignore[arg-type]
    raise UsageError(
        text("unknown model {model}; use one of {all}", model=model, all=", ".join(MODELS))
    )
