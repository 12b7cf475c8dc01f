"""Datasets go to the hub, here one that keeps what it is sent, and are read back from what it has."""

import base64
import json

import pytest

from tests.models.fake_server import send, served

TOKEN = "hf_secret"
LAWS = ("--soft-targets", "twin-primes-3", "--numbers", "2", "--out", "laws")


class Hub:
    """What it was sent: files by name, and who may send."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        self.made: list[dict] = []

    def handle(self, handler) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            send(handler, b'{"error": "Invalid username or password."}', 401)
        elif handler.path == "/api/repos/create":
            self.made.append(json.loads(raw))
            send(handler, b'{"url": "%s/datasets/me/laws"}' % self.url.encode())
        elif handler.path == "/api/validate-yaml":
            send(handler, b'{"errors": [], "warnings": []}')
        elif handler.path == "/api/datasets/me/laws/preupload/main":
            modes = {"uploadMode": "regular", "shouldIgnore": False}
            files = [{"path": file["path"], **modes} for file in json.loads(raw)["files"]]
            send(handler, json.dumps({"files": files}).encode())
        elif handler.path == "/api/datasets/me/laws/commit/main":
            for line in map(json.loads, raw.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            commit = {"commitUrl": f"{self.url}/datasets/me/laws/commit/1", "commitOid": "1"}
            send(handler, json.dumps(commit).encode())
        else:
            send(handler, b"{}", 404)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    made = Hub()
    with served(made.handle) as made.url:
        monkeypatch.setenv("HF_ENDPOINT", made.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield made


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_all_that_was_written_is_sent_and_datasets_reads_it(cli, hub, tmp_path, monkeypatch, form):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    (tmp_path / "laws").mkdir()
    (tmp_path / "laws" / "diary.txt").write_text("mine")
    shown = cli("export", *LAWS, "--format", form, "--push", "me/laws")
    assert shown.returncode == 0, shown.stderr
    assert f"{hub.url}/datasets/me/laws/commit/1" in shown.stdout
    [made] = hub.made
    assert (made["name"], made["organization"], made["type"]) == ("laws", "me", "dataset")
    assert made.get("visibility", "private" if made.get("private") else "public") == "private"
    on_disk = {path.relative_to(tmp_path / "laws").as_posix() for path in (tmp_path / "laws").rglob("*.*")}
    assert {*hub.files} == on_disk - {"diary.txt"}
    for name, content in hub.files.items():
        path = tmp_path / "there" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    datasets.disable_progress_bars()
    read = datasets.load_dataset(str(tmp_path / "there"), cache_dir=str(tmp_path / "cache"))["train"]
    assert {"task", "prefix", "weight"} <= set(read.column_names)
    assert {*read["task"]} == {"twin-primes-3"}


def test_without_a_token_nothing_is_sent_and_what_would_be_is_said(cli, hub):
    shown = cli("export", *LAWS, "--push", "me/laws")
    assert shown.returncode == 0
    assert not hub.made
    assert not hub.files
    assert "nothing was sent" in shown.stdout
    assert "to the dataset me/laws" in shown.stdout


@pytest.mark.usefixtures("hub")
def test_a_hub_that_refuses_is_quoted_and_what_was_written_stays(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    shown = cli("export", *LAWS, "--push", "me/laws")
    assert shown.returncode == 2
    assert "error: the hub refused me/laws: Invalid username or password." in shown.stderr
    assert "hf_of_nobody" not in shown.stderr
    assert (tmp_path / "laws" / "README.md").exists()


@pytest.mark.parametrize("token", ["hf_\x01mine", "hf_é"])
def test_a_token_that_can_be_none_is_not_shown(cli, hub, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    shown = cli("export", *LAWS, "--push", "me/laws")
    assert shown.returncode == 2
    assert "has characters that none has" in shown.stderr
    assert "mine" not in shown.stderr
    assert not hub.made


@pytest.mark.usefixtures("hub")
def test_a_hub_that_is_not_there_is_named(cli, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    shown = cli("export", *LAWS, "--push", "me/laws")
    assert shown.returncode == 2
    assert "the hub at http://127.0.0.1:9 cannot be reached" in shown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--push", "a/b/c"), "'a/b/c': Repo id must be in the form"),
        (("--push", ""), "error: --push ''"),
        (("--push", "me/laws", "--out", "memory://x"), "--push sends files of this machine"),
        (("--push", "me/laws", "--format", "lm-eval"), "--push sends datasets"),
    ],
)
def test_what_cannot_be_sent_is_said_before_anything_is_written(cli, tmp_path, words, said):
    shown = cli("export", *LAWS, *words)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert not (tmp_path / "laws").exists()
