"""What a refuge plan is made from: the world as it is, and one state of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from riskmap.geo.network.snap import named_roads
from riskmap.geo.points import row_xy
from riskmap.layers.layer import OUTSIDE
from riskmap.plans.refuges.dangers import Dangers
from riskmap.plans.refuges.ways import Landmarks, Net, nets

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from riskmap.geo.grid import Grid
    from riskmap.geo.network import RoadGraph
    from riskmap.geo.people import Pieces
    from riskmap.layers.layer import Raster
    from riskmap.vocabulary.presets import Presets


@dataclass(frozen=True, kw_only=True)
class World:
    """What every plan of a run is made from."""

    grid: Grid
    graphs: Mapping[str, RoadGraph]
    units: gpd.GeoDataFrame
    refuges: gpd.GeoDataFrame
    population: Any
    standing: gpd.GeoDataFrame | None
    """Danger areas that always hold."""
    sources: gpd.GeoDataFrame | None
    candidates: gpd.GeoDataFrame | None
    presets: Presets
    data_date: str
    seed: int
    dem: tuple[Raster, ...] = ()
    flood_level: float | tuple[Raster, ...] | None = None
    """Highest historical level of water [m] where the ledger has none."""
    sensitive: gpd.GeoDataFrame | None = None
    """Vulnerable people by unit."""
    on_roads: bool = True
    """False where nobody gave roads and ways are straight lines."""
    pieces: Pieces | None = None
    """People by unit and cell; found from ``population`` otherwise."""
    waterways: gpd.GeoDataFrame | None = None
    """Rivers, which nobody crosses without a bridge."""
    road_names: tuple[str, ...] = ()
    """Name of each row of the road layer."""
    landmarks: Landmarks | None = None
    """Named places by which a way can be told."""
    places: gpd.GeoDataFrame | None = None
    """Schools, homes, hospitals and the like: ``type`` and ``people``, points."""

    @property
    def xy(self) -> NDArray[np.float64]:
        """Places of the refuges, shape (m, 2) [m].

        Returns
        -------
        NDArray[np.float64]
            Metres in the run's CRS.
        """
        return row_xy(self.refuges)

    @property
    def named(self) -> dict[tuple[float, float], str]:
        """Tell on which road a refuge says it stands.

        Returns
        -------
        dict
            Name by coordinates [m]; only of refuges that name one.
        """
        said = named_roads(self.refuges)
        places = zip(self.xy.tolist(), said, strict=True) if any(said) else ()
        return {(x, y): road for (x, y), road in places if road}

    @property
    def outside(self) -> NDArray[np.bool_] | None:
        """Tell which refuges lie outside the place; None where none does.

        Returns
        -------
        NDArray[np.bool_] or None
            Shape (m,).
        """
        if OUTSIDE not in self.refuges:
            return None
        return np.asarray(self.refuges[OUTSIDE].to_numpy(dtype=bool))


@dataclass(frozen=True, kw_only=True)
class State:
    """One state of the world."""

    name: str = ""
    """Name of the scenario; empty without flood."""
    depth_m: Any = None
    """Depth on the cells [m], or None."""
    depths: tuple[Raster, ...] = ()
    """Depth at its own resolution [m]."""
    closures: gpd.GeoDataFrame | None = None
    danger_area: gpd.GeoDataFrame | None = None

    @property
    def dry(self) -> bool:
        """True when neither water nor a closure lies on the roads.

        Returns
        -------
        bool
            Whether it is.
        """
        shut = self.closures is not None and len(self.closures) > 0
        return self.depth_m is None and not self.depths and not shut

    def dangers(self, world: World) -> Dangers:
        """Gather what refuges must keep clear of.

        Parameters
        ----------
        world
            The world.

        Returns
        -------
        Dangers
            Water, standing danger areas and those of the scenario, hazard sources.
        """
        areas = [part for part in (world.standing, self.danger_area) if part is not None]
        filled = [part for part in areas if len(part)]
        return Dangers(
            grid=world.grid,
            depth_m=self.depth_m,
            depths=self.depths,
            dem=world.dem,
            flood_level=world.flood_level,
            areas=pd.concat(filled) if filled else None,
            sources=world.sources,
        )

    def roads(
        self, world: World, limits_s: Mapping[str, float], *, carrier: str = "bus"
    ) -> tuple[Net, ...]:
        """Give the roads as they are in this state.

        Parameters
        ----------
        world
            The world.
        limits_s
            Longest way by mode [s].
        carrier
            Vehicle of those who ride.

        Returns
        -------
        tuple of Net
            On foot first.
        """
        return nets(
            world.graphs,
            world.grid,
            presets=world.presets,
            limits_s=limits_s,
            depth_m=self.depth_m,
            depths=self.depths,
            closures=self.closures,
            waterways=world.waterways,
            carrier=carrier,
            named=world.named,
        )
