"""What a server is given: context, memory and cores, and the cause that its log tells when it dies."""

import json
from pathlib import Path

import pytest

from sampler_bench import machine, run
from sampler_bench.errors import ServerError
from sampler_bench.models.finding import find_model
from sampler_bench.models.server_options import ServerOptions
from sampler_bench.models.serving import sizing
from sampler_bench.models.serving.cause import OUT_OF_MEMORY, cause
from sampler_bench.models.serving.server import VllmServer
from sampler_bench.models.serving.sizing import GIB, sizes

QWEN_05B = {
    "max_position_embeddings": 32768, "num_hidden_layers": 24, "num_attention_heads": 14,
    "num_key_value_heads": 2, "hidden_size": 896, "dtype": "bfloat16",
}  # fmt: skip
TOKEN = 24 * 2 * (2 * 64) * 4  # bytes: layers, keys and values, heads, float32


@pytest.fixture
def folder(tmp_path) -> Path:
    return model(tmp_path / "model", **QWEN_05B)


def model(path: Path, weights: int = 1000, **config: object) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / "model.safetensors").write_bytes(b"")
    with (path / "model.safetensors").open("r+b") as handle:
        handle.truncate(weights)
    return path


def arguments(folder: Path, room: int, *vllm_args: str) -> list[str]:
    return sizes(str(folder), room, vllm_args, on_cpu=False, say=pytest.fail).arguments


@pytest.mark.parametrize(
    ("room", "context"), [(1, 1024), (1024, 1024), (1025, 2048), (8192, 8192), (10**6, 32768)]
)
def test_the_context_is_what_is_needed_and_at_most_the_models_own(folder, room, context):
    assert arguments(folder, room) == ["--max-model-len", str(context)]


def test_the_models_own_context_is_read_wherever_it_stands(tmp_path):
    nested = model(tmp_path / "nested", text_config={"max_position_embeddings": 700})
    assert arguments(nested, 2000) == ["--max-model-len", "700"]
    (nested / "tokenizer_config.json").write_text('{"model_max_length": 512}')
    assert arguments(nested, 2000) == ["--max-model-len", "512"]
    none = model(tmp_path / "none", text_config=None, max_position_embeddings=700)
    assert arguments(none, 2000) == ["--max-model-len", "700"]
    unsaid = model(tmp_path / "unsaid")
    assert arguments(unsaid, 2000) == []


@pytest.mark.parametrize("said", [["--max-model-len=4000"], ["--max_model_len", "4000"]])
def test_what_the_user_says_of_the_context_goes_before(folder, said):
    assert arguments(folder, 2000, *said) == []


def space(folder: Path, monkeypatch, free: float, *vllm_args: str, room: int = 2000) -> tuple[int, list[str]]:
    said = []
    monkeypatch.setattr(sizing.machine, "free_memory", lambda: int(free * GIB))
    found = sizes(str(folder), room, vllm_args, on_cpu=True, say=said.append)
    return int(found.environment["VLLM_CPU_KVCACHE_SPACE"]), said


def test_the_space_is_2_gib_or_what_a_longest_text_needs(folder, monkeypatch):
    assert space(folder, monkeypatch, 20) == (2, [])
    assert 32768 * TOKEN < 2 * GIB
    assert space(folder, monkeypatch, 20, "--max-model-len=32768") == (2, [])
    assert -(-200_000 * TOKEN // GIB) == 5
    assert space(folder, monkeypatch, 20, "--max-model-len=200000") == (5, [])


def test_the_space_is_never_more_than_is_free_beside_the_weights(tmp_path, monkeypatch):
    folder = model(tmp_path / "model", weights=GIB, **QWEN_05B)  # 2 GiB in float32, and 3 for vLLM
    assert space(folder, monkeypatch, 7.5) == (2, [])
    assert space(folder, monkeypatch, 6.5) == (1, [])
    found, (line,) = space(folder, monkeypatch, 8.5, "--max-model-len=200000")
    assert found == 3
    assert "memory may not do for model: about 2.0 GiB of weights, 5 GiB for a text of 200000" in line
    assert space(folder, monkeypatch, 1)[0] == 1


# Cores and memory of a container


@pytest.fixture
def groups(tmp_path, monkeypatch) -> Path:
    """A tree of control groups, of which this process is in /a/b."""
    (tmp_path / "member").write_text("0::/a/b\n")
    monkeypatch.setattr(machine, "MEMBERSHIP", tmp_path / "member")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(machine, "affinity", lambda: list(range(8)))
    (tmp_path / "groups" / "a" / "b").mkdir(parents=True)
    return tmp_path / "groups"


@pytest.mark.parametrize(
    ("quota", "cores"), [("max 100000", 8), ("150000 100000", 2), ("50000 100000", 1), ("10000000 100000", 8)]
)
def test_cores_are_what_a_quota_of_time_is_worth(groups, quota, cores):
    (groups / "a" / "cpu.max").write_text(quota)
    (groups / "a" / "b" / "cpu.max").write_text("max 100000")
    assert machine.cores() == cores
    bound = sizing._cores()
    if cores == 8:
        assert bound == {"VLLM_CPU_OMP_THREADS_BIND": "0,1,2,3,4,5,6,7"}
    else:
        assert bound == {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "OMP_NUM_THREADS": str(cores)}


def test_cores_of_the_first_version_of_control_groups(groups, tmp_path):
    (tmp_path / "member").write_text("5:cpu,cpuacct:/elsewhere\n4:memory:/elsewhere\n")
    (groups / "cpu").mkdir()
    (groups / "cpu" / "cpu.cfs_quota_us").write_text("300000\n")
    (groups / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine.cores() == 3
    (groups / "memory").mkdir()
    (groups / "memory" / "memory.limit_in_bytes").write_text("9000\n")
    (groups / "memory" / "memory.usage_in_bytes").write_text("7000\n")
    (groups / "memory" / "memory.stat").write_text("cache 3000\ntotal_inactive_file 1000\n")
    assert machine.free_memory() == 3000


def test_memory_is_what_the_narrowest_group_has_left(groups):
    whole = machine.free_memory()
    assert whole > GIB / 8
    (groups / "a" / "memory.max").write_text("4000\n")
    (groups / "a" / "memory.current").write_text("3000\n")
    (groups / "a" / "memory.stat").write_text("anon 2000\ninactive_file 500\n")
    (groups / "a" / "b" / "memory.max").write_text("max\n")
    (groups / "a" / "b" / "memory.current").write_text("3000\n")
    assert machine.free_memory() == 1500


# The seam


def test_a_run_asks_for_room_for_what_it_will_ask(folder, tmp_path, monkeypatch):
    asked = []

    def start(_, model, room, __):
        asked.append((model, room))
        raise ServerError("not started")

    monkeypatch.setattr(VllmServer, "start", start)
    for arm in ("few-shot", "reasoning-2048"):
        with pytest.raises(ServerError, match="not started"):
            run("even-6", [str(folder)], [arm], out=tmp_path / arm, numbers=1, samples=1)
    (model, short), (_, long) = asked
    assert model == str(folder)
    assert 100 < short < 1024
    assert 2048 + 100 < long < 5000
    with pytest.raises(ServerError), find_model(str(folder), ServerOptions()).serve(print):
        pass
    assert asked[-1] == (str(folder), 8192)


# The cause of a death; lines of logs of vLLM 0.32

ENGINE = "(EngineCore pid=24031) ERROR 11-28 13:20:01 [core.py:1277] "
TOO_LONG = (
    "ValueError: To serve at least one request with the model's max seq len (131072), (2.5 GiB KV cache is "
    "needed, which is larger than the available KV cache memory (2.0 GiB)."
)
PARENT = """Traceback (most recent call last):
  File "/venv/vllm/v1/engine/utils.py", line 1431, in wait_for_engine_startup
    raise RuntimeError(
RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}
/venv/multiprocessing/resource_tracker.py:254: UserWarning: resource_tracker: 1 leaked shared_memory
  warnings.warn('resource_tracker: There appear to be %d '
"""
VALIDATION = """Traceback (most recent call last):
    super().__init__(**kwargs)
pydantic_core._pydantic_core.ValidationError: 1 validation error for ModelConfig
  Value error, User-specified max_model_len (9000) is greater than the derived one [type=value_error]
    For further information visit https://errors.pydantic.dev/2.13/v/value_error
"""


def test_the_cause_is_the_exception_of_the_engine():
    engine = (
        f"{ENGINE}Traceback (most recent call last):\n{ENGINE}    raise ValueError(\n{ENGINE}{TOO_LONG}\n"
    )
    assert cause(engine + f"Process EngineCore:\n{TOO_LONG}\n" + PARENT) == TOO_LONG
    assert cause(engine + PARENT) == TOO_LONG


def test_a_setting_that_is_wrong_is_told_with_its_line():
    told = cause(VALIDATION)
    assert told is not None
    assert "User-specified max_model_len (9000) is greater" in told
    assert cause("usage: api_server.py [-h]\napi_server.py: error: unrecognized arguments: --no\n") == (
        "unrecognized arguments: --no"
    )


def test_an_engine_that_was_killed_is_told_and_where_no_cause_is_seen_none_is():
    assert cause(PARENT.replace("{}", "{'EngineCore_DP0': -9}")) == OUT_OF_MEMORY
    assert cause(PARENT) is None
    assert cause("INFO 11-28 13:20:01 [api.py:1] Error: is a word here\n") is None
