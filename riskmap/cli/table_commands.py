"""What the commands on plain tables do, from paths to a document."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmap.errors import LayerError, Problem, UsageError
from riskmap.i18n import text

if TYPE_CHECKING:
    import pandas as pd


def location_models() -> tuple[str, ...]:
    """List the location models.

    Returns
    -------
    tuple
        Their names.
    """
    from riskmap.siting.location import MODELS

    return MODELS


def locate(
    model: str,
    *,
    cost: Path,
    demand: Path | None,
    facilities: Path | None,
    p: int | None,
    radius: float | None,
    time_limit: float | None,
    gap: float,
) -> dict[str, Any]:
    """Solve a location model over tables.

    Parameters
    ----------
    model
        Name of the model.
    cost, demand, facilities
        The tables.
    p
        Number of open sites.
    radius
        Service radius, inclusive.
    time_limit
        Seconds.
    gap
        Relative gap at which to stop.

    Returns
    -------
    dict
        The document.
    """
    from riskmap.cli.siting_files import located, read_instance
    from riskmap.siting.location import solve

    instance = read_instance(cost, demand, facilities)
    started = time.perf_counter()
    solution = solve(model, instance, p=p, radius=radius, time_limit=time_limit, gap=gap)
    return located(instance, solution, seconds=time.perf_counter() - started)


def allocate(
    *,
    cost: Path,
    demand: Path,
    facilities: Path,
    whole: bool,
    radius: float | None,
    time_limit: float | None,
    gap: float,
) -> dict[str, Any]:
    """Assign demands to facilities over tables.

    Parameters
    ----------
    cost, demand, facilities
        The tables.
    whole
        Whether each demand goes to one facility.
    radius
        Largest cost, inclusive.
    time_limit
        Seconds.
    gap
        Relative gap at which to stop.

    Returns
    -------
    dict
        The document.
    """
    from riskmap.cli.siting_files import allocated, read_instance
    from riskmap.siting.allocation import allocate_split, allocate_whole
    from riskmap.siting.problem import within

    instance = within(read_instance(cost, demand, facilities), radius)
    started = time.perf_counter()
    if whole:
        solution = allocate_whole(instance, time_limit=time_limit, gap=gap)
    else:
        solution = allocate_split(instance)
    return allocated(instance, solution, seconds=time.perf_counter() - started)


def _texts(path: Path, names: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that must have some columns."""
    from riskmap.files import read_texts

    table = read_texts(path)
    lacking = [name for name in names if name not in table]
    if lacking:
        raise LayerError(
            text(
                "{file}: columns missing: {names}; columns: {known}",
                file=path.name,
                names=", ".join(lacking),
                known=", ".join(table.columns),
            )
        )
    return table


def _degrees(table: pd.DataFrame, name: str, axis: str, file: str) -> tuple[Any, list[Problem]]:
    """Read a column of angles as people write them; NaN and a problem where that fails."""
    import numpy as np

    from riskmap.layers.place.angles import REASONS, parse_angle

    angles = parse_angle(table[name].tolist(), axis=axis)
    wrong = np.flatnonzero(angles.reason != "")
    problems = [
        Problem(
            severity="returned",
            role="",
            rule=f"coordinate_{angles.reason[row]}",
            message=text(REASONS[angles.reason[row]][0]),
            mend=text(REASONS[angles.reason[row]][1]),
            file=file,
            row=int(row) + 2,
            field=name,
            value=table[name].iloc[row],
        )
        for row in wrong
    ]
    return np.where(angles.reason == "", angles.degrees, np.nan), problems


def _points(path: Path) -> pd.DataFrame:
    """Read points ``id,lon,lat`` with ids kept as text."""
    table = _texts(path, ("id", "lon", "lat"))
    lon, wrong_lon = _degrees(table, "lon", "lon", path.name)
    lat, wrong_lat = _degrees(table, "lat", "lat", path.name)
    if problems := (*wrong_lon, *wrong_lat):
        raise LayerError(text("{n} problem(s) in the tables", n=len(problems)), problems)
    return table.assign(lon=lon, lat=lat)


def route(
    network: Path,
    *,
    origins: Path,
    destinations: Path,
    layer: str | None,
    limit: float | None,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Give shortest ways over a network file.

    Parameters
    ----------
    network
        Lines.
    origins, destinations
        Point tables.
    layer
        Layer of the file.
    limit
        Largest cost, inclusive; None for no limit.
    options
        Further options of `riskmap.geo.network.route.route`.

    Returns
    -------
    dict
        The document.
    """
    from riskmap.geo.network.route import route as find_routes
    from riskmap.geo.network.source import read_network

    reach = float("inf") if limit is None else limit
    lines = read_network(network, layer=layer)
    return find_routes(lines, _points(origins), _points(destinations), limit=reach, **options)


def convert(
    source: Path, target: Path, *, origin: str, to: str, lon: str, lat: str
) -> dict[str, Any]:
    """Convert the coordinates of a table; rows that cannot be read stay as they are.

    Parameters
    ----------
    source, target
        CSV read and CSV written.
    origin, to
        Datums.
    lon, lat
        Columns.

    Returns
    -------
    dict
        Number of ``rows``, the ``returned`` ones that stay as they are, and ``notes``.
    """
    import numpy as np

    from riskmap.layers.place import datum as coords

    if target.is_dir():
        raise UsageError(text("{path} is a folder; give a file", path=target))
    table = _texts(source, (lon, lat))
    x, wrong_lon = _degrees(table, lon, "lon", source.name)
    y, wrong_lat = _degrees(table, lat, "lat", source.name)
    good = np.flatnonzero(np.isfinite(x + y))
    x, y = coords.to_wgs84(x[good], y[good], datum=origin)
    abroad = int((~coords.in_china(x, y)).sum()) if {origin, to} & {"gcj02", "bd09"} else 0
    if to in {"gcj02", "bd09"}:
        x, y = coords.wgs84_to_gcj02(x, y)
    if to == "bd09":
        x, y = coords.gcj02_to_bd09(x, y)
    method = np.full(len(table), "not converted", dtype=object)
    method[good] = f"to {to}"
    columns = {lon: table[lon].to_numpy(object), lat: table[lat].to_numpy(object)}
    columns[lon][good], columns[lat][good] = x, y
    shown = table.assign(**columns, coord_source=origin, coord_method=method)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(target.name + ".part")
    shown.to_csv(fresh, index=False, encoding="utf-8-sig")
    fresh.replace(target)
    note = text(
        "{n} of {all} positions lie outside China, where GCJ-02 is WGS-84; check whether "
        "longitude and latitude are swapped",
        n=abroad,
        all=len(good),
    )
    return {
        "rows": len(shown),
        "returned": [str(problem) for problem in (*wrong_lon, *wrong_lat)],
        "notes": [str(note)] if abroad else [],
    }
