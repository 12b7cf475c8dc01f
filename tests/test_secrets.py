"""Keys, tokens and passwords: in nothing that is said, written, or shown of a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sampler_bench import secrets
from sampler_bench.errors import InputError
from sampler_bench.models.engines.endpoint import base_url
from sampler_bench.models.engines.transport import Transport
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.secrets import bearer, quoted, without_secrets
from tests.conftest import COMMAND, SECRET
from tests.models.fake_server import fake_server, send
from tests.models.fake_vllm import LOOKED, SEEN, install

PASSWORD = "password-that-must-not-be-seen"


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch):
    monkeypatch.setattr(secrets, "_known", set())


@pytest.fixture
def shell(tmp_path):
    """Run the command line where vLLM is the fake one and asks for the key; it writes below ``tmp_path``."""
    environment = dict(os.environ, PYTHONPATH=install(tmp_path / "path"), VLLM_API_KEY=SECRET)
    environment |= {
        "SAMPLER_BENCH_CACHE": str(tmp_path / "cache"),
        "HF_TOKEN": PASSWORD,
        "TMPDIR": str(tmp_path),
    }

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [COMMAND, *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300, check=False
        )

    return run


def files_with(secret: str, folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def model_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"123")
    return folder


def test_a_run_with_its_own_server_shows_the_key_nowhere(shell, tmp_path):
    """The server asks for the key, and says it in its version and in every response."""
    model_folder(tmp_path)
    arguments = ["--arm", "direct", "--numbers", 2, "--samples", 3, "--out", "run"]
    done = shell("run", "even-6", "--model", "my-model", *arguments)
    assert done.returncode == 0, done.stderr
    log = next((tmp_path / "cache" / "logs").glob("*.log")).read_text()
    assert LOOKED in log
    assert SEEN not in log
    for secret in (SECRET, PASSWORD):
        assert secret not in done.stdout + done.stderr
        assert files_with(secret, tmp_path) == []
    assert b"***" in (tmp_path / "run" / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        [f"--api-key={SECRET}"],
        [f"--api_key={SECRET}"],
        ["--api-key", SECRET],
        [f"--api-key {SECRET}"],
        [f"--api-k={SECRET}"],
        [f"--api={SECRET}"],
        [f"--API_KEY={SECRET}"],
        [f"--api-key.0={SECRET}"],
        [f"--api-key+={SECRET}"],
        [f"--hf-token={SECRET}"],
        ["--hf_token", SECRET],
        [f"--hf={SECRET}"],
        ["--enforce-eager", f"--hf_tok={SECRET}"],
    ],
)
def test_no_spelling_of_a_secret_becomes_an_argument_of_vllm(arguments):
    with pytest.raises(InputError, match=r"environment variable (VLLM_API_KEY|HF_TOKEN)") as refused:
        find_model("smollm2-135m", ServerOptions(vllm_args=arguments))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "argument", ["--dtype=half", "--hf-overrides={}", "--host=0.0.0.0", "-tp=2", "--api-server-count=1"]
)
def test_other_arguments_of_vllm_pass(argument):
    assert find_model("smollm2-135m", ServerOptions(vllm_args=[argument])).name == "smollm2-135m"


@pytest.mark.parametrize(
    "url",
    [
        f"http://user:{PASSWORD}@127.0.0.1:9",
        f"http://{PASSWORD}@127.0.0.1:9/v1",
        f"HTTPS://user:{PASSWORD}/x@host",
        f"http://user:{PASSWORD}#@host",
        f"user:{PASSWORD}@127.0.0.1:9",
        f"http://user%3A{PASSWORD}%40host:1",
        f"http://127.0.0.1:9?api_key={PASSWORD}",
        f"http://127.0.0.1:9/v1#{PASSWORD}",
    ],
)
def test_a_secret_in_a_url_is_refused_unseen(shell, url):
    for code, arguments in ((2, ["run", "even-6", "--model", "m"]), (1, ["doctor"])):
        done = shell(*arguments, "--base-url", url)
        assert done.returncode == code
        assert "A user, a password or a query" in " ".join((done.stdout + done.stderr).split())
        assert PASSWORD not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a:1/v1/", "http://a:1"),
        ("https://gateway.example/models/x/v1", "https://gateway.example/models/x"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_other_urls_pass(url, expected):
    assert base_url(url) == expected


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "ftp://a", "http://", "http://a:port", "http://a:99999", "http://a..b"]
)
def test_what_is_no_url_is_refused(url):
    with pytest.raises(InputError, match="URL"):
        base_url(url)


def test_options_do_not_show_their_key():
    options = ServerOptions(base_urls=["http://a"], api_key=SECRET)
    assert SECRET not in repr(options) + str(options) + f"{options}"
    assert options.key == SECRET


def test_what_a_server_says_back_is_shown_without_the_key(monkeypatch, tmp_path, capsys):
    from sampler_bench.cli import main

    def respond(path, handler):
        if path == "/v1/models":
            send(handler, f'{{"error": {{"message": "no {SECRET} here"}}}}'.encode(), 400)
        return path == "/v1/models"

    with fake_server() as server:
        server.respond = respond
        arguments = ["run", "even-6", "--model", "m", "--base-url", server.url, "--api-key", SECRET]
        monkeypatch.setattr(sys, "argv", ["sampler-bench", *arguments, "--out", str(tmp_path / "run")])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert "no *** here" in said.err
    assert SECRET not in said.out + said.err


@pytest.mark.parametrize("key", ["two words", "line\nend", "schlüssel", "tab\t"])
def test_a_key_that_cannot_be_sent_is_refused_unseen(key):
    with pytest.raises(InputError, match="the API key holds") as refused:
        Transport(["http://a"], key)
    assert key not in str(refused.value)


def test_what_is_said_holds_no_secret(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "token-of-the-hub")
    monkeypatch.setenv("VLLM_API_KEY", "short")  # protects nothing, and stands in ordinary words
    bearer("key-of-a-server")
    said = "key-of-a-server, token-of-the-hub: http://user:pass@host/path?key=1 is shorter than s3://a@b"
    assert without_secrets(said) == "***, ***: http://host/path is shorter than s3://a@b"


def test_what_others_say_is_one_short_line_that_a_terminal_can_be_trusted_with():
    assert quoted("a\n\x1b[31mb\x07\u202ec\ud800") == "a [31mbc"
    assert quoted("x" * 10**7) == "x" * 300 + "…"
    bearer("key-of-a-server")
    assert "key" not in quoted(" " * 2390 + "key-of-a-server")


@pytest.mark.parametrize("option", ["extra_body", "chat_template_kwargs"])
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"api_key": "abc"}, "api_key"),
        ({"apiKey": "abc"}, "apiKey"),
        ({"extra_headers": {"X-Api-Key": "abc"}}, "extra_headers.X-Api-Key"),
        ({"headers": {"Authorization": "Token abc"}}, "headers.Authorization"),
        ({"provider": [{"access_token": "abc"}]}, "provider.access_token"),
        ({"auth": {"user": "me", "password": "abc"}}, "auth.user"),
        ({"header": "Bearer abcdefgh"}, "header"),
        ({"of": "sk-proj-0123456789abcdef"}, "of"),
        ({"proxy": f"http://me:{PASSWORD}@host"}, "proxy"),
    ],
)
def test_what_looks_like_a_secret_is_not_stored(option, given, field):
    with pytest.raises(InputError, match="goes into the environment variable VLLM_API_KEY") as refused:
        ServerOptions(base_urls=["http://a"], **{option: given})
    assert f"--{option.replace('_', '-')}: {field} looks like a secret" in str(refused.value)
    assert "abc" not in str(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"max_tokens": 40, "max_completion_tokens": 40, "thinking_token_budget": 12, "token": 3, "key": True},
        {"prompt_cache_key": "mine", "stop_token": "</s>", "tokenizer": "words", "keyboard": "qwerty"},
        {
            "system": "Basic arithmetic is allowed",
            "stop": ["a", "b"],
            "provider": {"order": ["x"]},
            "key": "",
        },
    ],
)
def test_what_only_sounds_like_a_secret_is_taken(given):
    assert ServerOptions(base_urls=["http://a"], extra_body=given).extra_body == given
