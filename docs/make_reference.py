# ruff: noqa: E501
"""Write docs/project-file.md and its Chinese twin from the sections' own descriptions."""

from pathlib import Path

from riskmap.i18n import Text, language
from riskmap.plans.options import Standard
from riskmap.project import schema as sections
from riskmap.project.schema import Project

HEAD = """# The project file

One YAML file names the place, the units, the layers and the outputs. Paths are relative to it and
may not leave the project's tree (the nearest parent folder with `riskmap.root` or `.git`, else its
own folder) unless `--allow-outside` is given. `layers` maps a role to one source or a list; `units`
is one source or a list. This page is made by `python docs/make_reference.py`.

A source may be a table or view of a PostGIS database: `path: postgresql://USER@HOST:5432/DATABASE` with
`layer: SCHEMA.TABLE`, or `...DATABASE#SCHEMA.TABLE` in one. What was read is kept as GeoParquet in `.riskmap/database/`
beside the project file, and the manifest holds its hash. A database on another machine needs `--allow-outside`.
Passwords belong into `~/.pgpass` or `PGPASSWORD`; one in the address reaches no output. `outputs.database` writes every
table of the results into one schema, all or none: `riskmap: ...` in the schema's comment marks it as ours, tables of others
are never touched, views on our tables stay. `riskmap postgis FOLDER ADDRESS` does the same with results that exist.
"""
HEAD_ZH = """# 项目文件

一个 YAML 文件写明地方、评价单元、图层和成果。路径相对于项目文件，不能离开项目文件夹（最近的含 `riskmap.root` 或 `.git`
的上级文件夹，没有时为项目文件所在文件夹），除非加 `--allow-outside`。`layers` 中每个图层名对应一个来源或一组来源；`units`
为一个来源或一组来源。`riskmap new` 会写好一个不用改就能运行的项目文件，见 [first-hour.zh.md](first-hour.zh.md)。
本页由 `python docs/make_reference.py` 生成。

项目文件旁可以有两个文件：`名称.words.yaml` 是本单位的说法对照表（表头对应字段，选项写法对应取值），由
`riskmap check --keep` 生成，可自行修改；`.riskmap/` 是编号和缓存，不用管。

```yaml
name: 示例县
place: {code: "370100", name: 示例县}
data_date: "2026-05-01"
units:
  - {path: layers/台账.xlsx, sheet: 村社区, level: village, code: 行政区划代码, name: 村社区名称,
     parent: 所属镇街, population: 常住人口, elderly: 老年人口, datum: wgs84}
layers:
  flood_point: {path: layers/台账.xlsx, sheet: 易涝积水点, datum: gcj02}
  road: {path: layers/roads.gpkg}
```

来源也可以是 PostGIS 数据库中的表或视图：`path: postgresql://用户@主机:5432/数据库`，`layer: 模式.表`；或合写为
`postgresql://用户@主机:5432/数据库#模式.表`。读到的数据以 GeoParquet 存放在项目文件旁的 `.riskmap/database/`，清单中记其哈希值。
数据库在另一台机器上时须加 `--allow-outside`。密码请写在 `~/.pgpass` 或环境变量 `PGPASSWORD` 中；写在地址中的密码不会出现在任何成果里。
`outputs.database` 把成果各表写入一个模式，要么全部写入，要么不写；该模式的注释以 `riskmap: ` 开头，他人的表不动，
他人建在成果表上的视图保留。已有的成果文件夹用 `riskmap postgis 文件夹 地址` 写入。
"""
TITLES_ZH = {
    "Project": "最外层",
    "place": "place：地方",
    "units": "units：评价单元",
    "grid": "grid：格网",
    "layers: a source": "layers：一个来源",
    "layers: fields of a source": "layers：来源的 fields",
    "index": "index：综合指数",
    "index.classes": "index.classes：分级",
    "scenarios": "scenarios：情景",
    "stations": "stations：救援站方案",
    "stations.standards: a standard": "stations.standards：一条标准",
    "refuges": "refuges：避难方案",
    "traffic": "traffic：道路交通",
    "outputs": "outputs：成果",
}
HEADS = {
    "en": (HEAD, "| key | default | meaning |", "required"),
    "zh": (HEAD_ZH, "| 键 | 默认 | 含义 |", "必填"),
}
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
    ("stations.standards: a standard", Standard),
    ("refuges", sections.RefugeOptions),
    ("traffic", sections.TrafficOptions),
    ("outputs", sections.Outputs),
)


def page(lang: str = "en") -> str:
    """Give the page's text."""
    head, row, required = HEADS[lang]
    parts = [head]
    for title, section in ORDER:
        shown_title = TITLES_ZH[title] if lang == "zh" else title
        parts.append(f"\n## {shown_title}\n\n{row}\n|---|---|---|\n")
        for key, field in section.model_fields.items():
            if field.exclude:
                continue
            default = (
                required if field.is_required() else field.get_default(call_default_factory=True)
            )
            shown = (
                ""
                if default in (None, "", [], {}) or isinstance(default, sections.Section)
                else f"`{default}`"
            )
            with language(lang):
                said = str(Text(field.description)) if field.description else ""
            parts.append(f"| `{key}` | {shown} | {said} |\n")
    return "".join(parts)


if __name__ == "__main__":
    for lang, name in (("en", "project-file.md"), ("zh", "project-file.zh.md")):
        path = Path(__file__).with_name(name)
        path.write_text(page(lang), encoding="utf-8", newline="\n")
