"""The run of ``transformers.Trainer`` that makes a model; its checkpoints, and the model along the way."""

import json
import shutil
from collections.abc import Callable, Set
from functools import partial
from pathlib import Path

import torch
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from sampler_bench.lab.alphabet import END, PADDING, tokenizer
from sampler_bench.lab.architecture import configuration
from sampler_bench.lab.documents import mean_length
from sampler_bench.lab.learner import LlamaForCausalLM
from sampler_bench.lab.lessons import GROUP, Lessons, groups_a_step, together
from sampler_bench.lab.training import ALONG, WORKING, Training

HALVINGS = 6  # of the numbers, after each of which the model is kept
SIXTEENTHS = 16  # of the steps, after each of which training can be gone on with
LEARNING_RATE = 3e-3
WARMUP, DECAY = 0.05, 0.2  # shares of the steps, at the beginning and at the end
WEIGHT_DECAY = 0.01
LARGEST_GRADIENT = 5.0
POINTS = 200  # of the loss curve
FOR_RESUMING = ("optimizer*", "scheduler*", "rng_state*", "trainer_state*", "training_args*")


def fit(training: Training, out: Path, tell: Callable[[int, float], None] | None) -> dict[str, object]:
    """Train, from the last checkpoint in ``OUT/working`` if there is one, and save the model.

    Returns
    -------
    dict
        ``size``: the parameters it has; ``seen``: documents of each kind; ``loss``: pairs of numbers seen and
        nats a document; ``kept``: after how many numbers the model was kept.
    """
    set_seed(training.seed)
    characters = tokenizer(text for kind in training.kinds for text in kind.texts)
    end, padding = (characters.get_vocab()[token] for token in (END, PADDING))
    model = LlamaForCausalLM(configuration(training.parameters, len(characters), end, padding))
    lessons = Lessons(training.world, training.kinds, characters, training.numbers, training.seed)
    groups = groups_a_step(mean_length(training.kinds, training.world))
    steps, a_step = -(-len(lessons) // groups), groups * GROUP
    kept = sorted({max(1, steps >> k) for k in range(1, HALVINGS + 1)})
    working = out / WORKING
    trainer = _Trainer(
        model=model,
        args=_arguments(training, working, steps, groups),
        train_dataset=lessons,  # pyright: ignore[reportArgumentType]  it has a length, and items
        data_collator=partial(together, padding=padding),
        processing_class=characters,
        callbacks=[
            *([_Telling(tell, a_step)] if tell else []),
            _Saving({*kept, *(steps * k // SIXTEENTHS for k in range(1, SIXTEENTHS))}),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=_last_whole(working))
    for step in kept:
        _keep(working / f"checkpoint-{step}", out / ALONG / f"{out.name}-{step * a_step}")
    trainer.save_model(str(out))
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    return {
        "size": sum(weights.numel() for weights in model.parameters()),
        "seen": lessons.seen,
        "loss": [[entry["step"] * a_step, entry["loss"]] for entry in history],
        "kept": [step * a_step for step in kept],
    }


def _last_whole(working: Path) -> str | None:
    """The last checkpoint that was written to its end, ``trainer_state.json``; later ones are removed."""
    steps = (int(path.name.rpartition("-")[2]) for path in working.glob("checkpoint-*"))
    for step in sorted(steps, reverse=True):
        checkpoint = working / f"checkpoint-{step}"
        try:
            json.loads((checkpoint / "trainer_state.json").read_text())
            return str(checkpoint)
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
    return None


class _Trainer(Trainer):
    """Reads lessons in their order; what the model returns is the loss."""

    def _get_train_sampler(self, train_dataset=None):  # noqa: ARG002  it is given in every version or in none
        return SequentialSampler(self.train_dataset)  # pyright: ignore[reportArgumentType]

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ARG002
        output = model(**inputs)
        return (output.loss, output) if return_outputs else output.loss


class _Saving(TrainerCallback):
    """Saves checkpoints after given steps."""

    def __init__(self, steps: Set[int]):
        self._steps = steps

    def on_step_end(self, args, state, control, **_: object):  # noqa: ARG002
        control.should_save |= state.global_step in self._steps


class _Telling(TrainerCallback):
    """Tells of the numbers seen, and of the loss."""

    def __init__(self, tell: Callable[[int, float], None], a_step: int):
        self._tell, self._a_step = tell, a_step

    def on_log(self, args, state, control, logs=None, **_: object):  # noqa: ARG002
        if logs and "loss" in logs:
            self._tell(state.global_step * self._a_step, logs["loss"])


def _arguments(training: Training, working: Path, steps: int, groups: int) -> TrainingArguments:
    decay = round(steps * DECAY)
    arguments = TrainingArguments(
        output_dir=str(working),
        per_device_train_batch_size=groups,
        max_steps=steps,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": decay},
        warmup_steps=round(steps * WARMUP),
        weight_decay=WEIGHT_DECAY,
        max_grad_norm=LARGEST_GRADIENT,
        adam_beta2=0.98,
        seed=training.seed,
        bf16=torch.cuda.is_available(),
        logging_steps=max(1, steps // POINTS),
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
    )
    if arguments.n_gpu > 1:  # lessons are not to be shared out: prompts and answers go together
        arguments._n_gpu = 1
    return arguments


def _keep(checkpoint: Path, folder: Path) -> None:
    """Put a checkpoint's model where models along the way are kept, if it is not there yet."""
    if folder.exists():
        return
    scratch = folder.with_name(f".{folder.name}")
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(checkpoint, scratch, ignore=shutil.ignore_patterns(*FOR_RESUMING))
    scratch.rename(folder)
