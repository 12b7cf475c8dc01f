"""Published figures, computed again from the records with pandas and numpy alone.

Content, skill and uptake of every row, the share of valid answers, and the mass on the other language: of the
runs and of the lab's models.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PUBLISHED = Path(__file__).parents[1] / "results" / "published"
FOLDERS = sorted(path.name for path in PUBLISHED.iterdir() if path.is_dir())
ROW = ["task", "model", "arm", "decoder"]
NUMBER = ["paraphrase", "number_id"]
PLAIN = {"decoder": "ancestral", "blind": False, "traces_of": ""}  # where a column is left out
REFERENCES = ("oracle", "uniform-digits", "feasible-uniform", "sieve-", "propose-and-check-", "recall-")
WITHOUT_WEIGHTS = ("ancestral", "digits-only", "feasible")  # decoders
FREE = 0.01  # nats
CLOSE = {"rel": 1e-4, "abs": 1e-4}


@dataclass(frozen=True)
class Table:
    """Records and scores of a folder."""

    records: pd.DataFrame
    samples: pd.DataFrame
    scores: pd.DataFrame

    def values(self, metric: str) -> pd.DataFrame:
        mine = self.scores[(self.scores["metric"] == metric) & (self.scores["task"] != "(overall)")]
        return mine.set_index(ROW)


@pytest.fixture(scope="module", params=FOLDERS)
def table(request) -> Table:
    folder = PUBLISHED / request.param
    records = pd.read_parquet(folder / "conditionals.parquet").merge(
        pd.read_parquet(folder / "truths.parquet"), on=["task", "prefix"]
    )
    scores = pd.read_parquet(folder / "scores.parquet")
    samples = pd.read_parquet(folder / "samples.parquet")
    records, samples = (
        each.assign(**{name: value for name, value in PLAIN.items() if name not in each})
        for each in (records, samples)
    )
    records = records[records["traces_of"] == ""]
    scores = scores[scores["model"].isin(records["model"])].fillna(
        {"calibrated": ""}
    )  # not those on their way
    records = records.sort_values([*ROW, "blind", *NUMBER, "position"], ignore_index=True)
    return Table(records, samples, scores)


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
    numbers = records.groupby(NUMBER)["prefix"].transform("last")
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
    keyed = parts.assign(**{name: records[name] for name in (*NUMBER, "weight")})
    sums = keyed.groupby(NUMBER).agg({**dict.fromkeys(parts.columns, "sum"), "weight": "first"})
    return sums.groupby("number_id").mean()  # over the wordings


def calibrated(values: pd.Series, sums: pd.DataFrame, known: dict[str, pd.Series], used: str) -> float:
    """The intercept of the weighted regression on what should be 0."""
    if not np.isfinite(values).all():
        return np.inf
    covariates = [known[name].to_numpy() for name in used.split("+") if name]
    design = np.column_stack([np.ones(len(values)), *covariates])
    root = np.sqrt(sums["weight"].to_numpy())
    return float(np.linalg.lstsq(design * root[:, None], values.to_numpy() * root, rcond=None)[0][0])


def own_luck(sums: pd.DataFrame) -> pd.Series:
    with np.errstate(invalid="ignore"):
        return sums["A"] - sums["S"]


def shares(records: pd.DataFrame, information: float, used: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Metric and value of a row, from the covariates that each was calibrated on."""
    sums = by_number(records[~records["blind"]])
    known = {"luck": sums["U"] - information, "own-luck": own_luck(sums)}
    yield "content", max(calibrated(sums["A"], sums, known, used["content"]), 0.0)
    if information < 1e-9:
        return
    if "skill" in used:
        asked, free = (calibrated(sums[name], sums, known, used["skill"]) for name in ("asked", "F"))
        yield "skill", min(1 - asked / (information - free), 1.0)
    if records["blind"].any():
        blind = by_number(records[records["blind"]])
        known["own-luck"] = own_luck(blind) - own_luck(sums)
        saved = calibrated(blind["A"] - sums["A"], sums, known, used["uptake-all"])
        yield "uptake-all", saved / information
        if "uptake" in used:
            saved = calibrated(blind["asked"] - sums["asked"], sums, known, used["uptake"])
            yield "uptake", saved / (information - calibrated(sums["F"], sums, known, used["uptake"]))


def test_content_skill_and_uptake_are_what_an_outsider_computes_from_the_records(table):
    metrics = ("content", "skill", "uptake", "uptake-all")
    published = {metric: table.values(metric) for metric in metrics}
    information = table.values("information")["value"].groupby("task").first()
    found = dict.fromkeys(metrics, 0)
    for key, rows in table.records.groupby(ROW):
        used = {metric: of.loc[key, "calibrated"] for metric, of in published.items() if key in of.index}
        for metric, value in shares(rows, information[key[0]], used):
            assert value == pytest.approx(published[metric].loc[key, "value"], **CLOSE), (metric, key)
            found[metric] += 1
    assert found["content"] == len(published["content"]) > 0
    assert found["skill"] == len(published["skill"])
    for metric in ("uptake", "uptake-all"):
        others = ~published[metric].index.get_level_values("model").str.startswith(REFERENCES)
        assert found[metric] == others.sum()


def test_the_share_of_valid_answers_is_that_of_the_records(table):
    published = table.values("validity")["value"]
    found = table.samples.assign(valid=table.samples["valid"].eq(True)).groupby(ROW)["valid"].mean()
    for key, value in published.items():
        if key[3].split(":")[0] in (
            "ancestral",
            "digits-only",
            "feasible",
        ):  # of others, answers have weights
            assert found[key] == pytest.approx(value, **CLOSE), key


def test_the_mass_on_the_other_language_is_that_of_the_records():
    switching = pd.read_parquet(PUBLISHED / "lab" / "switching.parquet")
    records = pd.read_parquet(PUBLISHED / "lab" / "conditionals.parquet")
    records = records.drop_duplicates(["model", "prefix"])
    first, second = ("1234", "56789")
    for row in switching.itertuples():
        mine, masses = records[records["model"] == row.model], []
        for spoken, other in ((first, second), (second, first)):
            asked = mine[mine["prefix"].str.fullmatch(f"[{spoken}]+{'0' * row.zeros}")]
            masses += [sum(law[int(digit)] for digit in other) for law in asked["q"]]
        assert len(masses) == row.n > 0
        assert np.mean(masses) == pytest.approx(row.mass, **CLOSE), row
