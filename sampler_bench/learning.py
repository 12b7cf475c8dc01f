"""What small models learn: worlds and sizes trained, measured along the way, scored, and put into one table.

OUT/models/WORLD-SIZE/     a model, and in along/ what it was on the way
OUT/runs/WORLD/            a run of all sizes of a world, and of references: measured and scored like any
OUT/learning.csv           content, skill and validity against numbers seen; figures beside it
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path

import pandas as pd

from sampler_bench.api import run
from sampler_bench.errors import InputError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.here import Here
from sampler_bench.files import write_whole
from sampler_bench.lab.documents import kinds_of, mean_length
from sampler_bench.lab.training import NUMBERS, PARAMETERS, Training, models_along, train, training_note
from sampler_bench.measure.listener import Listener, Silence
from sampler_bench.models.reference import find_reference
from sampler_bench.models.server_options import TRANSFORMERS, ServerOptions
from sampler_bench.report.figures.learnability import along_training, asked_to_switch, by_size
from sampler_bench.report.figures.style import save
from sampler_bench.runs.reading import Run
from sampler_bench.runs.records import OVERALL
from sampler_bench.score.switching import switching
from sampler_bench.targets import Target
from sampler_bench.tasks import Catalog, World

REFERENCES = ("uniform-digits", "feasible-uniform", "propose-and-check-64")
METRICS = ("content", "skill", "validity", "component-1", "information", "ln-size")
KINDS = ("png", "svg")


@dataclass(frozen=True)
class Grid:
    """Worlds and sizes of models, how much each sees, and where they go.

    ``tokens``: in place of ``numbers``, tokens of answers that each sees. ``measured``: numbers and answers a
    task.
    """

    catalog: Catalog
    worlds: Sequence[World]
    budgets: Sequence[int]
    numbers: int
    tokens: int | None
    seed: int
    out: Path
    measured: tuple[int, int]

    @cached_property
    def trainings(self) -> list[tuple[Training, Path]]:
        """Each with the folder of its model. Raises InputError if a world is not right."""
        return [
            (
                Training(world, self.catalog, parameters, self._numbers_of(world), self.seed),
                self.out / "models" / f"{world.name}-{short(parameters)}",
            )
            for world in self.worlds
            for parameters in self.budgets
        ]

    def length(self, world: World) -> float:
        """Tokens of an answer, on average."""
        return mean_length(kinds_of(world, self.catalog), world)

    def _numbers_of(self, world: World) -> int:
        return self.numbers if self.tokens is None else max(1, round(self.tokens / self.length(world)))


def learn(
    names: str | Sequence[str],
    out: Path,
    budgets: Sequence[int] = (PARAMETERS,),
    numbers: int = NUMBERS,
    tokens: int | None = None,
    seed: int = 0,
    task_folders: Sequence[Path] = (),
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> pd.DataFrame:
    """Train models on worlds, or on each task of suites, measure and score them; the table of it.

    Run again, it does what is missing.

    Parameters
    ----------
    names : str or sequence of str
        A suite: a model for each of its tasks and sizes. A world: one for each size, measured on its tasks.
    out : Path
        The folder of it all.
    budgets : sequence of int
        Parameters of the models.
    numbers : int
        That each sees.
    tokens : int, optional
        That each sees of answers, in place of ``numbers``: to compare worlds with short and long ones.
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
        Scores, with columns ``parameters``, ``numbers_seen`` and ``tokens_seen``, 0 of references.

    Raises
    ------
    SamplerBenchError
        For anything a user can cause or cure. What was trained and measured before it is kept.
    """
    listener = listener or Silence()
    names = [names] if isinstance(names, str) else names
    grid = _grid(names, out, budgets, numbers, tokens, seed, task_folders)
    _train(grid, executor or Here(), listener)
    scores, switches = [], []
    for world in grid.worlds:
        measured = _measure(grid, world, task_folders, listener)
        scores.append(_scores(grid, world, measured))
        if world.languages:
            found = switching(measured.conditionals, world.languages)
            switches.append(found[found["model"].isin(_finished(grid, world))].assign(task=world.name))
    table = pd.concat(scores).reset_index(drop=True)
    write_whole(out / "learning.csv", partial(table.to_csv, index=False))
    families = {
        document.task: grid.catalog.task(document.task).family
        for world in grid.worlds
        for document in world.documents
    }
    seen = "numbers" if tokens is None else "tokens"
    _draw(table, families, pd.concat(switches) if switches else None, out, seen)
    return table


def _grid(
    names: Sequence[str],
    out: Path,
    budgets: Sequence[int],
    numbers: int,
    tokens: int | None,
    seed: int,
    task_folders: Sequence[Path],
) -> Grid:
    catalog = Catalog(task_folders)
    if len(set(budgets)) < len(budgets):
        raise InputError("a budget stands there twice")
    worlds: dict[str, World] = {}
    for name in names:
        inside = [name] if name in catalog.world_names() else catalog.suite(name).tasks
        worlds |= {each: catalog.world(each) for each in inside}
    suites = [catalog.suite(name) for name in names]
    measured = max(suite.numbers for suite in suites), max(suite.samples for suite in suites)
    return Grid(catalog, [*worlds.values()], [*budgets], numbers, tokens, seed, out, measured)


def _train(grid: Grid, executor: Executor, listener: Listener) -> None:
    """Train what is missing."""
    missing = [each for each in grid.trainings if not training_note(each[1]).get("finished")]
    for each in grid.trainings:
        if each not in missing:
            _trained(each)  # which looks whether it is this training, and does nothing
    listener.begin("training", len(grid.trainings) - len(missing), len(grid.trainings))
    for _, folder in executor.map(_trained, missing):
        listener.advance(folder.name, "models", 1)


def _trained(training_and_folder: tuple[Training, Path]) -> Path:
    return train(*training_and_folder)


def _stages(grid: Grid, world: World) -> dict[Path, tuple[int, int]]:
    """The folder of each model of a world on its way, with its parameters and what it had seen."""
    return {
        folder: (training.parameters, seen)
        for training, place in grid.trainings
        if training.world.name == world.name
        for folder, seen in models_along(place)
    }


def _finished(grid: Grid, world: World) -> list[str]:
    """The names of a world's models that have seen all."""
    return [place.name for training, place in grid.trainings if training.world.name == world.name]


def _measure(grid: Grid, world: World, task_folders: Sequence[Path], listener: Listener) -> Run:
    numbers, samples = grid.measured
    targets = [grid.catalog.task(document.task).target for document in world.documents]
    references = [name for name in REFERENCES if _suits(name, targets)]
    return run(
        world.name,
        [*references, *map(str, _stages(grid, world))],
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


def _suits(name: str, targets: Iterable[Target]) -> bool:
    """Whether a reference is defined for one of the targets."""
    found = find_reference(name)
    return found is not None and any(map(found.suits, targets))


def _scores(grid: Grid, world: World, measured: Run) -> pd.DataFrame:
    """The scores of all models of a world, and of references, with what they are and have seen."""
    all_scores = measured.scores
    scores = all_scores[all_scores["metric"].isin(METRICS) & (all_scores["task"] != OVERALL)]
    stages = {folder.name: stage for folder, stage in _stages(grid, world).items()}
    parameters, seen = zip(*(stages.get(model, (0, 0)) for model in scores["model"]), strict=True)
    tokens = [round(each * grid.length(world)) for each in seen]
    return scores.assign(world=world.name, parameters=parameters, numbers_seen=seen, tokens_seen=tokens)


def _draw(
    table: pd.DataFrame, families: Mapping[str, str], switches: pd.DataFrame | None, out: Path, seen: str
) -> None:
    """All figures that there is something for."""
    figures = {"by-size": by_size(table, families)}
    for name, metric in (("learnability", "content"), ("validity", "validity"), ("shares", "component-1")):
        if (table["metric"] == metric).any():
            figures[name] = along_training(table, metric, f"{seen}_seen")
    if switches is not None:
        write_whole(out / "switching.csv", partial(switches.to_csv, index=False))
        figures["switching"] = asked_to_switch(switches)
    for (name, figure), kind in product(figures.items(), KINDS):
        write_whole(out / f"{name}.{kind}", partial(save, figure, kind))


def short(number: int) -> str:
    """400k for 400,000: a count in a name."""
    for size, unit in ((10**6, "M"), (10**3, "k")):
        if number >= size and number % (size // 100) == 0:
            return f"{number / size:.10g}{unit}"
    return str(number)


def in_words(table: pd.DataFrame) -> list[str]:
    """A line for each task and model: what is missing, and known, after all numbers."""
    trained = table[table["parameters"] > 0]
    last = trained[trained["numbers_seen"] == trained.groupby("world")["numbers_seen"].transform("max")]
    wide = last.pivot_table("value", ["task", "model"], "metric", sort=False).reindex(columns=METRICS)
    return [
        f"{task}: {model} misses {row['content']:.3f} nats of {row['information']:.3f}, "
        f"{row['validity']:.0%} of its answers are valid"
        for (task, model), row in wide.iterrows()  # pyright: ignore[reportGeneralTypeIssues]  two of the index
    ]
