"""The README cannot lie for long: its commands are run and their output compared, its Python executed."""

import re
import shlex
from pathlib import Path

import pytest

from sampler_bench import load_task

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, list[str]]]:
    """(command, expected lines) of every console block."""
    steps = [step for block in blocks("console") for step in block.split("$ ")[1:]]
    return [(step.splitlines()[0], step.splitlines()[1:]) for step in steps]


@pytest.mark.parametrize(("command", "expected"), commands(), ids=lambda value: str(value)[:40])
def test_commands_print_what_the_readme_shows(cli, command, expected):
    program, *arguments = shlex.split(command)
    assert program == "sampler-bench"
    shown = cli(*arguments)
    assert shown.returncode == 0
    assert [line.rstrip() for line in shown.stdout.splitlines()] == expected


def test_the_python_example_runs_and_its_figure_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (example,) = blocks("python")
    names: dict = {}
    exec(example, names)
    assert names["target"].count("64") == 156
    assert not names["scores"].empty


def test_the_task_example_loads(tmp_path):
    (example,) = blocks("toml")
    (tmp_path / "multiples-of-7-5.toml").write_text(example)
    assert load_task("multiples-of-7-5", [tmp_path]).target.contains("70007")


def test_the_leaderboard_is_the_published_one():
    published = (ROOT / "results" / "published" / "quick" / "leaderboard.md").read_text()
    rows = [line for line in published.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 15
    assert "\n".join(rows) in README


def test_every_file_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
