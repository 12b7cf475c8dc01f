"""Try the lowest versions that pyproject.toml allows, and the newest, on every Python there is here.

``python -m tests.compat [COMBINATION ...] [-- PYTEST-ARGUMENTS]``, a combination being as ``3.12-lowest``,
makes an environment for each in ``build/compat``, runs the tests that need no vLLM there, and prints a line
for each. What a direct dependency depends on is left to pip.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMBINATIONS = [f"{python}-{kind}" for python in ("3.11", "3.12", "3.13") for kind in ("lowest", "newest")]
EXTRAS = ("primes", "ray", "s3")  # of pyproject.toml, beside the tools of the tests
PARALLEL = ("--numprocesses=auto", "--maxprocesses=4", "--dist=loadfile", "--no-loadscope-reorder")
# Old packages warn of what newer ones beside them will no longer have.
TESTS = ("-q", "-m", "not vllm", "--ignore", "tests/vllm", "-W", "ignore::DeprecationWarning", *PARALLEL)
# The lowest pandas that `datasets` reads with leaves files to be closed for it.
LOWEST_TESTS = ("-W", "ignore::ResourceWarning")
LOWEST = re.compile(r"([\w-]+)(?:\[[\w,-]+\])?(?:>=|==)([\w.]+)")


def main(arguments: Sequence[str]) -> int:
    """Print how each combination fared; 1 if one failed or none could be tried."""
    wanted, _, chosen = " ".join(arguments).partition("--")
    failed, tried = 0, 0
    for combination in wanted.split() or COMBINATIONS:
        version, _, kind = combination.partition("-")
        python = _python(version)
        if python is None:
            print(f"Python {version}: not here, left out", flush=True)
            continue
        said = _try(python, kind, ROOT / "build" / "compat" / combination, chosen.split())
        tried, failed = tried + 1, failed + (said is None)
        print(f"Python {version}, {kind} versions: {said or 'failed'}", flush=True)
    return int(failed > 0 or tried == 0)


def _python(version: str) -> str | None:
    """An interpreter of that version that starts."""
    candidates = [f"python{version}", *map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for candidate in filter(shutil.which, candidates):
        if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def _try(python: str, kind: str, folder: Path, chosen: Sequence[str]) -> str | None:
    """What pytest says at its end; None if it, or the installation, failed."""
    own = folder / "bin" / "python"
    if not own.exists():
        subprocess.run([python, "-m", "venv", folder], check=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("".join(f"{pin}\n" for pin in _lowest()) if kind == "lowest" else "")
    install = [own, "-m", "pip", "install", "--quiet", "--upgrade", "--constraint", constraints]
    extras = ",".join([*EXTRAS, "dev"])
    if subprocess.run([*install, "--editable", f".[{extras}]"], cwd=ROOT, check=False).returncode:
        return None
    tests = [own, "-m", "pytest", *TESTS, *(LOWEST_TESTS if kind == "lowest" else ()), *chosen]
    with subprocess.Popen(tests, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        *_, last = (_said(line) for line in process.stdout)
    return None if process.returncode else last


def _said(line: str) -> str:
    print(f"    {line}", end="", flush=True)
    return line.strip()


def _lowest() -> Iterator[str]:
    """Pins of the direct dependencies, of the package and of EXTRAS, to their lowest versions."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    for requirement in [*project["dependencies"], *(each for extra in EXTRAS for each in optional[extra])]:
        name, version = LOWEST.match(requirement).groups()
        yield f"{name}=={version}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
