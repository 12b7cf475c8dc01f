"""What `sampler-bench learn` left in folders, as results/published/lab: one file a kind, made small.

python results/collect.py FOLDER...        folders that `learn` was given as --out

Scores of all models, on their way too; laws, in 16 bits, and answers of those that had seen all. An outsider
can compute every figure of theirs anew from `conditionals.parquet` and `truths.parquet`.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from essay import Evidence, personae
from matplotlib.figure import Figure
from publish import in_bits, in_few_colours

from sampler_bench import runs
from sampler_bench.lab.training import training_note
from sampler_bench.models.reference import find_reference
from sampler_bench.report.figures.learnability import along_training, asked_to_switch, by_size
from sampler_bench.report.figures.style import COLOURS, FAINT, save, sheet
from sampler_bench.tasks import Catalog

LAB = Path(__file__).parent / "published" / "lab"
KEPT = {  # columns of the records; the others are the same everywhere, or of no score
    "conditionals": ["task", "model", "arm", "paraphrase", "number_id", "position", "prefix", "weight", "q"],
    "samples": ["task", "model", "arm", "paraphrase", "sample_id", "text", "answer", "valid"],
}
LOSSES = 64  # points of a loss curve


def main(folders: Sequence[Path]) -> None:
    """Write the files; those of an earlier collection are replaced."""
    LAB.mkdir(parents=True, exist_ok=True)
    scores = pd.concat([pd.read_csv(folder / "learning.csv") for folder in folders], ignore_index=True)
    write("scores", scores)
    found = [run for folder in folders for run in finished_runs(folder)]
    for kind, columns in KEPT.items():
        table = pd.concat([getattr(run, kind)[columns] for run in found], ignore_index=True)
        if kind == "conditionals":
            table["q"] = [*in_bits(np.stack(table["q"].to_numpy()))]
        write(kind, table)
    truths = pd.concat([run.conditionals[["task", "prefix", "p", "method", "bound"]] for run in found])
    write("truths", truths.drop_duplicates(["task", "prefix"]).reset_index(drop=True))
    switches = [folder / "switching.csv" for folder in folders if (folder / "switching.csv").exists()]
    write("switching", pd.concat(map(pd.read_csv, switches), ignore_index=True))
    trained = dict(trainings(folders))
    assert len(trained) == sum(1 for folder in folders for _ in (folder / "models").iterdir()), "a name twice"
    (LAB / "trainings.json").write_text(json.dumps(trained, indent=1) + "\n")
    for name, figure in figures(scores, pd.read_parquet(LAB / "switching.parquet")):
        save(figure, "png", LAB / f"{name}.png")
        in_few_colours(LAB / f"{name}.png")


def finished_runs(folder: Path) -> Iterator["Finished"]:
    """The run of each world, of models that had seen all."""
    for path in sorted((folder / "runs").iterdir()):
        yield Finished(runs.read(path), {each.name for each in (folder / "models").iterdir()})


class Finished:
    """The records of a run that are of some models."""

    def __init__(self, run: runs.Run, models: set[str]):
        self.conditionals, self.samples = (
            table[table["model"].isin(models)].sort_values(["model", "arm", "paraphrase", key], kind="stable")
            for table, key in ((run.conditionals, "number_id"), (run.samples, "sample_id"))
        )
        assert not any(map(find_reference, models))


def trainings(folders: Sequence[Path]) -> Iterator[tuple[str, dict]]:
    """By model: what was trained, with a short loss curve."""
    for folder in folders:
        for path in sorted((folder / "models").iterdir()):
            note = training_note(path)
            every = max(1, len(note["loss"]) // LOSSES)
            yield path.name, note | {"loss": note["loss"][::every]}


def figures(scores: pd.DataFrame, switches: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    """What the lab shows, a message a figure."""
    grid = scores[scores["world"].isin(Catalog().suite("learnability").tasks)]
    families = {task: Catalog().task(task).family for task in pd.unique(grid["task"])}
    yield "learnability", along_training(grid, "content")
    yield "by-size", by_size(grid, families)
    traces = scores[scores["world"].isin(["with-traces", "without-traces"])]
    yield "validity", along_training(traces, "validity", "tokens_seen")
    yield "shares", along_training(scores[scores["world"] == "hidden-intent"], "component-1")
    yield "switching", asked_to_switch(switches)
    yield "personae", in_a_jukebox()


def in_a_jukebox() -> Figure:
    """Skill of each persona of the jukebox, in one model and in a model of its own.

    The model of its own stands there twice: in the end, and when it had seen as many numbers of the task.
    """
    found = sorted(personae(Evidence(LAB.parent)), key=lambda each: each[1]["value"])
    tasks, together, alone, early = zip(*found, strict=True)
    series = [
        (0.0, COLOURS[0], "eight in one model", together),
        (0.2, COLOURS[1], "a model for it alone", alone),
        (-0.2, COLOURS[2], "the same after as many numbers of it", early),
    ]
    message = "Eight kinds of numbers in one small model: what it knows of each"
    with sheet(message, [""], "skill (1: exact, 0: uniform digits)", wide=8.0, high=3.6) as (figure, [panel]):
        panel.axvline(0, color=FAINT, lw=0.8)
        for shift, colour, label, scores in series:
            rows = pd.DataFrame(scores)
            spread = [(rows["value"] - rows["low"]).clip(0), (rows["high"] - rows["value"]).clip(0)]
            places = np.arange(len(rows)) + shift
            panel.errorbar(rows["value"], places, xerr=spread, fmt="o", ms=5, color=colour, label=label)
        panel.set_yticks(range(len(tasks)), tasks)
    return figure


def write(name: str, table: pd.DataFrame) -> None:
    """A table as Parquet, as small as it goes."""
    split = [f"{column}.list.element" for column in ("q", "p") if column in table]
    plain = [column for column in table if column not in ("q", "p")]
    table.to_parquet(
        LAB / f"{name}.parquet",
        index=False,
        compression="zstd",
        compression_level=19,
        use_dictionary=plain,
        use_byte_stream_split=split,
    )


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    if not given or not all((folder / "learning.csv").is_file() for folder in given):
        named = " ".join(map(str, given)) or "nothing"
        print(f"error: {named}: name folders that `sampler-bench learn` has finished")
        sys.exit(2)
    main(given)
