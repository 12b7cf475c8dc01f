"""What small models learn: worlds and sizes trained, measured along the way, scored, and put into one table.

OUT/models/WORLD-SIZE/     a model, and in along/ what it was on the way
OUT/runs/WORLD/            a run of all sizes of a world, and of references: measured and scored like any
OUT/learning.csv           content, skill and validity against numbers seen; figures beside it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from sampler_bench.api import run
from sampler_bench.errors import InputError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.here import Here
from sampler_bench.files import write_whole
from sampler_bench.lab.training import NUMBERS, PARAMETERS, Training, models_along, train, training_note
from sampler_bench.measure.listener import Listener, Silence
from sampler_bench.models.server_options import TRANSFORMERS, ServerOptions
from sampler_bench.report.figures.learnability import by_size, learnability
from sampler_bench.report.figures.style import save
from sampler_bench.runs.records import OVERALL
from sampler_bench.tasks import Catalog, World

REFERENCES = ("uniform-digits", "feasible-uniform", "propose-and-check-64")
METRICS = ("content", "skill", "validity", "information", "ln-size")
SEEN = ("parameters", "numbers_seen")  # columns beside those of scores; of references, 0
FIGURES = ("png", "svg")


@dataclass(frozen=True)
class Grid:
    """Worlds and sizes of models, and where they go.

    ``measured``: numbers and answers a task.
    """

    catalog: Catalog
    worlds: Sequence[World]
    budgets: Sequence[int]
    numbers: int
    seed: int
    out: Path
    measured: tuple[int, int]

    @property
    def trainings(self) -> list[tuple[Training, Path]]:
        """Each with the folder of its model. Raises InputError if a world is not right."""
        return [
            (
                Training(world, self.catalog, parameters, self.numbers, self.seed),
                self.out / "models" / f"{world.name}-{short(parameters)}",
            )
            for world in self.worlds
            for parameters in self.budgets
        ]


def learn(
    name: str,
    out: Path,
    budgets: Sequence[int] = (PARAMETERS,),
    numbers: int = NUMBERS,
    seed: int = 0,
    task_folders: Sequence[Path] = (),
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> pd.DataFrame:
    """Train models on a world, or on each task of a suite, measure and score them; the table of it.

    Run again, it does what is missing.

    Parameters
    ----------
    name : str
        A suite: a model for each of its tasks and sizes. A world: one for each size, measured on its tasks.
    out : Path
        The folder of it all.
    budgets : sequence of int
        Parameters of the models.
    numbers : int
        That each sees.
    seed : int
        Of all that is random.
    task_folders : sequence of Path
        With worlds, tasks and suites of the user's own.
    executor : Executor, optional
        What trains; by default this process, one model after the other.
    listener : Listener, optional
        Told how it goes.

    Returns
    -------
    DataFrame
        Scores, with columns ``parameters`` and ``numbers_seen``, both 0 for references.

    Raises
    ------
    SamplerBenchError
        For anything a user can cause or cure. What was trained and measured before it is kept.
    """
    listener = listener or Silence()
    grid = _grid(name, out, budgets, numbers, seed, task_folders)
    _train(grid, executor or Here(), listener)
    table = pd.concat([_measured(grid, world, task_folders, listener) for world in grid.worlds])
    table = table.reset_index(drop=True)
    write_whole(out / "learning.csv", partial(table.to_csv, index=False))
    for figure_name, draw in (("learnability", learnability), ("by-size", by_size)):
        for kind in FIGURES:
            write_whole(out / f"{figure_name}.{kind}", partial(save, draw(table), kind))
    return table


def _grid(
    name: str, out: Path, budgets: Sequence[int], numbers: int, seed: int, task_folders: Sequence[Path]
) -> Grid:
    catalog = Catalog(task_folders)
    if len(set(budgets)) < len(budgets):
        raise InputError("a budget stands there twice")
    suite = catalog.suite(name)
    worlds = [catalog.world(name)] if name in catalog.world_names() else map(catalog.world, suite.tasks)
    return Grid(catalog, [*worlds], [*budgets], numbers, seed, out, (suite.numbers, suite.samples))


def _train(grid: Grid, executor: Executor, listener: Listener) -> None:
    """Train what is missing."""
    trainings = grid.trainings
    missing = [each for each in trainings if not training_note(each[1]).get("finished")]
    listener.begin("training", len(trainings) - len(missing), len(trainings))
    for _, folder in executor.map(_trained, missing):
        listener.advance(folder.name, "models", 1)


def _trained(training_and_folder: tuple[Training, Path]) -> Path:
    return train(*training_and_folder)


def _measured(grid: Grid, world: World, task_folders: Sequence[Path], listener: Listener) -> pd.DataFrame:
    """The scores of all models of a world, and of references, with what they are and have seen."""
    stages = {
        folder: (training.parameters, seen)
        for training, place in grid.trainings
        if training.world.name == world.name
        for folder, seen in models_along(place)
    }
    numbers, samples = grid.measured
    found = run(
        world.name,
        [*REFERENCES, *map(str, stages)],
        arms=list(dict.fromkeys(document.arm for document in world.documents)),
        numbers=numbers,
        samples=samples,
        seed=grid.seed,
        out=grid.out / "runs" / world.name,
        server=ServerOptions(engine=TRANSFORMERS),
        task_folders=task_folders,
        listener=listener,
        control=False,
    )
    scores = found.scores[found.scores["metric"].isin(METRICS) & (found.scores["task"] != OVERALL)]
    of = {folder.name: stage for folder, stage in stages.items()}
    columns = [[of.get(model, (0, 0))[place] for model in scores["model"]] for place in range(len(SEEN))]
    return scores.assign(world=world.name, **dict(zip(SEEN, columns, strict=True)))


def short(number: int) -> str:
    """400k for 400,000: a count in a name."""
    for size, unit in ((10**6, "M"), (10**3, "k")):
        if number >= size and number % (size // 100) == 0:
            return f"{number / size:.10g}{unit}"
    return str(number)


def in_words(table: pd.DataFrame) -> list[str]:
    """A line for each task and size: what is missing, and known, after all numbers."""
    last = table[(table["parameters"] > 0) & (table["numbers_seen"] == table["numbers_seen"].max())]
    wide = last.pivot_table("value", ["task", "model"], "metric", sort=False)
    return [
        f"{task}: {model} misses {row['content']:.3f} nats of {row['information']:.3f} "
        f"(skill {row['skill']:.2f}), {row['validity']:.0%} of its answers are valid"
        for (task, model), row in wide.iterrows()
    ]
