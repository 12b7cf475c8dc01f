"""A finished run as a folder of results/published, made small.

python results/publish.py RUN [NAME]        NAME: of the folder, the run's own if it is not given

Laws of models are rounded to 16 significant bits, far below what two runs differ by, and the run is scored
again from them; of its scores, the Parquet file is kept. Those of reference samplers stay as they are.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from sampler_bench.models.reference import find_reference
from sampler_bench.publish import rescore, write_leaderboard
from sampler_bench.runs.store import LAWS, SMALL
from sampler_bench.sealed import ANSWERS, read_sealed, write_sealed

PUBLISHED = Path(__file__).parent / "published"
AS_THEY_ARE = ("manifest.json", "samples.parquet", "truths.parquet")
RECORDS = "conditionals.parquet"
BITS = 16
SHADES = 64  # colours of a figure
LEFT_OUT = ("scores.csv", "leaderboard.html", ".lock")


def main(run: Path, name: str) -> None:
    """Write the folder; an earlier one of that name is replaced."""
    out = PUBLISHED / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for each in AS_THEY_ARE:
        shutil.copy(run / each, out)
    table = read_sealed(run / RECORDS, None)
    answers = pq.read_metadata(run / RECORDS).metadata[ANSWERS.encode()].decode()
    write_sealed(out / RECORDS, rounded(table), answers, **SMALL)
    rescore(out)
    write_leaderboard([out], out)
    in_few_colours(out / "digits.png")
    for each in LEFT_OUT:
        (out / each).unlink(missing_ok=True)


def rounded(table: pa.Table) -> pa.Table:
    """With the laws of models, not of references, in 16 bits."""
    own = np.array([find_reference(model) is None for model in table["model"].to_pylist()])
    for name in set(LAWS).intersection(table.column_names):
        lists = table[name].combine_chunks()
        values = lists.flatten().to_numpy().copy()
        chosen = np.repeat(own, pc.list_value_length(lists).to_numpy())
        values[chosen] = in_bits(values[chosen])
        made = (
            pa.FixedSizeListArray.from_arrays(pa.array(values), lists.type.list_size)
            if pa.types.is_fixed_size_list(lists.type)
            else pa.ListArray.from_arrays(lists.offsets, pa.array(values))
        )
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(name), made)
    return table


def in_few_colours(path: Path) -> None:
    """Make a figure a third as large."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(SHADES)
    few.save(path, optimize=True)


def in_bits(values: np.ndarray) -> np.ndarray:
    """Rounded to 16 significant bits."""
    parts, exponents = np.frexp(values)
    return np.ldexp(np.round(parts * 2**BITS) / 2**BITS, exponents)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or not (Path(sys.argv[1]) / RECORDS).is_file():
        print(f"error: {' '.join(sys.argv[1:]) or 'nothing'}: name the folder of a finished run")
        sys.exit(2)
    main(Path(sys.argv[1]), sys.argv[-1] if len(sys.argv) == 3 else Path(sys.argv[1]).name)
