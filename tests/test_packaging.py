"""The wheel: what it ships works away from the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_an_installed_wheel_has_the_tasks_the_tables_and_the_page(tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    code = f"""
import sys
sys.path.insert(0, {str(installed)!r})
from sampler_bench.tasks import Catalog, builtin_folder
assert {str(installed)!r} in str(builtin_folder()), builtin_folder()
from sampler_bench.targets.counting.tables import find_table
assert find_table("twin-primes", 12).depth == 5
from sampler_bench.report.page import _asset
assert all(_asset(f"page.{{kind}}") for kind in ("html", "css", "js"))
print(*Catalog().task_names(), *Catalog().suite_names(), *Catalog().arm_names())
"""
    names = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    for name in ("twin-primes-3", "even-100", "quick", "direct", "cot"):
        assert name in names.stdout.split()
