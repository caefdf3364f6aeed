"""What a run found and what a code means, in a few lines for the person at the keyboard."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from riskmap.errors import UsageError
from riskmap.i18n import Label, Text, text
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import load_roles, load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator


LINES: Final = 20
"""Lines about one layer on the screen; the ledger has all."""


def _role_names() -> dict[str, str]:
    """Name the shipped roles in the current language."""
    roles = {name: str(role.label) for name, role in load_roles().items()}
    return {"unit": str(text("Units")), **roles}


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
    lines = [str(text("{name}: done", name=summary["project"]))]
    names = _role_names()
    for role, rows in summary["layers"].items():
        if rows["rows_returned"]:
            lines.append(
                str(
                    text(
                        "  {role}: {n} of {all} rows returned; see data_gaps.xlsx",
                        role=names.get(role, role),
                        n=rows["rows_returned"],
                        all=rows["rows_in"],
                    )
                )
            )
    lines += [f"  ! {problem}" for problem in summary["unusable"]]
    lines += [f"  * {line}" for line in summary.get("plans", ())]
    if summary["worst_units"]:
        lines.append(str(text("The five worst units:")))
    for rank, unit in enumerate(summary["worst_units"], 1):
        where = " ".join(dict.fromkeys(part for part in (unit["town"], unit["name"]) if part))
        lines.append(f"  {rank}. {where}  {unit['score']:.3f}  {unit['class']}  ({unit['main']})")
    if summary["folder"]:
        lines.append(str(text("Results: {folder}", folder=summary["folder"])))
        lines += [f"  {name}" for name in summary["files"]]
        whole = "index.html" in summary["files"]
        lines.append(
            str(
                text("Open index.html with a double click; it leads to every paper.")
                if whole
                else text("Open onemap.html with a double click.")
            )
        )
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
    names = _role_names()
    lines = [
        str(
            text(
                "{role}: {n} rows in, {used} used, {returned} returned",
                role=names.get(role, role),
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
    left = dict.fromkeys(ledger["by_layer"], LINES)
    hidden = dict.fromkeys(ledger["by_layer"], 0)
    for key, heading in headings.items():
        shown: list[str] = []
        for role, part in ledger["by_layer"].items():
            shown += part[key][: left[role]]
            hidden[role] += max(0, len(part[key]) - left[role])
            left[role] = max(0, left[role] - len(part[key]))
        if shown or ledger[key]:
            lines += [str(heading), *(f"  {line}" for line in shown)]
    for role, n in hidden.items():
        if n:
            name = names.get(role, role) or text("project file")
            more = text("{role}: {n} more; --out FILE.xlsx lists all", role=name, n=n)
            lines.append(f"  … {more}")
    if ledger["not_given"]:
        given = "、".join(names.get(role, role) for role in ledger["not_given"])
        lines.append(str(text("Not given (sheet left blank): {layers}", layers=given)))
    if "kept" in ledger:
        lines.append(str(text("{n} words kept in {file}", n=ledger["kept"], file=ledger["words"])))
    if not ledger["returned"] and not ledger["unusable"]:
        lines.append(str(text("Everything that was given can be used.")))
    return "\n".join(lines)


def shown_solution(document: dict[str, Any]) -> str:
    """Show a location or allocation document as text.

    Parameters
    ----------
    document
        The document.

    Returns
    -------
    str
        Lines in the current language.
    """
    words = {
        "optimal": text("proven optimal"),
        "feasible": text("feasible, not proven optimal"),
        "infeasible": text("no feasible answer"),
        "unknown": text("no answer within the limit"),
    }
    lines = [f"{document['model']}: {words[document['status']]}"]
    if document["objective"] is not None:
        lines.append(
            str(
                text(
                    "objective {objective}, bound {bound}, gap {gap}",
                    objective=f"{document['objective']:g}",
                    bound=f"{document['bound']:g}",
                    gap=f"{document['gap']:.3%}",
                )
            )
        )
        lines.append(str(text("open: {names}", names=", ".join(document["facilities"]))))
        share = f"{document['covered_share']:.1%}"
        lines.append(str(text("covered weight: {share}", share=share)))
        if document["model"] == "allocate":
            lines += [
                f"{row['demand']} -> {row['facility']}: {row['amount']:g}"
                for row in document["assignment"]
            ]
        elif left := document["uncovered"]:
            lines.append(str(text("not covered: {names}", names=", ".join(left))))
        if idle := document.get("adds_nothing"):
            enough = len(document["facilities"]) - len(idle)
            lines.append(
                str(text("{n} are enough; these add nothing: {names}",
                         n=enough, names=", ".join(idle)))
            )  # fmt: skip
    if document["reason"]:
        lines.append(document["reason"])
    lines += [
        str(text("not served: {name}, {n}", name=row["demand"], n=f"{row['amount']:g}"))
        for row in document.get("shortfall", [])
    ]
    return "\n".join(lines)


def shown_routes(document: dict[str, Any], *, limited: bool = False) -> str:
    """Show a document of routes as text.

    Parameters
    ----------
    document
        The document.
    limited
        Whether only ways up to a limit were asked for.

    Returns
    -------
    str
        One line a route.
    """
    lines = []
    for row in document["routes"]:
        if row["reached"]:
            lines.append(
                f"{row['from']} -> {row['to']}: {row['metres']:.1f} m, {row['seconds']:.1f} s"
            )
        else:
            to = row.get("asked_to")
            name = row["from"] + (f" -> {to}" if to else "")
            off = row["reason"] == "off_network"
            why = text("no road within --snap-limit") if off else text("no route")
            if limited and not off:
                why = text("no route within --limit")
            lines.append(f"{name}: {why}")
    return "\n".join([*lines, *document.get("notes", [])])


def shown_datum(done: dict[str, Any]) -> str:
    """Show which datum coordinates are in, and what was compared.

    Parameters
    ----------
    done
        ``datum``, ``held``, ``compared`` and ``decided``.

    Returns
    -------
    str
        One or two lines.
    """
    held = done["held"]
    compared = text(
        "in the unit they state lie, of {n} rows: {wgs84} as WGS-84, {gcj02} as Amap or Tencent "
        "(GCJ-02), {bd09} as Baidu (BD-09)",
        n=done["compared"],
        wgs84=held["wgs84"],
        gcj02=held["gcj02"],
        bd09=held["bd09"],
    )
    if done["decided"]:
        return str(text("taken as {datum}: {compared}", datum=done["datum"], compared=compared))
    asked = text(
        "were the coordinates taken from Amap, from Baidu or by GPS? Give --from gcj02, bd09 or "
        "wgs84; nothing was written"
    )
    return f"{compared}\n{asked}"


def shown_atlas(made: dict[str, Any]) -> str:
    """Say which sheets were made, which not, and what they lack.

    Parameters
    ----------
    made
        As ``riskmap papers`` gives it.

    Returns
    -------
    str
        Lines.
    """
    states = made["states"]
    lines = [
        str(
            text(
                "{n} sheets: {new} first made, {changed} changed, {same} as before",
                n=made["sheets"], new=states["new"], changed=states["changed"],
                same=states["same"],
            )
        )
    ]  # fmt: skip
    lines += [str(text("  not made: {name}", name=name)) for name in made["not_made"]]
    lacks: dict[str, int] = {}
    for names in made["missing"].values():
        for name in names:
            lacks[name] = lacks.get(name, 0) + 1
    lines += [
        str(text("  {n} sheets lack: {what}", n=n, what=name)) for name, n in sorted(lacks.items())
    ]
    lines += [f"  {note}" for note in made["notes"]]
    lines.append(str(text("Sheets and their list (sheets.csv): {folder}", folder=made["folder"])))
    return "\n".join(lines)


def explain(code: str) -> dict[str, Any]:
    """Explain a code of a paper or a message.

    Parameters
    ----------
    code
        A rule, an indicator, a preset's key or a role; its name in words will do.

    Returns
    -------
    dict
        ``code``, ``kind``, ``title`` and ``lines``, in the current language.

    Raises
    ------
    UsageError
        When nothing is called so; the nearest names are offered.
    """
    known: dict[str, tuple[str, str]] = {}
    wanted = code.strip().casefold()
    for name, title, about in _entries():
        for key in (name, title):
            known.setdefault(key.casefold(), (name, title))
        if wanted in (name.casefold(), title.casefold()):
            kind, lines = about()
            return {"code": name, "kind": str(kind), "title": title, "lines": list(map(str, lines))}
    near = (
        get_close_matches(wanted, known, n=5, cutoff=0.5)
        or [key for key in known if wanted and wanted in key][:5]
    )
    shown = "、".join(dict.fromkeys(f"{known[key][0]} ({known[key][1]})" for key in near))
    if shown:
        raise UsageError(
            text("nothing is called '{code}'; near it: {names}", code=code, names=shown)
        )
    raise UsageError(text("nothing is called '{code}'", code=code))


def _entries() -> Iterator[tuple[str, str, Any]]:
    """Give everything that has a code: the code, its title, and a function that explains it."""
    for rule in load_rules().values():
        yield rule.code, str(rule.title), lambda rule=rule: (text("rule"), [rule.why])
    from riskmap.indicators.table import load_table  # the other answers need no tables

    table = load_table()
    for code in table.index:
        title = Label(str(table.loc[code, "name_en"]), zh=str(table.loc[code, "name_zh"]))
        yield str(code), str(title), lambda code=code: (text("indicator"), _indicator(table, code))
    for name, role in load_roles().items():
        yield name, str(role.label), lambda role=role: (text("layer"), _role(role))
    presets = load_presets()
    for preset in map(presets.preset, presets):
        title = Label(preset.en, zh=preset.zh)
        yield preset.key, str(title), lambda preset=preset: (text("preset"), _preset(preset))


def _indicator(table: Any, code: str) -> list[Text]:
    row = table.loc[code]
    layer = load_roles().get(str(row["layer"]))
    lines = [text("unit: {unit}; weight in its group: {weight}", unit=row["unit"],
                  weight=f"{float(row['weight']):g}")]  # fmt: skip
    if layer is not None:
        lines.append(text("measured from the layer {layer}", layer=layer.label))
    if float(row["direction"]) < 0:
        lines.append(text("higher values mean less risk"))
    lines.append(text("source: {source}", source=row["source"]))
    return lines


def _role(role: Any) -> list[Text]:
    fields = "、".join(f"{field.label}{'*' if field.required else ''}" for field in role.fields)
    lines = [
        text("columns (* must be filled): {fields}", fields=fields),
        text("on duty: {unit}", unit=role.duty_unit),
        text("who usually has it: {unit}", unit=role.keeper or role.duty_unit),
    ]
    if role.absence is not None:
        lines.append(text("when it is missing: {cost}", cost=role.absence))
    return lines


def _preset(preset: Any) -> list[Text]:
    words = {
        "sourced": text("sourced"),
        "check": text("to be checked"),
        "unverified": text("unverified"),
    }
    said = " ".join(part for part in (preset.source, preset.edition, preset.clause) if part)
    return [
        text("value: {value} {unit}", value=preset.value, unit=preset.unit or ""),
        text("proof: {status}", status=words[preset.status]),
        text("source: {source}", source=said or "-"),
    ]
