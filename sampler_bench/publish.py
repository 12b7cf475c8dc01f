"""From a run folder to what people look at: scores, curves, a figure, the leaderboard of many runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from sampler_bench.cluster import Cluster
from sampler_bench.errors import InputError, StoreError
from sampler_bench.files import location, make_folder, read_parquet, storage_errors, write_whole
from sampler_bench.measure.records import CURVES, LONG_TEXTS, SCHEMA_VERSION, SCORES
from sampler_bench.measure.store import RunFolder
from sampler_bench.models.reference import find_reference
from sampler_bench.report.figures.gallery import gallery
from sampler_bench.report.figures.style import save
from sampler_bench.report.leaderboard import leaderboard, markdown
from sampler_bench.report.page import page
from sampler_bench.score.scores import ROW, score
from sampler_bench.score.truth import Truth
from sampler_bench.targets.definitions import make_target
from sampler_bench.targets.ladder import has_ladder, sieve_ladder

TABLES = {"scores": SCORES, "curves": CURVES}


def rescore(path: Path | str, cluster: Cluster | None = None) -> pd.DataFrame:
    """Score a run's records anew, as they are: nothing is measured.

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
    manifest = folder.read_manifest() if folder.path.is_dir() else None
    if manifest is None:
        raise StoreError(f"{path} holds no run; `sampler-bench run` makes one")
    schema = manifest.get("schema_version")
    if schema != SCHEMA_VERSION:
        raise StoreError(f"{path} has records of schema {schema}; this version reads {SCHEMA_VERSION}")
    with folder.locked():
        scores = score_run(folder, manifest, cluster)
        folder.write_manifest(manifest)
    return scores


def score_run(folder: RunFolder, manifest: dict, cluster: Cluster | None = None) -> pd.DataFrame:
    """Score all that the folder holds; write scores, curves and figure, and into the manifest how much."""
    truths = [
        Truth(
            name, make_target(task["target"]), task["information"], task["members"] and int(task["members"])
        )
        for name, task in manifest["tasks"].items()
    ]
    conditionals = folder.read("conditionals")
    samples = folder.read("samples", without=LONG_TEXTS)
    scores = score(manifest["suite"], truths, conditionals, samples, cluster)
    for (name, schema), rows in zip(TABLES.items(), scores, strict=True):
        table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False)
        write_whole(folder.path / f"{name}.parquet", partial(pq.write_table, table, compression="zstd"))
    write_whole(folder.path / "scores.csv", lambda path: scores.figures.to_csv(path, index=False))
    draw = _figures(manifest, scores.figures, scores.curves).get("digits")
    if draw:
        write_whole(folder.path / "digits.png", partial(save, draw(), "png"))
    for name, model in manifest["models"].items():
        model["realised"] = {
            "conditionals": int((conditionals["model"] == name).sum()),
            "samples": int((samples["model"] == name).sum()),
        }
    return scores.figures


def read_scores(path: Path) -> pd.DataFrame:
    """The scores of a finished run, as stored. Raises StoreError if the folder holds none."""
    return _read(path, "scores")


def _read(path: Path, name: str) -> pd.DataFrame:
    try:
        table = read_parquet(location(path) / f"{name}.parquet")
    except (*storage_errors(), pa.ArrowException) as error:
        reason = f"{path} has no {name} to read: {error}; `sampler-bench score` makes them"
        raise StoreError(reason) from error
    if table.column_names != TABLES[name].names:
        raise StoreError(f"{path} was scored by another version; `sampler-bench score {path}` does it again")
    return table.to_pandas()


def find_runs(path: Path) -> list[Path]:
    """The run folders at ``path``: itself, or those directly inside it. Raises StoreError if none is."""
    inside = [location(path), *sorted(location(path).glob("*"))]
    runs = [folder for folder in inside if (folder / "scores.parquet").is_file()]
    if not runs:
        raise StoreError(f"{path} holds no finished run; `sampler-bench run` makes one")
    return runs


def write_leaderboard(paths: Sequence[Path], out: Path) -> pd.DataFrame:
    """The leaderboard of all runs at ``paths``, also written to ``out`` as leaderboard.csv, .md and .html.

    A task that runs measured in different versions is a task for each, named by its version.
    """
    folders = list(dict.fromkeys(folder.resolve() for path in paths for folder in find_runs(path)))
    scores, curves = (_read_all(folders, name) for name in ("scores", "curves"))
    board = leaderboard(scores)
    references = frozenset(filter(find_reference, pd.unique(scores["model"])))
    html = page(scores, curves, references)
    make_folder(out)
    write_whole(out / "leaderboard.csv", lambda path: board.to_csv(path, index=False))
    write_whole(out / "leaderboard.md", lambda path: path.write_text(markdown(board)))
    write_whole(out / "leaderboard.html", lambda path: path.write_text(html, encoding="utf-8"))
    return board


def _read_all(folders: Sequence[Path], name: str) -> pd.DataFrame:
    """A table of all runs together, with the run's name and with tasks named apart where they differ."""
    names = Counter(folder.name for folder in folders)
    manifests = [RunFolder(folder).read_manifest() or {} for folder in folders]
    labels = _task_labels([manifest.get("tasks", {}) for manifest in manifests])
    return pd.concat(
        [
            _read(folder, name).assign(
                run=folder.name if names[folder.name] == 1 else str(folder),
                task=lambda rows, label=label: rows["task"].replace(label),
            )
            for folder, label in zip(folders, labels, strict=True)
        ],
        ignore_index=True,
    )


def _task_labels(tasks_of_runs: Sequence[Mapping[str, Mapping]]) -> list[dict[str, str]]:
    """For each run, the new names of tasks that another run measured in another form."""
    forms: dict[str, dict[str, int]] = {}
    for tasks in tasks_of_runs:
        for task, definition in tasks.items():
            forms.setdefault(task, {})[definition["fingerprint"]] = definition["version"]
    labels = []
    for tasks in tasks_of_runs:
        label = {}
        for task, definition in tasks.items():
            versions = list(forms[task].values())
            if len(versions) > 1:
                alone = versions.count(definition["version"]) == 1
                label[task] = f"{task} v{definition['version']}" + (
                    "" if alone else f" ({definition['fingerprint'][:6]})"
                )
        labels.append(label)
    return labels


def write_figures(path: Path, out: Path) -> list[Path]:
    """All figures of a finished run, as SVG and PNG in ``out``. Returns their paths.

    Raises
    ------
    StoreError
        If there is no such run, or a figure cannot be written.
    """
    manifest = RunFolder(path).read_manifest() or {}
    figures = _figures(manifest, _read(path, "scores"), _read(path, "curves"))
    make_folder(out)
    written = []
    for name, draw in figures.items():
        figure = draw()
        for kind in ("svg", "png"):
            written.append(out / f"{name}.{kind}")
            write_whole(written[-1], partial(save, figure, kind))
    return written


def conditionals_along(path: Path, number: str, said: Mapping[str, str | None]) -> pd.DataFrame:
    """The conditionals of the one task, model, arm and decoder in which a number was read along.

    ``said``: which of each, None where that is not said.

    Raises
    ------
    InputError
        If there is none, or several and it is not said which.
    StoreError
        If there is no such run.
    """
    find_runs(path)
    records = RunFolder(path).read("conditionals")
    for column, wanted in said.items():
        if wanted is not None:
            records = _only(records, column, wanted)
    # Prefixes of the number's length are complete numbers, or its beginnings of longer ones.
    holding = records[records["prefix"] == number][["task", *ROW]].drop_duplicates()
    if holding.empty:
        raise InputError(f"{number} was not read along in {path}; `sampler-bench export` lists what was")
    for column in ("task", *ROW):
        there = holding[column].unique()
        if len(there) > 1:
            choice = ", ".join(there)
            raise InputError(f"{number} was read along for several: say --{column}, one of {choice}")
    return records.merge(holding, on=["task", *ROW])


def _only(records: pd.DataFrame, column: str, wanted: str) -> pd.DataFrame:
    there = records[column].unique()
    if wanted not in there:
        raise InputError(f"no {column} {wanted!r} in this run; there are {', '.join(sorted(there))}")
    return records[records[column] == wanted]


def _figures(manifest: dict, scores: pd.DataFrame, curves: pd.DataFrame) -> dict[str, Callable[[], Figure]]:
    targets = {name: make_target(task["target"]) for name, task in manifest.get("tasks", {}).items()}
    ladders = {name: sieve_ladder(target)[1:] for name, target in targets.items() if has_ladder(target)}
    return gallery(scores, curves, ladders, lambda model: find_reference(model) is not None)
