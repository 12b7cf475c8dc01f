"""The notebook of one's own family, model and metric: its cells run in order, and what comes out is right."""

import json
import subprocess
import sys
from itertools import product
from math import comb
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs" / "own.ipynb"
AFTER = """
import asyncio, json, sys
from sampler_bench import Prompt, check_model
from sampler_bench.tasks import Catalog

catalog = Catalog([tasks])
arm = catalog.arm("direct")
asyncio.run(check_model(FondOfSevens(), Prompt(catalog.task("two-sevens-6"), arm, arm.paraphrases[0])))
print(json.dumps({"count": target.count(""), "wide": wide.to_dict("index")}), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The notebook run as a script, in a process of its own; its model is held to the laws of models."""
    folder = tmp_path_factory.mktemp("notebook")
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    script = folder / "notebook.py"
    script.write_text('import matplotlib\n\nmatplotlib.use("agg")\n' + code + AFTER)
    done = subprocess.run(
        [sys.executable, script], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout, json.loads(done.stderr.splitlines()[-1])


def test_its_numbers_are_counted_right(ran):
    _, said, found = ran
    # two sevens among six digits, the first of which is one of them or one of eight others
    members = comb(5, 1) * 9**4 + 8 * comb(5, 2) * 9**3
    assert members == sum(d[0] != 0 and d.count(7) == 2 for d in product(range(10), repeat=6))
    assert found["count"] == members
    assert f"{members} of them" in said


def test_skill_is_in_the_order_that_it_says(ran):
    folder, _, found = ran
    wide = found["wide"]
    assert wide["oracle"]["sevens"] == 2
    assert wide["oracle"]["skill"] == 1
    assert 0 < wide["feasible-uniform"]["skill"] < wide["fond-of-sevens"]["skill"] < 1
    assert wide["feasible-uniform"]["validity"] == 1
    assert (folder / "own-notebook" / "content.png").stat().st_size > 5_000
