"""A run is the same whatever works for it."""

import pytest

from sampler_bench import run
from sampler_bench.executor.here import Here
from sampler_bench.executor.processes import Processes
from sampler_bench.executor.ray_cluster import Ray
from sampler_bench.measure.bundles import workers_for
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.publish import rescore
from tests.processes import parts

SCORES = ["scores.csv", "scores.parquet", "curves.parquet"]
REFERENCES = ["oracle", "uniform-digits", "sieve-5"]


@pytest.mark.usefixtures("nothing_here")
def test_a_run_and_its_scores_have_the_same_bytes_here_and_in_processes(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder, executor in ((here, Here()), (there, Processes(2))):
        run("twin-primes-6", REFERENCES, out=folder, executor=executor)
    assert parts(here).keys() == parts(there).keys()
    scores = {name: (here / name).read_bytes() for name in SCORES}
    assert {name: (there / name).read_bytes() for name in SCORES} == scores
    for name in SCORES:
        (there / name).unlink()
    rescore(there, Processes(2))
    assert {name: (there / name).read_bytes() for name in SCORES} == scores


def test_reference_samplers_are_measured_by_what_a_run_was_given_and_by_all_cores_if_by_nothing():
    oracle, given = find_model("oracle", ServerOptions()), Here()
    assert workers_for(oracle, given) is given
    assert isinstance(workers_for(oracle, None), Processes)


def test_served_models_are_measured_by_one_process_unless_there_is_a_cluster():
    served, ray = find_model("served", ServerOptions(base_urls=["http://127.0.0.1:9"])), Ray("auto")
    assert workers_for(served, None) is None
    assert workers_for(served, Processes(2)) is None
    assert workers_for(served, ray) is ray
