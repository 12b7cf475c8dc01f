"""The published results as a dataset: every table that the card names is read, and holds what it says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from sampler_bench.models.reference import find_reference

PUBLISHED = Path(__file__).parents[1] / "results" / "published"
CARD = (PUBLISHED / "README.md").read_text()
CONFIGS = {
    each["config_name"]: each["data_files"] for each in yaml.safe_load(CARD.split("---\n")[1])["configs"]
}


def test_the_card_names_every_table():
    there = {str(path.relative_to(PUBLISHED)) for path in PUBLISHED.glob("*/*.parquet")}
    assert {*CONFIGS.values()} == there


@pytest.mark.parametrize("name", CONFIGS)
def test_each_table_is_read_by_datasets_as_pandas_reads_it(name, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    read = datasets.load_dataset(str(PUBLISHED), name, cache_dir=str(tmp_path))["train"]
    table = pd.read_parquet(PUBLISHED / CONFIGS[name])
    assert len(read) == len(table)
    assert set(read.column_names) == {*table.columns}


def test_the_card_counts_rows():
    for folder in {Path(file).parent.name for file in CONFIGS.values()}:
        [line] = [line for line in CARD.splitlines() if line.startswith(f"| `{folder}` |")]
        for file in (file for file in CONFIGS.values() if Path(file).parent.name == folder):
            assert f"{len(pd.read_parquet(PUBLISHED / file)):,} {Path(file).stem}" in line


def test_the_card_names_the_weights_of_every_language_model():
    for manifest in PUBLISHED.glob("*/manifest.json"):
        for name, model in json.loads(manifest.read_text())["models"].items():
            assert (find_reference(name) is None) == (f"| `{name}` | " in CARD)
            assert find_reference(name) or f"| {model['identity']} |" in CARD


@pytest.mark.parametrize("run", sorted(path.parent.name for path in PUBLISHED.glob("*/manifest.json")))
def test_laws_of_models_have_sixteen_bits_and_those_of_references_all(run):
    records = pd.read_parquet(PUBLISHED / run / "conditionals.parquet")
    truths = pd.read_parquet(PUBLISHED / run / "truths.parquet")
    exact = records[records["model"] == "oracle"].merge(truths, on=["task", "prefix"])
    assert len(exact) > 0 or run == "larger"  # which has no references
    assert all(np.array_equal(q, p) for q, p in zip(exact["q"], exact["p"], strict=True))
    laws = np.stack(records.loc[[find_reference(name) is None for name in records["model"]], "q"])
    parts = np.frexp(laws)[0] * 2**16
    assert np.array_equal(parts, np.round(parts))
    assert np.abs(laws.sum(axis=1) - 1).max() < 1e-4


def test_what_the_hub_is_told_of_is_there():
    told = yaml.safe_load((PUBLISHED / "eval.yaml").read_text())
    assert {task["config"] for task in told["tasks"]} <= {*CONFIGS}
    for task in told["tasks"]:
        scores = pd.read_parquet(PUBLISHED / CONFIGS[task["config"]])
        assert (scores["metric"] == "skill").any()
