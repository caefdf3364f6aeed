"""Sites chosen phase by phase, counted anew, and how stable the choice is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from riskmap.i18n import Text, text
from riskmap.plans.refuge_options import phases
from riskmap.siting.location import solve
from riskmap.siting.problem import CANDIDATE, EXISTING, Instance, Solution, make_instance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from riskmap.plans.refuge_options import RefugeOptions

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

SPREAD: Final = 0.2
"""Standard deviation of the noise on people, as a share."""
COST_SPREAD: Final = 0.1
"""Standard deviation of the noise on seconds, as a share."""
RADIAL: Final = ("c-mclp", "mclp", "lscp")


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """New sites of all phases."""

    site: Ints
    """Facilities that were opened."""
    phase: Ints
    people: NDArray[np.float64]
    """People that each serves in the last phase."""
    groups: Ints
    proof: pd.DataFrame


def choose(instance: Instance, options: RefugeOptions, *, limit_s: float) -> Chosen | Text:
    """Choose the sites of each phase, those of earlier phases being fixed.

    A capacitated cover opens no site that would stand empty. ``lscp`` takes as many sites as it
    needs, in one phase.

    Parameters
    ----------
    instance
        Groups; refuges in use (existing) and candidates.
    options
        Model, phases, seconds.
    limit_s
        Longest walk [s].

    Returns
    -------
    Chosen or Text
        The sites, or why the model has no answer.
    """
    now, model = instance, options.site_model
    parts: list[tuple[Ints, int]] = []
    proof = []
    found: Solution | None = None
    steps = phases(options)[:1] if model == "lscp" else phases(options)
    for number, k in enumerate(steps, start=1):
        free = int((now.status == CANDIDATE).sum())
        if not free:
            break
        found = _solved(now, min(k, free), options, limit_s)
        if found.objective is None:
            why = found.reason or found.status
            return text("New sites: {model} has no answer: {why}", model=model, why=why)
        fresh = found.open[now.status[found.open] == CANDIDATE]
        parts.append((fresh, number))
        proof.append(_proof(now, found, number, limit_s))
        state = now.status.copy()
        state[fresh] = EXISTING
        now = replace(now, status=state)
    if found is None:
        return text("New sites: {model} has no answer: {why}", model=model, why="0")
    m = instance.n_facilities
    got = np.bincount(found.facility_of, weights=found.amount, minlength=m)
    groups = np.bincount(found.facility_of, minlength=m)
    site = np.concatenate([part for part, _ in parts])
    return Chosen(
        site=site,
        phase=np.concatenate([np.full(part.size, number) for part, number in parts]),
        people=got[site].astype(np.float64),
        groups=groups[site],
        proof=pd.DataFrame(proof),
    )


def _solved(instance: Instance, k: int, options: RefugeOptions, limit_s: float) -> Solution:
    """Solve with k new sites; a capacitated cover with fewer as long as some stand empty."""
    model = options.site_model
    fixed = int((instance.status == EXISTING).sum())
    while True:
        found = solve(
            model,
            instance,
            p=None if model == "lscp" else fixed + k,
            radius=limit_s if model in RADIAL else None,
            max_nodes=options.max_nodes,
        )
        if model != "c-mclp" or found.objective is None:
            return found
        got = np.bincount(found.facility_of, weights=found.amount, minlength=instance.n_facilities)
        needed = int(((got > 0) & (instance.status == CANDIDATE)).sum())
        if not 0 < needed < k:
            return found
        k = needed


def _proof(instance: Instance, found: Solution, phase: int, limit_s: float) -> dict[str, object]:
    """Set the solver's value beside one that is counted from sites and pairs alone."""
    return {
        "phase": phase,
        "model": found.model,
        "objective": found.objective,
        "counted": recount(instance, found, limit_s),
        "bound": found.bound,
        "gap": found.gap,
        "status": found.status,
    }


def recount(instance: Instance, found: Solution, limit_s: float) -> float:
    """Count a solution's value from its sites and rows, without the solver.

    Parameters
    ----------
    instance
        The instance.
    found
        The solution.
    limit_s
        Longest walk [s].

    Returns
    -------
    float
        People served (covers), person-seconds (medians), seconds (center) or sites (lscp).
    """
    opened = np.zeros(instance.n_facilities, bool)
    opened[found.open] = True
    if found.model == "lscp":
        return float(opened.sum())
    if found.model == "c-mclp":
        load = np.bincount(found.facility_of, weights=found.amount, minlength=instance.n_facilities)
        fits = (load <= instance.capacity + 1e-6).all() and opened[found.facility_of].all()
        return float(found.amount.sum()) if fits else float("nan")
    if found.model == "c-p-median":
        table = pd.Series(
            instance.cost,
            index=pd.MultiIndex.from_arrays([instance.demand_of, instance.facility_of]),
        )
        seconds = table.loc[list(zip(found.demand_of, found.facility_of, strict=True))].to_numpy()
        return float((instance.weight[found.demand_of] * seconds).sum())
    use = opened[instance.facility_of]
    nearest = np.full(instance.n_demands, np.inf)
    np.minimum.at(nearest, instance.demand_of[use], instance.cost[use])
    if found.model == "mclp":
        return float(instance.weight[nearest <= limit_s].sum())
    if found.model == "p-center":
        return float(nearest.max(initial=0.0))
    return float((instance.weight * nearest).sum())


def stability(
    instance: Instance,
    options: RefugeOptions,
    *,
    limit_s: float,
    seed: int,
    near: Bools,
) -> tuple[Ints, Ints]:
    """Count how often each site, or one near it, is chosen when people and seconds are noisy.

    Parameters
    ----------
    instance
        Groups, refuges in use and candidates.
    options
        Model, phases, draws.
    limit_s
        Longest walk [s].
    seed
        Seed of the draws.
    near
        Which facilities stand near each other, every one near itself, shape (m, m).

    Returns
    -------
    tuple of ndarray
        Number of draws in which each facility is a new site, and in which one near it is; (m,).
    """
    rng = np.random.default_rng(seed)
    times = np.zeros(instance.n_facilities, np.int64)
    around = times.copy()
    total = replace_phases(options)
    for _ in range(options.draws):
        people = np.exp(rng.normal(0.0, SPREAD, instance.n_demands))
        seconds = np.exp(rng.normal(0.0, COST_SPREAD, instance.cost.size))
        drawn = make_instance(
            demand_of=instance.demand_of,
            facility_of=instance.facility_of,
            cost=instance.cost * seconds,
            demands=instance.demands,
            facilities=instance.facilities,
            weight=instance.weight * people,
            capacity=instance.capacity,
            status=instance.status,
        )
        found = choose(drawn, total, limit_s=limit_s)
        if isinstance(found, Chosen):
            times[found.site] += 1
            around += near[:, found.site].any(axis=1)
    return times, around


def replace_phases(options: RefugeOptions) -> RefugeOptions:
    """Take the sites of all phases in one: stability asks whether a site belongs, not when.

    Parameters
    ----------
    options
        The plan's options.

    Returns
    -------
    RefugeOptions
        With one phase.
    """
    return options.model_copy(update={"new_sites": [sum(phases(options))]})
