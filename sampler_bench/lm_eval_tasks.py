"""A suite as tasks of lm-evaluation-harness: after each prefix ten digits to choose from, and a law."""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from sampler_bench.dataset import in_yaml
from sampler_bench.errors import InputError
from sampler_bench.files import location, make_folder, write_whole
from sampler_bench.plain import in_markdown
from sampler_bench.soft_targets import Laws

CODE = "lm_eval_code"  # the module that is copied beside the tasks
GROUP = """group: {group}
task:
{tasks}
aggregate_metric_list:
  - metric: content
    aggregation: mean
    weight_by_size: false
metadata:
  version: 1.0
"""
TASK = """task: {task}
custom_dataset: !function {code}.load
dataset_kwargs:
  file: {file}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{text}}}}{{{{prefix}}}}"
doc_to_choice: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
doc_to_target: 0
target_delimiter: ""
process_results: !function {code}.process_results
metric_list:
  - metric: content
    aggregation: !function {code}.total
    higher_is_better: false
metadata:
  version: {version}.0
"""
ABOUT = """# {suite} of sampler_bench for lm-evaluation-harness

    lm-eval run --model hf --model_args pretrained=MODEL --include_path . --tasks {group}

After each prefix of numbers drawn from a task's law, the harness asks for the log-probability of the ten
digits. **content** is the divergence of the model's law over the digits from the exact one, in nats a number,
summed along the number; 0 is exact. Arms: {arms}; {numbers} numbers a task, seed {seed}.

It does less than `sampler-bench run`:

* Tokenizers must write one digit a token; others are scored as if no longer token began with a digit.
* Nor may they join the end of a prompt, as in ":" and a line end, to one token: the harness takes white
  space off the end of a text, and what the digits then follow is another one.
* Whether a number ends where it should (stopping), answers and their validity, skill, uptake and intervals
  are not measured; content is the plain mean over the numbers, without calibration.
* Prompts are plain texts, as base models continue them; leave out `--apply_chat_template`.
"""


def lm_eval_tasks(laws: Laws, out: Path | str) -> list[Path]:
    """Write a group of tasks for ``lm-eval run --include_path OUT``; what was written.

    Raises
    ------
    InputError
        If prompts of the laws are chats.
    StoreError
        If ``out`` cannot be written.
    """
    chats = [arm.name for arm in laws.arms if any(paraphrase.messages for paraphrase in arm.paraphrases)]
    if chats:
        raise InputError(
            f"arm {chats[0]}: its prompts are chats of several turns, which lm-evaluation-harness does not "
            "write; choose an arm of plain text, such as few-shot"
        )
    out = location(out)
    make_folder(out)
    group = f"sampler_bench_{laws.suite}"
    rows = dict(_rows(laws))
    versions = dict(zip(*(laws.rows[name].to_pylist() for name in ("task", "task_version")), strict=True))
    files = {
        f"{CODE}.py": resources.files("sampler_bench").joinpath(f"{CODE}.py").read_text(encoding="utf-8")
    }
    for task, lines in rows.items():
        name, file = f"{group}_{task}", f"{task}.jsonl"
        files[file] = "".join(json.dumps(line) + "\n" for line in lines)
        files[f"{task}.yaml"] = TASK.format(
            task=in_yaml(name), code=CODE, file=in_yaml(file), version=versions[task]
        )
    tasks = "\n".join(f"  - {in_yaml(f'{group}_{task}')}" for task in rows)
    files[f"{group}.yaml"] = GROUP.format(group=in_yaml(group), tasks=tasks)
    files["README.md"] = ABOUT.format(
        suite=in_markdown(laws.suite),
        group=group,
        arms=", ".join(in_markdown(arm.name) for arm in laws.arms),
        numbers=laws.settings.numbers,
        seed=laws.settings.seed,
    )
    for name, text in files.items():
        write_whole(out / name, lambda path, text=text: path.write_text(text, encoding="utf-8"))
    return [out / name for name in files]


def _rows(laws: Laws) -> Iterator[tuple[str, list[dict]]]:
    """By task, what the harness reads; without the laws after whole numbers, where no digit is asked for."""
    columns = ["task", "text", "prefix", "p", "weight"]
    table = laws.rows.select(columns).to_pandas()
    wordings = sum(len(arm.paraphrases) for arm in laws.arms)
    for task, rows in table.groupby("task", sort=False):
        asked = rows[rows["p"].map(lambda p: p[:10].sum() > 0)]
        yield (
            str(task),
            [
                {
                    "text": row.text,
                    "prefix": row.prefix,
                    "p": row.p.tolist(),
                    "weight": row.weight,
                    "wordings": wordings,
                }
                for row in asked.itertuples()
            ],
        )
