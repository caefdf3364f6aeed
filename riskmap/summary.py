"""What a run found, in a few lines for the person at the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskmap.i18n import text

if TYPE_CHECKING:
    from riskmap.result import Result


def worst_units(result: Result, *, n: int = 5) -> list[dict[str, Any]]:
    """List the units of the finest level with the highest risk.

    Parameters
    ----------
    result
        The run.
    n
        How many.

    Returns
    -------
    list
        Unit id, name, where it lies, score, class and the component that weighs most.
    """
    from riskmap.columns import ROOT

    index = result.index.get("unit")
    if index is None:
        return []
    finest = result.units.index[result.units["finest"]]
    scores = index.scores.loc[finest, ROOT].dropna()
    order = scores.sort_values(ascending=False, kind="stable").index[:n]
    rows = []
    for unit in order:
        shares = index.contributions.loc[unit].dropna()
        rows.append(
            {
                "unit_id": str(unit),
                "name": str(result.units.loc[unit, "name"]),
                "town": str(result.units.loc[unit, "town"] or ""),
                "district": str(result.units.loc[unit, "district"] or ""),
                "score": round(float(scores[unit]), 4),
                "class": int(index.classes[unit]),
                "main_component": str(shares.idxmax()) if len(shares) else "",
            }
        )
    return rows


def shown_summary(summary: dict[str, Any]) -> str:
    """Show a run's summary as text.

    Parameters
    ----------
    summary
        What `run_project` returned.

    Returns
    -------
    str
        Lines in the current language.
    """
    from riskmap.export.report import class_names, component_names

    classes, components = class_names(), component_names()
    lines = [str(text("{name}: done", name=summary["project"]))]
    for role, rows in summary["layers"].items():
        if rows["rows_returned"]:
            lines.append(
                str(
                    text(
                        "  {role}: {n} of {all} rows returned; see data_gaps.xlsx",
                        role=role,
                        n=rows["rows_returned"],
                        all=rows["rows_in"],
                    )
                )
            )
    lines += [f"  ! {problem}" for problem in summary["unusable"]]
    if summary["worst_units"]:
        lines.append(str(text("The five worst units:")))
    for rank, unit in enumerate(summary["worst_units"], 1):
        where = " ".join(part for part in (unit["district"], unit["town"], unit["name"]) if part)
        lines.append(
            f"  {rank}. {where}  {unit['score']:.3f}  {classes.get(unit['class'], '')}"
            f"  ({components.get(unit['main_component'], unit['main_component'])})"
        )
    if summary["folder"]:
        lines.append(str(text("Results: {folder}", folder=summary["folder"])))
        lines += [f"  {name}" for name in summary["files"]]
        lines.append(str(text("Open onemap.html with a double click.")))
    return "\n".join(lines)


def shown_check(ledger: dict[str, Any]) -> str:
    """Show what `check_project` found as text.

    Parameters
    ----------
    ledger
        What `check_project` returned.

    Returns
    -------
    str
        Lines in the current language.
    """
    lines = [
        str(
            text(
                "{role}: {n} rows in, {used} used, {returned} returned",
                role=role,
                n=rows["rows_in"],
                used=rows["rows_used"],
                returned=rows["rows_returned"],
            )
        )
        for role, rows in ledger["layers"].items()
    ]
    headings = {
        "unusable": text("Layers that could not be used:"),
        "returned": text("Rows returned:"),
        "notes": text("Used, but know this:"),
    }
    for key, heading in headings.items():
        if ledger[key]:
            lines += [str(heading), *(f"  {line}" for line in ledger[key])]
    return "\n".join(lines)
