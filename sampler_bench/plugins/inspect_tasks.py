"""Every suite of the catalog as a task of inspect_ai: ``inspect eval sampler_bench/quick --model ...``."""

from collections.abc import Callable
from importlib.metadata import version

from inspect_ai import Epochs, Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelName, get_model

from sampler_bench.measure.plan import Plan
from sampler_bench.plugins.inspect_asking import (
    AUTO,
    VLLM,
    answers_of,
    epochs_of,
    in_one_sentence,
    must_suit,
    plan_of,
    reads_laws,
    wholes,
)
from sampler_bench.plugins.inspect_scorers import answers
from sampler_bench.plugins.inspect_scorers import laws as laws_scorer
from sampler_bench.plugins.inspect_solver import ask, messages
from sampler_bench.tasks import Catalog

LOGGED = "sampler_bench"  # in a log's metadata: what import makes a run of
FORM = 1  # of that


def made(
    suite: str,
    arm: str = "direct",
    numbers: int | None = None,
    samples: int | None = None,
    laws: bool | str = AUTO,
    tasks: str = "",
    seed: int = 0,
) -> Task:
    """A suite, in one arm, as a task: a sample a task and wording, an epoch a response.

    The parameters are those of ``plan_of``. What they are not, or what the model cannot be asked, is raised
    as inspect_ai's PrerequisiteError.
    """
    with in_one_sentence():
        asked = {"numbers": numbers, "samples": samples, "seed": seed, "tasks": tasks, "laws": laws}
        plan = plan_of(suite, arm, **asked)
        model = _model_now()
        if model is not None:
            must_suit(plan, model, laws)
    (way,) = plan.arms
    with_laws = reads_laws(plan, model or ModelName(f"{VLLM[0]}/any"), laws)
    return Task(
        dataset=MemoryDataset([*_samples(plan)], name=plan.suite.name),
        solver=ask(suite, arm, **asked),
        scorer=[answers(way.answer, way.take, way.answers), *([laws_scorer()] if with_laws else [])],
        epochs=Epochs(epochs_of(plan), "mean"),
        name=plan.suite.name,
        version=version("sampler-bench"),
        metadata={LOGGED: _logged(plan)},
        description=plan.suite.title,
    )


def _samples(plan: Plan):
    for (name, wording), units in wholes(plan, "", laws=False).items():
        whole = answers_of(units)
        of, target = whole.prompt.task, whole.prompt.task.target
        yield Sample(
            id=f"{name}:{wording}",
            input=messages(whole.prompt),
            target=str(target),
            metadata={
                "task": name,
                "wording": wording,
                "phrase": of.phrase,
                "target": of.target_definition,
                "responses": whole.size,
            },
        )


def _logged(plan: Plan) -> dict:
    """All that the plan is made of."""
    (arm,) = plan.arms
    return {
        "form": FORM,
        "suite": plan.suite.model_dump(mode="json"),
        "tasks": [each.model_dump(mode="json", by_alias=True) for each in plan.tasks],
        "arm": arm.model_dump(mode="json"),
        "reference_arm": plan.reference_arm.model_dump(mode="json"),
        "settings": plan.settings.model_dump(),
    }


def _model_now() -> ModelName | None:
    """That of the evaluation that asks for the task; None outside of one."""
    try:
        return ModelName(get_model())
    except (ValueError, PrerequisiteError):
        return None


@task(name="suite")
def suite_task(
    suite: str,
    arm: str = "direct",
    numbers: int | None = None,
    samples: int | None = None,
    laws: bool | str = AUTO,
    tasks: str = "",
    seed: int = 0,
) -> Task:
    """Any suite or single task by its name, as one of a folder of the user's own."""
    return made(suite, arm, numbers, samples, laws, tasks, seed)


def _of_suite(name: str) -> Callable[..., Task]:
    @task(name=name)
    def of_suite(
        arm: str = "direct",
        numbers: int | None = None,
        samples: int | None = None,
        laws: bool | str = AUTO,
        tasks: str = "",
        seed: int = 0,
    ) -> Task:
        return made(name, arm, numbers, samples, laws, tasks, seed)

    return of_suite


SUITES = {name: _of_suite(name) for name in Catalog().suite_names()}
