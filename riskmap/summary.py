"""What a run found, in a few lines for the person at the keyboard."""

from __future__ import annotations

from typing import Any

from riskmap.i18n import text


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
