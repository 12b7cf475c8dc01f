"""What one does with finished runs: look at one number, compare two runs, export a dataset."""

import csv
import io
import json
import math
import re
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from markdown_it import MarkdownIt
from rich.console import Console

from sampler_bench import run, runs
from sampler_bench.compare import compare
from sampler_bench.errors import InputError, StoreError
from sampler_bench.export import export
from sampler_bench.publish import rescore, write_leaderboard
from sampler_bench.read_along import conditionals_along
from sampler_bench.report.comparison import comparison
from sampler_bench.report.number import number_table
from sampler_bench.runs.records import MEASURED
from sampler_bench.runs.store import RunFolder
from sampler_bench.score.scores import ROW
from sampler_bench.sealed import ANSWERS, write_sealed


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    run("twin-primes-3", ["oracle", "uniform-digits"], out=out, samples=8)
    return out


def test_a_number_is_shown_digit_by_digit(here, folder):
    shown = here("show", folder, "--number", "101", "--model", "uniform-digits")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split() for line in shown.stdout.splitlines()]
    # 14 of 54 start with 1, then 4 of 14 with 10, of which 101 is one; uniform digits: 1/9, 1/10, 1/10
    assert rows[1][:4] == ["1", "1", f"{14 / 54:.4f}", f"{1 / 9:.4f}"]
    assert rows[2][:4] == ["2", "0", f"{4 / 14:.4f}", "0.1000"]
    assert rows[3][:4] == ["3", "1", "0.2500", "0.1000"]
    assert rows[3][4] == f"{math.log(10 / 4):.4f}"  # four digits of ten can follow, all alike
    assert rows[3][5] == "0.6000"  # six are dead ends
    assert rows[4][:3] == ["END", "1.0000", "1.0000"]
    assert max(map(len, shown.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--number", "101"], "say --model, one of oracle, uniform-digits"),
        (["--number", "100", "--model", "oracle"], "100 was not read along in"),
        (["--number", "10", "--model", "oracle"], "10 was not read along there; these were: 101, 103,"),
        (
            ["--number", "101", "--model", "nobody"],
            "no model 'nobody' in this run; there are oracle, uniform",
        ),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(here, folder, arguments, reason):
    shown = here("show", folder, *arguments)
    assert shown.returncode == 2
    assert reason in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_what_a_model_excludes_is_shown_as_infinite(folder):
    records = runs.read(folder).conditionals.query("model == 'oracle'")
    wrong = (records["prefix"] == "10").to_numpy()
    excluded = [*[0.1] * 3, 0.0, *[0.1] * 6, 0.1]  # no 3, but 103 is a twin prime
    records["q"] = [excluded if there else q for there, q in zip(wrong, records["q"], strict=True)]
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(number_table(records, "103"))
    assert re.search(r"3 +3 +0\.2500 +0\.0000 +inf .*◀ +█{20}", console.export_text())


def test_decoders_of_an_arm_are_told_apart(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    table = pq.read_table(copy / "conditionals.parquet").drop_columns("unit")
    place = table.schema.get_field_index("decoder")
    other = table.set_column(place, table.schema.field(place), pa.array(["feasible"] * len(table)))
    RunFolder(copy).write_part("conditionals", "other", other)
    said = {"task": None, "model": "oracle", "arm": None, "decoder": None}
    with pytest.raises(InputError, match="say --decoder, one of ancestral, feasible"):
        conditionals_along(copy, "101", said)
    chosen = conditionals_along(copy, "101", said | {"decoder": "feasible"})
    assert set(chosen["decoder"]) == {"feasible"}


def test_a_run_does_not_differ_from_itself(folder):
    found = compare(folder, folder, dict.fromkeys(ROW), dict.fromkeys(ROW))
    assert set(found["metric"]) == {"skill", "uptake", "validity"}
    assert (found[["change", "low", "high"]][found["metric"] != "validity"] == 0).all(axis=None)
    assert (found["change"] == 0).all()
    assert (found["p_adjusted"] == 1).all()
    assert found["paired"][found["metric"] != "validity"].all()


def test_a_change_beyond_the_intervals_is_marked():
    def scores(value: float, half: float) -> pd.DataFrame:
        of = {
            "suite": "s",
            "task": "t",
            "model": "m",
            "arm": "direct",
            "decoder": "ancestral",
            "metric": "skill",
        }
        return pd.DataFrame([of | {"value": value, "low": value - half, "high": value + half}])

    (far,) = comparison(scores(0.2, 0.3), scores(0.8, 0.4)).to_dict("records")
    assert (far["change"], far["low"], far["high"]) == pytest.approx((0.6, 0.1, 1.1))  # half width 0.5
    assert far["changed"]
    (near,) = comparison(scores(0.2, 0.3), scores(0.6, 0.4)).to_dict("records")
    assert not near["changed"]


def test_runs_are_compared_on_the_command_line(here, folder, tmp_path):
    run("even-6", ["oracle"], out=tmp_path / "other", numbers=4, samples=4)
    same = here("compare", folder, folder)
    assert same.returncode == 0
    assert re.search(r"twin-primes-3 +skill +0\.00 +0\.00 +0\.00 +0\.00 to 0\.00", same.stdout)
    other = here("compare", folder, folder, "--model", "oracle", "--with", "uniform-digits", "--out", "both")
    assert re.search(r"uniform-digits direct less oracle direct", other.stdout)
    assert re.search(r"twin-primes-3 +skill +1\.00 +0\.00 +-1\.00 \* +-1\.00 to -1\.00", other.stdout)
    assert {path.name for path in (tmp_path / "both").iterdir()} == {
        "comparison.csv", "comparison.svg", "comparison.png"
    }  # fmt: skip
    nobody = here("compare", folder, folder, "--model", "oracle", "--with", "nobody")
    assert nobody.returncode == 2
    assert "no model 'nobody' in" in nobody.stderr
    apart = here("compare", folder, tmp_path / "other")
    assert apart.returncode == 2
    assert "have no task, model and arm in common" in apart.stderr


def test_an_export_holds_every_table_and_a_card(folder, tmp_path):
    written = export(folder, tmp_path / "dataset")
    names = [str(path.relative_to(tmp_path / "dataset")) for path in written]
    tables = ["conditionals", "samples", "scores", "curves"]
    assert names == [*(f"data/{name}.parquet" for name in tables), "manifest.json", "README.md"]
    card = (tmp_path / "dataset" / "README.md").read_text()
    front = card.split("---")[1]
    for name in tables:
        assert f"- config_name: {name}\n  data_files: data/{name}.parquet\n" in front
        rows = len(pd.read_parquet(tmp_path / "dataset" / "data" / f"{name}.parquet"))
        assert f"| `{name}` | {rows:,} |" in card
    assert json.loads((tmp_path / "dataset" / "manifest.json").read_text())["suite"] == "twin-primes-3"


def test_in_csv_each_probability_has_a_column(folder, tmp_path):
    export(folder, tmp_path, "csv")
    table = pd.read_csv(tmp_path / "data" / "conditionals.csv", dtype=str)  # pandas 2 reads floats roughly
    table = table.astype({"number_id": int, "position": int})
    stored = runs.read(folder).conditionals.sort_values(["model", "number_id", "position"])
    laws = table.sort_values(["model", "number_id", "position"])[[*(f"p_{d}" for d in range(10)), "p_end"]]
    assert laws.map(float).to_numpy().tolist() == [p.tolist() for p in stored["p"]]


DIGITS = ["008", "03", "0", "9" * 100]
HOSTILE = [*DIGITS, "1e5", "-5", "NA", "null", "true", "", "=1+1", "'=x", 'a,b\n"c"', "\r\n", "日本", "[/b]"]


@pytest.fixture
def hostile(folder, tmp_path):
    """A run whose model, texts and numbers are what CSV is bad at."""
    copy = tmp_path / "hostile"
    shutil.copytree(folder, copy)
    name, run_folder = "=m|`<b>`\n- x: [y]", RunFolder(copy)
    manifest = run_folder.manifest()
    manifest.models[name] = manifest.models.pop("oracle")
    run_folder.write_manifest(manifest)
    for kind in MEASURED:
        path = copy / f"{kind}.parquet"
        schema, rows = pq.read_schema(path), pq.read_table(path).to_pandas()
        answers = pq.read_metadata(path).metadata[ANSWERS.encode()].decode()
        rows["model"] = rows["model"].replace("oracle", name)
        if kind == "samples":
            rows["text"] = [HOSTILE[row % len(HOSTILE)] for row in range(len(rows))]
            rows["answer"] = [DIGITS[row % len(DIGITS)] for row in range(len(rows))]
            rows["seed"] = 2**63 - 1 - rows.index
        table = pa.Table.from_pandas(rows, schema.remove_metadata(), preserve_index=False)
        write_sealed(path, table, answers)
    rescore(copy)
    return copy


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_datasets_reads_an_export_to_the_values_that_were_recorded(hostile, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    export(hostile, tmp_path / "dataset", kind)
    for name in ("conditionals", "samples", "scores", "curves"):
        read = datasets.load_dataset(str(tmp_path / "dataset"), name, cache_dir=str(tmp_path / "cache"))[
            "train"
        ]
        stored = getattr(runs.read(hostile), name)
        for column in read.column_names:
            found, wanted = read[column][:], recorded(stored, column)
            if kind == "csv" and isinstance(wanted[0], list):
                wanted = [" ".join(map(str, numbers)) for numbers in wanted]  # numbers in a row, in one cell
            if kind == "csv" and isinstance(wanted[0], str):
                found = [text and re.sub("^'(?='*[=+@\r\n-])", "", text) for text in found]
                wanted = [text or None for text in wanted]  # in CSV an empty text is none
            if any(isinstance(value, float) for value in wanted):  # older pandas: to the last digit but one
                found, wanted = (pd.Series(values, dtype=float) for values in (found, wanted))
                np.testing.assert_allclose(found, wanted, rtol=1e-14)
            else:
                assert found == wanted, column


def recorded(stored: pd.DataFrame, column: str) -> list:
    """A column as JSON has it: none where it is not known; p_3 and p_end are entries of p."""
    if column in stored:
        values = stored[column]
    else:
        law, entry = column.split("_")
        values = stored[law].map(lambda p: p[-1 if entry == "end" else int(entry)])
    values = [value.tolist() if hasattr(value, "tolist") else value for value in values]
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


def test_no_cell_of_a_csv_file_is_a_formula(hostile, tmp_path):
    export(hostile, tmp_path / "dataset", "csv")
    write_leaderboard([hostile], tmp_path / "board")
    files = [
        *(tmp_path / "dataset" / "data").glob("*.csv"),
        tmp_path / "board" / "leaderboard.csv",
        hostile / "scores.csv",
    ]
    assert len(files) == 6
    for file in files:
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                assert not [
                    cell for cell in row if cell.startswith(tuple("=+-@\t\r\n")) and not is_number(cell)
                ]


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_the_card_and_the_leaderboard_hold_names_as_text(hostile, tmp_path):
    export(hostile, tmp_path / "dataset", "csv")
    card = (tmp_path / "dataset" / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(card.split("---\n")[1])
    assert [config["config_name"] for config in front["configs"]] == [
        "conditionals",
        "samples",
        "scores",
        "curves",
    ]
    write_leaderboard([hostile], tmp_path / "board")
    board = (tmp_path / "board" / "leaderboard.md").read_text(encoding="utf-8")
    for text in (card, board):
        html = MarkdownIt().enable("table").render(text)
        assert "=m|`&lt;b&gt;` - x: [y]" in html
        assert "<b>" not in html
        assert "<code><b>" not in html


def test_what_cannot_be_exported_is_named(folder, tmp_path):
    with pytest.raises(InputError, match="format 'xml': choose from parquet, csv"):
        export(folder, tmp_path, "xml")
    with pytest.raises(StoreError, match="holds no finished run"):
        export(tmp_path, tmp_path / "out")
