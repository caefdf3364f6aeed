"""A cell changed anywhere, with every hash made anew, is found and named."""

import base64
import gzip
import json
import re
import shutil
import sqlite3
from contextlib import closing

import geopandas as gpd
import openpyxl
import pytest

from riskmap.cli.app import main
from riskmap.export.verify import verify
from riskmap.export.witness import PROOF
from riskmap.files import MANIFEST, hashed_files


@pytest.fixture(scope="module")
def town_out(tmp_path_factory):
    from riskmap import pipeline
    from riskmap.export import bundle
    from riskmap.project.schema import load_project
    from tests import town

    folder = tmp_path_factory.mktemp("verified")
    scenario = {"name": "暴雨", "rain_mm": 100}
    area = gpd.GeoDataFrame(
        {"name": ["河滩"], "households": [4], "people": [12]},
        geometry=[town.at(150, 220).buffer(40)], crs=town.CRS,
    )  # fmt: skip
    area.to_file(folder / "danger_area.gpkg")
    depot = gpd.GeoDataFrame({"number": ["K1"], "name": ["库"]}, geometry=[town.at(60, 160)],
                             crs=town.CRS)  # fmt: skip
    depot.to_file(folder / "supply_depot.gpkg")
    (folder / "stock.csv").write_text("depot,item,quantity,measure_unit\nK1,帐篷,3,顶\n", "utf-8")
    layers = {"danger_area": {"path": "danger_area.gpkg"}, "stock": {"path": "stock.csv"},
              "supply_depot": {"path": "supply_depot.gpkg"}}  # fmt: skip
    written = town.write(folder, project={"scenarios": [scenario]}, layers=layers)
    project = load_project(written)
    return bundle.write(pipeline.run(project), folder / "out")


@pytest.fixture
def copy(town_out, tmp_path):
    shutil.copytree(town_out, tmp_path / "out")
    return tmp_path / "out"


def rehash(folder):
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["outputs"] = hashed_files(folder)
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False), encoding="utf-8")


def sql(folder, *statements):
    with closing(sqlite3.connect(folder / "riskmap.gpkg")) as base:
        for name, function in (("ST_IsEmpty", lambda _: 0), ("ST_MinX", lambda _: 0.0),
                               ("ST_MaxX", lambda _: 0.0), ("ST_MinY", lambda _: 0.0),
                               ("ST_MaxY", lambda _: 0.0)):  # fmt: skip
            base.create_function(name, 1, function)
        for statement in statements:
            base.execute(statement)
        base.commit()


CELLS = {
    "cells score": ("UPDATE cells SET score = score + 0.1 WHERE fid = 3", "cells"),
    "cells class": ("UPDATE cells SET class = 5 - class WHERE fid = 2", "class"),
    "cells value": ("UPDATE cells SET E_POP = E_POP + 1 WHERE fid = 4", "E_POP"),
    "units score": ("UPDATE units SET score = 0.1 WHERE unit_id = 'V21'", "V21"),
    "units name": ("UPDATE units SET name = '别村' WHERE unit_id = 'V21'", "V21 name"),
    "units people": ("UPDATE units SET population = 9 WHERE unit_id = 'V11'", "V11 population"),
    "unit value": ("UPDATE unit_indicators SET E_POP = 1 WHERE unit_id = 'V11'", "V11"),
    "item name": ("UPDATE items SET name = '别处' WHERE rank = 1", "name"),
    "item score": ("UPDATE items SET score = 0 WHERE rank = 1", "score"),
    "item place": ("UPDATE items SET lon = 1 WHERE rank = 2", "lon"),
    "item level": ("UPDATE items SET level = 5 - level WHERE rank = 1", "level"),
    "control": ("UPDATE control SET measure = 'x' WHERE rank = 1", "measure"),
    "layer": ("UPDATE flood_point SET depth_m = 9 WHERE fid = 1", "depth_m"),
    "geometry": ("UPDATE refuge SET geom = (SELECT geom FROM rescue_station)", "refuge"),
    "preset": ("UPDATE presets SET value = '7' WHERE fid = 5", "presets"),
    "params": (
        "UPDATE facts SET value = replace(value, '0.', '1.') WHERE key = 'params.unit'",
        "params",
    ),
    "note": ("DELETE FROM notes WHERE fid = 2", "notes"),
    "fact": ("UPDATE facts SET value = '\"2020-01-01\"' WHERE key = 'data_date'", "data_date"),
    "source": ("UPDATE sources SET rows_in = 99 WHERE fid = 1", "rows_in"),
    "plan proof": ("UPDATE plans SET bound = 1 WHERE fid = 2", "bound"),
    "coverage": ("UPDATE plan_stations_coverage SET covered = 1 WHERE fid = 1", "covered"),
    "share": ("UPDATE plan_stations_coverage SET share = 0.3 WHERE fid = 2", "share"),
    "capacity": ("UPDATE plan_refuges_capacity SET places = 1", "places"),
    "summary": ("UPDATE plan_refuges_summary SET value = value + 7 WHERE fid = 3", "value"),
    "curve": ("UPDATE plan_stations_sites SET objective = 1 WHERE fid = 2", "objective"),
    "plan point": ("UPDATE plan_points SET name = 'x' WHERE fid = 1", "plan_points"),
    "indicator": ("UPDATE indicators SET weight = 0.9 WHERE fid = 3", "weight"),
}


def test_every_changed_cell_of_the_package_is_named(copy):
    sql(copy, *(statement for statement, _ in CELLS.values()))
    rehash(copy)
    faults = [fault for fault in verify(copy) if "gpkg" in fault]
    missed = [case for case, (_, word) in CELLS.items() if not any(word in f for f in faults)]
    assert not missed, faults


def test_a_row_deleted_from_list_and_table_is_missed_by_its_count(copy):
    sql(
        copy,
        *(f"DROP TRIGGER IF EXISTS trigger_delete_feature_count_{t}" for t in ("items", "control")),
        "DELETE FROM items WHERE rank = 2", "DELETE FROM control WHERE rank = 2",
    )  # fmt: skip
    rehash(copy)
    faults = "\n".join(verify(copy))
    assert "riskmap.gpkg items" in faults
    assert "riskmap.gpkg control" in faults


@pytest.mark.parametrize(
    "name",
    ["研判一张单.xlsx", "管控一张表.xlsx", "data_gaps.xlsx", "救援站点方案.xlsx", "避难方案.xlsx"],
)
def test_a_changed_number_of_any_sheet_is_named(copy, name):
    book = openpyxl.load_workbook(copy / name)
    done = []
    for sheet in book:
        numbers = [
            cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, int | float)
        ]
        if numbers:
            numbers[-1].value += 1
            done.append((sheet.title, numbers[-1].coordinate))
    book.save(copy / name)
    assert done
    rehash(copy)
    faults = verify(copy)
    for title, coordinate in done:
        assert any(f"{name} {title}" in f and coordinate in f for f in faults), (title, faults)


def test_changed_data_of_the_page_are_found(copy):
    page = copy / "onemap.html"
    content = page.read_text(encoding="utf-8")
    found = re.search(r'id="(riskmap-data-0)">([^<]*)<', content)
    raw = bytearray(gzip.decompress(base64.b64decode(found[2])))
    raw[-3] ^= 1
    block = base64.b64encode(gzip.compress(bytes(raw), mtime=0)).decode()
    page.write_text(content.replace(found[2], block), encoding="utf-8")
    rehash(copy)
    assert any("onemap.html riskmap-data-0" in fault for fault in verify(copy))


@pytest.mark.parametrize("name", ["report.json", "params.json"])
def test_changed_values_of_documents_are_named(copy, name):
    document = json.loads((copy / name).read_text(encoding="utf-8"))
    if name == "report.json":
        document["worst_units"][0]["score"] = 0.123
        word = "worst_units[0].score"
    else:
        document["unit"]["steps"][0]["options"] = {"x": 1}
        word = "unit.steps[0].options"
    (copy / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    rehash(copy)
    assert any(name in fault and word in fault for fault in verify(copy))


def test_the_manifest_itself_is_covered(copy):
    manifest = json.loads((copy / MANIFEST).read_text(encoding="utf-8"))
    changes = {
        "inputs[0].sha256": lambda m: m["inputs"][0].update(sha256="0" * 64),
        "riskmap": lambda m: m.update(riskmap="9.9"),
        "versions.numpy": lambda m: m["versions"].update(numpy="0"),
        "facts.name": lambda m: m["facts"].update(name="别的"),
        "presets[0].value": lambda m: m["presets"][0].update(value="x"),
    }
    for word, change in changes.items():
        again = json.loads(json.dumps(manifest))
        change(again)
        (copy / MANIFEST).write_text(json.dumps(again), encoding="utf-8")
        assert any(MANIFEST in f and word in f for f in verify(copy)), word


def test_without_its_proof_a_folder_is_not_proven(copy):
    (copy / PROOF).unlink()
    rehash(copy)
    assert any(PROOF in fault for fault in verify(copy))


def test_cells_are_computed_again_even_if_the_proof_was_made_anew(copy):
    from riskmap.export.witness import build_proof

    sql(
        copy, "UPDATE cells SET score = score + 0.1 WHERE fid = 3",
        "UPDATE plan_stations_coverage SET share = 0.3 WHERE fid = 2",
        "UPDATE plans SET bound = 1 WHERE fid = 2", "UPDATE items SET name = '别处' WHERE rank = 1",
    )  # fmt: skip
    manifest = (copy / MANIFEST).read_text(encoding="utf-8")
    (copy / PROOF).write_text(build_proof(copy, manifest), encoding="utf-8")
    rehash(copy)
    faults = "\n".join(verify(copy))
    for word in ("cells.score", "plan_stations_coverage", "plans", "control"):
        assert word in faults


def ends(folder, key):
    """Give the exit code of ``riskmap verify``."""
    with pytest.raises(SystemExit) as end:
        main(["verify", str(folder), "--public-key", str(key)])
    return end.value.code or 0


def test_a_signature_holds_what_hashes_cannot(town_out, tmp_path):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from riskmap.errors import UsageError
    from riskmap.export.witness import check_key, sign

    keys = {}
    for name in ("ours", "theirs"):
        private = Ed25519PrivateKey.generate()
        keys[name] = tmp_path / name
        keys[name].write_bytes(
            private.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        )
        public = private.public_key()
        keys[name].with_suffix(".pub").write_bytes(
            public.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
        )
    folder = tmp_path / "out"
    shutil.copytree(town_out, folder)
    ours = keys["ours"].with_suffix(".pub")
    assert verify(folder, public_key=ours)
    sign(folder, keys["ours"])
    assert verify(folder, public_key=ours) == []
    assert verify(folder) == []
    assert ends(folder, ours) == 0
    assert len(verify(folder, public_key=keys["theirs"].with_suffix(".pub"))) == 1
    with (folder / MANIFEST).open("a") as stream:
        stream.write("\n")
    assert len(verify(folder, public_key=ours)) == 1
    for bad in (ours, tmp_path / "none"):
        with pytest.raises(UsageError):
            check_key(bad)
    assert ends(folder, ours) == 1
    (tmp_path / "empty").mkdir()
    assert ends(tmp_path / "empty", ours) == 1


def reproof(folder):
    """What somebody does who knows how the proof is made: digests and hashes anew."""
    from riskmap.export.witness import build_proof

    manifest = (folder / MANIFEST).read_text(encoding="utf-8")
    (folder / PROOF).write_text(build_proof(folder, manifest), encoding="utf-8")
    rehash(folder)


@pytest.mark.parametrize(
    "name",
    ["研判一张单.xlsx", "管控一张表.xlsx", "救援站点方案.xlsx", "避难方案.xlsx", "物资方案.xlsx", "data_gaps.xlsx"],
)  # fmt: skip
def test_a_cell_of_a_sheet_is_held_against_the_package(copy, name):
    """With proof and manifest made anew, a number and a text of every table are still named."""
    book = openpyxl.load_workbook(copy / name)
    done = []
    for sheet in book:
        if sheet.sheet_state != "visible":
            continue
        sheet["A1"].value = f"{sheet['A1'].value}？"  # a title, and on the sheet to sign a sentence
        done.append((sheet.title, "A1"))
        heads = [row for row in range(3, sheet.max_row) if sheet.cell(row, 1).font.b
                 and sheet.cell(row, 2).value and sheet.cell(row, 2).font.b]  # fmt: skip
        for head in heads or [3]:
            cells = [c for c in sheet[head + 1] if c.value not in (None, "")]
            numbers = [c for c in cells if isinstance(c.value, int | float)]
            for cell, value in [(c, c.value + 1) for c in numbers[-1:]] + [
                (c, c.value + "x") for c in cells[:1] if isinstance(c.value, str)
            ]:
                cell.value = value
                done.append((sheet.title, cell.coordinate))
    book.save(copy / name)
    reproof(copy)
    faults = verify(copy)
    assert len(done) >= 2
    missed = [one for one in done if not any(
        f"{name} {one[0]}" in f and (one[1] in f or "行" in f) for f in faults)]  # fmt: skip
    assert not missed, faults


TABLES = {
    "people of a town": ("UPDATE units SET population = population + 5 WHERE unit_id = 'T1'", "T1"),
    "area": ("UPDATE units SET area_km2 = area_km2 * 2 WHERE unit_id = 'V11'", "area_km2"),
    "order": ("UPDATE items SET rank = 3 - rank WHERE rank < 3", "rank"),
    "unit of an item": ("UPDATE items SET unit_score = 0.99 WHERE rank = 1", "unit_score"),
    "level": ("UPDATE items SET level = 1 WHERE rank = 1", "level"),
    "duty": ("UPDATE control SET deadline = '2031-01-01' WHERE rank = 1", "deadline"),
    "sent": ("UPDATE plan_refuges_assignment SET people = people + 1 WHERE fid = 1", "people"),
    "places": ("UPDATE plan_refuges_capacity SET places = 1", "people"),
    "served": ("UPDATE plan_refuges_shortfall SET served = served + 1 WHERE fid = 1", "shortfall"),
    "stock": ("UPDATE plan_supplies_needs SET lack = lack + 9 WHERE fid = 1", "lack"),
    "depth": ("UPDATE flood_point SET depth_m = 9 WHERE fid = 1", "depth_m"),
    "value of a cell": ("UPDATE cells SET E_POP = E_POP * 3 + 1", "cells.score"),
}


def test_every_figure_of_the_package_is_counted_anew(copy):
    sql(copy, *(statement for statement, _ in TABLES.values()))
    reproof(copy)
    faults = [fault for fault in verify(copy) if "xlsx" not in fault]
    missed = [case for case, (_, word) in TABLES.items() if not any(word in f for f in faults)]
    assert not missed, faults


@pytest.mark.parametrize("key", ["score", "class", "population"])
def test_the_page_is_held_against_the_package(copy, key):
    page = copy / "onemap.html"
    content = page.read_text(encoding="utf-8")
    blocks = dict(re.findall(r'id="riskmap-data-([01])">([^<]*)<', content))
    raw = [bytearray(gzip.decompress(base64.b64decode(blocks[n]))) for n in "01"]
    starts = [4 + int.from_bytes(raw[0][:4], "little"), 0]
    header = json.loads(raw[0][4 : starts[0]])
    spec = header["units"]["population"] if key == "population" else header["index"]["unit"][key]
    number = spec["b"]
    if spec["t"] == "f64":  # shuffled: the highest byte of the first number
        raw[number][starts[number] + spec["o"] + 7 * spec["n"]] ^= 0x40
    else:
        raw[number][starts[number] + spec["o"]] ^= 1
    block = base64.b64encode(gzip.compress(bytes(raw[number]), mtime=0)).decode()
    page.write_text(content.replace(blocks[str(number)], block), encoding="utf-8")
    reproof(copy)
    word = "units.population" if key == "population" else f"unit.{key}"
    assert any(word in fault for fault in verify(copy))


def test_the_report_is_counted_anew(copy):
    def changed(document):
        document["layers"]["flood_point"]["rows_returned"] += 1
        document["items"]["rows"] += 1
        document["worst_units"][0]["class"] = 1

    path = copy / "report.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    changed(document)
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    reproof(copy)
    faults = "\n".join(verify(copy))
    for word in ("layers.flood_point", "items.rows", "worst_units[0]"):
        assert word in faults
