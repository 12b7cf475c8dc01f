"""Exact next-digit laws with the prompts that ask for them: what a model is trained on to draw by count."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sampler_bench.dataset import OF_CSV, in_yaml, write_tables
from sampler_bench.errors import InputError
from sampler_bench.executor.executor import Executor
from sampler_bench.executor.processes import Processes
from sampler_bench.files import location, write_whole
from sampler_bench.measure.listener import Listener, Silence
from sampler_bench.measure.load_plan import load_plan
from sampler_bench.measure.plan import Controls, Unit, Units, numbers_along
from sampler_bench.measure.truth_along import truth_along
from sampler_bench.models.model import LAWS, Prompt
from sampler_bench.plain import in_markdown
from sampler_bench.runs.manifest import Settings
from sampler_bench.runs.records import TRUTHS
from sampler_bench.tasks import Arm, Catalog

TABLE = "soft_targets"
MOST_ROWS = 10**7  # which take some GB
TRAINING_SEED = 1  # runs have 0 where nothing is said: what is trained on is not what is measured
TURN = pa.struct([("role", pa.string()), ("content", pa.string())])
SOFT_TARGETS = pa.schema(
    [
        ("task", pa.string()),
        ("task_version", pa.int64()),
        ("arm", pa.string()),
        ("paraphrase", pa.string()),
        ("messages", pa.list_(TURN)),  # the chat; empty where there is a text
        ("text", pa.string()),  # for a base model; empty where there is a chat
        ("prefix", pa.string()),  # digits already written
        *(TRUTHS.field(name) for name in ("p", "method", "bound")),
        ("weight", pa.float64()),
    ]
)
CARD = """---
pretty_name: {pretty_name}
license: apache-2.0
tags: [sampler_bench, calibration, random-numbers, soft-targets]
configs:
{configs}---

# {suite}: exact next-digit laws

{rows:,} rows: after a prompt (`messages`, a chat whose next turn is the number, or `text`, which the number
continues) and the digits in `prefix`, the law `p` of what comes next: the digits 0..9, then the end of the
number. `p` is counted, not estimated, as far as `method` and `bound` (nats) say: a bound of 0 is exact.

Prefixes are those of {numbers} numbers a task, drawn from its law with seed {seed}, or of all of them where
there are few. `weight` is the share of the numbers that pass through a prefix: the sum over prefixes of
weight times KL(p || model) is an unbiased estimate of how far the model is from the task's law, the loss to
bring down.

Arms: {arms}. Tasks: {tasks}.

Runs read along numbers of seed 0 where nothing else is said. A model trained on these rows has still seen
answers of the benchmark, all of them at tasks with few: say so where its scores are shown, or train on tasks
of your own.
{of_format}"""


@dataclass(frozen=True)
class Laws:
    """Exact next-digit laws with the prompts before them.

    Attributes
    ----------
    rows : Table
        Of the schema SOFT_TARGETS: a row a prompt and prefix.
    """

    suite: str
    tasks: Sequence[str]
    arms: Sequence[Arm]
    settings: Settings
    rows: pa.Table


def laws_of(
    suite: str,
    arms: Sequence[str] = ("direct",),
    *,
    seed: int = TRAINING_SEED,
    numbers: int | None = None,
    task_folders: Sequence[Path] = (),
    executor: Executor | None = None,
    listener: Listener | None = None,
) -> Laws:
    """The exact laws after prefixes of a suite's numbers, with each prompt. All of them are held in memory.

    Parameters
    ----------
    suite : str
        Name of a suite, or of a single task.
    arms : sequence of str
        Ways of asking whose number begins the response, in all their wordings.
    seed : int
        Of the numbers. With that of a run (0 where none was said) they are those that it reads along. Of a
        task whose members are all read, they are always the same.
    numbers : int, optional
        A task, in place of the suite's.
    task_folders : sequence of Path
        With tasks, suites and arms of the user's own.
    executor : Executor, optional
        What counts; by default all cores of this machine.
    listener : Listener, optional
        Told how it goes.

    Raises
    ------
    InputError
        If something is not defined or out of range, there would be more than ten million rows, or an arm's
        number does not begin the response.
    """
    controls = Controls(())
    plan = load_plan(Catalog(task_folders), suite, arms, ("ancestral",), seed, numbers, None, controls)
    for arm in plan.arms:
        _must_begin_with_the_number(arm)
    units = Units(plan.tasks, plan.arms, plan.decoders, "", plan.settings, frozenset({LAWS}), controls)
    asked = [unit for unit in units.wholes() if unit.size]
    _must_fit(asked)
    found = _laws(asked, executor or Processes(), listener or Silence())
    rows = pa.concat_tables(_rows(unit.prompt, found[unit.prompt.task.name]) for unit in asked)
    return Laws(plan.suite.name, [*found], plan.arms, plan.settings, rows)


def soft_targets(laws: Laws, out: Path | str, kind: str = "parquet") -> list[Path]:
    """Write laws as a dataset with a card, to train on; what was written.

    Parameters
    ----------
    out : path or URL
        The folder.
    kind : str
        ``parquet`` or ``csv``.

    Raises
    ------
    InputError
        If the kind is neither.
    StoreError
        If ``out`` cannot be written.
    """
    written, configs = write_tables({TABLE: laws.rows}, location(out), kind)
    card = _card(laws, configs, kind)
    written.append(location(out) / "README.md")
    write_whole(written[-1], lambda path: path.write_text(card, encoding="utf-8"))
    return written


def _must_begin_with_the_number(arm: Arm) -> None:
    if arm.conditionals != "start":
        raise InputError(
            f"arm {arm.name}: its responses do not begin with the number, so that no law follows its prompt; "
            "choose arms such as direct or few-shot"
        )


def _must_fit(asked: Sequence[Unit]) -> None:
    rows = sum(unit.size * (unit.prompt.task.target.digits + 1) for unit in asked)
    if rows > MOST_ROWS:
        raise InputError(f"up to {rows:,} rows, but at most {MOST_ROWS:,} are written; ask for fewer numbers")


def _laws(asked: Sequence[Unit], executor: Executor, listener: Listener) -> dict[str, pa.Table]:
    """By task, the law after each prefix, with the prefix's weight."""
    first: dict[str, Unit] = {}
    for unit in asked:
        first.setdefault(unit.prompt.task.name, unit)
    listener.begin("soft targets", 0, len(first))
    found = {}
    with closing(executor.map(_weighed, first.values())) as done:
        for unit, table in done:
            found[unit.prompt.task.name] = table
            listener.advance(unit.prompt.task.name, "truths", len(table))
    return {name: found[name] for name in first}  # in the order of the suite


def _weighed(unit: Unit) -> pa.Table:
    """The truth along a unit's numbers, and the share of them that pass through each prefix."""
    truths = truth_along(unit)
    shares: dict[str, float] = {}
    for number, weight in numbers_along(unit):
        for length in range(len(number) + 1):
            shares[number[:length]] = shares.get(number[:length], 0.0) + weight
    weights = [shares[prefix] for prefix in truths["prefix"].to_pylist()]
    return truths.append_column("weight", pa.array(weights, pa.float64()))


def _rows(prompt: Prompt, laws: pa.Table) -> pa.Table:
    """The laws with one prompt before each."""
    of_prompt = {
        "task_version": prompt.task.version,
        "arm": prompt.arm.name,
        "paraphrase": prompt.paraphrase.name,
        "messages": prompt.messages,
        "text": prompt.text,
    }
    table = laws
    for name, value in of_prompt.items():
        field = SOFT_TARGETS.field(name)
        table = table.append_column(field, pa.array([value] * len(laws), field.type))
    return table.select(SOFT_TARGETS.names).cast(SOFT_TARGETS)


def _card(laws: Laws, configs: str, kind: str) -> str:
    return CARD.format(
        pretty_name=in_yaml(f"{laws.suite}: exact next-digit laws"),
        configs=configs,
        suite=in_markdown(laws.suite),
        rows=len(laws.rows),
        numbers=laws.settings.numbers,
        seed=laws.settings.seed,
        arms=", ".join(in_markdown(arm.name) for arm in laws.arms),
        tasks=", ".join(map(in_markdown, laws.tasks)),
        of_format=OF_CSV if kind == "csv" else "",
    )
