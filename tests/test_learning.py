"""Models trained on a grid of worlds and sizes, measured along the way."""

import json
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from sampler_bench.errors import InputError
from sampler_bench.learning import in_words, learn, short
from tests.conftest import COMMAND
from tests.processes import wait_until

NUMBERS = 2_560
COMMON = ("learn", "pair", "--tasks", "tasks", "--out", "lab", "--budgets", "20k")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with tasks of one's own: a suite of two, and a world of both."""
    folder = tmp_path_factory.mktemp("home")
    for inside in ("suites", "worlds"):
        (folder / "tasks" / inside).mkdir(parents=True)
    for name, base in (("twos", 2), ("threes", 3)):
        (folder / "tasks" / f"{name}.toml").write_text(
            f'title = "t"\nversion = 1\nphrase = "3-digit power of {base}"\n'
            f'[target]\nfamily = "powers"\ndigits = 3\nbase = {base}\n'
        )
    both = '{ task = "twos", weight = 0.5 }, { task = "threes", weight = 0.5 }'
    (folder / "tasks" / "worlds" / "mixed.toml").write_text(
        f'title = "t"\nversion = 1\ndocuments = [{both}]\n'
    )
    (folder / "tasks" / "suites" / "pair.toml").write_text(
        'title = "t"\nnumbers = 4\nsamples = 4\ntasks = ["twos", "threes"]\n'
    )
    return folder


@pytest.fixture(scope="module")
def learnt(home):
    """What a whole run of the command leaves, and says."""
    command = [COMMAND, *COMMON, "--numbers", str(NUMBERS)]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return home / "lab", done


def test_each_task_and_size_is_trained_and_measured_along_the_way(learnt):
    folder, _ = learnt
    table = pd.read_csv(folder / "learning.csv")
    content = table[(table["metric"] == "content") & (table["parameters"] > 0)]
    rows = content.groupby(["task", "parameters"])["numbers_seen"].apply(sorted)
    assert set(rows.index) == {(task, size) for task in ("twos", "threes") for size in (20_000,)}
    assert all(seen == [256, 512, 1280, NUMBERS] for seen in rows)
    references = table[table["parameters"] == 0]["model"].unique()
    assert set(references) == {"uniform-digits", "feasible-uniform", "propose-and-check-64"}


def test_more_is_known_the_more_was_seen(learnt):
    table = pd.read_csv(learnt[0] / "learning.csv")
    skill = table[table["metric"] == "skill"].set_index(["task", "numbers_seen"])["value"]
    for task in ("twos", "threes"):
        assert skill[task, NUMBERS] > skill[task, 256] + 0.1


def test_what_was_learnt_is_said_and_drawn(learnt):
    folder, done = learnt
    assert "twos: twos-20k misses" in done.stdout
    assert "training: 2 units" in done.stderr
    for name in ("learnability", "by-size"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_killed_it_goes_on_to_the_same_table(learnt, home, tmp_path):
    folder, _ = learnt
    words = [str(tmp_path / "lab") if word == "lab" else word for word in COMMON]
    command = [COMMAND, *words, "--numbers", str(NUMBERS)]
    with subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        second = tmp_path / "lab" / "models" / "threes-20k" / "working"
        wait_until(second.exists, "the second model was not begun", process)
        process.send_signal(signal.SIGKILL)
    first = (tmp_path / "lab" / "models" / "twos-20k" / "model.safetensors").stat().st_mtime_ns
    subprocess.run(command, cwd=home, check=True, capture_output=True)
    assert (tmp_path / "lab" / "models" / "twos-20k" / "model.safetensors").stat().st_mtime_ns == first
    mine, whole = (pd.read_csv(place / "learning.csv") for place in (tmp_path / "lab", folder))
    pd.testing.assert_frame_equal(mine, whole, atol=1e-5)


def test_a_world_is_one_model_measured_on_all_its_tasks(home, tmp_path):
    """As many tokens as are asked for: of answers of three digits and an end."""
    table = learn("mixed", tmp_path / "lab", [20_000], tokens=10_240, task_folders=[home / "tasks"])
    trained = table[table["parameters"] > 0]
    assert set(trained["task"]) == {"twos", "threes"}
    assert {model.split("-")[0] for model in trained["model"]} == {"mixed"}
    assert len(in_words(table)) == 2
    last = trained[trained["numbers_seen"] == trained["numbers_seen"].max()]
    assert set(zip(last["numbers_seen"], last["tokens_seen"], strict=True)) == {(2_560, 10_240)}


def test_two_languages_are_asked_to_switch(tmp_path):
    """A mixture, for which not every reference is defined; its shares and switches are drawn."""
    home = tmp_path / "tasks"
    (home / "worlds").mkdir(parents=True)
    parts = "".join(
        f'[[target.components]]\nfamily = "pattern"\ndigits = 3\npattern = "{pattern}"\n'
        for pattern in ("[1-4][0-4]{2}", "[5-9][05-9]{2}")
    )
    (home / "words.toml").write_text(
        'title = "t"\nversion = 1\nphrase = "text of three words"\ncontrol = "number"\n'
        f'[target]\nfamily = "mixture"\nweights = [0.5, 0.5]\n{parts}'
    )
    (home / "worlds" / "speakers.toml").write_text(
        'title = "t"\nversion = 1\nlanguages = ["1234", "56789"]\ndocuments = [{ task = "words" }]\n'
    )
    learn("speakers", tmp_path / "lab", [20_000], 2_560, task_folders=[home])
    switches = pd.read_csv(tmp_path / "lab" / "switching.csv")
    assert set(switches["zeros"]) <= {0, 1, 2}
    assert (switches["truth"] == 0).all()  # nobody switches
    assert switches["mass"].between(0, 1).all()
    for name in ("shares", "switching"):
        assert (tmp_path / "lab" / f"{name}.png").exists()


@pytest.mark.usefixtures("learnt")
def test_models_of_another_training_are_not_taken_for_ones_own(home):
    done = subprocess.run(
        [COMMAND, *COMMON, "--numbers", "5k"], cwd=home, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "holds a model with numbers = 2560, not 5000" in done.stderr


def test_a_task_with_nothing_to_know_is_told_of(tmp_path):
    table = learn("all-6", tmp_path / "lab", [20_000], 2_560)
    assert [line.partition(" misses")[0] for line in in_words(table)] == ["all-6: all-6-20k"]


def test_a_budget_named_twice_is_refused(tmp_path):
    with pytest.raises(InputError, match="a budget stands there twice"):
        learn("even-6", tmp_path, [20_000, 20_000])


@pytest.mark.parametrize(
    ("number", "name"),
    [(400_000, "400k"), (1_500_000, "1.5M"), (20_480, "20.48k"), (12_345, "12345"), (999, "999")],
)
def test_counts_in_names(number, name):
    assert short(number) == name


def test_the_notebook_runs_on_a_small_budget(tmp_path, monkeypatch):
    cells = json.loads((Path(__file__).parent.parent / "docs" / "lab.ipynb").read_text())["cells"]
    monkeypatch.chdir(tmp_path)
    found: dict = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]).replace("400_000, 400_000", "20_000, 2_560"), found)
    assert set(found["content"]["task"]) == {"fours-6", "digit-sum-27-6"}
    assert (tmp_path / "lab-notebook" / "learnt" / "validity.png").exists()
