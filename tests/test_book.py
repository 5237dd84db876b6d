"""The book's sources, and (marked ``built``) the pages that ``make book`` made of them."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import course
import pytest
import yaml
from bs4 import BeautifulSoup

from vae_course.checks import EXERCISES, exercise

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
HTML = ROOT / "_build" / "html"
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_LINES = 25
INPUTS = ("vae_course/a.py", "requirements.lock", "book/matplotlibrc", "benchmarks/a.json")
CONFIGURED_DATA = os.environ.get("VAE_COURSE_DATA")


def toc_files():
    """Every page of the table of contents, in order: chapters, exercises, solutions."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    inner = [[entry, *entry.get("sections", [])] for entry in entries]
    return [toc["root"], *(entry["file"] for group in inner for entry in group)]


def toc_pages():
    """The pages with a source of their own in book/."""
    return [page for page in toc_files() if page.startswith("book/")]


def notebook_pages():
    """The exercises and solutions: pages with stored outputs."""
    return [page for page in toc_files() if not page.startswith("book/")]


def cells(page):
    """The code cells of a page: (options, code)."""
    for match in CELL.finditer((ROOT / f"{page}.md").read_text()):
        body = match.group(1)
        if body.startswith("---"):
            _, options, code = body.split("---\n", 2)
            yield yaml.safe_load(options), code
        else:
            lines = body.splitlines()
            tags = [line for line in lines if line.startswith(":")]
            yield {"tags": " ".join(tags)}, "\n".join(lines[len(tags) :])


EXECUTED = [p for p in toc_pages() if "{code-cell}" in (ROOT / f"{p}.md").read_text()]


def test_every_page_is_in_the_table_of_contents_and_exists():
    written = {f"book/{path.stem}" for path in BOOK.glob("*.md")}
    assert set(toc_pages()) == written


def test_every_exercise_and_every_solution_is_a_page():
    files = [exercise(name).file for name in EXERCISES]
    expected = [f"{folder}/{file}" for file in files for folder in ("exercises", "solutions")]
    assert notebook_pages() == expected


def test_most_chapters_execute_code():
    assert len(EXECUTED) >= 12


@pytest.mark.parametrize("page", EXECUTED)
def test_cells_are_short(page):
    for _, code in cells(page):
        assert len(code.strip().splitlines()) <= MOST_LINES, code


@pytest.mark.parametrize("page", EXECUTED)
def test_every_figure_has_alt_text_a_caption_a_name_and_a_mention(page):
    text = (ROOT / f"{page}.md").read_text()
    for options, code in cells(page):
        if not re.search(r"plt\.(subplots|figure)\(|\bplotting\.\w+\(", code):
            continue
        notebook = options.get("mystnb", {})
        in_code = re.search(r'alt ?= ?"([^"]*)"', code)  # a live figure takes it as an argument
        alt = in_code[1] if in_code else notebook.get("image", {}).get("alt", "")
        assert len(alt) > 20, code
        figure = notebook.get("figure", {})
        assert len(figure.get("caption", "")) > 20, code
        assert f"{{numref}}`{figure['name']}`" in text, figure["name"]


def test_figure_names_are_unique():
    found = [
        options["mystnb"]["figure"]["name"]
        for page in EXECUTED
        for options, _ in cells(page)
        if "figure" in options.get("mystnb", {})
    ]
    assert len(found) == len(set(found)) >= 30


@pytest.mark.parametrize("page", EXECUTED)
def test_chapters_use_no_global_randomness(page):
    for _, code in cells(page):
        assert not re.search(r"np\.random\.(seed|rand|randn|normal)\(|random\.seed\(", code), code


def make_tree(root):
    (root / "vae_course").mkdir(parents=True)
    (root / "book").mkdir()
    (root / "benchmarks").mkdir()
    for name in INPUTS:
        (root / name).write_text("one")


def test_stored_outputs_are_kept_apart_by_everything_they_depend_on(tmp_path):
    make_tree(tmp_path)
    first = course.inputs_hash(tmp_path, "images")
    assert course.inputs_hash(tmp_path, "images") == first
    assert course.inputs_hash(tmp_path, "other images") != first
    for name in INPUTS:
        before = course.inputs_hash(tmp_path, "images")
        (tmp_path / name).write_text("two")
        assert course.inputs_hash(tmp_path, "images") != before


def soup(page):
    return BeautifulSoup((HTML / f"{page}.html").read_text(), "html.parser")


def broken_links(document, folder):
    """Local targets, of links and pictures, that do not exist."""
    missing = []
    for tag, attribute in (("a", "href"), ("img", "src"), ("link", "href"), ("script", "src")):
        for element in document.find_all(tag, attrs={attribute: True}):
            parts = urlsplit(element[attribute])
            if parts.scheme or parts.netloc or not parts.path:
                continue
            if not (folder / unquote(parts.path)).exists():
                missing.append(element[attribute])
    return missing


def unnamed_pictures(document):
    return [image for image in document.find_all("img") if not image.get("alt", "").strip()]


def test_the_checks_of_pages_can_fail(tmp_path):
    bad = BeautifulSoup('<a href="nowhere.html">x</a><img src="no.png" alt=" ">', "html.parser")
    assert broken_links(bad, tmp_path) == ["nowhere.html", "no.png"]
    assert len(unnamed_pictures(bad)) == 1


@pytest.mark.built
@pytest.mark.parametrize("page", toc_pages())
def test_built_page_is_whole(page):
    document = soup(page)
    assert document.find("h1")
    assert not broken_links(document, (HTML / page).parent)
    pictures = document.select_one("article") or document
    assert not unnamed_pictures(pictures)


@pytest.mark.built
@pytest.mark.parametrize("page", notebook_pages())
def test_an_exercise_or_solution_shows_what_is_stored_and_was_not_executed(page):
    document = soup(page)
    assert not broken_links(document, (HTML / page).parent)
    assert document.select_one(".executed-note") is None
    assert bool(document.select(".cell_output")) == page.startswith("solutions/")
    assert document.select("details > summary")
    assert (HTML / "_sources" / f"{page}.ipynb").exists()


@pytest.mark.built
def test_where_a_check_sends_the_student_there_is_such_a_section():
    for name in EXERCISES:
        for task in exercise(name).tasks:
            page, _, anchor = task.where.partition("#")
            if page:
                assert soup(f"book/{page}").find(id=anchor or True), task.where


@pytest.mark.built
@pytest.mark.parametrize("page", EXECUTED)
def test_built_page_was_executed_and_says_on_what(page):
    document = soup(page)
    note = document.select_one(".executed-note")
    assert note is not None
    found = re.search(r"ran in \d+ seconds, on (\w+): ", note.text)
    assert found
    if CONFIGURED_DATA:
        assert found.group(1) == Path(CONFIGURED_DATA).name
    assert not document.select(".output.traceback, .cell_output .ansi-red-fg")
    assert document.select(".cell_output")


@pytest.mark.built
@pytest.mark.parametrize("page", EXECUTED)
def test_no_number_is_missing_or_not_a_number(page):
    article = soup(page).select_one("article")
    for glued in article.select(".pasted-text, span.pasted-inline"):
        assert glued.text.strip() not in ("", "nan", "inf")
    prose = " ".join(p.text for p in article.find_all("p"))
    assert not re.search(r"\{glue|\{numref|\{cite|\bnan\b|\| (---|—) \|", prose)


@pytest.mark.built
def test_the_landing_page_leads_into_the_book():
    assert "index" in (HTML / "index.html").read_text()
    links = {urlsplit(a["href"]).path for a in soup("book/index").find_all("a", href=True)}
    assert {"data.html", "theory.html", "troubleshooting.html"} <= links
