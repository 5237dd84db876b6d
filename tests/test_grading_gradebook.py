"""Files for other programs: sound whatever a student wrote, and typed points are never lost."""

import csv
import json
import os
import stat
from xml.etree import ElementTree

import pytest
from grading_results import HOSTILE, hostile, not_graded, result, task, worth

from vae_course.errors import ExerciseError
from vae_course.grading.gradebook import (
    COLUMNS,
    write_grades,
    write_gradescope,
    write_jsonl,
    write_junit,
)
from vae_course.grading.policy import Counted, Policy, counted

DANGEROUS = tuple("=+-@\t\r")


@pytest.fixture
def book(tmp_path):
    return tmp_path / "grades.csv"


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def write(path, *results):
    write_grades(path, counted(results, Policy()))
    return rows_of(path)


def type_in(path, student, points):
    """As a person would, in a spreadsheet."""
    rows = rows_of(path)
    for row in rows:
        if row["student"] == student:
            row["manual_points"] = points
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def typed(rows):
    return {row["student"]: row["manual_points"] for row in rows if row["manual_points"]}


MIXED = [
    task("one", points=2),
    task("two", "wrong", 3, "Off by one."),
    task("three", "not started", 1),
    task("four", "marked by a person", 4),
]


def test_a_row_holds_what_the_checks_found(book):
    one = result("ada", tasks=MIXED, file="ada/b.ipynb", flags=("look", "here"))
    write_grades(book, [Counted(one, 0, 2, 1.5)])
    (row,) = rows_of(book)
    assert tuple(row) == COLUMNS
    assert ",".join(row.values()) == (
        "ada,01-beta,graded,1.5,6,,4,2,ada/b.ipynb,,look; here"  # no manual points, no problem
    )
    assert b"\r" not in book.read_bytes()


def test_what_was_not_graded_has_no_points_but_says_why(book):
    (row,) = write(book, not_graded("ada", "01-beta"))
    assert (row["points"], row["max_points"], row["manual_max"]) == ("", "15", "2")
    assert row["problem"] == "It is empty. Hand it in again."


def test_typed_points_stay_when_the_class_is_graded_again(book):
    write(book, worth(3, "ada"), worth(4, "ben"))
    type_in(book, "ada", "1.5")
    rows = write(book, worth(9, "ada"), worth(4, "ben"), worth(5, "zoe"))
    assert typed(rows) == {"ada": "1.5"}
    assert [row["points"] for row in rows] == ["9", "4", "5"]


def test_typed_points_stay_with_their_exercise(book):
    both = [worth(1, "ada", "00-warmup"), worth(2, "ada", "01-beta")]
    write(book, *both)
    text = book.read_text().replace("00-warmup,graded,1,10,,", "00-warmup,graded,1,10,7,")
    book.write_text(text)
    assert [row["manual_points"] for row in write(book, *both)] == ["7", ""]


def test_a_student_who_is_gone_is_missing_and_keeps_typed_points(book):
    write(book, worth(3, "ada"), worth(4, "ben"))
    type_in(book, "ada", "2")
    rows = write(book, worth(4, "ben"))
    assert [(r["student"], r["status"], r["manual_points"]) for r in rows] == [
        ("ben", "graded", ""),
        ("ada", "missing", "2"),
    ]
    assert write(book, worth(4, "ben")) == rows  # and again
    back = write(book, worth(5, "ada"), worth(4, "ben"))
    assert [(r["student"], r["status"], r["manual_points"]) for r in back] == [
        ("ada", "graded", "2"),
        ("ben", "graded", ""),
    ]


def test_a_student_who_is_gone_without_typed_points_is_gone(book):
    write(book, worth(3, "ada"), worth(4, "ben"))
    assert [row["student"] for row in write(book, worth(4, "ben"))] == ["ben"]


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_typed_points_find_a_student_of_any_name(book, name):
    (row,) = write(book, worth(3, name))
    type_in(book, row["student"], "2")
    (again,) = write(book, worth(4, name))
    assert (again["points"], again["manual_points"], again["status"]) == ("4", "2", "graded")


NAMES = ["=x", "'=x", "''=x", "x", " x", "a\x00", "a\x01", "a�", "a\ud800", "a\udfff", "'t Hooft"]


def test_names_that_look_alike_do_not_share_typed_points(book):
    many = [worth(1, name) for name in [*NAMES, "y" * 10_000, "y" * 9_999]]
    rows = write(book, *many)
    assert len({row["student"] for row in rows}) == len(many)
    type_in(book, rows[3]["student"], "9")
    assert list(typed(write(book, *many)).values()) == ["9"]


def test_an_ordinary_name_is_left_as_it_is(book):
    names = ["'t Hooft", "Émilie  du Châtelet", "O'Neill, Ada", "נועה"]
    rows = write(book, *(worth(1, name) for name in names))
    assert {row["student"] for row in rows} == set(names)


def test_two_files_without_an_exercise_keep_their_own_points(book):
    files = [not_graded("ada", file=name) for name in ("a.txt", "b.txt")]
    write(book, *files)
    book.write_text(book.read_text().replace(",0,,0,0,b.txt", ",0,5,0,0,b.txt"))
    assert [(r["file"], r["manual_points"]) for r in write(book, *files)] == [
        ("a.txt", ""),
        ("b.txt", "5"),
    ]


def test_a_file_that_a_spreadsheet_saved_is_read(book):
    write(book, worth(3, "Émilie"))
    type_in(book, "Émilie", "2,5")
    book.write_bytes(b"\xef\xbb\xbf" + book.read_bytes() + b"\r\n")  # a mark, and a blank line
    assert typed(write(book, worth(3, "Émilie"))) == {"Émilie": "2,5"}


HEADER = ",".join(COLUMNS) + "\n"
GOOD = "ada,01-beta,graded,1,2,{},0,0,f,,\n"
DAMAGED = {
    "empty": b"",
    "another table": b"name,grade\nada,1\n",
    "semicolons": HEADER.replace(",", ";").encode(),
    "a column more": HEADER.replace("flags", "flags,mine").encode(),
    "a column less": HEADER.replace(",flags", "").encode(),
    "a short row": (HEADER + "ada,01-beta,3\n").encode(),
    "an open quote": (HEADER + '"ada,01-beta').encode(),
    "not UTF-8": HEADER.encode() + b"\xff\xfe,",
    "a huge field": (HEADER + "x" * 200_000).encode(),
    "two opinions": (HEADER + GOOD.format(3) + GOOD.format(4)).encode(),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_gradebook_is_left_alone_and_named(book, content):
    book.write_bytes(content)
    with pytest.raises(ExerciseError, match="Move it away") as caught:
        write(book, worth(3))
    assert str(book) in str(caught.value)
    assert book.read_bytes() == content
    assert os.listdir(book.parent) == ["grades.csv"]


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_field_is_a_formula_or_more_than_a_line(book, words):
    (row,) = write(book, hostile(words))
    for field in row.values():
        assert not field.startswith(DANGEROUS)
        assert field.isprintable()
        assert len(field) <= 501  # with the quote
    assert len(book.read_text(encoding="utf-8").splitlines()) == 2


def suites(path, *results):
    write_junit(path, results)
    return ElementTree.parse(path).getroot().findall("testsuite")


def test_junit_has_a_suite_a_submission_and_a_case_a_task(tmp_path):
    one, two = suites(tmp_path / "j.xml", result(tasks=MIXED, seconds=2.5), not_graded("ben"))
    assert one.attrib == {
        "name": "ada: ada/01-beta.ipynb",
        "time": "2.50",
        "tests": "4",
        "failures": "2",
        "errors": "0",
        "skipped": "1",
    }
    assert [case.get("name") for case in one] == [
        f"01-beta {name}" for name in ("one", "two", "three", "four")
    ]
    inside = [[(child.tag, child.get("message")) for child in case] for case in one]
    assert inside == [
        [],
        [("failure", "Off by one.")],
        [("failure", "not started")],
        [("skipped", "marked by a person")],
    ]
    assert (two.get("tests"), two.get("errors")) == ("1", "1")
    assert two.find("testcase/error").get("message") == "It is empty. Hand it in again."


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_junit_is_xml_whatever_a_student_wrote(tmp_path, words):
    one, two = suites(tmp_path / "j.xml", hostile(words), not_graded(words, problem=words))
    assert one.find("testcase/failure").text is not None
    assert len(two.find("testcase/error").get("message")) <= 500


def test_json_lines_hold_the_whole_of_each_result(tmp_path):
    some = [result(tasks=MIXED), *map(hostile, HOSTILE.values())]
    write_jsonl(tmp_path / "r.jsonl", some)
    lines = (tmp_path / "r.jsonl").read_bytes().decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line)["points"] for line in lines] == [2, *[0] * len(HOSTILE)]
    assert json.loads(lines[0])["tasks"][1]["message"] == "Off by one."


def gradescope(path, *args):
    write_gradescope(path, *args)
    return json.loads(path.read_bytes().decode())


def test_gradescope_gets_a_test_for_each_checked_task(tmp_path):
    told = gradescope(tmp_path / "results.json", result(tasks=MIXED))
    assert told["score"] == 2
    assert told["output"] == "2 of 6 points from the checks.\nA person gives up to 4 more."
    assert (told["output_format"], told["visibility"]) == ("md", "visible")
    assert told["stdout_visibility"] == "hidden"
    passed, wrong, missing = told["tests"]
    assert passed == {
        "score": 2,
        "max_score": 2,
        "name": "Title of one",
        "number": "1",
        "output": "passed",
        "output_format": "text",
        "visibility": "visible",
        "status": "passed",
    }
    assert (wrong["status"], wrong["score"], wrong["number"]) == ("failed", 0, "2")
    assert wrong["output"].startswith("Off by one. (See https://")
    assert missing["output"].startswith("not started (See https://")


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ((None, "The notebook is missing"), "The notebook is missing"),
        ((None,), "The reason is not known"),
        ((not_graded("ada", "01-beta"),), "It is empty"),
        ((not_graded("ada", problem=""), "The disk is full"), "The disk is full"),
    ],
)
def test_gradescope_is_told_why_nothing_was_graded(tmp_path, args, why):
    told = gradescope(tmp_path / "results.json", *args)
    assert (told["score"], told["tests"]) == (0, [])
    assert "could not be graded" in told["output"]
    assert why in told["output"]


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_gradescope_gets_json_whatever_a_student_wrote(tmp_path, words):
    told = gradescope(tmp_path / "results.json", hostile(words))
    assert told["output"].count("\n") == 5  # summary, a person, cells: one line each
    assert "<script" not in told["output"].replace("\\<", "")
    assert gradescope(tmp_path / "r.json", not_graded(problem=words))["score"] == 0


def test_every_file_may_be_read_by_everybody(tmp_path):
    write_grades(tmp_path / "a", [])
    write_junit(tmp_path / "b", [])
    write_jsonl(tmp_path / "c", [])
    write_gradescope(tmp_path / "d", None)
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c", "d"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o644}
