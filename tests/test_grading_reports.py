"""Policy, gradebook, feedback, overview, likeness: what is made from results."""

import csv
import dataclasses
import datetime
import json
import random
import xml.etree.ElementTree as ET

import pytest
from bs4 import BeautifulSoup

from vae_course.errors import ConfigError, ExerciseError
from vae_course.grading import gradebook, likeness, results
from vae_course.grading.feedback import page_name, write_feedback
from vae_course.grading.overview import write_overview
from vae_course.grading.policy import Policy, counted
from vae_course.grading.results import Result, TaskResult

HOSTILE = "<script>alert(1)</script> [x](javascript:1) `=cmd()` \x00\x1b\ud800\u202e a\nb ]]> &"


def result(student="ada", points=2, **changes):
    tasks = (
        TaskResult(
            "f", "First", "passed" if points >= 2 else "wrong", min(points, 2), 2, "", "loss"
        ),
        TaskResult("g", "Second", *(("passed", 1, 1) if points >= 3 else ("wrong", 0, 1, "no"))),
        TaskResult("why", "Words", "marked by a person", 0, 4),
    )
    plain = Result(
        key=f"{student}{points}{changes}",
        student=student,
        file=f"{student}/00_warmup.ipynb",
        digest="0",
        handed_in=1000.0,
        exercise="00-warmup",
        tasks=tasks,
    )
    return dataclasses.replace(plain, **changes)


def refused(student="zoe", **changes):
    return result(student, tasks=(), status="not graded", problem="Broken. Mend it.", **changes)


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_result_survives_its_file_and_a_damaged_one_is_none(tmp_path):
    one = result(cells=("cell 0: broken",), flags=("look",), shingles=(1, 2))
    path = results.save(tmp_path, one)
    assert results.load(tmp_path, one.key) == one
    assert results.load_all(tmp_path) == [one]
    assert (one.points, one.max_points, one.points_by_hand) == (2, 3, 4)
    assert json.loads(path.read_text())["schema"] == 1
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 0'))
    assert results.load(tmp_path, one.key) is None
    path.write_text("{")
    assert results.load_all(tmp_path) == []


@pytest.mark.parametrize(("attempts", "points"), [("first", 1.0), ("last", 2.0), ("best", 3.0)])
def test_which_attempt_counts(attempts, points):
    tries = [
        result(points=p, file=f"{t}", handed_in=t) for p, t in ((1, 10.0), (3, 20.0), (2, 30.0))
    ]
    broken = refused("ada", file="x", handed_in=40.0)
    (row,) = counted([*tries, broken], Policy(attempts=attempts))
    assert (row.points, row.others) == (points, 3)


def test_lateness_costs_a_share_for_each_day_begun():
    deadline = datetime.datetime(2026, 11, 30, 12)
    policy = Policy(deadline, late_per_day=0.1)
    for hours, days, points in (
        (-1, 0, 3.0),
        (0, 0, 3.0),
        (1, 1, 2.7),
        (25, 2, 2.4),
        (999, 42, 0.0),
    ):
        when = deadline.timestamp() + 3600 * hours
        (row,) = counted([result(points=3, handed_in=when)], policy)
        assert (row.days_late, row.points) == (days, points)
    assert policy.days_late(0.0) == 0  # unknown


def test_a_late_attempt_may_be_worse_than_an_early_one():
    deadline = datetime.datetime(2026, 11, 30)
    early, late = deadline.timestamp() - 1, deadline.timestamp() + 1
    tries = [
        result(points=2, handed_in=early, file="1"),
        result(points=3, handed_in=late, file="2"),
    ]
    (row,) = counted(tries, Policy(deadline, late_per_day=0.5, attempts="best"))
    assert row.points == 2


def test_what_is_of_no_exercise_counts_by_itself():
    lost = [refused(file=f"{i}", exercise="") for i in range(3)]
    assert len(counted([*lost, result()], Policy())) == 4


@pytest.mark.parametrize(
    "arguments", [{"late_per_day": 2.0}, {"late_per_day": 0.5}, {"attempts": "luckiest"}]
)
def test_an_impossible_policy_is_refused(arguments):
    with pytest.raises(ConfigError):
        Policy(**arguments)


def test_the_gradebook_keeps_what_a_person_typed(tmp_path):
    path = tmp_path / "grades.csv"
    class_ = [result("=ada"), result("bob", 3), refused()]
    gradebook.write_grades(path, counted(class_, Policy()))
    first = rows(path)
    assert [r["student"] for r in first] == ["'=ada", "bob", "zoe"]
    assert [r["points"] for r in first] == ["2", "3", ""]
    assert [r["manual_max"] for r in first] == ["4", "4", ""]
    first[0]["manual_points"], first[2]["manual_points"] = "3.5", "1"
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, first[0])
        table.writeheader()
        table.writerows(first)
    gradebook.write_grades(path, counted([result("=ada", 3), result("bob", 3)], Policy()))
    kept = {r["student"]: (r["points"], r["manual_points"], r["status"]) for r in rows(path)}
    assert kept == {
        "'=ada": ("3", "3.5", "graded"),
        "bob": ("3", "", "graded"),
        "zoe": ("", "1", "missing"),
    }


@pytest.mark.parametrize("content", ["name,mark\nada,1\n", "", '"student\n', "\x00"])
def test_a_file_that_is_no_gradebook_is_not_written_over(tmp_path, content):
    path = tmp_path / "grades.csv"
    path.write_text(content)
    with pytest.raises(ExerciseError, match="Move it away"):
        gradebook.write_grades(path, counted([result()], Policy()))
    assert path.read_text() == content


def test_hostile_words_are_text_in_every_file(tmp_path):
    one = result(HOSTILE, 1, file=HOSTILE, cells=(HOSTILE * 99,), flags=(HOSTILE,))
    one = dataclasses.replace(
        one, tasks=(dataclasses.replace(one.tasks[0], message=HOSTILE), *one.tasks[1:])
    )
    count = counted([one], Policy())
    gradebook.write_grades(tmp_path / "g.csv", count)
    (row,) = rows(tmp_path / "g.csv")
    assert "\n" not in row["student"]
    gradebook.write_junit(tmp_path / "j.xml", [one])
    assert ET.parse(tmp_path / "j.xml").getroot().find(".//failure").get("message")
    gradebook.write_jsonl(tmp_path / "r.jsonl", [one])
    assert json.loads((tmp_path / "r.jsonl").read_text())["points"] == 1
    gradebook.write_gradescope(tmp_path / "g.json", one)
    assert json.loads((tmp_path / "g.json").read_text())["score"] == 1
    page = write_feedback(tmp_path, one)
    write_overview(tmp_path / "o.html", [one], count, title=HOSTILE, pairs=[])
    for path in (page, tmp_path / "o.html"):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        assert soup.find(["script", "img", "iframe", "link", "object"]) is None
        links = [link["href"] for link in soup.find_all("a")]
        assert all(link.startswith(("https://", "feedback/")) for link in links), links
        assert "alert(1)" in soup.get_text()
    text = page.with_suffix(".md").read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "](javascript" not in text


def test_the_feedback_page_names_the_mistake_and_where_to_read(tmp_path):
    one = result("Ada", 0, sandbox="none", cells=("cell 3: NameError",))
    soup = BeautifulSoup(write_feedback(tmp_path, one).read_text(), "html.parser")
    words = soup.get_text(" ", strip=True)
    for said in (
        "Warm-up",
        "Ada",
        "0 of 3 points",
        "up to 4 more",
        "without a sandbox",
        "NameError",
    ):
        assert said in words
    assert [link["href"].split("/")[-1] for link in soup.find_all("a")] == ["loss.html"]
    assert len(soup.select("ul.tasks > li")) == 3
    assert soup.html["lang"] == "en"


def test_pages_have_safe_names_of_their_own():
    names = {
        page_name(result(s)) for s in ("../../etc", "a/b", "a-b", "a b", "-rf", ".", "é" * 300, "")
    }
    assert len(names) == 8
    for name in names:
        assert name.isascii()
        assert set(name).isdisjoint("/\\ ")
        assert name[0] not in "-."
        assert len(name) < 100


def test_the_overview_counts(tmp_path):
    class_ = [
        result("a", 0),
        result("b", 2),
        result("c", 3, flags=("like the solution",)),
        refused(),
    ]
    pairs = [likeness.Pair("00-warmup", "a/1", "b/1", 0.93)]
    path = tmp_path / "o.html"
    write_overview(path, class_, counted(class_, Policy()), title="Week 1", pairs=pairs)
    soup = BeautifulSoup(path.read_text(), "html.parser")
    words = " ".join(soup.get_text(" ").split())
    assert "4 submissions of 4 students: 3 graded, 1 not graded." in words
    assert "the median is 2 of 3 points" in words
    assert "93 % alike" in words
    assert "Broken. Mend it." in words
    assert "like the solution" in words
    labels = [svg["aria-label"] for svg in soup.find_all("svg")]
    assert labels[0].endswith("1, 0, 0, 0, 0, 0, 1, 0, 0, 1")
    assert labels[1:] == ["2 passed, 1 wrong, 0 not started", "1 passed, 2 wrong, 0 not started"]
    assert "2 × no" in words


def test_gradescope_gets_a_file_whatever_happened(tmp_path):
    path = tmp_path / "results.json"
    for one, problem in ((None, "The grader failed."), (None, ""), (refused(), "")):
        gradebook.write_gradescope(path, one, problem)
        found = json.loads(path.read_text())
        assert found["score"] == 0
        assert found["output"].startswith("Not graded: ")
    gradebook.write_gradescope(path, result(points=3))
    found = json.loads(path.read_text())
    assert found["score"] == sum(test["score"] for test in found["tests"]) == 3
    assert sum(test["max_score"] for test in found["tests"]) == 3


PROGRAM = """
def kl_between(mean, logvar, other_mean, other_logvar):
    variance, other = jnp.exp(logvar), jnp.exp(other_logvar)
    ratio = (variance + (mean - other_mean) ** 2) / other
    return 0.5 * (other_logvar - logvar + ratio - 1).sum(-1)  # in nats
"""
OTHER = """
def kl_between(m, v, p, w):
    total = 0.0
    for index in range(m.shape[-1]):
        first = w[..., index] - v[..., index] - 1.0
        second = jnp.exp(v[..., index] - w[..., index])
        third = (m[..., index] - p[..., index]) ** 2 * jnp.exp(-w[..., index])
        total += (first + second + third) / 2
    return total
"""


def test_renaming_comments_and_layout_hide_nothing_and_other_code_is_unlike():
    renamed = PROGRAM.replace("mean", "mu").replace("ratio", "q").replace("# in nats", "# mine")
    one, same, other = (likeness.shingles([text]) for text in (PROGRAM, renamed, OTHER))
    assert likeness.likeness(one, same) == 1.0
    assert likeness.likeness(one, other) < 0.2
    assert likeness.likeness(one, frozenset()) == 0.0
    assert likeness.without(one, same) == frozenset()


def test_code_that_does_not_parse_counts_too():
    assert len(likeness.shingles([PROGRAM + "\n'''never closed"])) > 30
    assert likeness.shingles(["\x00\ud800 §§ \t" * 20]) is not None


def test_near_pairs_are_found_in_a_class():
    rng = random.Random(0)
    marked = {i: frozenset(rng.sample(range(10**6), 200)) for i in range(200)}
    marked[7] = frozenset([*list(marked[3])[:190], *range(10)])
    marked["short"] = marked["shorter"] = frozenset(range(5))
    found = likeness.near_pairs(marked)
    assert [(a, b) for a, b, _ in found] == [(3, 7)]
    assert found[0][2] == pytest.approx(190 / 210)
