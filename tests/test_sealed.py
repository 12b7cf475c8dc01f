"""Files that prove themselves: any reader opens them, and we believe them only if they are as they were."""

import json
import math

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sampler_bench.errors import DamagedError
from sampler_bench.sealed import read_json, read_sealed, write_json, write_sealed

TABLE = pa.table({"count": [3, 1, 2], "name": ["a", None, "sampler_bench_sha256"]})


def written(folder, answers="what is it?"):
    write_sealed(folder / "t.parquet", TABLE, answers)
    return folder / "t.parquet"


def test_a_table_comes_back_and_anybody_reads_it(tmp_path):
    table = TABLE.replace_schema_metadata({"schema": "2"})
    write_sealed(tmp_path / "t.parquet", table, "what is it?")
    found = read_sealed(tmp_path / "t.parquet", "what is it?")
    assert found.equals(table)
    assert found.schema.metadata == {b"schema": b"2"}
    assert read_sealed(tmp_path / "t.parquet", "what is it?", columns=["count"]).column_names == ["count"]
    assert pd.read_parquet(tmp_path / "t.parquet")["count"].tolist() == [3, 1, 2]
    assert pq.read_metadata(tmp_path / "t.parquet").metadata[b"sampler_bench_answers"] == b"what is it?"


def test_the_same_table_gives_the_same_bytes(tmp_path):
    (tmp_path / "again").mkdir()
    assert written(tmp_path).read_bytes() == written(tmp_path / "again").read_bytes()


def test_every_single_bit_counts(tmp_path):
    path = written(tmp_path)
    whole = path.read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(DamagedError):
            read_sealed(path, "what is it?")
    path.write_bytes(whole)
    assert read_sealed(path, "what is it?").equals(TABLE)


@pytest.mark.parametrize("length", [0, 1, 4, 100, -1, -8, -100])
def test_a_file_cut_short_is_refused(tmp_path, length):
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DamagedError, match=r"t\.parquet (is damaged|carries no checksum)"):
        read_sealed(path, "what is it?")


def test_a_file_that_answers_something_else_is_refused(tmp_path):
    with pytest.raises(DamagedError, match=r"holds what is it\?, not what else\?: it was copied or renamed"):
        read_sealed(written(tmp_path), "what else?")


def test_a_file_of_the_same_name_but_another_checksum_is_refused(tmp_path):
    checksum = write_sealed(tmp_path / "t.parquet", TABLE, "scores")
    assert read_sealed(tmp_path / "t.parquet", "scores", checksum=checksum).equals(TABLE)
    write_sealed(tmp_path / "t.parquet", TABLE.slice(1), "scores")
    with pytest.raises(DamagedError, match="another file than the one that was written here"):
        read_sealed(tmp_path / "t.parquet", "scores", checksum=checksum)


def test_files_of_before_are_believed_only_where_that_is_said(tmp_path):
    pq.write_table(TABLE.select(["count"]), tmp_path / "t.parquet")
    assert read_sealed(tmp_path / "t.parquet", None)["count"].to_pylist() == [3, 1, 2]
    with pytest.raises(DamagedError, match="carries no checksum"):
        read_sealed(tmp_path / "t.parquet", "what is it?")


def test_json_comes_back_and_anybody_reads_it(tmp_path):
    content = {"ü": "\udc80 half a character", "n": [1, 2.5, None], "sampler": {"bench_sha256": "0" * 64}}
    write_json(tmp_path / "m.json", content)
    assert read_json(tmp_path / "m.json") == (content, True)
    checksum = json.loads((tmp_path / "m.json").read_text())["sampler_bench_sha256"]
    assert math.isfinite(int(checksum, 16))


def test_every_single_bit_of_json_counts(tmp_path):
    path = tmp_path / "m.json"
    write_json(path, {"members": "54", "information": 2.8134})
    whole = path.read_bytes()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            assert read_json(path)[1] is False  # the name of the checksum itself: its absence is noticed
        except DamagedError:
            continue
        assert b"sampler_bench_sha256" not in flipped


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, '{"a": 1}}', "\xff"])
def test_what_is_no_object_of_json_is_refused(tmp_path, text):
    (tmp_path / "m.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(DamagedError, match=r"m\.json (cannot be read|holds no object)"):
        read_json(tmp_path / "m.json")
