"""Each recipe of CONTRIBUTING.md, on a copy of the package: its files are written, nothing is edited."""

import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import COMMAND

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r'^```(\w+)(?: title="(\S+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
RECIPES = {
    part.partition("\n")[0]: BLOCK.findall(part)
    for part in (ROOT / "CONTRIBUTING.md").read_text().split("\n## ")
}
TITLES = [title for title, blocks in RECIPES.items() if blocks]


@pytest.fixture
def checkout(tmp_path):
    """A copy of the package and its tasks, in a folder that processes import from."""
    for name in ("sampler_bench", "tasks"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def ask(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def follow(folder: Path, recipe: str) -> str:
    """Write the recipe's files, run its commands and scripts. Returns what the last one printed."""
    said = ""
    for _, name, text in RECIPES[recipe]:
        if name:
            path = folder / name
            assert not path.exists() or path.name == "check.py", f"{name} is there: the recipe would edit it"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            if path.parent == folder:
                said = ask(folder, sys.executable, name)
        for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text if not name else "", re.M):
            said = ask(folder, *command.replace("sampler-bench", COMMAND, 1).split())
            for line in expected.splitlines():
                assert line in said
    return said


def test_there_is_a_recipe_for_each_kind_of_thing():
    kinds = ["family of numbers", "model backend", "metric", "figure", "decoder"]
    assert TITLES[1:-1] == [f"A {kind}" for kind in kinds]
    assert (TITLES[0], TITLES[-1]) == ("A task, a suite, an arm", "All of it from outside")


@pytest.mark.parametrize("recipe", TITLES)
def test_a_recipe_works_as_it_is_written(checkout, recipe):
    before = {path: path.read_bytes() for path in checkout.rglob("*") if path.is_file()}
    follow(checkout, recipe)
    assert {path: path.read_bytes() for path in before} == before


def test_a_backend_of_the_recipe_has_a_row(checkout):
    assert "benford" in follow(checkout, "A model backend")


def test_the_metric_of_the_recipe_is_right(checkout):
    assert follow(checkout, "A metric") == "[0.0]\n"  # of even numbers none ends in 7


def test_the_decoder_of_the_recipe_is_a_row_of_its_own(checkout):
    assert follow(checkout, "A decoder") == "['ancestral', 'stubborn']\n"


def test_forty_lines_from_outside_give_a_leaderboard_row_with_all_three(checkout):
    follow(checkout, "All of it from outside")
    scores = pd.read_parquet(checkout / "run" / "scores.parquet").set_index(["model", "task", "metric"])
    members = [n for n in range(1000, 10_000) if sorted(set(str(n)), reverse=True) == list(str(n))]
    information = math.log(9000 / len(members))
    assert scores.loc[("my-model", "falling-4", "information"), "value"] == pytest.approx(information)
    skill = scores.loc[("my-model", "falling-4", "skill"), "value"]
    assert skill == pytest.approx(-math.log(10 / 9) / information)  # one first digit in ten is a 0
    assert scores.loc[("oracle", "falling-4", "skill"), "value"] == pytest.approx(1)
    assert 0 <= scores.loc[("my-model", "falling-4", "big"), "value"] <= 1


def test_the_modules_that_the_architecture_names_exist():
    text = (ROOT / "docs" / "architecture.md").read_text()
    rooms = "cli|measure|runs|models|engines|serving|tasks|targets|counting|score|report|kernels|executor"
    named = set(re.findall(rf"`((?:{rooms})\.[a-z_.]+)`", text))
    assert len(named) > 15
    for name in named:
        path = name.replace(".", "/")
        assert any((ROOT / "sampler_bench" / room / f"{path}.py").exists() for room in ("", "models")), name


def test_no_two_modules_have_one_name():
    names = [path.stem for path in (ROOT / "sampler_bench").rglob("*.py") if path.stem != "__init__"]
    assert len(names) == len(set(names)) > 100
