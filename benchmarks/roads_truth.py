"""Ways on whole extracts against a second reading of OpenStreetMap's rules (`tests/osm_truth.py`).

Run ``python benchmarks/roads_truth.py FILE... [--pairs N]``; without files the extracts of
``layers/`` are taken. Every difference of more than 5 cm (or one in 10 000) is printed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from riskmap.geo.network import cost_table  # noqa: E402
from tests.geo.test_network_osm_truth import compared  # noqa: E402

EXTRACTS = ("liechtenstein/liechtenstein-latest.osm.pbf", "porto_alegre/poa_osm.pbf")


def main() -> int:
    """Compare all; 1 when there is a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--pairs", type=int, default=300)
    asked = parser.parse_args()
    wrong = 0
    for path in asked.files or [ROOT / "layers" / name for name in EXTRACTS]:
        for vehicle in ("car", "fire_engine", "foot"):
            begin = time.perf_counter()
            graph, a, b, right = compared(path, vehicle, 20260415, asked.pairs)
            mine = np.full(asked.pairs, np.inf)
            for i in range(asked.pairs):
                one = np.array([i])
                table = cost_table(graph, a.take(one), b.take(one), weight="metres")
                mine[i] = table.cost[0] if len(table.cost) else np.inf
            with np.errstate(invalid="ignore"):
                gap = np.where(np.isinf(mine) & np.isinf(right), 0.0, np.abs(mine - right))
                off = np.flatnonzero(~(gap <= 0.05 + 1e-4 * np.where(np.isinf(right), 0, right)))
            wrong += len(off)
            print(
                f"{path.name} {vehicle}: {asked.pairs - len(off)}/{asked.pairs} equal, "
                f"{int(np.isfinite(right).sum())} have a way, turns {graph.told['restrictions']}, "
                f"{time.perf_counter() - begin:.0f} s", flush=True,
            )  # fmt: skip
            for i in off[:10]:
                ways = graph.edge_way[[a.edge[i], b.edge[i]]].tolist()
                print(f"  way {ways[0]} to {ways[1]}: {mine[i]:.2f} against {right[i]:.2f}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
