"""The README cannot lie for long: its commands are run and their output compared, its Python executed."""

import asyncio
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from sampler_bench import Prompt, check_model, load_task
from sampler_bench.tasks import Catalog

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


# Models that a stranger has, and what is served here in their place; and a task in place of eight.
ELSEWHERE = {"Qwen/Qwen3-0.6B": "smollm2-135m", "my-model": "smollm2-135m", "essay": "monty-hall"}
FEW = ["--numbers", "1", "--samples", "3"]


def indented_commands() -> list[list[str]]:
    """The words of each command of the indented blocks, without `sampler-bench`."""
    lines = re.findall(r"^    sampler-bench (.*)$", README, re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("key")
@pytest.mark.vllm
def test_the_commands_for_ones_own_model_run_in_the_order_shown(cli, server, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "published").symlink_to(ROOT / "results" / "published")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "multiples-of-7-5.toml").write_text(blocks("toml")[0])
    other = ["--model", "oracle", "--model", "smollm2-135m", "--arm", "direct", "--out", "results/other"]
    assert cli("run", "quick", *other, "--base-url", server.base_url, *FEW).returncode == 0
    for words in indented_commands():
        words = [ELSEWHERE.get(word, word) for word in words]
        if words[0] == "run":
            if "--base-url" in words:
                words = words[: words.index("--base-url")]
            words += [] if "--arm" in words else ["--arm", "direct"]  # else cot, too, which takes minutes
            words += ["--base-url", server.base_url, *FEW]
        shown = cli(*words, timeout=600)
        assert shown.returncode == 0, (words, shown.stderr)


def test_make_bench_measures_suite_quick(tmp_path):
    """With reference samplers in place of all models: the commands of a run are tested above."""
    if not (ROOT / ".venv" / ".ready").exists():
        pytest.skip("make install has not been run here")
    for name in ("Makefile", "pyproject.toml", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    assert re.findall(r"^    make (\w+)", README, re.MULTILINE) == ["bench", "test"]
    shown = make(tmp_path, "bench", "MODELS=oracle uniform-digits")
    assert shown.returncode == 0, shown.stderr
    assert "oracle" in shown.stdout
    assert (tmp_path / "results" / "quick" / "scores.csv").exists()
    assert "pytest" in make(tmp_path, "--dry-run", "test").stdout


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, timeout=300)


def test_the_python_example_runs_and_its_figure_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, example = blocks("python")
    names: dict = {}
    exec(example, names)
    assert names["target"].count("64") == 156
    assert not names["measured"].scores.empty


def test_the_model_of_ones_own_is_measured_and_breaks_the_law_that_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example, _ = blocks("python")
    names: dict = {}
    exec(example, names)
    metrics = names["measured"].scores.query("model == 'hasty' and arm == 'direct'")["metric"]
    assert {"skill", "validity"} <= {*metrics}
    arm = Catalog().arm("direct")
    prompt = Prompt(load_task("even-6"), arm, arm.paraphrases[0])
    with pytest.raises(AssertionError, match="first symbol of 800 responses have not the frequencies"):
        asyncio.run(check_model(names["Hasty"](), prompt))


def test_the_task_example_loads(tmp_path):
    (example,) = blocks("toml")
    (tmp_path / "multiples-of-7-5.toml").write_text(example)
    assert load_task("multiples-of-7-5", [tmp_path]).target.contains("70007")


def test_the_leaderboard_is_the_published_one():
    published = (ROOT / "results" / "published" / "quick" / "leaderboard.md").read_text()
    rows = [line for line in published.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 18
    assert "\n".join(rows) in README


def test_every_file_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link
