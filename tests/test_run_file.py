"""Options from a file, and runs made again from their manifests."""

import json

import pytest
from typer.main import get_command

from sampler_bench.api import prepare
from sampler_bench.cli import app
from sampler_bench.models.server_options import ServerOptions

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


def test_options_are_taken_from_a_file_and_the_command_line_goes_before(here, tmp_path):
    (tmp_path / "run.toml").write_text(RUN)
    done = here("run", "--config", "run.toml", "--samples", 6, "--model", "oracle")
    assert done.returncode == 0, done.stderr
    manifest = json.loads((tmp_path / "there" / "manifest.json").read_text())
    assert manifest["settings"] == {"seed": 7, "numbers": 3, "samples": 6}
    assert set(manifest["models"]) == {"oracle"}


def test_a_manifest_makes_the_run_again(here, tmp_path):
    first = ["run", "even-6", "--numbers", 3, "--samples", 4, "--seed", 5, "--out", "first"]
    assert here(*first, "--model", "oracle").returncode == 0
    assert here(*first, "--model", "uniform-digits").returncode == 0
    done = here("run", "--config", "first/manifest.json", "--out", "second")
    assert done.returncode == 0, done.stderr
    assert scores(tmp_path / "first") == scores(tmp_path / "second")
    told = json.loads((tmp_path / "second" / "manifest.json").read_text())["sessions"][0]["told"]
    assert told["model"] == ["oracle", "uniform-digits"]


def test_of_several_commands_the_last_ones_word_holds_but_for_what_was_measured(here, tmp_path):
    """Nor is anything that is said twice taken for a mistake."""
    twice = ["--vllm-arg=--d", "--vllm-arg=x", "--vllm-arg=--b", "--vllm-arg=x"]
    first = ["run", "even-6", "--numbers", 3, "--samples", 4, "--out", "first"]
    assert here(*first, "--model", "oracle", "--vllm-arg=--c", "--timeout", 5).returncode == 0
    assert here(*first, "--model", "uniform-digits", *twice).returncode == 0
    done = here("run", "--config", "first/manifest.json", "--out", "second")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "second" / "manifest.json").read_text())["sessions"][0]["told"]
    assert told["model"] == ["oracle", "uniform-digits"]
    assert told["vllm-arg"] == ["--d", "x", "--b", "x"]
    assert told["timeout"] == 600


# Options of run that a manifest does not hold: where it was and how it was seen, what is secret, and prices.
NOT_TOLD = {"out", "api-key", "port", "ray", "dry-run", "price-in", "price-out", "track", "config", "quiet"}


def test_a_manifest_holds_every_option_that_changes_what_is_asked(tmp_path):
    names = {
        parameter.opts[0].removeprefix("--").replace("_", "-").lower()
        for parameter in get_command(app).commands["run"].params
    }
    elsewhere = ServerOptions(
        base_urls=["http://a"], samples_only=True, extra_body={"a": 1}, max_tokens_total=10
    )
    here = ServerOptions(
        vllm_args=["--a"], chat_template_kwargs={"a": 1}, same_weights=True, loras=["a=b"], timeout=5
    )
    in_process = ServerOptions(engine="transformers")
    told = {name for options in (elsewhere, here, in_process) for name in options.told()}
    told |= set(prepare("even-6", ["oracle"], out=tmp_path, control=True, irrelevant_traces=True).told)
    assert names - told == NOT_TOLD
    assert told <= names


def test_a_manifest_of_before_is_taken_by_what_it_holds(here, tmp_path):
    first = ["run", "even-6", "--numbers", 3, "--samples", 4, "--seed", 5, "--out", "first"]
    assert here(*first, "--model", "oracle").returncode == 0
    from sampler_bench.runs.manifest import read_manifest, write_manifest

    manifest, _ = read_manifest(tmp_path / "first")
    for session in manifest.sessions:
        del session["told"]
    write_manifest(tmp_path / "first", manifest)
    done = here("run", "--config", "first/manifest.json", "--out", "second")
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
def test_what_a_file_cannot_say_is_one_sentence(here, tmp_path, said, sentence):
    (tmp_path / "run.toml").write_text(said + "\n")
    done = here("run", "even-6", "--model", "oracle", "--config", "run.toml")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr


def test_a_file_that_is_not_there_and_one_of_another_kind_are_one_sentence(here, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    for name, sentence in (("no.toml", "no.toml is not a file"), ("other.json", "neither a TOML file nor")):
        done = here("run", "even-6", "--model", "oracle", "--config", name)
        assert done.returncode == 2
        assert sentence in done.stderr
