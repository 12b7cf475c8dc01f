"""What a run of a million conditionals takes, beside a tenth of it and two harnesses: ``make million``.

The million are of ten tasks, each as large as the one of the tenth, and then of one task alone. Each run is a
process of its own. A reference sampler is asked, whose own work is next to nothing: what is timed
is planning, truth, storing, scoring and the page. inspect_ai gives as cheap a model the same question, and
compares an answer with one number; of laws it knows nothing. lm-evaluation-harness, where it is installed,
runs the tasks that we write for it with its own ``dummy`` model: a law after each prefix, no answers.
"""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

SIZES = ((1, 100_000), (10, 100_000), (1, 1_000_000))  # tasks, conditionals of each; a tenth as many answers
TASK = """
title = "12-digit multiples of {modulus}"
version = 1
phrase = "12-digit multiple of {modulus}"

[target]
family = "multiples"
digits = 12
modulus = {modulus}
"""
THEIRS = 2_000  # answers: 100,000 would take them half an hour
THEIR_NUMBERS = 64  # of twelve digits, in three wordings: some 2,000 prefixes
WORDINGS, SYMBOLS = 1, 13  # of a reference sampler; of a number of twelve digits

OURS = """
import resource, sys, time
from pathlib import Path
import pyarrow.parquet as pq
from sampler_bench import run
from sampler_bench.publish import write_leaderboard
started = time.perf_counter()
out, numbers, samples = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
run("million", ["uniform-digits"], out=out / "run", numbers=numbers, samples=samples, task_folders=[out])
write_leaderboard([out / "run"], out / "board")
print(time.perf_counter() - started, end=" ")
for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
    print(resource.getrusage(who).ru_maxrss // 1024, end=" ")
print(*(pq.read_metadata(out / "run" / f"{kind}.parquet").num_rows for kind in ("conditionals", "samples")))
"""
INSPECT = """
import resource, sys, time
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
def say(*_):
    said = ModelOutput.from_content("mockllm", "123456789012")
    said.usage = ModelUsage(input_tokens=20, output_tokens=12, total_tokens=32)
    return said
question = "Give me a random even number of 12 digits."
samples = [Sample(input=question, target="123456789012", id=number) for number in range(int(sys.argv[2]))]
model = get_model("mockllm/model", custom_outputs=say)
started = time.perf_counter()
log = eval(Task(MemoryDataset(samples), scorer=match()), model=model, display="none", log_dir=sys.argv[1])[0]
assert log.status == "success", log.error
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
LM_EVAL = """
import logging, resource, sys, time
from lm_eval import simple_evaluate
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager
from sampler_bench.lm_eval_tasks import lm_eval_tasks
from sampler_bench.soft_targets import laws_of
logging.disable(logging.WARNING)
folder, numbers = sys.argv[1], int(sys.argv[2])
lm_eval_tasks(laws_of("even-12", ["few-shot"], numbers=numbers), folder)
started = time.perf_counter()
tasks = TaskManager(include_path=folder)
names = ["sampler_bench_even-12_even-12"]
found = simple_evaluate("dummy", tasks=names, task_manager=tasks, log_samples=True)
samples, tracker = found.pop("samples"), EvaluationTracker(output_path=folder)
tracker.save_results_aggregated(results=found, samples=samples)
for task, rows in samples.items():
    tracker.save_results_samples(task_name=task, samples=rows)
print(time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, len(rows))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        for tasks, size in SIZES:
            ours(Path(scratch) / f"{tasks}-{size}", tasks, size)
        theirs(Path(scratch) / "inspect")
        if importlib.util.find_spec("lm_eval"):
            theirs_of_laws(Path(scratch) / "lm-eval")
        else:
            print("lm-evaluation-harness is not installed here: pip install lm_eval")


def ours(folder: Path, tasks: int, size: int) -> None:
    """A run of the multiples of 2, 3, ...: as many tasks, of as many conditionals each."""
    (folder / "suites").mkdir(parents=True)
    for modulus in range(2, 2 + tasks):
        (folder / f"of-{modulus}.toml").write_text(TASK.format(modulus=modulus))
    names = [f"of-{modulus}" for modulus in range(2, 2 + tasks)]
    suite = f'title = "Million"\nnumbers = 1\nsamples = 1\ntasks = {names}\n'
    (folder / "suites" / "million.toml").write_text(suite)
    seconds, own, child, laws, answers = _printed(OURS, folder, size // (WORDINGS * SYMBOLS), size // 10)
    of_laws, of_answers = (
        sum((folder / "run" / f"{name}.parquet").stat().st_size for name in names)
        for names in (("conditionals", "truths"), ("samples",))
    )
    print(
        f"{laws:,.0f} conditionals and {answers:,.0f} answers to {tasks} task{'s' * (tasks > 1)}: "
        f"{seconds:.0f} s; at most {own:.0f} MB in the command and {child:.0f} MB in each process that it "
        f"starts; {of_laws / laws:.1f} bytes a conditional, {of_answers / answers:.1f} an answer",
        flush=True,
    )


def theirs(folder: Path) -> None:
    seconds, peak = _printed(INSPECT, folder, THEIRS)
    written = sum(path.stat().st_size for path in folder.rglob("*.eval"))
    each = seconds / THEIRS
    print(
        f"inspect_ai, {THEIRS:,} answers: {seconds:.0f} s, so 100,000 would take {each * 100_000 / 60:.0f} "
        f"minutes; at most {peak:.0f} MB; {written / THEIRS:.0f} bytes an answer"
    )


def theirs_of_laws(folder: Path) -> None:
    seconds, peak, laws = _printed(LM_EVAL, folder, THEIR_NUMBERS)
    written = sum(path.stat().st_size for path in folder.rglob("samples_*.jsonl"))
    print(
        f"lm-evaluation-harness, {laws:,.0f} laws: {seconds:.0f} s; at most {peak:.0f} MB; "
        f"{written / laws:.0f} bytes a law"
    )


def _printed(program: str, folder: Path, *counts: int) -> list[float]:
    """The numbers that a program prints last: its seconds, once all is imported, and more."""
    command = [sys.executable, "-c", program, str(folder), *map(str, counts)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(word) for word in said.splitlines()[-1].split()]


if __name__ == "__main__":
    main()
