"""From a run folder to what people look at: scores, curves, a figure, the leaderboard of many runs."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from sampler_bench.errors import StoreError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.processes import Processes
from sampler_bench.files import location, make_folder, write_whole
from sampler_bench.models.reference import find_reference
from sampler_bench.plain import in_spreadsheet
from sampler_bench.report.leaderboard import flat, leaderboard, markdown
from sampler_bench.report.page import page
from sampler_bench.report.progress import Display
from sampler_bench.report.responses import Response
from sampler_bench.runs.manifest import Manifest, TaskEntry
from sampler_bench.runs.records import LONG_TEXTS, SCORED
from sampler_bench.runs.scored import read_scored, write_scored
from sampler_bench.runs.store import RunFolder
from sampler_bench.score.scores import score
from sampler_bench.score.truth import Truth
from sampler_bench.targets.ladder import has_ladder, sieve_ladder
from sampler_bench.targets.registry import make_target
from sampler_bench.written import few_answers

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rescore(path: Path | str, executor: Executor | None = None) -> pd.DataFrame:
    """Score a run's records anew, as they are: nothing is measured.

    Parameters
    ----------
    path : path or URL
        The run's folder.
    executor : Executor, optional
        What scores the tasks; by default ``Processes()``, all cores of this machine. The scores are the same.

    Returns
    -------
    DataFrame
        The scores, one row a figure; also written to the folder, with curves and figure.

    Raises
    ------
    StoreError
        If there is no run, it is being written to, or it was recorded by another version.
    """
    folder = RunFolder(path)
    manifest = folder.manifest() if folder.path.is_dir() else None
    if manifest is None:
        raise StoreError(f"{path} holds no run; `sampler-bench run` makes one")
    with folder.locked():
        manifest = folder.manifest() or manifest  # as it is now that nobody else writes it
        scores = score_run(folder, manifest, executor)
        folder.write_manifest(manifest)
    return scores


def score_run(folder: RunFolder, manifest: Manifest, executor: Executor | None = None) -> pd.DataFrame:
    """Make the folder compact and score it; write scores, curves and figure; the manifest says how much."""
    folder.compact()
    truths = [truth_of(name, task) for name, task in manifest.tasks.items()]
    samples = folder.read("samples", without=LONG_TEXTS)
    realised = {"conditionals": Counter(), "samples": Counter(samples["model"])}
    scores = score(
        manifest.suite,
        truths,
        map(partial(_counted, realised["conditionals"]), folder.tables("conditionals")),
        samples,
        is_reference=lambda name: find_reference(name) is not None,
        executor=executor or Processes(),
    )
    manifest.scored = {
        name: write_scored(folder.path, name, pa.Table.from_pandas(rows, schema=schema, preserve_index=False))
        for (name, schema), rows in zip(SCORED.items(), scores, strict=True)
    }
    write_whole(folder.path / "scores.csv", partial(write_csv, scores.scores))
    draw = _figures(manifest, scores.scores, scores.curves).get("digits")
    if draw:
        from sampler_bench.report.figures.style import save  # loads matplotlib

        write_whole(folder.path / "digits.png", partial(save, draw(), "png"))
    for name, model in manifest.models.items():
        model["realised"] = {kind: records[name] for kind, records in realised.items()}
    return scores.scores


def _counted(of_model: Counter[str], table: pa.Table) -> pa.Table:
    """The table, whose records are counted."""
    for each in table["model"].value_counts().to_pylist():
        of_model[each["values"]] += each["counts"]
    return table


def truth_of(name: str, task: TaskEntry) -> Truth:
    """What scoring knows of a task, from the manifest of a run."""
    target = make_target(task.target)
    return Truth(
        name, target, task.information, task.count, task.information_error, stratified=task.draws > 1
    )


def read_scores(path: Path) -> pd.DataFrame:
    """The scores of a finished run, as stored. Raises StoreError if the folder holds none."""
    return _read(path, "scores")


def _read(path: Path, name: str) -> pd.DataFrame:
    return read_scored(location(path), name).to_pandas()


def find_runs(path: Path) -> list[Path]:
    """The run folders at ``path``: itself, or those directly inside it. Raises StoreError if none is."""
    inside = [location(path), *sorted(location(path).glob("*"))]
    runs = [folder for folder in inside if (folder / "scores.parquet").is_file()]
    if not runs:
        raise StoreError(f"{path} holds no finished run; `sampler-bench run` makes one")
    return runs


def write_leaderboard(
    paths: Sequence[Path], out: Path, say: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """The leaderboard of all runs at ``paths``, also written to ``out`` as leaderboard.csv, .md and .html.

    A task that runs measured in different versions is a task for each, named by its version. Runs that
    cannot be read are left out, and ``say`` is told; it writes to stderr if it is not given.

    Raises
    ------
    StoreError
        If no run can be read, or the leaderboard cannot be written.
    """
    folders = dict.fromkeys(folder.resolve() for path in paths for folder in find_runs(path))
    runs = _readable(folders, say or Display().say)
    named = _named_apart(runs)
    scores, curves = (
        pd.concat(tables, ignore_index=True) for tables in zip(*(run.tables for run in named), strict=True)
    )
    board = leaderboard(scores)
    references = frozenset(filter(find_reference, pd.unique(scores["model"])))
    html = page(scores, curves, references, _few_answers(named, say or Display().say))
    make_folder(out)
    write_whole(out / "leaderboard.csv", partial(write_csv, flat(board)))
    write_whole(out / "leaderboard.md", lambda path: path.write_text(markdown(board), encoding="utf-8"))
    write_whole(out / "leaderboard.html", lambda path: path.write_text(html, encoding="utf-8"))
    return board


@dataclass(frozen=True)
class _Scored:
    """What a leaderboard takes from a run."""

    folder: Path
    tasks: Mapping[str, TaskEntry]  # of the manifest
    tables: Sequence[pd.DataFrame]  # scores, curves


@dataclass(frozen=True)
class _Named:
    """A run by the name that the leaderboard has for it, its tasks by theirs (``label``) in the tables."""

    folder: Path
    name: str
    label: Mapping[str, str]
    tables: Sequence[pd.DataFrame]

    @property
    def suite(self) -> str:
        return next(iter(self.tables[0]["suite"]), "")


def _readable(folders: Iterable[Path], say: Callable[[str], None]) -> list[_Scored]:
    """The runs that can be read. Raises StoreError if none can."""
    runs, refusals = [], []
    for folder in folders:
        try:
            manifest = RunFolder(folder).manifest()
            tasks = manifest.tasks if manifest else {}
            runs.append(_Scored(folder, tasks, [_read(folder, name) for name in SCORED]))
        except StoreError as error:
            refusals.append(error)
    if not runs:
        raise refusals[0]
    for error in refusals:
        say(f"left out of the leaderboard: {error}")
    return runs


def _named_apart(runs: Sequence[_Scored]) -> list[_Named]:
    """Each run's tables, with the run's name, and with tasks named apart where runs differ in them."""
    names = Counter(run.folder.name for run in runs)
    named = []
    for run, label in zip(runs, _task_labels([run.tasks for run in runs]), strict=True):
        name = run.folder.name if names[run.folder.name] == 1 else str(run.folder)
        tables = [table.assign(run=name, task=table["task"].replace(label)) for table in run.tables]
        named.append(_Named(run.folder, name, label, tables))
    return named


def _few_answers(
    runs: Sequence[_Named], say: Callable[[str], None]
) -> dict[tuple[Hashable, ...], list[Response]]:
    """By the leaderboard's KEYS. Of runs whose samples cannot be read there are none, and ``say`` is told."""
    found = defaultdict(list)
    for run in runs:
        try:
            for response in few_answers(run.folder):
                task, *rest = response.row
                row = (run.label.get(task, task), *rest)
                found[run.name, run.suite, *rest].append(replace(response, row=row))
        except StoreError as error:
            say(f"answers left out of the page: {error}")
    return found


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """A table as CSV in which no text is a formula (``in_spreadsheet``)."""

    def safe(value: object) -> object:
        return in_spreadsheet(value) if isinstance(value, str) else value

    texts = table.select_dtypes(exclude=["number", "bool", "boolean"])
    written = table.assign(**{str(name): texts[name].map(safe) for name in texts})
    written.rename(columns=in_spreadsheet).to_csv(path, index=False, encoding="utf-8")


def _task_labels(tasks_of_runs: Sequence[Mapping[str, TaskEntry]]) -> list[dict[str, str]]:
    """For each run, the new names of tasks that another run measured in another form."""
    forms: dict[str, dict[str, int]] = {}
    for tasks in tasks_of_runs:
        for task, definition in tasks.items():
            forms.setdefault(task, {})[definition.fingerprint] = definition.version
    labels = []
    for tasks in tasks_of_runs:
        label = {}
        for task, definition in tasks.items():
            versions = list(forms[task].values())
            if len(versions) > 1:
                name, version = f"{task} v{definition.version}", definition.version
                alone = versions.count(version) == 1 and name not in forms
                label[task] = name if alone else f"{name} ({definition.fingerprint[:6]})"
        labels.append(label)
    return labels


def write_figures(path: Path, out: Path) -> list[Path]:
    """All figures of a finished run, as SVG and PNG in ``out``. Returns their paths.

    Raises
    ------
    StoreError
        If there is no such run, or a figure cannot be written.
    """
    from sampler_bench.report.figures.style import save  # loads matplotlib

    figures = _figures(RunFolder(path).manifest(), _read(path, "scores"), _read(path, "curves"))
    make_folder(out)
    written = []
    for name, draw in figures.items():
        figure = draw()
        for kind in ("svg", "png"):
            written.append(out / f"{name}.{kind}")
            write_whole(written[-1], partial(save, figure, kind))
    return written


def _figures(
    manifest: Manifest | None, scores: pd.DataFrame, curves: pd.DataFrame
) -> dict[str, Callable[[], "Figure"]]:
    from sampler_bench.report.figures.gallery import gallery  # loads matplotlib

    tasks = manifest.tasks if manifest else {}
    targets = {name: make_target(task.target) for name, task in tasks.items()}
    ladders = {name: sieve_ladder(target)[1:] for name, target in targets.items() if has_ladder(target)}
    families = {name: str(task.target.get("family", "")) for name, task in tasks.items()}
    return gallery(scores, curves, ladders, lambda model: find_reference(model) is not None, families)
