"""The documentation as a site: it builds, no link of it is broken, and what is public has a page."""

import ast
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
OUTSIDE = {"http", "https", "mailto", "data", "javascript"}


@pytest.fixture(scope="module")
def site() -> Path:
    """As `make docs` builds it: without its cache, which keeps pages whose docstrings have changed."""
    zensical = Path(sys.executable).with_name("zensical")
    for command in (
        [sys.executable, "docs/site.py"],
        [zensical, "build", "-f", "mkdocs.yml", "--strict", "--clean"],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build" / "site"


class Page(HTMLParser):
    """What a page can be pointed at, and what it points at."""

    def __init__(self, path: Path):
        super().__init__()
        self.anchors, self.links = {"", "__toc"}, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        said = dict(attrs)
        self.anchors |= {said[key] for key in ("id", "name") if said.get(key)}
        self.links += [said[key] for key in ("href", "src") if said.get(key)]


def test_no_link_is_broken(site):
    pages = {path: Page(path) for path in site.rglob("*.html") if path.name != "leaderboards.html"}
    assert len(pages) > 100
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":
            continue  # whose links begin at the root of a host
        for link in page.links:
            to = urlsplit(link)
            if to.scheme in OUTSIDE or to.netloc:
                continue
            there = (path.parent / unquote(to.path)).resolve() if to.path else path
            there = there / "index.html" if there.is_dir() else there
            if not there.exists() or (there in pages and unquote(to.fragment) not in pages[there].anchors):
                broken.append((str(path.relative_to(site)), link))
    assert not broken


def test_every_public_function_and_class_has_its_place(site):
    missing = []
    for path in (ROOT / "sampler_bench").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1].startswith("_"):
            continue
        module = ".".join(parts)
        public = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.name.startswith("_")
        ]
        if public:
            anchors = Page(site / "python" / f"{module}.html").anchors
            missing += [f"{module}.{name}" for name in public if f"{module}.{name}" not in anchors]
    assert not missing


def test_nothing_is_fetched_from_elsewhere(site):
    """A page is read without a network: scripts, styles and pictures are its own."""
    for name in ("index.html", "method.html", "leaderboard.html"):
        text = (site / name).read_text(encoding="utf-8")
        assert "fonts.googleapis" not in text
        for link in Page(site / name).links:
            if link.endswith((".js", ".css", ".png", ".svg", ".woff2")):
                assert not urlsplit(link).netloc, link
