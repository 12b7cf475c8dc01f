"""Scores of a run in an experiment tracker that is installed: Trackio, or Weights & Biases."""

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import numpy as np

from sampler_bench.errors import StoreError
from sampler_bench.plain import one_line
from sampler_bench.runs.reading import Run

TRACKERS = ("trackio", "wandb")  # whose init, log and finish are alike; the first that is installed
PROJECT = "sampler_bench"
TRACKED = ("skill", "uptake", "content", "stopping", "validity", "answered", "rank")


def tracker() -> ModuleType | None:
    """The tracker that is installed, imported; None if there is none."""
    name = next(filter(find_spec, TRACKERS), None)
    return import_module(name) if name else None


def track(measured: Run, tracker: ModuleType) -> int:
    """Log a run's scores: an experiment a model, arm and decoder; how many.

    A score is named ``TASK/METRIC``, the suite's own ``(overall)/METRIC``. What is not finite is left out.
    Raises StoreError if the tracker raises anything.
    """
    try:
        return _log(measured, tracker)
    except Exception as error:  # whatever a tracker raises
        said = one_line(str(error))
        raise StoreError(
            f"{tracker.__name__} did not take the scores: {said}; the run at {measured.path} has them"
        ) from error


def _log(measured: Run, tracker: ModuleType) -> int:
    scores, manifest = measured.scores, measured.manifest
    scores = scores[scores["metric"].isin(TRACKED) & np.isfinite(scores["value"])]
    rows = scores.groupby(["model", "arm", "decoder"], sort=False)
    for (model, arm, decoder), mine in rows:
        of_row = {"suite": manifest.suite, "model": model, "arm": arm, "decoder": decoder}
        tracker.init(
            project=PROJECT,
            name=f"{manifest.suite} {model} {arm} {decoder}",
            config=of_row | manifest.settings.model_dump(),
        )
        names = mine["task"] + "/" + mine["metric"]
        tracker.log(dict(zip(names, map(float, mine["value"]), strict=True)))
        tracker.finish()
    return len(rows)
