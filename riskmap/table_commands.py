"""What the commands on plain tables do, from paths to a document."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmap.errors import LayerError, UsageError
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
    from riskmap.siting.document import located
    from riskmap.siting.location import solve
    from riskmap.siting.tables import read_instance

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
    from riskmap.siting.allocation import allocate_split, allocate_whole
    from riskmap.siting.document import allocated
    from riskmap.siting.problem import within
    from riskmap.siting.tables import read_instance

    instance = within(read_instance(cost, demand, facilities), radius)
    started = time.perf_counter()
    if whole:
        solution = allocate_whole(instance, time_limit=time_limit, gap=gap)
    else:
        solution = allocate_split(instance)
    return allocated(instance, solution, seconds=time.perf_counter() - started)


def _points(path: Path) -> pd.DataFrame:
    """Read points ``id,lon,lat`` with ids kept as text."""
    table = _table(path)
    missing = [name for name in ("id", "lon", "lat") if name not in table]
    if missing:
        raise LayerError(
            text(
                "{file}: columns missing: {names}; expected id,lon,lat",
                file=path.name,
                names=", ".join(missing),
            )
        )
    return table


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return pd.read_csv(path, dtype={"id": str}, encoding=encoding)
        except UnicodeDecodeError:
            continue
        except FileNotFoundError:
            raise LayerError(text("{file}: no such file", file=path)) from None
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
            raise LayerError(
                text("{file}: not a CSV table: {why}", file=path.name, why=str(error))
            ) from None
    raise LayerError(text("{file}: unknown encoding; save it as UTF-8", file=path.name))


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


def convert(source: Path, target: Path, *, origin: str, to: str, lon: str, lat: str) -> int:
    """Convert the coordinates of a table.

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
    int
        Number of rows.
    """
    import pandas as pd

    from riskmap.layers import coords

    table = _table(source)
    for name in (lon, lat):
        if name not in table:
            raise UsageError(
                text(
                    "{file}: no column '{name}'; columns: {names}",
                    file=source.name,
                    name=name,
                    names=", ".join(map(str, table.columns)),
                )
            )
    x, y = (pd.to_numeric(table[name], errors="coerce").to_numpy() for name in (lon, lat))
    x, y = coords.to_wgs84(x, y, datum=origin)
    if to in {"gcj02", "bd09"}:
        x, y = coords.wgs84_to_gcj02(x, y)
    if to == "bd09":
        x, y = coords.gcj02_to_bd09(x, y)
    shown = table.copy()
    shown[lon], shown[lat] = x, y
    shown["coord_source"], shown["coord_method"] = origin, f"to {to}"
    fresh = target.with_name(target.name + ".part")
    shown.to_csv(fresh, index=False, encoding="utf-8-sig")
    fresh.replace(target)
    return len(shown)
