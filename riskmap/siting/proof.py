"""Why there is no answer, and what would mend it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from riskmap.i18n import text
from riskmap.siting.problem import EXCLUDED, Instance, Solution

if TYPE_CHECKING:
    from riskmap.siting.problem import Ints


SECONDS: Final = 10.0
"""Time spent on how many sites would do, once it is proven that ``p`` do not."""


def _listed(names: list[str], *, most: int = 10) -> str:
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")


def infeasible_cover(
    instance: Instance, near: Instance, *, model: str, radius: float | None
) -> Solution | None:
    """Find the demands that no usable facility can serve.

    Parameters
    ----------
    instance
        All pairs.
    near
        The pairs within the radius.
    model
        Name of the model.
    radius
        The radius, for the message.

    Returns
    -------
    Solution or None
        An infeasible solution with reason and mend, or None when every demand can be served.
    """
    served = np.bincount(near.demand_of, minlength=near.n_demands) > 0
    unserved = np.flatnonzero(~served)
    if unserved.size == 0:
        return None
    best = np.full(instance.n_demands, np.inf)
    np.minimum.at(best, instance.demand_of, instance.cost)
    names = [instance.demands[i] for i in unserved]
    lost = [instance.demands[i] for i in unserved if not np.isfinite(best[i])]
    parts = []
    if radius is not None:
        parts.append(
            text(
                "{n} demand(s) have no usable facility within {radius}: {names}",
                n=len(names),
                radius=f"{radius:g}",
                names=_listed(names),
            )
        )
    reachable = best[unserved][np.isfinite(best[unserved])]
    if reachable.size and radius is not None:
        parts.append(
            text(
                "a radius of {needed} would reach all that can be reached",
                needed=f"{reachable.max():g}",
            )
        )
    if lost:
        parts.append(
            text(
                "no usable facility reaches these at any cost; a new site near them is needed: "
                "{names}",
                names=_listed(lost),
            )
        )
    return no_answer(
        model, reason="; ".join(str(part) for part in parts), uncovered=unserved.astype(np.int64)
    )


def no_answer(model: str, *, reason: str, uncovered: Ints | None = None) -> Solution:
    """Make the solution that says that there is none.

    Parameters
    ----------
    model
        Name of the model.
    reason
        Why, and what would mend it.
    uncovered
        Demands that cannot be served.

    Returns
    -------
    Solution
        With status ``infeasible``.
    """
    nothing = np.zeros(0, np.int64)
    return Solution(
        model=model,
        status="infeasible",
        objective=None,
        bound=None,
        open=nothing,
        demand_of=nothing,
        facility_of=nothing,
        amount=np.zeros(0),
        uncovered=nothing if uncovered is None else uncovered,
        reason=reason,
    )


def out_of_time(model: str, *, bound: float | None = None) -> Solution:
    """Make the solution that says that the limit was too short to find or exclude an answer.

    Parameters
    ----------
    model
        Name of the model.
    bound
        What is proven of any answer.

    Returns
    -------
    Solution
        With status ``unknown`` and the reason.
    """
    reason = text("neither an answer nor a proof that there is none within the limit; allow more")
    found = no_answer(model, reason=str(reason))
    return replace(found, status="unknown", bound=bound)


def infeasible_sites(instance: Instance, *, model: str, p: int) -> Solution:
    """Say that no choice of ``p`` sites reaches every demand, and how many would.

    Parameters
    ----------
    instance
        The pairs that may be used.
    model
        Name of the model.
    p
        Number of sites allowed.

    Returns
    -------
    Solution
        With status ``infeasible``.
    """
    from riskmap.siting.cover import lscp

    needed = lscp(instance, radius=float(instance.cost.max(initial=0.0)), time_limit=SECONDS)
    return no_answer(
        model,
        reason=str(
            text(
                "no {p} sites reach every demand; {needed} would (for example {names})",
                p=p,
                needed=int(needed.objective or 0),
                names=_listed([instance.facilities[j] for j in needed.open]),
            )
        ),
    )


def infeasible_capacity(instance: Instance, *, model: str, p: int) -> Solution:
    """Say that ``p`` sites cannot hold everybody, with the largest capacity they could give.

    Parameters
    ----------
    instance
        The pairs that may be used.
    model
        Name of the model.
    p
        Number of sites allowed.

    Returns
    -------
    Solution
        With status ``infeasible``.
    """
    most = float(np.sort(instance.capacity[instance.status != EXCLUDED])[::-1][:p].sum())
    need = float(instance.size.sum())
    if most < need:
        reason = text(
            "{need} are to be served, but the {p} largest facilities hold {most}; "
            "{lack} more places are needed",
            need=f"{need:g}",
            p=p,
            most=f"{most:g}",
            lack=f"{need - most:g}",
        )
    else:
        reason = text(
            "no {p} sites hold every demand whole within the reach; open more sites, add places, "
            "or let demands be split",
            p=p,
        )
    return no_answer(model, reason=str(reason))
