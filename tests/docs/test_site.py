"""The site is built from the repository without a warning, its links lead somewhere, and it shows all there is."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import yaml

import sim
from docs.pages import api, fields, gallery, laws, unknown
from sim.facts.record import found
from sim.facts.scoreboard import HOLDS
from sim.measure.registry import METRICS
from sim.study.defaults import vocabulary

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


class Page(HTMLParser):
    """The links of a page, and what can be linked to on it."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.links += [known[name] for name in ("href", "src") if known.get(name)]
        self.places |= {known[name] for name in ("id", "name") if known.get(name)}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built with every warning an error; the tutorial is run on the way."""
    if not all(map(find_spec, ("sphinx", "myst_nb", "furo", "sphinx_copybutton"))):
        pytest.skip("the packages of the extra `docs` are not installed")
    target = tmp_path_factory.mktemp("site")
    made = shutil.ignore_patterns("_build", "generated", "gallery.md", "unknown.md", "reference", "__pycache__")
    pages = shutil.copytree(DOCS, target / "pages", ignore=made)  # two builds at once do not meet
    env = {**os.environ, "HOME": str(target / "home"), "PATH": os.defpath}  # as on a bare machine
    line = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-T", "-c", str(DOCS), str(pages)]
    done = subprocess.run([*line, str(target / "html")], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target / "html"


@pytest.mark.slow
def test_every_page_is_built_and_every_link_leads_somewhere(site):
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    names = {path.relative_to(site).as_posix() for path in pages}
    assert {"index.html", "tutorial.html", "model.html", "glossary.html", "gallery.html", "unknown.html"} <= names
    assert {"reference/api.html", "reference/fields.html", "howto/add.html"} <= names
    broken = []
    for path, page in pages.items():
        for link in page.links:
            where, place = urldefrag(link)
            if urlparse(where).scheme or where.startswith("//") or "_modules" in path.parts:
                continue
            target = (path.parent / unquote(urlparse(where).path)).resolve() if where else path
            if not target.exists() or (place and target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


@pytest.mark.slow
def test_the_tutorial_shows_what_its_cells_gave(site):
    text = (site / "tutorial.html").read_text(encoding="utf-8")
    assert "Traceback" not in text and text.count('class="cell_output') >= 10
    assert "lloyds" in text and "averted" in text and "What this panel can and cannot tell" in text


@pytest.mark.slow
def test_each_figure_and_experiment_is_on_its_page(site):
    assert all((site / "_images" / f"{name}.svg").exists() for name in laws.LAWS)
    text = (site / "gallery.html").read_text(encoding="utf-8")
    assert all(f"experiments.{name}" in re.sub("<[^>]+>", "", text) for name in gallery.scripts())


def test_every_law_has_its_figure_on_the_page_of_the_model():
    text = (DOCS / "model.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"generated/laws/(\w+)\.svg", text)) == sorted(laws.LAWS)
    assert all(
        f"## {verb}" in text for verb in ("Hear", "Need", "Attend", "Consider", "Choose", "Experience", "Learn", "Tell")
    )


@pytest.mark.parametrize("name", laws.LAWS)
def test_a_law_s_figure_comes_from_a_rule(name):
    """Its docstring names the functions that it draws, and they are of the model or of its measures."""
    assert re.search(r"\(`[\w.]+`\)|draws of the rules", laws.LAWS[name].__doc__)


def test_the_reference_has_every_field():
    text = fields.fields()
    assert all(f"| `{path}` |" in text for path, _ in vocabulary())


def test_the_reference_has_every_public_function():
    text = api.api()
    for module in (sim, sim.study, sim.panel):
        for name in module.__all__:
            shown = api.entry(getattr(module, name))
            assert shown in text
    assert text.count("autofunction") > 80


def test_the_glossary_explains_every_headline_and_each_word_once():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    block = re.search(r"```\{glossary\}\n(.*?)```", text, re.DOTALL)[1]
    terms = [line for line in block.splitlines() if line and not line.startswith(" ")]
    assert terms == sorted(set(terms), key=str.lower)
    named = set(re.findall(r"^  `(\w+)`", block, re.MULTILINE))
    assert named <= {info.name for info in METRICS}
    assert {"stickiness", "excess", "above_category", "usage_ratio", "dirichlet_phi", "would_leave"} <= named
    for term in re.findall(r"\{term\}`(?:[^`<]+<)?([^`>]+)>?`", text):
        assert term in terms, f"{term} is used and not explained"


def test_what_is_not_known_names_every_miss(tmp_path):
    unknown.write(tmp_path)
    text = (tmp_path / "unknown.md").read_text(encoding="utf-8")
    misses = [number for number, row in found().items() if row.verdict != HOLDS]
    assert misses and all(f"| #{number} |" in text for number in misses)
    assert not re.search(r"\bnan\b", text)


def test_the_gallery_has_every_experiment_and_says_when_its_figure_was_made(tmp_path):
    gallery.write(tmp_path)
    text = (tmp_path / "gallery.md").read_text(encoding="utf-8")
    for name in gallery.scripts():
        assert f"experiments.{name}`" in text
    for name, row in gallery.made().items():
        assert (gallery.FOLDER / f"{name}.png").exists() and all(line in text for line in row["finding"])
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"]) and row["form"] in ("fast form", "in full")


def test_what_the_build_writes_is_not_committed():
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("no git here")
    made = ["docs/_build/x", "docs/generated/x", "docs/gallery.md", "docs/unknown.md", "docs/reference/fields.md"]
    done = subprocess.run(["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == made


def test_the_record_of_figures_is_plain_data():
    assert isinstance(yaml.safe_load(gallery.RECORD.read_text()) if gallery.RECORD.exists() else {}, dict)
