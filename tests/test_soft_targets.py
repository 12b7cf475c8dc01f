"""Laws to train on: held against brute force, with the prompts that runs ask."""

from collections import Counter
from math import isclose

import pandas as pd
import pytest
from sympy import isprime

from sampler_bench import Prompt, load_task
from sampler_bench.errors import InputError
from sampler_bench.soft_targets import laws_of, soft_targets
from sampler_bench.tasks import Catalog

TWINS = [str(n) for n in range(100, 1000) if isprime(n) and (isprime(n - 2) or isprime(n + 2))]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Along all of the twin primes of three digits, for they are few."""
    out = tmp_path_factory.mktemp("laws")
    soft_targets(laws_of("twin-primes-3", ["direct", "few-shot"], numbers=16), out)
    return pd.read_parquet(out / "data" / "soft_targets.parquet")


def test_each_law_is_that_of_counting_members(rows):
    for prefix, law in zip(rows["prefix"], rows["p"], strict=True):
        members = [twin for twin in TWINS if twin.startswith(prefix)]
        nexts = Counter(twin[len(prefix) :][:1] for twin in members)
        assert law == pytest.approx([nexts[s] / len(members) for s in [*"0123456789", ""]], abs=1e-12)
    assert (rows["bound"] == 0).all()


def test_every_prefix_is_there_once_a_wording_with_the_share_of_numbers_that_pass(rows):
    passing = Counter(twin[:length] for twin in TWINS for length in range(4))
    for _, of_wording in rows.groupby(["arm", "paraphrase"]):
        assert len(of_wording) == len(passing)
        for prefix, weight in zip(of_wording["prefix"], of_wording["weight"], strict=True):
            assert isclose(weight, passing[prefix] / len(TWINS), rel_tol=1e-9)


def test_prompts_are_those_that_runs_ask(rows):
    catalog, task = Catalog(), load_task("twin-primes-3")
    for name in ("direct", "few-shot"):
        arm = catalog.arm(name)
        for paraphrase in arm.paraphrases:
            prompt = Prompt(task, arm, paraphrase)
            of_wording = rows[(rows["arm"] == name) & (rows["paraphrase"] == paraphrase.name)]
            assert all([*chat] == prompt.messages for chat in of_wording["messages"])
            assert set(of_wording["text"]) == {prompt.text}


def test_numbers_are_drawn_with_a_seed_and_weigh_alike(tmp_path):
    found = {}
    for seed in (0, 1):
        soft_targets(laws_of("even-6", seed=seed, numbers=5), tmp_path / str(seed))
        table = pd.read_parquet(tmp_path / str(seed) / "data")
        whole = table[table["prefix"].str.len() == 6].drop_duplicates("prefix")
        assert whole["weight"].tolist() == pytest.approx([1 / 5] * 5)
        assert all(int(number) % 2 == 0 for number in whole["prefix"])
        found[seed] = {*whole["prefix"]}
    assert found[0] != found[1]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_datasets_reads_them(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    datasets.disable_progress_bars()
    soft_targets(laws_of("twin-primes-3", numbers=16), tmp_path / "laws", kind)
    read = datasets.load_dataset(str(tmp_path / "laws"), "soft_targets", cache_dir=str(tmp_path / "cache"))
    row = read["train"][1]
    assert row["prefix"] == "1"
    started = [twin for twin in TWINS if twin[0] == "1"]
    p_zero = row["p"][0] if kind == "parquet" else row["p_0"]
    assert p_zero == pytest.approx(sum(twin[1] == "0" for twin in started) / len(started))


def test_an_arm_whose_number_comes_later_is_refused(tmp_path):
    with pytest.raises(InputError, match="arm cot: its responses do not begin with the number"):
        laws_of("even-6", ["cot"])
    with pytest.raises(InputError, match="format 'xml': choose from parquet, csv"):
        soft_targets(laws_of("even-6", numbers=2), tmp_path, "xml")
    with pytest.raises(InputError, match="up to 242,400,000 rows, but at most 10,000,000 are written"):
        laws_of("even-100", numbers=800_000)
    assert not [*tmp_path.iterdir()]


def test_the_command_says_what_it_wrote_and_what_does_not_go_together(here):
    shown = here("export", "--soft-targets", "even-6", "--numbers", "2", "--out", "laws")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines() == ["laws/data/soft_targets.parquet", "laws/README.md"]
    for words, reason in (
        ([], "export needs either DIR, a finished run, or --soft-targets SUITE"),
        (["somewhere", "--soft-targets", "even-6"], "export needs either DIR"),
        (["somewhere", "--numbers", "3"], "go with --soft-targets, not with a run"),
    ):
        refused = here("export", *words, "--out", "other")
        assert refused.returncode == 2
        assert reason in refused.stderr
        assert refused.stderr.count("\n") == 1
