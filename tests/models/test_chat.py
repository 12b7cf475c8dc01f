"""Models behind a chat API: answers alone, whatever the API refuses and however busy it is."""

import json
import signal
import time
from collections import Counter

import pandas as pd
import pytest

from sampler_bench.api import run
from sampler_bench.errors import InputError, ModelError
from sampler_bench.models.engines.chat import without_thinking
from sampler_bench.models.engines.spending import SpentError
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.report.progress import Display
from sampler_bench.runs.store import RunFolder
from sampler_bench.tasks import Catalog
from tests.models.fake_chat import MODEL, chat_api
from tests.processes import finish, mark, marked, wait_for_parts

ARMS = ["direct", "cot"]
CHAT = {"samples_only": True, "base_urls": ["http://a"]}


@pytest.fixture
def api():
    with chat_api() as made:
        yield made


def measure(api, out, suite="even-6", arms=ARMS, decoders=("ancestral",), **options):
    server = ServerOptions(base_urls=[f"{api.url}/v1"], **options)
    return run(
        suite, [MODEL], arms, decoders=decoders, out=out, server=server, numbers=4, samples=6, control=True
    )


def asked_for(api) -> Counter:
    """How often each answer was asked for: a chat with a seed."""
    return Counter(json.dumps([body["messages"], body["seed"]]) for body in api.asked)


def test_answers_are_measured_and_laws_are_not(api, tmp_path):
    found = measure(api, tmp_path / "run")
    metrics = set(found.scores["metric"])
    assert {"validity", "answered", "skill-all", "content", "uptake"} & metrics == {"validity", "answered"}
    assert found.conditionals.empty
    assert Counter(found.samples["arm"]) == {"direct": 6, "cot": 12}  # four traces a wording
    expected = [str(int(text)) for text in found.samples["text"]]
    assert found.samples.query("arm == 'direct'")["answer"].tolist() == expected[-6:]
    usage = found.samples.query("arm == 'direct'")
    letters = [sum(len(m["content"]) for m in body["messages"]) // 4 for body in api.asked]
    assert set(usage["prompt_tokens"]) <= set(letters)
    manifest = found.manifest.models[MODEL]
    assert manifest["kind"] == "chat"
    assert manifest["refused"] == []


def test_that_it_is_a_chat_api_is_found_out_and_said(api, cli):
    done = cli("run", "even-6", "--model", MODEL, "--base-url", api.url, "--arm", "direct", "--samples", 3)
    assert done.returncode == 0, done.stderr
    assert f"{api.url} is no vLLM server, so it is asked through its chat API" in done.stderr
    assert f"{MODEL} gives no laws of digits" in done.stderr
    said = cli("run", "even-6", "--model", MODEL, "--base-url", api.url, "--arm", "direct", "--samples", 3,
               "--samples-only", "--out", "other")  # fmt: skip
    assert "is no vLLM server" not in said.stderr


def test_what_it_refuses_is_left_out_and_recorded(api, tmp_path):
    api.refuses = {"seed", "temperature", "max_tokens"}
    found = measure(api, tmp_path / "run", arms=["direct"])
    assert found.manifest.models[MODEL]["refused"] == ["max_tokens", "seed", "temperature"]
    assert found.manifest.models[MODEL]["seeds"] == "refused"
    assert all("max_completion_tokens" in body and "top_p" in body for body in api.asked)
    assert len(found.samples) == 6
    with pytest.raises(ModelError, match="takes no temperature, so answers cannot be drawn as was asked"):
        measure(api, tmp_path / "cold", arms=["direct"], decoders=["ancestral:temperature=0.5"])


def test_a_run_that_goes_on_knows_what_is_refused_and_keeps_it(api, tmp_path):
    """Also where it ended badly: all that was measured was measured without."""
    api.refuses = {"seed"}
    with pytest.raises(SpentError):
        measure(api, tmp_path / "run", arms=["direct", "cot"], max_tokens_total=1500)
    (stored,) = RunFolder(tmp_path / "run").manifest().models.values()
    assert stored["refused"] == ["seed"]
    refused_before = len(api.refused)
    found = measure(api, tmp_path / "run", arms=["direct", "cot"], samples_only=True)
    assert len(api.refused) == refused_before
    assert found.manifest.models[MODEL]["refused"] == ["seed"]
    assert len(found.samples) == 18


def test_what_shapes_a_law_is_not_left_out_for_it_was_refused_before(api, tmp_path):
    api.refuses = {"temperature"}
    measure(api, tmp_path / "run", arms=["direct"])
    asked = len(api.asked)
    with pytest.raises(ModelError, match="takes no temperature, so answers cannot be drawn as was asked"):
        measure(api, tmp_path / "run", arms=["direct"], decoders=["ancestral:temperature=0.5"])
    assert len(api.asked) == asked


def test_thinking_that_a_server_leaves_in_the_answer_is_none(api, tmp_path):
    api.says = lambda _: "<think>\nPerhaps 111111?\n</think>\n\n222222"
    found = measure(api, tmp_path / "run", arms=["direct"])
    assert set(found.samples["answer"]) == {"222222"}
    assert set(found.samples["thinking"]) == {"\nPerhaps 111111?\n"}


@pytest.mark.parametrize(
    ("content", "thinking", "answer"),
    [  # as DeepSeekR1ReasoningParser.extract_reasoning of vLLM 0.32 takes them, of what has a mark
        ("<think>a</think>7", "a", "7"),
        ("\n<think>\na\n</think>\n\n7", "\na\n", "\n\n7"),
        ("a</think>7", "a", "7"),
        ("<think>a 7", "a 7", ""),
        ("<think></think>7</think>8", "", "7</think>8"),
        ("7", "", "7"),
    ],
)
def test_thinking_is_taken_off_as_by_vllm(content, thinking, answer):
    assert without_thinking(content) == (thinking, answer)


def test_a_refusal_of_something_else_ends_the_run_in_its_words(api, cli):
    api.refuses = {"messages"}
    done = cli("run", "even-6", "--model", MODEL, "--base-url", api.url, "--samples-only")
    assert done.returncode == 2
    assert "answered 400: Unsupported parameter: 'messages'" in done.stderr
    assert "never awaited" not in done.stderr


def test_it_is_left_alone_for_as_long_as_it_asks(api, tmp_path):
    api.busy, api.retry_after = 5, "0.5"
    started = time.monotonic()
    found = measure(api, tmp_path / "run", arms=["direct"])
    assert len(found.samples) == 6
    put_off = [status for _, status in api.refused if status == 429]
    assert put_off
    assert time.monotonic() - started >= 0.5
    assert set(asked_for(api).values()) == {1}


def test_the_whole_of_quick_is_killed_and_goes_on_and_no_answer_that_is_kept_is_asked_for_again(
    api, start, cli, tmp_path
):
    api.refuses, api.busy, api.retry_after = {"temperature"}, 40, "0.3"
    arguments = ["run", "quick", "--model", MODEL, "--base-url", api.url, "--samples-only", "--arm", "direct",
                 "--arm", "batch", "--out", tmp_path / "run"]  # fmt: skip
    process = start(*arguments)
    wait_for_parts(process, tmp_path / "run", 6)
    process.send_signal(signal.SIGKILL)
    finish(process, -9)
    kept = mark(tmp_path / "run")
    before = asked_for(api)
    stored = pd.concat(pd.read_parquet(path) for path in (tmp_path / "run").rglob("samples/*.parquet"))
    said = finish(start(*arguments))
    assert "Traceback" not in said
    assert marked(tmp_path / "run") == kept
    again = {seed for chat, times in (asked_for(api) - before).items() if times for seed in [chat]}
    seeds = {json.loads(chat)[1] for chat in again}
    assert not seeds & set(stored["seed"])
    scores = pd.read_csv(tmp_path / "run" / "scores.csv")
    assert set(scores["task"]) >= set(Catalog().suite("quick").tasks)
    assert MODEL in cli("leaderboard", tmp_path / "run").stdout


def test_a_ceiling_on_tokens_stops_a_run_and_what_was_measured_is_kept(api, cli, tmp_path):
    arguments = ["run", "even-6", "--model", MODEL, "--base-url", api.url, "--arm", "direct",
                 "--samples", 300, "--samples-only", "--out", tmp_path / "run"]  # fmt: skip
    done = cli(*arguments, "--max-tokens-total", 8_000)
    assert done.returncode == 2
    assert "the ceiling of 8000 tokens is reached" in done.stderr
    assert "Traceback" not in done.stderr
    spent = sum(api.answer(body)["usage"]["prompt_tokens"] + 3 for body in api.asked)
    assert 6_000 < spent <= 8_000
    assert any((tmp_path / "run").rglob("*.parquet"))
    assert cli(*arguments).returncode == 0
    assert len(pd.read_parquet(tmp_path / "run" / "samples.parquet")) == 300


def test_fields_of_ones_own_are_sent_recorded_and_part_of_the_run(api, tmp_path):
    effort = {"reasoning_effort": "low"}
    found = measure(api, tmp_path / "run", arms=["direct"], extra_body=effort)
    assert all(body["reasoning_effort"] == "low" for body in api.asked)
    assert found.manifest.models[MODEL]["extra_body"] == effort
    with pytest.raises(Exception, match="was measured with another extra body of requests to"):
        measure(api, tmp_path / "run", arms=["cot"], extra_body={"reasoning_effort": "high"})


def test_arms_that_are_no_chats_are_left_out_in_words(api, tmp_path, capsys):
    with pytest.raises(InputError, match="is asked by whole chats, and none of few-shot is one"):
        measure(api, tmp_path / "run", arms=["few-shot"], samples_only=True)
    server = ServerOptions(base_urls=[api.url], samples_only=True)
    run("even-6", [MODEL], ["direct", "few-shot"], out=tmp_path / "run", server=server, samples=3, numbers=2,
        listener=Display())  # fmt: skip
    assert "left out: few-shot, which continue a text" in capsys.readouterr().err


def test_a_seed_is_given_in_the_prompt_each_time_another(api, tmp_path):
    found = measure(api, tmp_path / "run", arms=["given-seed"])
    asked = [body["messages"][-1]["content"] for body in api.asked]
    assert len(set(asked)) == len(asked) == 6
    assert found.samples["prompt_hash"].nunique() == 6
    first = sorted(asked)
    api.asked.clear()
    measure(api, tmp_path / "again", arms=["given-seed"])
    assert sorted(body["messages"][-1]["content"] for body in api.asked) == first


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"samples_only": True}, "--samples-only is for a server that runs elsewhere"),
        ({"extra_body": {"a": 1}}, "--extra-body is for a server that runs elsewhere"),
        (
            {"samples_only": True, "base_urls": ["http://a"], "chat_template_kwargs": {"a": 1}},
            "--chat-template-kwargs is for vLLM",
        ),
        (CHAT | {"same_weights": True}, "of a chat API nothing can be asked that would tell weights apart"),
        (CHAT | {"extra_body": {"model": "other"}}, "--extra-body: model is ours to say"),
        (CHAT | {"extra_body": {"messages": []}}, "--extra-body: messages is ours to say"),
        (CHAT | {"extra_body": {"n": 2}}, "--extra-body: n is ours to say"),
        (CHAT | {"extra_body": {"stream": True}}, "--extra-body: stream is ours to say"),
        (CHAT | {"extra_body": {"max_tokens": "many"}}, "--extra-body: max_tokens = 'many' is no number"),
        (CHAT | {"extra_body": {"max_tokens": 0}}, "--extra-body: max_tokens = 0 is no number"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        ServerOptions(**options)


def test_the_ceiling_is_an_error_of_its_own(api, tmp_path):
    with pytest.raises(SpentError):
        measure(api, tmp_path / "run", arms=["direct"], max_tokens_total=10)
    assert not api.asked
