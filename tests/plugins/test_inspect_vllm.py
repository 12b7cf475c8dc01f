"""A real vLLM server asked through inspect_ai and by our own run: the same laws, and answers alike."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("inspect_ai")

from inspect_ai.model import get_model

from sampler_bench import run
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.plugins.inspect_logs import import_log
from tests.conftest import SECRET
from tests.plugins.conftest import INSPECTS_OWN

pytestmark = [pytest.mark.vllm, *INSPECTS_OWN]
SIZE = {"numbers": 4, "samples": 12}
PLACE = ["task", "model", "arm", "paraphrase", "blind", "number_id", "position", "prefix"]
SUITE = 'title = "Two"\nnumbers = 4\nsamples = 12\ntasks = ["even-6", "twin-primes-3"]\n'


def test_laws_are_those_of_our_own_run_and_validity_lies_in_its_interval(server, evaluated, tmp_path):
    (tmp_path / "mine" / "suites").mkdir(parents=True)
    (tmp_path / "mine" / "suites" / "two.toml").write_text(SUITE)
    model = get_model("vllm/smollm2-135m", base_url=f"{server.base_url}/v1", api_key=SECRET, memoize=False)
    log = evaluated(model, suite="two", tasks=str(tmp_path / "mine"), **SIZE)
    assert log.status == "success", log.error
    found = import_log(Path(log.location), tmp_path / "run")
    options = ServerOptions(base_urls=[server.base_url], api_key=SECRET)
    own = run(
        "two", ["smollm2-135m"], ["direct"], out=tmp_path / "own", server=options,
        task_folders=[tmp_path / "mine"], **SIZE,
    )  # fmt: skip
    pd.testing.assert_frame_equal(own.conditionals[PLACE], found.conditionals[PLACE])
    apart = np.abs(np.stack(own.conditionals["q"]) - np.stack(found.conditionals["q"])).max()
    alike = (own.samples["text"].to_numpy() == found.samples["text"].to_numpy()).mean()
    print(f"laws apart by {apart:.1e} at most; {alike:.0%} of the responses are the same")
    assert apart < 1e-4
    validity = [each.scores.query("metric == 'validity'").set_index("task") for each in (own, found)]
    for one, other in (validity, validity[::-1]):
        assert (one["low"] <= other["value"]).all()
        assert (other["value"] <= one["high"]).all()
    assert own.samples["prompt_tokens"].tolist() == found.samples["prompt_tokens"].tolist()
    told = {name: each.value for score in log.results.scores for name, each in score.metrics.items()}
    overall = own.scores.query("task == '(overall)'").set_index("metric")["value"]
    assert told["skill"] == pytest.approx(overall["skill"], abs=1e-3)
    assert SECRET not in json.dumps(log.eval.model_dump(mode="json"))
