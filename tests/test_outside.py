"""Published skill and uptake, computed again from the records with pandas and numpy alone."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PUBLISHED = Path(__file__).parents[1] / "results" / "published"
ROW = ["task", "model", "arm", "decoder"]
FREE = 0.01  # nats


def kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0).sum(axis=1)


def share(law: np.ndarray) -> np.ndarray:
    total = law.sum(axis=1, keepdims=True)
    return np.divide(law, total, out=np.zeros_like(law), where=total > 0)


def by_number(records: pd.DataFrame) -> pd.DataFrame:
    """Sums along each number of each wording: content A, of uniform digits U, free parts, surprise S."""
    p, q = np.stack(records["p"].to_numpy()), np.stack(records["q"].to_numpy())
    go_on, truth, model = p[:, :10].sum(axis=1), share(p[:, :10]), share(q[:, :10])
    may = np.ones_like(truth)
    may[:, 0] = (records["position"] > 0) | (p[:, 0] > 0)
    content, uniform = go_on * kl(truth, model), kl(truth, share(may))
    numbers = records.groupby(["paraphrase", "number_id"])["prefix"].transform("last")
    nexts = [
        int(number[len(prefix)]) if len(prefix) < len(number) else 10
        for number, prefix in zip(numbers, records["prefix"], strict=True)
    ]
    at, rows = np.minimum(nexts, 9), np.arange(len(p))
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = np.where(np.array(nexts) < 10, np.log(truth[rows, at]) - np.log(model[rows, at]), 0.0)
    parts = pd.DataFrame(
        {
            "A": content,
            "asked": np.where(uniform > FREE, content, 0.0),
            "U": go_on * uniform,
            "F": np.where(uniform > FREE, 0.0, go_on * uniform),
            "S": surprise,
        },
        index=records.index,
    )
    keyed = parts.assign(**{name: records[name] for name in ("paraphrase", "number_id", "weight")})
    sums = keyed.groupby(["paraphrase", "number_id"]).agg(
        {**dict.fromkeys(parts.columns, "sum"), "weight": "first"}
    )
    return sums.groupby("number_id").mean()  # over the wordings


def calibrated(values: np.ndarray, weight: np.ndarray, covariates: list[np.ndarray]) -> float:
    """The intercept of the weighted regression on what should be 0."""
    if not np.isfinite(values).all():
        return np.inf
    design = np.column_stack([np.ones(len(values)), *covariates]) * np.sqrt(weight)[:, None]
    return float(np.linalg.lstsq(design, values * np.sqrt(weight), rcond=None)[0][0])


def recomputed(records: pd.DataFrame, information: float, used: str) -> float:
    """Skill of a row."""
    sums = by_number(records)
    with np.errstate(invalid="ignore"):
        known = {"luck": sums["U"] - information, "own-luck": sums["A"] - sums["S"]}
    covariates = [known[name].to_numpy() for name in used.split("+") if name]
    asked, free = (
        calibrated(sums[name].to_numpy(), sums["weight"].to_numpy(), covariates) for name in ("asked", "F")
    )
    return min(1 - asked / (information - free), 1.0)


@pytest.mark.parametrize("run", sorted(path.name for path in PUBLISHED.iterdir() if path.is_dir()))
def test_published_skill_is_what_an_outsider_computes_from_the_records(run):
    folder = PUBLISHED / run
    scores = pd.read_csv(folder / "scores.csv", dtype=str, keep_default_na=False)
    tasks = json.loads((folder / "manifest.json").read_text())["tasks"]
    records = pd.read_parquet(folder / "conditionals.parquet").merge(
        pd.read_parquet(folder / "truths.parquet"), on=["task", "prefix"]
    )
    if "blind" in records:
        records = records[~records["blind"] & (records["traces_of"] == "")]
    records = records.sort_values([*ROW, "paraphrase", "number_id", "position"], ignore_index=True)
    skills = scores[scores["metric"] == "skill"].set_index(ROW)
    found = 0
    for key, rows in records.groupby(ROW):
        if key not in skills.index:
            assert tasks[key[0]]["information"] < 1e-9
            continue
        row = skills.loc[key]
        value = recomputed(rows, tasks[key[0]]["information"], row["calibrated"])
        assert value == pytest.approx(float(row["value"]), rel=1e-9, abs=1e-9), key
        found += 1
    assert found == (skills.index.get_level_values("task") != "(overall)").sum() > 50
