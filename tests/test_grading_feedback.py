"""The feedback of a submission: clear to a student, harmless whatever it quotes."""

import dataclasses
import itertools
import re
import stat

import pytest
from bs4 import BeautifulSoup
from grading_results import HOSTILE, hostile, not_graded, result, task
from markdown_it import MarkdownIt

from vae_course.grading.escaping import csv_field, markdown, one_line, xml_text
from vae_course.grading.feedback import write_feedback
from vae_course.grading.pages import page_name
from vae_course.links import book_page

TASKS = [
    task("one", where="beta"),
    task("two", "wrong", 3, "The KL is averaged: sum it.", "loss#sum-or-mean"),
    task("three", "not started", 1),
    task("four", "marked by a person"),
    task("five", "wrong", 1, "Off by one.", ""),
]


def both(folder, one):
    """The page, and the Markdown as a browser would show it."""
    path = write_feedback(folder, one)
    text = path.with_suffix(".md").read_text(encoding="utf-8")
    shown = MarkdownIt("commonmark").enable("table").render(text)
    html = path.read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser"), BeautifulSoup(shown, "html.parser")


def words_of(tag):
    return " ".join(tag.get_text().split())


def test_each_task_has_a_mark_a_word_and_its_points(tmp_path):
    page, text = both(tmp_path, result(tasks=TASKS))
    shown = [words_of(item) for item in page.select(".tasks li")]
    where = "Where the book explains it"
    assert shown == [
        "✓ Title of one passed, 2 of 2 points",
        f"✗ Title of two wrong, 0 of 3 points The KL is averaged: sum it. {where}",
        f"· Title of three not started, 0 of 1 point {where}",
        "✎ Title of four marked by a person, up to 2 points",
        "✗ Title of five wrong, 0 of 1 point Off by one.",
    ]
    assert [words_of(item) for item in text.select("li")] == [
        "✓ Title of one: passed, 2 of 2 points.",
        f"✗ Title of two: wrong, 0 of 3 points. The KL is averaged: sum it. {where}",
        f"· Title of three: not started, 0 of 1 point. {where}",
        "✎ Title of four: marked by a person, up to 2 points.",
        "✗ Title of five: wrong, 0 of 1 point. Off by one.",
    ]


def test_links_lead_to_the_book(tmp_path):
    for shown in both(tmp_path, result(tasks=TASKS)):
        assert [link["href"] for link in shown.select("a")] == [
            book_page("loss#sum-or-mean"),
            book_page("loss#sum-or-mean"),
        ]


def test_the_sum_is_that_of_the_checks_and_says_what_a_person_adds(tmp_path):
    for shown in both(tmp_path, result(tasks=TASKS)):
        words = "2 of 7 points from the checks. A person gives up to 2 more."
        assert words in words_of(shown)
        assert words_of(shown.h1) == "01-beta: β"
        assert "For ada, from ada/01-beta.ipynb" in words_of(shown)


def test_without_a_task_for_a_person_none_is_named(tmp_path):
    for shown in both(tmp_path, result(tasks=TASKS[:1])):
        assert "person" not in words_of(shown)


def test_what_cells_raised_is_code(tmp_path):
    for shown in both(tmp_path, result(tasks=TASKS, cells=("cell 4: KeyError: `b`",))):
        assert [code.get_text() for code in shown.select("li code")] == ["cell 4: KeyError: `b`"]


@pytest.mark.parametrize(("sandbox", "said"), [("none", True), ("bubblewrap", False), ("", False)])
def test_only_without_a_sandbox_the_page_says_so(tmp_path, sandbox, said):
    for shown in both(tmp_path, result(tasks=TASKS, sandbox=sandbox)):
        assert ("graded without a sandbox" in words_of(shown)) == said


def test_what_was_not_graded_says_why(tmp_path):
    for shown in both(tmp_path, not_graded("ada", problem="It is empty.")):
        assert "This could not be graded. It is empty." in words_of(shown)
        assert "points" not in words_of(shown)
        assert words_of(shown.h1) == "Unknown exercise"


def test_what_only_the_instructor_should_see_is_not_there(tmp_path):
    secret = result(tasks=TASKS, flags=("93% like the published solution",), shingles=(123456,))
    for shown in both(tmp_path, secret):
        assert "93" not in shown.get_text()
        assert "123456" not in shown.get_text()


def test_the_page_needs_nothing_but_itself(tmp_path):
    page, _ = both(tmp_path, result(tasks=TASKS, cells=("cell 1: x",)))
    assert page.html["lang"] == "en"
    assert page.title.get_text() == "01-beta: β: feedback for ada"
    assert page.select_one("meta[name=viewport]")["content"].startswith("width=device-width")
    assert [h.name for h in page.select("h1, h2, h3")] == ["h1", "h2", "h2"]
    assert not page.select("script, img, link, iframe, object, embed, form, base, [onerror]")
    assert "url(" not in page.style.get_text()
    assert "@import" not in page.style.get_text()


def test_colours_can_be_read_by_day_and_by_night(tmp_path):
    page, _ = both(tmp_path, result(tasks=TASKS))
    day, night = re.findall(r":root \{(.*?)\}", page.style.get_text(), re.DOTALL)
    for sheet in (day, night):
        colour = dict(re.findall(r"--([\w-]+): (#\w{6})", sheet))
        on_paper = ["ink", "soft", "link", "passed", "wrong"]
        pairs = [(name, "paper") for name in on_paper] + [("ink", "raised"), ("alarm", "on-alarm")]
        for one, other in pairs:
            assert contrast(colour[one], colour[other]) >= 4.5, (one, other)
        for bar in ("bar-passed", "bar-wrong", "bar-not-started"):
            assert contrast(colour[bar], colour["paper"]) >= 2


def contrast(one, other):
    """The ratio that WCAG 2 defines."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour):
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_strangers_words_are_text_and_nothing_else(tmp_path, words):
    broken = dataclasses.replace(not_graded(words, problem=words), cells=(words,))
    for one in (hostile(words), broken):
        for shown in both(tmp_path, one):
            assert not shown.select("script, img, pre, blockquote, table, hr, iframe")
            links = [link["href"] for link in shown.select("a")]
            assert all(link == book_page("loss#sum-or-mean") for link in links)
            assert len(shown.select("h1, h2")) == 1 + bool(one.tasks) + bool(one.cells)
            assert len(shown.select("li")) == len(one.tasks) + len(one.cells)


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_strangers_words_are_shown_as_they_are(tmp_path, words):
    plain = " ".join(one_line(words).split())
    page, text = both(tmp_path, hostile(words))
    assert plain in words_of(page.select_one(".tasks li p"))
    assert plain in words_of(text.select("li")[0])


def test_hostile_words_are_short_and_on_one_line():
    for words in HOSTILE.values():
        shown = one_line(words)
        assert shown.isprintable()
        assert len(shown) <= 500
    assert one_line("a\nb\x00c\ud800d\u202ee") == "a b�c�d�e"
    assert one_line("x" * 501) == "x" * 499 + "…"
    assert one_line("x" * 500) == "x" * 500


def test_what_is_escaped_is_what_could_do_harm():
    assert markdown("sum(x) - 1 = 2.5, 'a'") == "sum(x) - 1 = 2.5, 'a'"
    assert markdown("- a") == "\\- a"
    assert markdown("www.x.y http://z") == "www\\.x.y http\\://z"
    assert [csv_field(w) for w in ("=1", "'=1", " +1", "＝1", "a=1", "'a")] == (
        ["'=1", "''=1", "' +1", "'＝1", "a=1", "'a"]
    )
    assert xml_text("a\x00b\ud800c\ufffed\n") == "abcd\n"


NAMES = ["ada", "Ada", "ADA", "a/da", "a-da", "../ada", "-rf", ".ssh", "", "con", "x" * 300, "ñ"]
NAMES += ["n", "天", "ada-0123456789abcdef", "ada\x00", "ada\ud800", "a:b*c?", " ", "ada\n"]


def test_file_names_are_plain_and_no_two_students_share_one():
    pairs = itertools.product(NAMES, ["01-beta", ""])
    names = [page_name(result(name, exercise, file="f")) for name, exercise in pairs]
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name)
        assert len(name) <= 80 + 17
    assert page_name(result("Émilie du Châtelet")).startswith("emilie-du-chatelet-01-beta-")


def test_two_attempts_have_pages_of_their_own_and_a_new_grading_replaces_a_page(tmp_path):
    one, two = (result(file=file, tasks=TASKS) for file in ("a.ipynb", "b.ipynb"))
    again = dataclasses.replace(one, key="another", digest="another")
    paths = [write_feedback(tmp_path / "feedback", each) for each in (one, two, again)]
    assert paths[0] == paths[2] != paths[1]
    files = sorted((tmp_path / "feedback").iterdir())
    assert len(files) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
