"""Random command lines, run in this process: bad input is one sentence and exit code 2, whatever it is.

Nothing is measured that takes long, and no server is started: models are names of nothing, ports are closed.
Every file opened for writing must lie in a folder that the line names, in ``results``, or in the cache.
"""

import contextlib
import io
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import typer
from rich.console import ConsoleDimensions

from sampler_bench import run
from sampler_bench.cli import answer, options
from sampler_bench.report.console import PlainConsole
from sampler_bench.sealed import read_json, write_json
from tests.fuzz.words import INTEGER, MARKUP, MODELS, NASTY, NO_INTEGERS, NO_TEXT, VALUES

SECONDS = 300  # after which a command line counts as hanging
SHOWN = 10  # failures reported
LINES = 25  # of the terminal
FORBIDDEN = re.compile(r"[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

FLAGS = {
    *("quiet", "as_json", "help", "control", "irrelevant_traces", "written", "valid"),
    *("samples_only", "same_weights", "dry_run", "track"),
}


@dataclass
class Line:
    """A command line. ``bad``: whether it holds what is wrong wherever it stands."""

    words: list[str] = field(default_factory=list)
    bad: bool = False

    def add(self, option: str | None, value: str, bad: bool) -> None:
        self.words += (
            [value] if option is None else [f"{option}={value}"] if option[:2] == "--" else [option, value]
        )
        self.bad |= bad


class Writer:
    """Writes command lines for the commands that there are, with the options that they have."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.commands = typer.main.get_command(options.app).commands

    def line(self) -> Line:
        line = Line()
        self.wild = self.rng.choice([0, 0.05, 0.3])  # how often anything stands where something is asked for
        name = self.rng.choice([*self.commands])
        if self.rng.random() < 0.03:
            return Line([self.rng.choice(MARKUP) + "no-command"], True)
        line.words.append(name)
        for parameter in self.rng.sample(self.commands[name].params, len(self.commands[name].params)):
            self.parameter(line, parameter)
        if self.rng.random() < 0.03:
            line.add(None, "--no-such-option", True)
        if self.rng.random() < 0.03:
            line.add(None, self.rng.choice(NO_TEXT), True)
        return line

    def parameter(self, line: Line, parameter: object) -> None:
        if parameter.name in FLAGS:
            if self.rng.random() < 0.1:
                line.words.append(parameter.opts[0])
            return
        argument = parameter.param_type_name == "argument"
        if line.words[0] == "serve" and parameter.name == "model":
            line.add(None, self.rng.choice(MODELS), False)  # without it, one is fetched and served
            return
        if self.rng.random() < (1 - self.wild / 5 if argument or parameter.required else 0.3):
            value, bad = self.value(parameter.name)
            line.add(None if argument else max(parameter.opts, key=len), value, bad)

    def value(self, name: str) -> tuple[str, bool]:
        """A value for an option, and whether it is none for certain."""
        if name in INTEGER and self.rng.random() < self.wild:
            return self.rng.choice(NO_INTEGERS), True
        if self.rng.random() < self.wild and name not in ("ray", "vllm_arg"):
            return self.rng.choice(NASTY), False
        return self.rng.choice(VALUES[name]), False


class Watch:
    """Notes the files that this process opens for writing, makes, moves or removes.

    From the first use on: an audit hook stays for good, and costs a tenth of the time of every import.
    """

    def __init__(self) -> None:
        self.paths: set[str] | None = None
        self.hooked = False

    def _note(self, event: str, arguments: tuple) -> None:
        if self.paths is None:
            return
        if event == "open":
            path, _, flags = arguments
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and isinstance(path, str | bytes | os.PathLike):
                self.paths.add(os.path.abspath(os.fsdecode(path)))
                self.paths.discard(os.devnull)  # old versions of Ray write there, which leaves nothing
        elif event in (
            "os.mkdir",
            "os.remove",
            "os.rmdir",
            "os.rename",
            "os.symlink",
            "os.truncate",
            "os.chmod",
        ):
            self.paths.update(os.path.abspath(os.fsdecode(path)) for path in arguments[:1])

    @contextlib.contextmanager
    def watching(self) -> Iterator[set[str]]:
        if not self.hooked:
            sys.addaudithook(self._note)
            self.hooked = True
        self.paths = noted = set()
        try:
            yield noted
        finally:
            self.paths = None


def check_command_lines(seed: int, trials: int) -> dict:
    """Run random command lines in a folder made for them. Returns how many ended how, and what was wrong."""
    rng = random.Random(seed)
    counts: Counter = Counter()
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _in(Path(folder)):
        _furnish(Path())
        good = read_json(Path("runs/good/manifest.json"))[0]
        writer = Writer(rng)
        for _ in range(trials):
            line = writer.line()
            _seal(Path("runs/mutant/manifest.json"), _mutated(good, rng))
            encoding, width = rng.choice(["utf-8", "ascii", "latin-1"]), rng.choice([1, 20, 40, 80, 200])
            with WATCH.watching() as written:
                code, out, err, wrong = _answer(line.words, encoding, width)
            counts[f"exit code {code}"] += 1
            wrong += [*_against_the_rules(line, code, out, err), *_outside(line, written)]
            if line.bad:
                counts["certainly bad"] += 1
            for fault in wrong:
                counts[fault.partition(":")[0]] += 1
                failures.append(f"{line.words!r:.300}\n    {fault}")
    return {"trials": trials, **dict(sorted(counts.items())), "failures": failures[:SHOWN]}


WATCH = Watch()


@contextlib.contextmanager
def _in(folder: Path) -> Iterator[None]:
    """With a folder as the working folder, home and cache."""
    kept, before = dict(os.environ), Path.cwd()
    for name in ("HOME", "XDG_CACHE_HOME", "SAMPLER_BENCH_CACHE"):
        os.environ[name] = str(folder / "cache")
    os.environ.pop("VLLM_API_KEY", None)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(kept)


def _furnish(folder: Path) -> None:
    """Runs that are whole, damaged, of another version or none at all, and a folder of tasks."""
    runs = folder / "runs"
    run("even-6", ["oracle", "uniform-digits"], out=runs / "good", numbers=2, samples=2)
    for name in ("mutant", "other", "newer"):
        shutil.copytree(runs / "good", runs / name)
    (runs / "other" / "scores.parquet").write_bytes(b"PAR1 no")
    newer = read_json(runs / "good" / "manifest.json")[0] | {"schema_version": 99}
    write_json(runs / "newer" / "manifest.json", newer)
    for name in ("empty", "text"):
        (runs / name).mkdir()
    (runs / "text" / "file").write_text("text")
    (runs / "text" / "manifest.json").write_text("{")
    tasks = folder / "mine"
    tasks.mkdir()
    (tasks / "odd.toml").write_text(
        'title = "[low, high] [/b] \\u001b[31m $\\\\frac$"\nversion = 1\nphrase = "p"\n'
        '[target]\nfamily = "powers"\ndigits = 2\nbase = 2\n'
    )


def _seal(path: Path, content: object) -> None:
    """Write with a right checksum, if it is of a kind that has one."""
    if isinstance(content, dict):
        write_json(path, content)
    else:
        path.write_text(json.dumps(content))


def _mutated(manifest: dict, rng: random.Random) -> object:
    """The manifest with one thing in it removed, or another in its place."""
    mutant = json.loads(json.dumps(manifest))
    odd = rng.choice([None, [], {}, "", "x", -1, 1.5, True, "(overall)", {"a": 1}, [1], 10**30, "\x1b[31m"])
    inside = mutant
    while True:
        if not isinstance(inside, dict | list) or not inside or rng.random() < 0.05:
            return odd
        key = rng.choice([*inside] if isinstance(inside, dict) else range(len(inside)))
        if isinstance(inside[key], dict | list) and inside[key] and rng.random() < 0.7:
            inside = inside[key]
            continue
        draw = rng.random()
        if draw < 0.4:
            del inside[key]
        elif draw < 0.6 and isinstance(inside, dict):
            inside[str(odd)] = inside.pop(key)
        else:
            inside[key] = odd
        return mutant


def _answer(words: list[str], encoding: str, width: int) -> tuple[object, str, str, list[str]]:
    """The exit code, what was printed, and whether that ended in a traceback or not at all."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding, newline="") for _ in range(2)]
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    code, wrong = None, []
    try:
        with (
            contextlib.redirect_stdout(streams[0]),
            contextlib.redirect_stderr(streams[1]),
            mock.patch.object(PlainConsole, "size", ConsoleDimensions(width, LINES)),
        ):
            code = answer(words)
    except _TooLong:
        wrong = ["hangs"]
    except BaseException:
        wrong = [f"traceback: {''.join(traceback.format_exc().splitlines(True)[-7:])}"]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    for stream in streams:
        stream.flush()
    return code, *(stream.buffer.getvalue().decode(encoding) for stream in streams), wrong


class _TooLong(BaseException):
    """Not an error that a command could take for one of its own."""


def _too_long(*_: object) -> None:
    raise _TooLong


def _against_the_rules(line: Line, code: object, out: str, err: str) -> Iterator[str]:
    if code is None:
        return
    helped = "--help" in line.words
    if code not in (0, 1, 2) or (code == 1 and line.words[0] not in ("check", "doctor")):
        yield f"exit code {code}"
    if line.bad and code != 2 and not helped:
        yield f"bad input accepted: exit code {code}"
    if code == 2 and len(re.findall("^error: ", err, re.MULTILINE)) != 1:
        yield f"no sentence: {err[-300:]!r}"
    if code == 2 and out:
        yield f"refused after printing: {out[:300]!r}"
    if FORBIDDEN.search(out + err):
        yield f"a control character is printed: {FORBIDDEN.search(out + err)[0]!r}"


def _outside(line: Line, written: set[str]) -> Iterator[str]:
    """What was written outside the folders that the line names, ``results`` and the cache.

    On its way into other storage it is in the folder for what is temporary; folders above named ones may be
    made.
    """
    named = [word.partition("=")[2] if word.startswith("--") else word for word in line.words]
    named = [os.path.abspath(name.removeprefix("file://")) for name in named if name and "\0" not in name]
    allowed = [*map(os.path.abspath, ("results", "cache")), *named]
    for path in map(Path, written):
        within = any(path.is_relative_to(folder) or Path(folder).is_relative_to(path) for folder in allowed)
        on_its_way = path.parent == Path(tempfile.gettempdir()) and path.name.startswith(".")
        if not (within or on_its_way or "__pycache__" in path.parts):
            yield f"written outside: {path}"
