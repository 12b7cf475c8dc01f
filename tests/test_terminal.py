"""What a person sees at any terminal: narrow, without Unicode, and with names that would like to act."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from sampler_bench import run, runs
from sampler_bench.cli import answer, options
from sampler_bench.sealed import read_json, write_json
from tests.conftest import COMMAND

TITLE = r'title = "[low, high] [/b] \u001b[31m $\\frac$"'
TASK = TITLE + '\nversion = 1\nphrase = "p"\n[target]\nfamily = "powers"\ndigits = 2\nbase = 2\n'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run of suite quick's smaller tasks by two references."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    run("quick", ["oracle", "feasible-uniform"], out=folder, numbers=4, samples=4)
    return folder


@pytest.fixture
def said(capsys, monkeypatch, tmp_path):
    """Run a command line in this process, in an empty folder: exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def say(*words: object, width: int = 80) -> tuple[int, str, str]:
        monkeypatch.setattr(options.console, "width", width)
        monkeypatch.setattr(options.errors, "width", width)
        code = answer([*map(str, words)])
        return code, *capsys.readouterr()

    return say


LOOKED_AT = [
    "leaderboard RUN --out board",
    "compare RUN RUN",
    "show RUN --model feasible-uniform --task even-6 --number NUMBER",
    "tasks",
    "truth twin-primes-12 --prefix 57",
    "truth twin-or-any-100",
]


@pytest.mark.parametrize("command", LOOKED_AT)
def test_at_40_columns_all_numbers_are_those_of_120(said, folder, command):
    (number,) = re.findall(r"numbers?: ([0-9]+)", "numbers: " + first_number(folder))
    words = command.replace("RUN", str(folder)).replace("NUMBER", number).split()
    wide, narrow = (said(*words, width=width) for width in (120, 40))
    assert (wide[0], narrow[0]) == (0, 0)
    figures = [
        set(re.findall(r"-?[0-9][0-9,]*\.[0-9]+(?:e\+[0-9]+)?|[0-9]+%", out)) for _, out, _ in (wide, narrow)
    ]
    assert figures[0]
    if command != "tasks":  # which leaves out bits
        assert figures[1] == figures[0]
    assert figures[1] <= figures[0]
    assert "…" not in narrow[1]
    assert max(map(len, narrow[1].partition("written: ")[0].splitlines())) <= 40


def first_number(folder) -> str:

    records = runs.read(folder).conditionals.query("task == 'even-6' and model == 'feasible-uniform'")
    return max(records["prefix"], key=len)


WITHOUT_UNICODE = [
    *((command, "ascii") for command in (*LOOKED_AT, "doctor", "--help", "run --help", "run quik --model é")),
    *((command, "latin-1") for command in (LOOKED_AT[0], "doctor")),
]


@pytest.mark.parametrize(("command", "encoding"), WITHOUT_UNICODE)
def test_a_terminal_without_unicode_is_given_what_it_has(folder, tmp_path, command, encoding):
    words = command.replace("RUN", str(folder)).replace("NUMBER", first_number(folder)).split()
    done = subprocess.run(
        [COMMAND, *words],
        capture_output=True,
        cwd=tmp_path,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "60"},
    )
    assert done.returncode in (0, 1, 2)
    assert b"Traceback" not in done.stderr
    said = (done.stdout + done.stderr).decode(encoding)
    assert said
    assert "\\u" not in said


def test_markup_and_codes_in_titles_and_paths_are_shown_and_do_nothing(said, tmp_path):
    (tmp_path / "odd.toml").write_text(TASK)
    place = "out[/b]"
    code, out, err = said("run", "odd", "--tasks", ".", "--model", "oracle", "--out", place, "--samples", 2)
    assert (code, err.count("error")) == (0, 0)
    assert f"written: {place}/leaderboard.html" in out
    for words in (
        ["tasks", "--tasks", "."],
        ["check", "odd", "16", "--tasks", "."],
        ["truth", "odd", "--tasks", "."],
    ):
        shown = said(*words)[1]
        assert "[low, high]" in " ".join(shown.split())
        assert "\x1b" not in shown
    code, out, err = said("show", place, "--number", "[/b]")
    assert (code, err) == (
        2,
        f"error: [/b] was not read along in {place}; `sampler-bench export` lists what was\n",
    )


BAD_PLACES = {
    "s3://": "names no bucket",
    "s3:///x": "names no bucket",
    "s3://[": "cannot be used",
    "s4:///x": "cannot be used",
    "": "a path is empty",
    "x" * 256: "has 256 characters; no file has over 255",
    "a/" * 2000: "2000 folders in one another",
    "a\0b": "is no text",
    "\udcff": "is no text",
    "/dev/null": "",
    "/dev/null/x": "",
    "nowhere": "holds no",
    "file": "",
}


@pytest.mark.parametrize("command", ["leaderboard", "figures", "score", "export", "compare", "show"])
@pytest.mark.parametrize("place", BAD_PLACES, ids=lambda place: place[:8])
def test_a_place_where_no_run_is_is_a_sentence(said, tmp_path, command, place):
    (tmp_path / "file").write_text("")
    more = {"export": ["--out", "new"], "compare": [place], "show": ["--number", "1"]}.get(command, [])
    code, out, err = said(command, place, *more)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert BAD_PLACES[place] in err


@pytest.mark.parametrize("place", ["/dev/null", "file", "x" * 256, "a/" * 2000, "s3:///x", "", "/proc/x"])
@pytest.mark.parametrize(
    "command", ["leaderboard RUN", "figures RUN", "export RUN", "run even-6 --model oracle"]
)
def test_an_out_that_can_hold_nothing_is_a_sentence(said, folder, tmp_path, command, place):
    (tmp_path / "file").write_text("")
    code, _, err = said(*command.replace("RUN", str(folder)).split(), "--out", place)
    assert code == 2
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_runs_that_cannot_be_read_are_left_out_of_the_leaderboard_with_a_line(said, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "results" / "good")
    for name, file in (("other", "scores.parquet"), ("odd", "manifest.json"), ("none", "curves.parquet")):
        shutil.copytree(folder, tmp_path / "results" / name)
        (tmp_path / "results" / name / file).write_bytes(b"[]")
    code, out, err = said("leaderboard", "results")
    assert code == 0
    assert "good (suite quick)" in out
    assert sorted(re.findall("^left out of the leaderboard: .*/results/([a-z]+)", err, re.MULTILINE)) == [
        "none",
        "odd",
        "other",
    ]
    code, out, err = said("run", "even-6", "--model", "oracle", "--numbers", 2, "--samples", 2)
    assert code == 0
    assert "suite even-6" in out
    assert "suite quick" not in out
    shutil.rmtree(tmp_path / "results" / "good")
    shutil.rmtree(tmp_path / "results" / "even-6")
    code, out, err = said("leaderboard", "results")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda _: {}, "schema_version"),
        (lambda manifest: {k: v for k, v in manifest.items() if k != "tasks"}, "tasks"),
        (lambda manifest: manifest | {"tasks": {"even-6": {}}}, "tasks.even-6"),
        (
            lambda manifest: manifest | {"tasks": {"(overall)": manifest["tasks"]["even-6"]}},
            "no task has this name",
        ),
        (lambda manifest: manifest | {"settings": {"seed": "x"}}, "settings"),
        (lambda manifest: manifest | {"models": None}, "models"),
    ],
)
def test_a_manifest_of_another_form_is_named(said, folder, tmp_path, change, where):
    run = tmp_path / "run"
    shutil.copytree(folder, run)
    write_json(run / "manifest.json", change(read_json(run / "manifest.json")[0]))
    for command in ("score", "figures", "leaderboard"):
        code, out, err = said(command, run)
        assert (code, out) == (2, "")
        assert "manifest.json is not the manifest of a run" in err
        assert where in err


WITHOUT_PACKAGE = """
import sys
sys.modules[sys.argv.pop(1)] = None  # as if it were not installed
from sampler_bench.cli import main
main()
"""


def without(package: str, *words: str, cwd: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_PACKAGE, package, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_without_primecountpy_tasks_are_listed_and_a_run_says_beforehand_what_is_missing(tmp_path):
    listed = without("primecountpy", "tasks", "spectrum", cwd=tmp_path)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert re.search("^primes-12 .* – ", listed.stdout, re.MULTILINE)
    pairs = 1_870_585_220 - 224_376_048  # below 10^12 and 10^11, https://oeis.org/A007508
    assert re.search(f"^twin-primes-12 .* {2 * pairs:,} ", listed.stdout, re.MULTILINE)
    refused = without("primecountpy", "run", "spectrum", "--model", "oracle", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: primes-12: ")
    assert "pip install 'sampler-bench[primes]'" in refused.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("package", "extra"), [("primecountpy", "primes"), ("ray", "ray"), ("s3fs", "s3")])
def test_doctor_names_optional_packages_and_is_well_without_them(tmp_path, package, extra):
    there, missing = (without(name, "doctor", cwd=tmp_path) for name in ("nothing_at_all", package))
    assert missing.returncode == there.returncode
    assert f"pip install 'sampler-bench[{extra}]'" in missing.stdout
    assert f"sampler-bench[{extra}]" not in there.stdout


def test_ray_that_is_not_installed_is_a_sentence(tmp_path):
    refused = without("ray", "run", "even-6", "--model", "oracle", "--ray", "auto", cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == "error: Ray is not installed here: pip install 'sampler-bench[ray]'\n"
