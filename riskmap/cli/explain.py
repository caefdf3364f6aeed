"""What a code means: a rule, an indicator, a preset, a role, a field."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from riskmap.errors import UsageError
from riskmap.i18n import Text, text
from riskmap.indicators.table import load_table
from riskmap.vocabulary.presets import load_presets
from riskmap.vocabulary.roles import Label, load_roles, load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator


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
