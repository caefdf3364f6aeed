"""Write docs/project-file.md from the sections' own descriptions."""

from pathlib import Path

from riskmap.project import schema as sections
from riskmap.project.schema import Project

HEAD = """# The project file

One YAML file names the place, the units, the layers and the outputs. Paths are relative to it and
may not leave the project's tree (the nearest parent folder with `riskmap.root` or `.git`, else its
own folder) unless `--allow-outside` is given. `layers` maps a role to one source or a list; `units`
is one source or a list. This page is made by `python docs/make_reference.py`.
"""
ORDER = (
    ("Project", Project),
    ("place", sections.Place),
    ("units", sections.UnitSource),
    ("grid", sections.Grid),
    ("layers: a source", sections.LayerSource),
    ("layers: fields of a source", sections.Column),
    ("index", sections.IndexOptions),
    ("index.classes", sections.Classes),
    ("scenarios", sections.ScenarioSource),
    ("stations", sections.StationOptions),
    ("refuges", sections.RefugeOptions),
    ("outputs", sections.Outputs),
)


def page() -> str:
    """Give the page's text."""
    parts = [HEAD]
    for title, section in ORDER:
        parts.append(f"\n## {title}\n\n| key | default | meaning |\n|---|---|---|\n")
        for key, field in section.model_fields.items():
            if field.exclude:
                continue
            default = (
                "required" if field.is_required() else field.get_default(call_default_factory=True)
            )
            shown = (
                ""
                if default in (None, "", [], {}) or isinstance(default, sections.Section)
                else f"`{default}`"
            )
            parts.append(f"| `{key}` | {shown} | {field.description or ''} |\n")
    return "".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("project-file.md").write_text(page(), encoding="utf-8", newline="\n")
