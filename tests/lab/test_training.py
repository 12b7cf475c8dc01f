"""Training: what it leaves, what it goes on with, and what it refuses."""

import json
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
import transformers

from sampler_bench import run
from sampler_bench.models.server_options import ServerOptions
from tests.conftest import COMMAND
from tests.processes import wait_until

SMALL = ("--parameters", "20k", "--numbers", "10k")
HERE = ServerOptions(engine="transformers")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of even-6, and what was said."""
    folder = tmp_path_factory.mktemp("lab") / "even"
    done = subprocess.run(
        [COMMAND, "train", "even-6", "--out", folder, *SMALL], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def weights(folder) -> dict[str, np.ndarray]:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return {name: tensor.detach().numpy() for name, tensor in model.named_parameters()}


def test_what_was_trained_is_said(trained):
    folder, said = trained
    note = json.loads((folder / "training.json").read_text())
    assert (note["world"], note["parameters"], note["numbers"], note["seed"]) == ("even-6", 20000, 10000, 0)
    assert note["floor"] == pytest.approx(np.log(450_000))
    assert note["size"] == pytest.approx(20_000, rel=0.05)
    steps, losses = zip(*note["loss"], strict=True)
    assert list(steps) == sorted(steps)
    assert losses[0] > losses[-1] > note["floor"]
    assert sum(note["seen"]) >= 10_000
    assert "its floor, is 13.017" in said
    assert not (folder / "working").exists()


def test_the_model_is_kept_on_the_way(trained):
    folder, _ = trained
    note = json.loads((folder / "training.json").read_text())
    assert note["kept"] == [256, 512, 1280, 2560, 5120]  # of 40 steps of 256: whole steps nearest to halves
    for seen in note["kept"]:
        assert weights(folder / "along" / f"even-{seen}").keys() == weights(folder).keys()


def test_it_is_measured_like_any_model(trained, tmp_path):
    folder, _ = trained
    found = run("even-6", [str(folder)], ["direct"], out=tmp_path / "run", numbers=4, samples=6, server=HERE)
    assert len(found.samples) == 6
    assert found.conditionals["q"].map(sum).between(0.999, 1.001).all()


def test_a_little_training_is_better_than_none(trained, tmp_path):
    """After 256 numbers nothing is known but the shape; the rest comes with 10,000."""
    folder, _ = trained
    stages = [str(folder / "along" / "even-256"), str(folder)]
    found = run("even-6", stages, ["direct"], out=tmp_path / "run", numbers=4, samples=3, server=HERE)
    content = found.scores[found.scores["metric"] == "content"].set_index("model")["value"]
    assert content["even"] < content["even-256"] - 0.1


def test_killed_it_goes_on_to_the_same_weights(trained, tmp_path):
    """On one machine with as many threads, to the last bit; sums are ordered by these."""
    folder, _ = trained
    again = tmp_path / "even"
    command = [COMMAND, "train", "even-6", "--out", str(again), *SMALL]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(
            lambda: [*again.glob("working/checkpoint-*/trainer_state.json")][2:], "no checkpoint", process
        )
        process.send_signal(signal.SIGKILL)
    assert not (again / "config.json").exists()
    subprocess.run(command, check=True, capture_output=True)
    whole, resumed = weights(folder), weights(again)
    assert all(np.allclose(whole[name], resumed[name], atol=1e-6) for name in whole)


def test_what_is_done_is_not_done_again(trained, here):
    folder, _ = trained
    before = (folder / "model.safetensors").stat().st_mtime_ns
    assert here("train", "even-6", "--out", folder, *SMALL).returncode == 0
    assert (folder / "model.safetensors").stat().st_mtime_ns == before


def test_letters_that_its_tokenizer_lacks_are_named(trained, cli, tmp_path):
    folder, _ = trained
    (tmp_path / "mine").mkdir()
    text = (Path(__file__).parents[2] / "tasks" / "even-6.toml").read_text()
    (tmp_path / "mine" / "gerade-6.toml").write_text(
        text.replace('phrase = "6-digit', 'phrase = "6-stellige größte', 1)
    )
    done = cli("run", "gerade-6", "--tasks", tmp_path / "mine", "--model", folder, "--engine", "transformers")
    assert done.returncode == 2
    assert "was trained on world even-6, and its tokenizer, made for that, lacks 'ßö'" in done.stderr


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (("twin-primes-6", *SMALL), "holds a model with world = even-6, not twin-primes-6"),
        (
            ("even-6", "--parameters", "30k", "--numbers", "10k"),
            "holds a model with parameters = 20000, not 30000",
        ),
        (("even-6", *SMALL, "--seed", "1"), "holds a model with seed = 0, not 1"),
    ],
)
def test_a_folder_of_another_model_is_refused(trained, here, changed, sentence):
    folder, _ = trained
    name, *options = changed
    done = here("train", name, "--out", folder, *options)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "choose another --out" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("no-world", "--out", "new"), "unknown world 'no-world'"),
        (("even-6", "--out", "new", "--parameters", "100"), "--parameters 100: from 20000"),
        (("even-6", "--out", "new", "--parameters", "many"), "'many' is no count such as 400k"),
        (("even-6", "--out", "new", "--numbers", "1.5"), "'1.5' is no count such as 400k"),
        (("even-6", "--out", "new", "--numbers", "5"), "would be seen less than 320 times"),
        (("even-6", "--out", "."), "holds other things"),
    ],
)
def test_bad_input_is_one_sentence(here, tmp_path, arguments, sentence):
    (tmp_path / "something").write_text("")
    done = here("train", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new" / "training.json").exists()


def test_an_unfinished_folder_is_no_model(tmp_path, here):
    (tmp_path / "half").mkdir()
    for name, text in (
        ("training.json", '{"finished": false}'),
        ("config.json", "{}"),
        ("model.safetensors", ""),
    ):
        (tmp_path / "half" / name).write_text(text)
    done = here("run", "even-6", "--model", tmp_path / "half", "--arm", "direct")
    assert done.returncode == 2
    assert "has not come to its end" in done.stderr
