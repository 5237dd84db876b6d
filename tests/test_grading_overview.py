"""The instructor's page: right numbers, readable by everybody, harmless."""

import dataclasses
import itertools
import re

import pytest
from bs4 import BeautifulSoup
from grading_results import HOSTILE, hostile, not_graded, result, task, worth

from vae_course.grading.likeness import Pair
from vae_course.grading.overview import write_overview
from vae_course.grading.pages import page_name
from vae_course.grading.policy import Counted, Policy, counted


@pytest.fixture
def page_of(tmp_path):
    def write(results, *, title="Autumn", pairs=(), rows=None):
        path = tmp_path / "overview.html"
        rows = counted(results, Policy()) if rows is None else rows
        write_overview(path, results, rows, title=title, pairs=pairs)
        assert path.stat().st_mode & 0o777 == 0o644
        return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")

    return write


def words_of(tag):
    return " ".join(tag.get_text().split())


def lines_of(page, under):
    return [words_of(item) for item in page.select(f"#{under} ~ ul")[0].find_all("li")]


def rows_of(table):
    return [[words_of(cell) for cell in row.select("th, td")] for row in table.select("tbody tr")]


def graded(student, *statuses, **fields):
    """Tasks of 2 points; what is wrong says ``fields["message"]``."""
    message = fields.pop("message", "Off by one.")
    tasks = [
        task(f"t{i}", status, message=message if status == "wrong" else "")
        for i, status in enumerate(statuses)
    ]
    return result(student, tasks=tasks, **fields)


CLASS = [
    graded("ada", "passed", "passed", "marked by a person", seconds=5.0),
    graded("ben", "passed", "wrong", "marked by a person", seconds=9.0, memory_mb=100.4),
    graded("cal", "not started", "wrong", "marked by a person", seconds=1.0, message="Half."),
    graded("dee", "passed", "wrong", "marked by a person", flags=("copied line",)),
    not_graded("eve", "01-beta", file="eve/x.ipynb"),
    not_graded("eve", file="eve/notes.txt", problem="It is not a notebook."),
]


def test_the_summary_counts_submissions_and_students(page_of):
    page = page_of(CLASS)
    assert words_of(page.select("main > p")[0]) == (
        "6 submissions of 5 students: 4 graded, 2 not graded."
    )
    assert rows_of(page.select("table")[0]) == [["01-beta: β", "4", "1", "4", "50 %"]]


def test_one_submission_is_not_called_submissions(page_of):
    assert words_of(page_of([worth(3)]).select("main > p")[0]) == (
        "1 submission of 1 student: 1 graded, 0 not graded."
    )


def test_the_median_share_is_of_points_after_deduction(page_of):
    rows = [Counted(worth(10, name), 0, 0, points) for name, points in (("a", 2.5), ("b", 5.0))]
    page = page_of([row.result for row in rows], rows=rows)
    assert rows_of(page.select("table")[0])[0][-1] == "38 %"  # (25 % + 50 %) / 2 = 37.5 %


def test_each_task_shows_how_many_did_what(page_of):
    page = page_of(CLASS)
    assert rows_of(page.select("table")[1]) == [
        ["Title of t0", "", "3", "0", "1", "2"],
        ["Title of t1", "", "1", "3", "0", "2"],
        ["Title of t2", "marked by a person", "2"],
    ]
    bars = page.select("td.bar svg")
    assert [bar["role"] for bar in bars] == ["img", "img"]
    assert [bar["aria-label"] for bar in bars] == [
        "3 passed, 0 wrong, 1 not started",
        "1 passed, 3 wrong, 0 not started",
    ]
    assert [(piece["x"], piece["width"]) for piece in bars[1].select("rect")] == [
        ("0.0%", "25.0%"),
        ("25.0%", "75.0%"),
    ]


def test_the_histogram_says_in_words_what_it_shows(page_of):
    (picture,) = page_of(CLASS).select("svg.histogram")
    assert picture["role"] == "img"
    assert picture["aria-label"] == "Points of 4 students: 1 with 0, 2 with 2, 1 with 4."
    assert [float(bar["height"]) for bar in picture.select("rect")] == [52, 104, 52]


def test_points_after_deduction_fall_into_the_bin_below(page_of):
    rows = [Counted(worth(10, n), 0, 1, p) for n, p in (("a", 9.99), ("b", 10.0), ("c", 0.01))]
    (picture,) = page_of([row.result for row in rows], rows=rows).select("svg.histogram")
    assert picture["aria-label"] == "Points of 3 students: 1 with 0, 1 with 9, 1 with 10."


def test_many_points_share_bins(page_of):
    many = [result(name, tasks=[task(points=100)]) for name in "ab"]
    (picture,) = page_of([*many, result("c", tasks=[task(status="wrong", points=100)])]).select(
        "svg.histogram"
    )
    # 101 possible sums in 24 bins at most: 5 to a bin, and the last holds 100 alone.
    assert picture["aria-label"] == "Points of 3 students: 1 with 0 to 4, 2 with 100."


def test_the_most_frequent_mistakes_come_first_and_are_five_at_most(page_of):
    page = page_of(CLASS)
    assert [words_of(item) for item in page.select("dl.mistakes dd li")] == [
        "2 × Off by one.",
        "1 × Half.",
    ]
    assert [words_of(item) for item in page.select("dl.mistakes dt")] == ["Title of t1"]
    many = [graded(f"s{i}", "wrong", message=f"Mistake {i}.") for i in range(9)]
    assert len(page_of(many).select("dl.mistakes dd li")) == 5


def test_the_slowest_five_are_named(page_of):
    assert lines_of(page_of(CLASS), "slowest")[0] == "ben, 01-beta: 9 s, 100 MB"
    many = [worth(1, f"s{i}", seconds=float(i)) for i in range(9)]
    names = [line.split(",")[0] for line in lines_of(page_of(many), "slowest")]
    assert names == ["s8", "s7", "s6", "s5", "s4"]


def test_what_was_not_graded_has_its_reason_and_flags_their_words(page_of):
    page = page_of(CLASS)
    assert lines_of(page, "failed") == [
        "eve, eve/x.ipynb: It is empty. Hand it in again.",
        "eve, eve/notes.txt: It is not a notebook.",
    ]
    assert lines_of(page, "flagged") == ["dee, 01-beta: copied line", "copied line"]


def test_every_submission_has_a_row_that_leads_to_its_feedback(page_of):
    tries = [worth(4, "ada", file=f, handed_in=t) for f, t in (("1.ipynb", 1.0), ("2.ipynb", 2.0))]
    late = Counted(worth(10, "ben"), 0, 2, 7.5)
    page = page_of([*tries, late.result], rows=[*counted(tries, Policy()), late])
    table = page.select("table.all")[0]
    assert rows_of(table) == [
        ["ada", "01-beta", "4 of 10", "no", "", "0 s", "1.ipynb"],
        ["ada", "01-beta", "4 of 10", "yes", "0", "0 s", "2.ipynb"],
        ["ben", "01-beta", "10 of 10", "as 7.5", "2", "0 s", "ben/01-beta.ipynb"],
    ]
    assert [link["href"] for link in table.select("a")] == [
        f"feedback/{page_name(one)}.html" for one in [*tries, late.result]
    ]


def test_the_last_attempt_fills_the_statistics_alone(page_of):
    old = graded("ada", "wrong", file="1.ipynb", handed_in=1.0)
    new = graded("ada", "passed", file="2.ipynb", handed_in=2.0)
    page = page_of([old, new])
    assert page.select_one("td.bar svg")["aria-label"] == "1 passed, 0 wrong, 0 not started"
    assert not page.select("dl.mistakes")


def test_pairs_lead_to_both_submissions(page_of):
    ada, ben = worth(1, "ada"), worth(1, "ben")
    page = page_of([ada, ben], pairs=[Pair("01-beta", ada.file, ben.file, 0.925)])
    (line,) = page.select("#alike ~ ul")[0].select("li")
    assert words_of(line) == "92 % 01-beta: ada, ada/01-beta.ipynb and ben, ben/01-beta.ipynb"
    assert [link["href"] for link in line.select("a")] == [
        f"feedback/{page_name(one)}.html" for one in (ada, ben)
    ]


def test_a_pair_whose_file_is_unclear_leads_nowhere(page_of):
    one, other = worth(1, "ada", file="x"), worth(1, "ben", file="x")
    page = page_of([one, other], pairs=[Pair("01-beta", "x", "gone", 0.9)])
    (line,) = page.select("#alike ~ ul")[0].select("li")
    assert words_of(line) == "90 % 01-beta: x and gone"
    assert not line.select("a")


def test_without_a_sandbox_a_banner_says_how_many(page_of):
    assert not page_of(CLASS).select(".alarm")
    unsafe = [dataclasses.replace(CLASS[0], sandbox="none"), *CLASS[1:]]
    assert "1 of 6 submissions ran without a sandbox" in words_of(
        page_of(unsafe).select(".alarm")[0]
    )


@pytest.mark.parametrize(
    "results",
    [[], [not_graded()], [not_graded("ada", "01-beta")], [result(tasks=[])]],
    ids=["nothing", "no exercise", "no graded one", "no tasks"],
)
def test_a_page_is_written_however_little_there_is(page_of, results):
    page = page_of(results)
    assert page.h1.get_text() == "Autumn"
    assert {link["href"][1:] for link in page.select("nav a")} <= {
        tag["id"] for tag in page.select("[id]")
    } | {f"exercise-{number}" for number in range(1, 7)}


def test_an_exercise_that_is_none_of_ours_is_shown_by_its_id(page_of):
    page = page_of([worth(3, exercise="99-new")])
    assert page.select("h2")[0].get_text() == "99-new"


def test_the_page_needs_nothing_but_itself(page_of):
    page = page_of([*CLASS, *map(hostile, HOSTILE.values())])
    assert page.html["lang"] == "en"
    assert page.title.get_text() == "Autumn"
    assert not page.select("script, img, link, iframe, object, embed, form, base, image, use")
    assert "url(" not in page.style.get_text()
    for tag in page.select("[href]"):
        assert tag.name == "a"
        assert re.fullmatch(r"feedback/[\w.-]+\.html|#[\w-]+", tag["href"])
    assert not [name for tag in page.find_all(True) for name in tag.attrs if name[:2] == "on"]
    for svg in page.select("svg"):
        assert svg["role"] == "img"
        assert svg["aria-label"]
    levels = [int(heading.name[1]) for heading in page.select("h1, h2, h3")]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_strangers_words_are_one_short_line_of_text(page_of, words):
    results = [hostile(words), not_graded(words, problem=words, file=words + "2")]
    page = page_of(results, title=words, pairs=[Pair("01-beta", words, words, 0.9)])
    assert not page.select("script, img, iframe")
    assert max(len(text) for text in page.main.find_all(string=True)) <= 530
    assert page.h1.get_text().isprintable()
