"""The commands that work on plain tables: index, locate, allocate, route, coords."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from riskmap.cli.common import AsJson, choice, emit
from riskmap.errors import UsageError
from riskmap.i18n import current_language, text

Cost = Annotated[Path, typer.Option(help="Costs: demand,facility,cost; a missing pair is cut off.")]
Demand = Annotated[Path | None, typer.Option(help="Demands: demand,weight[,size].")]
Facilities = Annotated[
    Path | None, typer.Option(help="Facilities: facility[,capacity][,fixed_cost][,status].")
]
TimeLimit = Annotated[
    float, typer.Option(min=0, help="Seconds for the solver, then the best found and its bound.")
]
SECONDS = 120.0
Gap = Annotated[float, typer.Option(min=0, help="Relative gap at which to stop.")]


def index(
    values: Annotated[Path, typer.Argument(help="Table of values: unit, one column a code.")],
    indicators: Annotated[
        Path | None, typer.Argument(help="Table of indicators and groups.")
    ] = None,
    *,
    out: Annotated[Path, typer.Option(help="Folder for the stages and scores.")],
    steps: Annotated[Path | None, typer.Option(help="List of steps (YAML).")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Shipped set: city_operation, inform or nri.")
    ] = None,
    leave_one_out: Annotated[
        int | None, typer.Option(min=1, help="Level whose elements are left out one by one.")
    ] = None,
    draws: Annotated[int | None, typer.Option(min=1, help="Monte Carlo draws.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute a composite index over any table, stage by stage."""
    from riskmap.cli.index_files import run_index

    if (indicators is None) == (recipe is None):
        raise UsageError(text("give either a table of indicators or --recipe"))
    report = run_index(
        values,
        indicators,
        steps=steps,
        out=out,
        leave_one_out=leave_one_out,
        draws=draws,
        recipe=recipe,
    )
    lang = current_language()
    for cell in report["returned"]:
        place = f"{cell['file']} #{cell['row']} {cell['column']}"
        said = f"{place}: {cell['message'][lang]} ({cell['value']}); {cell['mend'][lang]}"
        typer.echo(said, err=True)
    for note in report["notes"]:
        typer.echo(note[lang], err=True)
    if as_json:
        emit(report)
    else:
        typer.echo(text("Written: {folder}", folder=out))
    if report["exit_code"]:
        raise typer.Exit(report["exit_code"])


def locate(
    model: Annotated[
        str,
        typer.Argument(
            help="lscp, lscp-b, mclp, p-median, p-center, c-p-median, c-mclp or mexclp."
        ),
    ],
    *,
    cost: Cost,
    demand: Demand = None,
    facilities: Facilities = None,
    p: Annotated[int | None, typer.Option(help="Number of open sites, existing included.")] = None,
    radius: Annotated[float | None, typer.Option(min=0, help="Service radius, inclusive.")] = None,
    busy: Annotated[
        float | None, typer.Option(min=0, help="Share of the time a site is busy (mexclp).")
    ] = None,
    time_limit: TimeLimit = SECONDS,
    gap: Gap = 0.0,
    as_json: AsJson = False,
) -> None:
    """Choose sites, with a proven bound."""
    from riskmap.cli import show, siting_files

    document = siting_files.locate(
        model,
        cost=cost,
        demand=demand,
        facilities=facilities,
        p=p,
        radius=radius,
        time_limit=time_limit,
        gap=gap,
        busy=busy,
    )
    _finish(document, None if as_json else show.shown_solution(document))


def allocate(
    *,
    cost: Cost,
    demand: Annotated[Path, typer.Option(help="Demands: demand,weight[,size].")],
    facilities: Annotated[
        Path, typer.Option(help="Facilities: facility[,capacity][,fixed_cost][,status].")
    ],
    whole: Annotated[
        bool, typer.Option("--whole/--split", help="Keep each demand whole, or let it be split.")
    ] = False,
    radius: Annotated[float | None, typer.Option(min=0, help="Largest cost, inclusive.")] = None,
    time_limit: TimeLimit = SECONDS,
    gap: Gap = 0.0,
    as_json: AsJson = False,
) -> None:
    """Assign demands to facilities within capacities: most served, then least cost."""
    from riskmap.cli import show, siting_files

    document = siting_files.allocate(
        cost=cost,
        demand=demand,
        facilities=facilities,
        whole=whole,
        radius=radius,
        time_limit=time_limit,
        gap=gap,
    )
    _finish(document, None if as_json else show.shown_solution(document))


def _finish(document: dict[str, Any], shown: str | None) -> None:
    """Show a location answer as text or as its document; without one, exit with 3."""
    if shown is None:
        emit(document)
    else:
        typer.echo(shown)
    if document["objective"] is None:
        raise typer.Exit(3)


def route(
    network: Annotated[Path, typer.Argument(help="Lines: GeoPackage, shapefile, GeoJSON, OSM.")],
    *,
    origins: Annotated[Path, typer.Option("--from", help="Points: id,lon,lat (EPSG:4326).")],
    destinations: Annotated[Path, typer.Option("--to", help="Points: id,lon,lat (EPSG:4326).")],
    layer: Annotated[str | None, typer.Option(help="Layer of the file.")] = None,
    match: Annotated[str, typer.Option(help="pairs, nearest or matrix.")] = "pairs",
    weight: Annotated[str, typer.Option(help="metres or seconds.")] = "metres",
    vehicle: Annotated[
        str, typer.Option(help="car, truck, high_clearance, fire_engine, boat or foot.")
    ] = "car",
    oneway_field: Annotated[str | None, typer.Option(help="Field of one-way values.")] = None,
    directed: Annotated[bool, typer.Option("--directed", help="One-way as digitised.")] = False,
    undirected: Annotated[bool, typer.Option("--undirected", help="All two-way.")] = False,
    length_field: Annotated[str | None, typer.Option(help="Field of lengths [m].")] = None,
    depth_field: Annotated[str | None, typer.Option(help="Field of water depths [m].")] = None,
    close_above: Annotated[
        float | None, typer.Option(min=0, help="Close lines deeper than this [m].")
    ] = None,
    snap_limit: Annotated[float, typer.Option(min=0, help="Farthest road of a point [m].")] = 500,
    limit: Annotated[float | None, typer.Option(min=0, help="Largest cost, inclusive.")] = None,
    join_ends: Annotated[
        float | None, typer.Option(min=0, help="Join line ends this near each other [m].")
    ] = None,
    hour: Annotated[
        int | None, typer.Option(min=0, max=23, help="Traffic of this hour; else free flow.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give shortest ways over a road network."""
    from riskmap.cli import route_files, show

    choice("--match", match, ("pairs", "nearest", "matrix"))
    choice("--weight", weight, ("metres", "seconds"))
    document = route_files.route(
        network,
        origins=origins,
        destinations=destinations,
        layer=layer,
        limit=limit,
        options={
            "match": match,
            "weight": weight,
            "vehicle": vehicle,
            "oneway_field": oneway_field,
            "directed": directed,
            "undirected": undirected,
            "length_field": length_field,
            "depth_field": depth_field,
            "close_above": close_above,
            "snap_limit": snap_limit,
            "join_ends": join_ends,
            "hour": hour,
        },
    )
    if as_json:
        emit(document)
    else:
        typer.echo(show.shown_routes(document, limited=limit is not None))


def coords(
    source: Annotated[Path, typer.Argument(help="Table (csv, xlsx) with coordinates.")],
    target: Annotated[Path, typer.Argument(help="Table to write (csv, xlsx).")],
    *,
    origin: Annotated[
        str, typer.Option("--from", help="wgs84, cgcs2000, gcj02, bd09, or auto with --units.")
    ],
    to: Annotated[str, typer.Option(help="wgs84, cgcs2000, gcj02 or bd09.")] = "wgs84",
    lon: Annotated[str, typer.Option(help="Column of the longitude.")] = "lon",
    lat: Annotated[str, typer.Option(help="Column of the latitude.")] = "lat",
    units: Annotated[
        Path | None, typer.Option(help="Outlines of units, by which auto tells the datum.")
    ] = None,
    stated: Annotated[
        str | None, typer.Option(help="Column that names the unit in which a row lies.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Convert coordinates between WGS-84, GCJ-02 and BD-09."""
    from riskmap.cli import coord_files, show

    choice("--from", origin, ("wgs84", "cgcs2000", "gcj02", "bd09", "auto"))
    choice("--to", to, ("wgs84", "cgcs2000", "gcj02", "bd09"))
    done = coord_files.convert(
        source, target, origin=origin, to=to, lon=lon, lat=lat, units=units, stated=stated
    )
    for line in (*done["returned"], *done["notes"]):
        typer.echo(line, err=True)
    if as_json:
        emit({key: value for key, value in done.items() if key not in ("returned", "notes")})
    elif "decided" in done:
        typer.echo(show.shown_datum(done))
    if not done.get("decided", True):
        raise typer.Exit(1)
    if not as_json:
        typer.echo(text("{n} rows written: {file}", n=done["rows"], file=target))
    if done["returned"]:
        raise typer.Exit(1)


def add_commands(app: typer.Typer) -> None:
    """Register the commands.

    Parameters
    ----------
    app
        The command line.
    """
    for command in (index, locate, allocate, route, coords):
        app.command()(command)
