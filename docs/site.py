"""The pages of the site, written to build/docs for Zensical to render: `make docs` does both.

What is written by hand in docs/, the README and its like; tasks, families and metrics from the code; Python
from docstrings; published leaderboards. Links to files that are no pages become plain text.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from sampler_bench.publish import write_leaderboard
from sampler_bench.score.metrics import markdown
from sampler_bench.targets.registry import registered
from sampler_bench.tasks import Catalog

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PUBLISHED = ROOT / "results" / "published"
PACKAGE = ROOT / "sampler_bench"
SITE = ROOT / "build" / "docs"
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FIRST = {
    "run and prepare": "api",
    "load_task": "tasks.catalog",
    "read": "runs.reading",
    "export": "export",
    "soft_targets": "soft_targets",
    "learn": "learning",
}
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def main() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    for picture in DOCS.glob("*.png"):
        shutil.copy(picture, SITE)
    for source, page in PAGES.items():
        write(page, rewritten(ROOT / source))
    for source in sorted(DOCS.glob("*.md")):
        write(source.name, rewritten(source))
    for path in DOCS.glob("*.ipynb"):
        write(f"{path.stem}-notebook.md", notebook(path))
    write("tasks.md", "\n".join(all_tasks()))
    write("families.md", "\n".join(all_families()))
    write(
        "metrics.md",
        "\n".join(
            [
                "# Metrics",
                "",
                "Every score there is, as in the column `metric` of scores.csv.",
                "",
                markdown(),
            ]
        ),
    )
    write("leaderboard.md", "\n".join(leaderboards()))
    python()


def write(page: str, text: str) -> None:
    (SITE / page).parent.mkdir(parents=True, exist_ok=True)
    (SITE / page).write_text(text, encoding="utf-8")


def copied(path: Path) -> str:
    """A file from outside the folder of the docs; where it is in the site."""
    place = path.relative_to(ROOT)
    (SITE / place).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, SITE / place)
    return str(place)


def rewritten(source: Path) -> str:
    """The text of a page with its links as they are in the site."""

    def link(found: re.Match) -> str:
        mark, text, to = found.groups()
        to, hash_, anchor = to.partition("#")
        if not to or "://" in to:
            return found[0]
        path = (source.parent / to).resolve()
        if path.parent == DOCS and path.suffix in (".md", ".png") and path.exists():
            return f"{mark}[{text}]({path.name}{hash_}{anchor})"
        if str(path.relative_to(ROOT)) in PAGES:
            return f"{mark}[{text}]({PAGES[path.name]}{hash_}{anchor})"
        if path.parent == DOCS and path.suffix == ".ipynb":
            return f"[{text}]({path.stem}-notebook.md)"
        if path.name == "leaderboard.md":
            return f"[{text}](leaderboard.md#{path.parent.name})"
        if path.suffix in (".png", ".csv", ".json") and path.is_file():
            return f"{mark}[{text}]({copied(path)})"
        return text

    return LINK.sub(link, source.read_text(encoding="utf-8"))


def notebook(path: Path) -> str:
    """A notebook as a page: what is said, and the code; what comes out is told by who runs it."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    return "\n\n".join(f"```python\n{text}\n```" if kind == "code" else text for kind, text in texts)


def leaderboards() -> Iterator[str]:
    """The published ones, and the page that sorts and opens rows."""
    scored = [folder for folder in sorted(PUBLISHED.iterdir()) if (folder / "leaderboard.md").exists()]
    out = ROOT / "build" / "leaderboard"
    write_leaderboard(scored, out)
    shutil.copy(out / "leaderboard.html", SITE / "leaderboards.html")
    yield "# Leaderboard\n"
    yield '<a href="leaderboards.html">All of them on one page</a> that sorts, filters and opens rows.\n'
    for folder in scored:
        yield f"## {folder.name}\n"
        yield (folder / "leaderboard.md").read_text(encoding="utf-8")


def all_tasks() -> Iterator[str]:
    catalog = Catalog()
    yield "# Tasks\n"
    yield "A suite is a list of tasks; `sampler-bench run` takes the name of either.\n"
    for name in catalog.suite_names():
        suite = catalog.suite(name)
        yield f"## {name}\n"
        yield f"{suite.title}. {suite.numbers} numbers, {suite.samples} answers a task and arm.\n"
        yield "| task | asked for: a random … |\n| --- | --- |"
        yield from (f"| `{task}` | {catalog.task(task).phrase} |" for task in suite.tasks)
        yield ""
    yield "## Ways of asking\n"
    yield "| arm | |\n| --- | --- |"
    yield from (f"| `{name}` | {catalog.arm(name).title} |" for name in catalog.arm_names())


def all_families() -> Iterator[str]:
    """From the registry: what each is, and its keys."""
    yield "# All families\n"
    yield "A family is what `[target]` of a task names; its keys are the parameters here."
    yield "[Targets](targets.md) says how each is counted.\n"
    for name, kind in sorted(registered().items()):
        yield f"## {name}\n"
        yield f"::: {kind.__module__}.{kind.__name__}"
        yield "    options: {heading_level: 3, members: false, show_bases: false}\n"


def python() -> None:
    """A page a module that has something public, and their list."""
    first = (f"[{what}](sampler_bench.{module}.md)" for what, module in FIRST.items())
    lines = ["# Python\n", f"What a program calls first: {', '.join(first)}.\n"]
    room = ""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1].startswith("_") or "builtin_tasks" in parts:
            continue
        module = ".".join(parts)
        if not re.search(r"^(def|class|async def) [^_]", path.read_text(), re.MULTILINE):
            continue
        about = path.read_text().split('"""')[1].strip().split("\n")[0]
        write(f"python/{module}.md", f"# {module.removeprefix('sampler_bench.')}\n\n::: {module}\n")
        if ".".join(parts[1:-1]) != room:
            room = ".".join(parts[1:-1])
            lines.append(f"\n## {room}\n")
        lines.append(f"* [{parts[-1]}]({module}.md): {about}")
    write("python/index.md", "\n".join(lines))


main()
