"""The house in figures: files, lines, floors, cycles, imports inside functions, sheets and tables.

python benchmarks/house.py [RESULTS FOLDER] [--suite] [-v]

The folder of a run adds its sheets and tables, ``--suite`` the seconds of ``make test``, ``-v`` the
names behind the figures.
"""

from __future__ import annotations

import ast
import sqlite3
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import networkx as nx

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "riskmap"
LIMITS = {
    "Python files": 160,
    "files at the root": 8,
    "longest chain of files": 12,
    "cycles": 0,
    "own imports inside functions": 60,
    "DataFrame.attrs": 0,
    "scripts of the page": 28,
    "sheets of 避难方案.xlsx": 10,
    "sheets of 救援站点方案.xlsx": 8,
    "tables of riskmap.gpkg": 60,
    "seconds of the suite": 360,
}


def name_of(path: Path) -> str:
    """Dotted name of a module."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def own_imports(tree: ast.AST, known: set[str]) -> list[tuple[str, bool]]:
    """Own modules that a module imports, and whether inside a function; not for types alone."""
    found = []

    def visit(node: ast.AST, *, inside: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            return
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskmap"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.append((full if full in known else str(node.module), inside))
        if isinstance(node, ast.Import):
            found.extend((a.name, inside) for a in node.names if a.name in known)
        deeper = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for child in ast.iter_child_nodes(node):
            visit(child, inside=deeper)

    visit(tree, inside=False)
    return found


def measure(results: Path | None = None) -> dict[str, float]:
    """Measure the house.

    Parameters
    ----------
    results
        Folder of a run, for its sheets and tables.

    Returns
    -------
    dict
        Figure by name.
    """
    files = sorted(PACKAGE.rglob("*.py"))
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in files}
    graph = nx.DiGraph()
    graph.add_nodes_from(texts)
    lazy = 0
    attrs = 0
    for name, text in texts.items():
        tree = ast.parse(text)
        attrs += sum(isinstance(n, ast.Attribute) and n.attr == "attrs" for n in ast.walk(tree))
        statements = set()
        for target, inside in own_imports(tree, set(texts)):
            if target in texts and target != name:
                graph.add_edge(name, target)
                if inside:
                    statements.add((target,))
        lazy += sum(
            isinstance(node, ast.ImportFrom) and (node.module or "").startswith("riskmap")
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            for node in function.body
        )
    packages = {name_of(p) for p in files if p.name == "__init__.py"}
    chains = graph.subgraph(set(texts) - {"riskmap"})
    loops = [c for c in nx.strongly_connected_components(chains) if len(c) > 1]
    longest = nx.dag_longest_path(nx.condensation(chains))
    inside_room = [
        name
        for name in texts
        if name not in packages
        and len(used := [u for u in graph.predecessors(name) if u not in packages]) == 1
        and used[0].rpartition(".")[0] == name.rpartition(".")[0]
        and texts[name].count("\n") < 150
    ]
    found: dict[str, float] = {
        "Python files": len(files),
        "lines of Python": sum(text.count("\n") for text in texts.values()),
        "median lines": sorted(text.count("\n") for text in texts.values())[len(texts) // 2],
        "longest file": max(text.count("\n") for text in texts.values()),
        "files at the root": len(list(PACKAGE.glob("*.py"))),
        "longest chain of files": len(longest),
        "cycles": len(loops),
        "own imports inside functions": lazy,
        "small files that one sibling alone uses": len(inside_room),
        "DataFrame.attrs": attrs,
        "scripts of the page": len(list(PACKAGE.rglob("*.js"))),
    }
    for loop in loops:
        print("cycle:", *sorted(loop))
    if "-v" in sys.argv:
        print("longest:", *(sorted(nx.condensation(chains).nodes[n]["members"]) for n in longest))
        print("one sibling alone:", *inside_room)
    if results is not None:
        found |= outputs(results)
    return found


def outputs(folder: Path) -> dict[str, float]:
    """Count the sheets of the plans and the tables of the GeoPackage."""
    from openpyxl import load_workbook

    found: dict[str, float] = {}
    for book in ("避难方案", "救援站点方案"):
        if (folder / f"{book}.xlsx").exists():
            found[f"sheets of {book}.xlsx"] = len(load_workbook(folder / f"{book}.xlsx").sheetnames)
    with sqlite3.connect(folder / "riskmap.gpkg") as base:
        listed = base.execute("select count(*) from gpkg_contents").fetchone()
    found["tables of riskmap.gpkg"] = listed[0]
    return found


def suite_seconds() -> float:
    """Run the whole suite as ``make test`` does; the machine should do nothing else."""
    start = perf_counter()
    subprocess.run(["make", "test"], check=True, cwd=ROOT, stdout=sys.stderr)
    return perf_counter() - start


def verdict(name: str, value: float) -> str:
    """Say what the limit of a figure is and whether it is kept."""
    if name not in LIMITS:
        return ""
    return f"  limit {LIMITS[name]}{'' if value <= LIMITS[name] else '  OVER'}"


def main() -> None:
    """Print every figure beside its limit."""
    named = [arg for arg in sys.argv[1:] if not arg.startswith("-")]
    failed = False
    found = measure(Path(named[0]) if named else None)
    if "--suite" in sys.argv:
        found["seconds of the suite"] = suite_seconds()
    for name, value in found.items():
        failed |= value > LIMITS.get(name, value)
        print(f"{name:42} {value:8.0f}", verdict(name, value))
    sys.exit(failed)


if __name__ == "__main__":
    main()
