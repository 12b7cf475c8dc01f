"""Shared by tests of plugins: evaluations of inspect_ai, of a mocked model or one behind the fake server."""

import gc
import warnings
from collections.abc import Callable

import pytest

KEY = "key-of-the-fake-server"
UNRAISABLE = "ignore:.*(MemoryObject|socket|Transport):pytest.PytestUnraisableExceptionWarning"
# Of inspect_ai's own: streams and connections that it leaves to the collector, and how it calls tenacity.
INSPECTS_OWN = [
    pytest.mark.filterwarnings("ignore:The 'initial' parameter is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed <MemoryObject:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings(UNRAISABLE),
]


@pytest.fixture(autouse=True)
def _nothing_left_to_the_collector():
    """What inspect_ai leaves open is closed here, and not heard of at the end of all tests."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def evaluated(tmp_path):
    """Evaluate a task of ours as ``inspect eval`` does; returns the log, which lies in ``logs``."""
    inspect_ai = pytest.importorskip("inspect_ai")

    def evaluate(model, task="sampler_bench/suite", **said):
        options = {name: said.pop(name) for name in ("epochs", "limit") if name in said}
        (log,) = inspect_ai.eval(
            task, task_args=said, model=model, display="none", log_dir=str(tmp_path / "logs"), **options
        )
        return log

    return evaluate


def mocked(say: Callable[[list, object], str]):
    """``mockllm/model`` that says what a function of chat and options says."""
    from inspect_ai.model import ModelOutput, ModelUsage, get_model

    def output(chat, tools, choice, config):  # noqa: ARG001
        said = ModelOutput.from_content("mockllm", say(chat, config))
        said.usage = ModelUsage(input_tokens=5, output_tokens=7, total_tokens=12)
        return said

    return get_model("mockllm/model", custom_outputs=output, memoize=False)


def as_chat_server(server):
    """The fake server answers chats and texts, too, as inspect_ai's client of vLLM asks them."""

    def change(path, body, answer):
        if path == "/v1/chat/completions":
            text = "".join(f"{turn['role']}: {turn['content']}\n" for turn in body["messages"])
            written = server.written(text, body["seed"], body["max_tokens"])
            usage = {"prompt_tokens": len(text), "completion_tokens": max(1, len(written))}
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": written},
                "finish_reason": "length" if len(written) == body["max_tokens"] else "stop",
            }
            kind = {"id": "x", "object": "chat.completion", "created": 1, "model": "fake"}
            return kind | {"choices": [choice], "usage": usage | {"total_tokens": sum(usage.values())}}
        if path == "/v1/completions":
            answer |= {"object": "text_completion", "created": 1}
            answer["usage"]["total_tokens"] = sum(answer["usage"].values())
        return answer

    of_tokens = server.completion

    def completion(body):
        if isinstance(body["prompt"], str):
            body = body | {"prompt": [*map(ord, body["prompt"])]}
        return of_tokens(body)

    server.change, server.completion, server.key = change, completion, KEY
    return server
