"""Tasks for lm-evaluation-harness: what it would read and compute of them, without it."""

import importlib.util
import math

import pytest
import yaml
from sympy import isprime

from sampler_bench.errors import InputError
from sampler_bench.lm_eval_tasks import lm_eval_tasks
from sampler_bench.soft_targets import laws_of

TWINS = [n for n in range(100, 1000) if isprime(n) and (isprime(n - 2) or isprime(n + 2))]


class Loader(yaml.SafeLoader):
    """As the harness reads YAML: with functions named in it."""


Loader.add_constructor("!function", lambda loader, node: ("function", loader.construct_scalar(node)))


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    out = tmp_path_factory.mktemp("tasks")
    lm_eval_tasks(laws_of("twin-primes-3", ["few-shot"], numbers=16), out)
    return out


@pytest.fixture(scope="module")
def code(tasks):
    spec = importlib.util.spec_from_file_location("harness_code", tasks / "lm_eval_code.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path) -> dict:
    return yaml.load(path.read_text(), Loader)


def test_the_group_names_tasks_that_name_files_and_functions_that_are_there(tasks, code):
    group = read(tasks / "sampler_bench_twin-primes-3.yaml")
    [name] = group["task"]
    task = read(tasks / "twin-primes-3.yaml")
    assert task["task"] == name
    assert (tasks / task["dataset_kwargs"]["file"]).is_file()
    named = [task["custom_dataset"], task["process_results"], task["metric_list"][0]["aggregation"]]
    for _, function in named:
        module, _, attribute = function.partition(".")
        assert (tasks / f"{module}.py").is_file()
        assert callable(getattr(code, attribute))
    assert task["doc_to_choice"] == [*"0123456789"]
    assert task["doc_to_text"] == "{{text}}{{prefix}}"


def content(code, rows, law) -> float:
    parts = [code.process_results(row, [(law(row["prefix"], d), False) for d in range(10)]) for row in rows]
    return code.total([part["content"] for part in parts])


def test_content_is_what_closed_forms_say(code):
    rows = list(code.load("twin-primes-3.jsonl", version=1.0)["test"])
    assert len({row["text"] for row in rows}) == 3  # wordings

    def uniform(prefix: str, digit: int) -> float:
        return -math.inf if not prefix and digit == 0 else -7.5  # up to a constant

    def exact(prefix: str, digit: int) -> float:
        starting = sum(str(twin).startswith(f"{prefix}{digit}") for twin in TWINS)
        return math.log(starting) + 3 if starting else -math.inf

    assert content(code, rows, uniform) == pytest.approx(math.log(900 / len(TWINS)), abs=1e-9)
    assert content(code, rows, exact) == pytest.approx(0, abs=1e-9)


def test_where_no_digit_follows_nothing_is_asked(code):
    assert max(len(row["prefix"]) for row in code.load("twin-primes-3.jsonl")["test"]) == 2
    whole = {"p": [0.0] * 10 + [1.0], "weight": 1.0, "wordings": 1}
    assert code.process_results(whole, [(0.0, False)] * 10) == {"content": (0.0, 1)}


def test_chats_are_refused(tmp_path):
    with pytest.raises(InputError, match="arm direct: its prompts are chats of several turns"):
        lm_eval_tasks(laws_of("even-6", numbers=2), tmp_path)


def test_the_command_takes_a_suite(here):
    shown = here("export", "even-6", "--format", "lm-eval", "--numbers", "2", "--out", "tasks", "--quiet")
    assert shown.returncode == 0, shown.stderr
    names = ["lm_eval_code.py", "even-6.jsonl", "even-6.yaml", "sampler_bench_even-6.yaml", "README.md"]
    assert shown.stdout.splitlines() == [f"tasks/{name}" for name in names]
    refused = here("export", "runs", "--format", "lm-eval", "--out", "tasks")
    assert refused.returncode == 2
    assert "unknown suite 'runs'" in refused.stderr
