"""locate and allocate on tables: what is wrong is said, with file, row and exit code."""

import json
import time

import pytest

from riskmap.cli.app import main

GOOD = {
    "c.csv": "demand,facility,cost\na,x,1\na,y,2\nb,x,3\n",
    "d.csv": "demand,weight\na,1\nb,2\n",
    "f.csv": "facility,capacity\nx,2\ny,5\n",
}
MEDIAN = ("locate", "p-median", "--p", "1")
TO = ("allocate", "--demand", "d.csv", "--facilities", "f.csv")


def call(folder, monkeypatch, capsys, words, **files):
    for name, content in (GOOD | {f"{k}.csv": v for k, v in files.items()}).items():
        (folder / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RISKMAP_LANG", "en")
    with pytest.raises(SystemExit) as ended:
        main([*words, "--cost", "c.csv"])
    code = ended.value.code or 0
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


@pytest.mark.parametrize(
    ("words", "files", "code", "said"),
    [
        (MEDIAN, {"c": "demand,facility,cost\n"}, 1, ["c.csv"]),
        (MEDIAN, {"c": ""}, 1, ["c.csv"]),
        (MEDIAN, {"c": "demand,facility,cost\na,x,1,9\n"}, 1, ["c.csv"]),
        (MEDIAN, {"c": "demand,facility,cost\na,x,-4\n"}, 1, ["#2", "-4"]),
        (MEDIAN, {"c": "demand,facility,cost\na,x,nan\na,y,inf\n"}, 1, ["#2", "#3", "nan"]),
        (MEDIAN, {"c": "demand,facility,cost\na,x,1\na,x,2\n"}, 1, ["#3"]),
        ((*MEDIAN, "--facilities", "f.csv"), {"c": "demand,facility,cost\na,z,1\n"}, 1, ["z"]),
        ((*MEDIAN, "--demand", "d.csv"), {"d": "demand,weight\nb,1\n"}, 1, ["#2", "a"]),
        ((*MEDIAN, "--demand", "d.csv"), {"d": "demand,weight\n"}, 1, ["d.csv"]),
        (("locate", "p-median", "--p", "9"), {}, 2, ["9", "2"]),
        (("locate", "p-median"), {}, 2, ["--p"]),
        (("locate", "mclp", "--p", "1"), {}, 2, ["--radius"]),
        (("locate", "p-median", "--p", "1", "--radius", "2"), {}, 3, ["b", "3"]),
        (TO, {"c": "demand,facility,cost\n"}, 1, ["c.csv"]),
        (TO, {"c": "demand,facility,cost,cost \na,x,1,2\n"}, 1, ["cost", "twice"]),
        (TO, {"d": "demand,weight\na,-1\nb,约200人\n"}, 1, ["#2", "#3", "约200人"]),
        (TO, {"f": "facility,capacity\nx,约200人\ny,-4\ny,1\n"}, 1, ["#2", "#3", "#4"]),
        (TO, {"f": "facility\nx\n"}, 1, ["y"]),
        (TO, {"f": "facility,床位\nx,2\ny,5\n"}, 0, ["f.csv", "床位", "2 of 2"]),
        (TO, {"f": "facility,容量（万人）\nx,1\ny,5\n"}, 0, ["容量（万人）", "2 of 2"]),
        (TO, {"f": "facility,容量（人）\nx,1\ny,5\n"}, 0, ["not served: b, 1"]),
        (TO, {"f": "facility,capacity\nx,\ny,5\n"}, 0, ["1 of 2", "b -> x: 2"]),
        (TO, {"d": "demand,weight\na,1\nb,2\n,\n,\n"}, 0, ["a -> y: 1"]),
        (TO, {"d": "demand,weight\na,1e300\nb,2\n"}, 1, ["#2", "1e300"]),
        ((*MEDIAN, "--facilities", "f.csv"), {}, 0, ["c-p-median"]),
        (("locate", "lscp", "--radius", "3", "--p", "1"), {}, 2, ["--p"]),
        ((*MEDIAN, "--busy", "0.3"), {}, 2, ["--busy"]),
        (("locate", "mclp", "--p", "1", "--radius", "1"), {}, 0, ["not covered: b"]),
    ],
)
def test_what_is_wrong_is_said(tmp_path, monkeypatch, capsys, words, files, code, said):
    got, out, err = call(tmp_path, monkeypatch, capsys, words, **files)
    assert got == code, (out, err)
    for word in said:
        assert word in out + err


@pytest.mark.parametrize("split", ["--split", "--whole"])
def test_a_shortfall_is_shown_with_its_mend(tmp_path, monkeypatch, capsys, split):
    few = "facility,capacity\nx,0\ny,1\n"
    code, out, _ = call(tmp_path, monkeypatch, capsys, (*TO, split, "--json"), f=few)
    document = json.loads(out)
    assert (code, document["served"]) == (0, 1)
    assert document["shortfall"] == [{"demand": "b", "amount": 2}]
    assert document["mend"] == [{"facility": "x", "add_capacity": 2.0}]


def test_a_short_limit_gives_the_best_found_with_its_bound(tmp_path, monkeypatch, capsys):
    def table(demands, sites):
        cost = [(i, j, (i * 37 + j * 91) % 97 + 1) for i in range(demands) for j in range(sites)]
        return "\n".join(["demand,facility,cost", *(f"d{i},f{j},{c}" for i, j, c in cost)])

    words = ("locate", "c-p-median", "--p", "20", "--time-limit", "0.1", "--json")
    call(tmp_path, monkeypatch, capsys, words, c=table(30, 24))  # compiled before the clock runs
    begin = time.process_time()  # others' load is not counted
    code, out, _ = call(tmp_path, monkeypatch, capsys, words, c=table(90, 60))
    assert time.process_time() - begin < 20
    document = json.loads(out)
    assert code == 0
    assert document["status"] in {"feasible", "optimal"}
    assert document["bound"] <= document["objective"]
    assert len(document["facilities"]) == 20


def test_sites_beyond_those_needed_are_named(tmp_path, monkeypatch, capsys):
    """Two sites serve both demands at no cost; the third is opened because three are asked for."""
    files = {"c": "demand,facility,cost\na,x,0\na,z,5\nb,y,0\nb,z,5\n"}
    words = ("locate", "p-median", "--p", "3")
    _, out, _ = call(tmp_path, monkeypatch, capsys, words, **files)
    assert "2 are enough; these add nothing: z" in out
    _, out, _ = call(tmp_path, monkeypatch, capsys, (*words, "--json"), **files)
    assert json.loads(out)["adds_nothing"] == ["z"]
