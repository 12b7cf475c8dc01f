"""The command line as a person meets it: output, exit codes, and one sentence for what is wrong."""

import http.server
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from sampler_bench.cli import main
from sampler_bench.targets.counting.tables import read_table
from sampler_bench.tasks import Catalog


def test_truth_as_json_has_the_documented_keys(cli):
    answer = json.loads(cli("truth", "twin-primes-3", "--prefix", "1", "--json").stdout)
    assert list(answer) == ["task", "task_version", "prefix", "count", "p", "method", "bound", "origin"]
    assert answer["count"] == "14"
    assert answer["p"] == [4 / 14, 0, 0, 2 / 14, 1 / 14, 1 / 14, 0, 1 / 14, 1 / 14, 4 / 14, 0]
    assert (answer["task"], answer["method"], answer["bound"]) == ("twin-primes-3", "exact", 0)


def test_truth_of_a_hundred_digit_twin_prime_says_how_it_is_known(cli, cache):  # noqa: ARG001
    above = json.loads(cli("truth", "twin-primes-100", "--prefix", "1234", "--json").stdout)
    assert (above["count"], above["method"], above["origin"]) == (None, "hardy-littlewood", "computed")
    assert 0 < above["bound"] < 1e-9
    number = cli("draw", "twin-primes-100", "--seed", 3).stdout.strip()
    assert cli("check", "twin-primes-100", number).returncode == 0
    answers = [
        json.loads(cli("truth", "twin-primes-100", "--prefix", number[:95], "--json").stdout)
        for _ in range(2)
    ]
    assert [answer.pop("origin") for answer in answers] == ["computed", "read"]
    assert answers[0] == answers[1]
    assert (answers[0]["method"], answers[0]["bound"]) == ("exact-tail", 0)
    assert "read from disk" in cli("truth", "twin-primes-100", "--prefix", number[:94]).stdout


def test_truth_from_a_shipped_table_is_read(cli):
    answer = json.loads(cli("truth", "twin-primes-12", "--prefix", "57", "--json").stdout)
    assert (answer["origin"], answer["method"]) == ("read", "exact")


def test_truth_of_a_mixture_says_where_the_number_comes_from(cli):
    answer = json.loads(cli("truth", "twin-or-any-100", "--json").stdout)
    assert answer["posterior"] == pytest.approx([0.1, 0.9])
    shown = cli("truth", "twin-or-any-100", "--prefix", "12").stdout
    assert "where it comes from:" in shown
    assert "100-digit twin primes" in shown


def test_truth_of_a_range_counts_what_ends_apart_from_what_goes_on(cli):
    shown = cli("truth", "dice-uniform", "--prefix", "10").stdout
    assert re.search(r"^ 0 +1 +0\.500000", shown, re.MULTILINE)
    assert re.search(r"^ END +1 +0\.500000", shown, re.MULTILINE)


def test_truth_counts_of_a_hundred_digits_are_exact(cli):
    answer = json.loads(cli("truth", "even-100", "--json").stdout)
    assert answer["count"] == str(45 * 10**98)


def test_truth_of_a_thousand_digits_is_shown(cli, tmp_path):
    text = (
        'title = "t"\nversion = 1\nphrase = "p"\n[target]\nfamily = "multiples"\ndigits = 1000\nmodulus = 2\n'
    )
    (tmp_path / "even-1000.toml").write_text(text)
    shown = cli("truth", "even-1000", "--tasks", tmp_path, "--prefix", "1" * 990)
    assert shown.returncode == 0, shown.stderr
    assert "4.5000e+999" in cli("tasks", "--tasks", tmp_path).stdout.replace("\n", "")


def test_truth_shows_a_bar_a_digit(cli):
    shown = cli("truth", "powers-of-3-100").stdout
    assert shown.count("0.500000  ████████████████████") == 2
    assert "0.6931 nats (1.0000 bits), method exact" in shown


def test_truth_of_a_complete_number_is_to_stop(cli):
    answer = json.loads(cli("truth", "even-6", "--prefix", "123456", "--json").stdout)
    assert answer["p"] == [0.0] * 10 + [1.0]
    assert "END" in cli("truth", "even-6", "--prefix", "123456").stdout


def test_draw_prints_members_one_a_line_the_same_for_the_same_seed(cli, here):
    drawn = [cli("draw", "twin-primes-6", "-n", 5, "--seed", seed).stdout for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0].split()) == 5
    for number in drawn[0].split():
        assert here("check", "twin-primes-6", number).returncode == 0


@pytest.mark.parametrize(
    ("number", "code"), [("101", 0), ("103", 0), ("105", 1), ("23", 1), ("0101", 1), ("1o1", 2), ("-1", 2)]
)
def test_check_exits_with_0_for_members_and_1_for_others(here, number, code):
    assert here("check", "twin-primes-3", "--", number).returncode == code


def test_count_prints_one_number(cli):
    assert cli("count", "twin-primes", 0, "1e6").stdout == "8169\n"
    assert cli("count", "n,n+2,n+6", 0, 1_000, "--threads", 1).stdout == "15\n"


def test_a_table_stopped_by_ctrl_c_goes_on(cli, tmp_path):
    """Nine digits are counted in no time, so the kept parts are made narrow and the sieve slow."""
    whole = cli("table", "twin-primes", "--digits", 8, "--depth", 3, "--out", "whole")
    assert whole.stdout.startswith("381332 twin-primes of 8 digits, by 900 prefixes")
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_TABLE], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        while len(list((tmp_path / "cut").glob("*.parts/*.parquet"))) < 20:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        said = process.stderr.read()
        assert (
            said.strip()
            == "stopped; every ninetieth of a large table is kept, the same command goes on from there"
        )
    assert not list((tmp_path / "cut").glob("*.parquet"))
    again = cli("table", "twin-primes", "--digits", 8, "--depth", 3, "--out", "cut")
    assert again.returncode == 0, again.stderr
    tables = [read_table(tmp_path / folder / "twin-primes-8-3.parquet") for folder in ("whole", "cut")]
    assert tables[0].counts.tolist() == tables[1].counts.tolist()


SLOW_TABLE = """
import sys, time
from sampler_bench import kernels
from sampler_bench.cli import main
from sampler_bench.targets.counting import kept_counts
kept_counts.KEPT_WIDTH, count_tuples = 10, kernels.count_tuples
kernels.count_tuples = lambda *arguments: [time.sleep(0.05), count_tuples(*arguments)][1]
sys.argv = "sampler-bench table twin-primes --digits 8 --depth 3 --out cut".split()
main()
"""


def test_tasks_of_a_suite_stand_in_its_order(cli):
    shown = cli("tasks", "essay").stdout
    places = [re.search(f"^{name} ", shown, re.MULTILINE).start() for name in Catalog().suite("essay").tasks]
    assert places == sorted(places)
    assert "dice" not in shown


def test_tasks_lists_every_task_suite_and_arm(cli):
    shown = cli("tasks").stdout
    for name in ("twin-primes-9", "even-100", "powers-of-2-6", "suite quick", "arm direct", "arm cot"):
        assert name in shown


def test_doctor_names_what_it_looked_at(cli):
    shown = cli("doctor").stdout
    for what in ("Python", "numba", "torchvision trap", "cores", "memory", "smollm2-135m"):
        assert what in shown
    nowhere = cli("doctor", "--base-url", f"http://127.0.0.1:{free_port()}")
    assert nowhere.returncode == 1
    assert "sampler-bench serve" in nowhere.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("truth twin-prime-3", "unknown task 'twin-prime-3'; did you mean"),
        ("truth twin-primes-3 --prefix 1x", "prefix '1x' holds 'x'"),
        ("truth twin-primes-3 --prefix 1234", "prefix '1234' has 4 digits, but numbers here have 3"),
        ("truth twin-primes-3 --prefix 12", "no member of 3-digit twin primes starts with '12'"),
        ("truth twin-primes-3 --prefix 0", "no member of 3-digit twin primes starts with '0'"),
        ("tasks essays", "unknown suite 'essays'; did you mean 'essay'?"),
        ("truth", "Missing argument 'TASK'"),
        ("truth even-6 --jsn", "No such option"),
        ("draw even-6 -n 0", "Invalid value for '-n'"),
        ("draw even-6 --tasks nowhere", "no folder of tasks at nowhere"),
        ("run quik --model oracle", "unknown suite 'quik'; did you mean 'quick'?"),
        ("run quick --model orcle", "unknown model 'orcle'"),
        ("run quick --model oracle --arm direkt", "unknown arm 'direkt'; did you mean 'direct'?"),
        (
            "run quick --model oracle --arm reasoning-7",
            "unknown arm 'reasoning-7'; did you mean 'reasoning'?",
        ),
        ("run quick --model oracle --decoder beam", "unknown decoder 'beam'; there are ancestral,"),
        ("run quick --model x --decoder twisted --arm cot", "decoder twisted suits none of the arms cot"),
        ("run quick --model x --timeout 0", "Invalid value for '--timeout'"),
        ("run quick --model oracle --numbers 0", "numbers = 0: it must be at least 1"),
        ("run quick --model oracle --out /proc/run", "cannot write /proc/run"),
        ("run quick", "Missing option '--model'"),
        ("run even-6 --model x --base-url nonsense", "base URL 'nonsense' does not start with http://"),
        ("leaderboard", "results holds no finished run"),
        ("score nowhere", "nowhere holds no run"),
        ("serve oracle", "oracle is a reference sampler"),
        ("serve --port 99999", "port 99999 on 127.0.0.1 cannot be used"),
        ("nonsense", "No such command 'nonsense'"),
        ("count twin-primes 10 3", "3 is below 10"),
        ("count twin-primes 0 1e20", "the most that can be sieved"),
        ("count twin-primes -- -5 3", "-5 is negative"),
        ("count twin-primes 0 1.5", "'1.5' is not an integer"),
        ("count n,n+2,n+4 0 9", "inadmissible: 3 always divides one"),
        ("count twins 0 9", "'twins' is no tuple of primes"),
        ("table twin-primes --digits 3 --depth 4", "it must be from 1 to 3 for 3 digits"),
        ("table twin-primes --digits 3 --depth 2 --out /proc/x", "cannot write /proc/x"),
    ],
)
def test_bad_input_is_one_sentence_on_stderr_and_exit_code_2(here, arguments, reason):
    done = here(*arguments.split())
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ")
    assert reason in last
    assert done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    ["truth twin-prime-3", "truth even-6 --jsn", "run quick --model orcle", "nonsense", "draw even-6 -n 3"],
)
def test_a_process_says_what_is_said_in_this_one_and_ends_with_its_code(cli, here, arguments):
    done, expected = cli(*arguments.split()), here(*arguments.split())
    assert (done.returncode, done.stdout, done.stderr) == (
        expected.returncode,
        expected.stdout,
        expected.stderr,
    )


NO_ROOM_FOR_KERNELS = """
import resource, sys
from sampler_bench.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
sys.argv = ["sampler-bench", "count", "twin-primes", "0", "100", "--quiet"]
main()
"""


def test_a_disk_too_full_to_keep_the_kernels_leaves_the_answer(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM_FOR_KERNELS],
        env={**os.environ, "SAMPLER_BENCH_CACHE": str(tmp_path), "NUMBA_OPT": "0"},  # compiled sooner
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "8\n")
    assert re.fullmatch(rf"note: cannot write {tmp_path}/kernels/.*: File too large; .*\n", done.stderr)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]  # no half-written file


def test_a_port_in_use_is_named(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = cli("serve", "--port", port)
    assert done.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in done.stderr


def test_replicas_want_a_cluster(cli):
    done = cli("serve", "--replicas", 2)
    assert done.returncode == 2
    assert done.stderr == "error: --replicas is for a Ray cluster: say which with --ray ADDRESS\n"


def test_a_folder_without_weights_is_named(cli, tmp_path):
    (tmp_path / "empty").mkdir()
    done = cli("run", "quick", "--model", "empty")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: empty is not a model folder: it holds no config.json" in done.stderr


class OldServer(http.server.BaseHTTPRequestHandler):
    """Answers as a vLLM from before ``logprob_token_ids``: it ignores the field."""

    def do_GET(self):
        answers = {"/version": {"version": "0.1"}, "/v1/models": {"data": [{"id": "m"}]}}
        self.answer(answers[self.path])

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/tokenize":
            self.answer({"tokens": [ord(c) for c in body.get("prompt", "x")]})
        else:
            choice = {"text": "7", "finish_reason": "length", "logprobs": {"top_logprobs": [{"7": -0.1}]}}
            self.answer({"choices": [choice], "usage": {}})

    def answer(self, body: dict) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


class NotVllm(OldServer):
    def do_GET(self):
        self.send_error(404)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (
            OldServer,
            "(vLLM 0.1): the server does not return the log-probabilities asked for with 'logprob_token_ids'",
        ),
        (NotVllm, "choices.0.message is missing, in the answer of"),
    ],
)
def test_a_server_that_cannot_be_measured_is_named(cli, kind, reason):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        done = cli("run", "even-6", "--model", "m", "--base-url", url)
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 2
    assert reason in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_without_arguments_the_commands_are_listed(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["sampler-bench"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "leaderboard" in capsys.readouterr().out
