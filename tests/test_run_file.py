"""Options from a file, and runs made again from their manifests."""

import json

import pytest

RUN = """
suite = "even-6"
model = "uniform-digits"
numbers = 3
samples = 4
seed = 7
out = "there"
"""


def scores(folder) -> bytes:
    return (folder / "scores.csv").read_bytes()


def test_options_are_taken_from_a_file_and_the_command_line_goes_before(cli, tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    done = cli("run", "--config", "run.toml", "--samples", 6, "--model", "oracle")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "there" / "manifest.json").read_text())
    assert manifest["settings"] == {"seed": 7, "numbers": 3, "samples": 6}
    assert set(manifest["models"]) == {"oracle"}


def test_a_manifest_makes_the_run_again(cli, tmp_path):
    first = ["run", "even-6", "--numbers", 3, "--samples", 4, "--seed", 5, "--out", "first"]
    assert cli(*first, "--model", "oracle").returncode == 0
    assert cli(*first, "--model", "uniform-digits").returncode == 0
    done = cli("run", "--config", "first/manifest.json", "--out", "second")
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path / "first") == scores(tmp_path / "second")
    told = json.loads((tmp_path / "second" / "manifest.json").read_text())["sessions"][0]["told"]
    assert told["model"] == ["oracle", "uniform-digits"]


def test_a_manifest_of_before_is_taken_by_what_it_holds(cli, tmp_path):
    first = ["run", "even-6", "--numbers", 3, "--samples", 4, "--seed", 5, "--out", "first"]
    assert cli(*first, "--model", "oracle").returncode == 0
    from sampler_bench.runs.manifest import read_manifest, write_manifest

    manifest, _ = read_manifest(tmp_path / "first")
    for session in manifest.sessions:
        del session["told"]
    write_manifest(tmp_path / "first", manifest)
    done = cli("run", "--config", "first/manifest.json", "--out", "second")
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path / "first") == scores(tmp_path / "second")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("modal = 'oracle'", "run.toml: 'modal' is no option of run; did you mean model?"),
        ("api-key = 'x'", "put it into the environment variable VLLM_API_KEY"),
        ("config = 'x'", "'config' is no option of run"),
        ("numbers = 'many'", "Invalid value for '--numbers'"),
        ("numbers = [", "run.toml"),
        ("extra-body = 3", "is no JSON object"),
    ],
)
def test_what_a_file_cannot_say_is_one_sentence(cli, tmp_path, said, sentence):
    (tmp_path / "run.toml").write_text(said + "\n")
    done = cli("run", "even-6", "--model", "oracle", "--config", "run.toml")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_and_one_of_another_kind_are_one_sentence(cli, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    for name, sentence in (("no.toml", "no.toml is not a file"), ("other.json", "neither a TOML file nor")):
        done = cli("run", "even-6", "--model", "oracle", "--config", name)
        assert done.returncode == 2
        assert sentence in done.stderr
