"""Runs and tables in a bucket, over the S3 API."""

import pandas as pd
import pytest

from sampler_bench.files import location
from sampler_bench.publish import read_scores
from sampler_bench.targets.counting.tables import make_table, read_table
from tests.processes import mark, marked, units, wait_until

RUN = ["run", "quick", "--model", "oracle", "--model", "uniform-digits", "--quiet"]


def test_a_run_in_a_bucket_is_killed_goes_on_and_is_scored(bucket, start, cli, tmp_path):
    assert cli(*RUN, "--out", "here").returncode == 0
    there = f"{bucket}/runs/quick"
    process = start(*RUN, "--out", there)
    wait_until(lambda: len(units(location(there))) >= 10, "fewer than 10 parts", process)
    process.kill()
    process.communicate()
    kept = mark(location(there))
    assert cli(*RUN, "--out", there).returncode == 0
    assert len(kept) < len(units(location(there)))
    assert marked(location(there)) == kept  # no unit done twice
    assert units(location(there)) == units(tmp_path / "here")
    for name in ("scores.parquet", "curves.parquet"):
        (location(there) / name).unlink()
    scored = cli("score", there)
    assert scored.returncode == 0, scored.stderr
    for name in ("scores.parquet", "scores.csv", "curves.parquet", "digits.png", "leaderboard.md"):
        found = (location(there) / name).read_bytes()
        assert name == "leaderboard.md" or found == (tmp_path / "here" / name).read_bytes(), name
    assert not read_scores(there).empty


def test_what_is_there_is_read(bucket, cli, tmp_path):
    there = f"{bucket}/read/even"
    assert cli("run", "even-6", "--model", "oracle", "--out", there).returncode == 0
    assert cli("export", there, "--out", "dataset", "--format", "csv").returncode == 0
    records = pd.read_csv(tmp_path / "dataset" / "data" / "conditionals.csv", dtype={"prefix": str})
    number = records["prefix"].dropna().iloc[-1]
    for arguments in (
        ["show", there, "--number", number],
        ["compare", there, there],
        ["figures", there, "--out", f"{bucket}/read/figures"],
        ["leaderboard", f"{bucket}/read", "--out", "board"],
    ):
        done = cli(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    assert (tmp_path / "board" / "leaderboard.html").exists()
    assert (location(bucket) / "read" / "figures" / "digits.svg").exists()


def test_a_table_in_a_bucket(bucket):
    path = make_table("twin-primes", 9, 3, folder=location(f"{bucket}/tables"))
    assert read_table(path).count("") == 2984194  # OEIS A007508: 3424506 below 10^9, less 440312 below 10^8
    before = path.stat().st_mtime
    make_table("twin-primes", 9, 3, folder=location(f"{bucket}/tables"))
    assert path.stat().st_mtime == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://no-such-bucket/run", "cannot write s3://no-such-bucket/run"),
        ("unknown://bench/run", "Unsupported filesystem: 'unknown'"),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_what_cannot_be_used_is_one_sentence(cli, url, sentence):
    done = cli("run", "even-6", "--model", "oracle", "--out", url)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert cli("score", url.replace("run", "other")).returncode == 2


def test_a_bucket_that_goes_away_is_one_sentence(bucket, cli, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for arguments in (
        ["run", "even-6", "--model", "oracle", "--out", f"{bucket}/x"],
        ["score", f"{bucket}/x"],
    ):
        done = cli(*arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr, done.stderr
