"""Which attempt counts, and what a late one loses."""

import datetime
import math

import pytest
from grading_results import not_graded, result, task, worth

from vae_course.errors import ConfigError
from vae_course.grading.policy import Counted, Policy, counted

NOON = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)
DUE = NOON.timestamp()
HOUR, DAY = 3600, 86_400


def chosen(results, **policy):
    (one,) = counted(results, Policy(**policy))
    return one


@pytest.mark.parametrize(
    ("after", "days"),
    [(-DAY, 0), (0, 0), (1, 1), (HOUR, 1), (DAY, 1), (DAY + 1, 2), (10 * DAY, 10)],
)
def test_a_day_is_late_as_soon_as_it_has_begun(after, days):
    assert Policy(NOON, 0.1).days_late(DUE + after) == days


@pytest.mark.parametrize(("after", "points"), [(0, 10), (1, 9), (DAY + 1, 8), (11 * DAY, 0)])
def test_each_day_costs_its_share_and_never_more_than_all(after, points):
    assert chosen([worth(10, handed_in=DUE + after)], deadline=NOON, late_per_day=0.1).points == (
        points
    )


def test_points_have_two_places():
    late = chosen([worth(10, handed_in=DUE + 1)], deadline=NOON, late_per_day=1 / 3)
    assert (late.points, late.days_late) == (6.67, 1)


def test_who_handed_in_at_an_unknown_time_is_not_late():
    assert chosen([worth(10, handed_in=0.0)], deadline=NOON, late_per_day=1.0) == Counted(
        worth(10, handed_in=0.0), 0, 0, 10.0
    )


def test_without_a_share_a_late_day_is_counted_and_costs_nothing():
    one = chosen([worth(7, handed_in=DUE + 1)], deadline=NOON)
    assert (one.days_late, one.points) == (1, 7)


def test_a_deadline_without_a_time_zone_is_local():
    naive = datetime.datetime.fromtimestamp(DUE)
    assert Policy(naive).days_late(DUE) == 0
    assert Policy(naive).days_late(DUE + 1) == 1


@pytest.mark.parametrize(("attempts", "points"), [("last", 4), ("first", 2), ("best", 6)])
def test_the_last_the_first_or_the_best_attempt_counts(attempts, points):
    tries = [worth(p, file=f"{p}.ipynb", handed_in=float(t)) for p, t in ((6, 2), (4, 3), (2, 1))]
    one = chosen(tries, attempts=attempts)
    assert (one.points, one.others) == (points, 2)


@pytest.mark.parametrize(("attempts", "file"), [("last", "b"), ("first", "a"), ("best", "a")])
def test_at_the_same_time_the_file_name_decides(attempts, file):
    tries = [worth(5, file=name, handed_in=9.0) for name in ("b", "a")]
    assert chosen(tries, attempts=attempts).result.file == file


def test_the_best_is_the_best_after_deduction():
    early, late = worth(8, file="1", handed_in=DUE), worth(10, file="2", handed_in=DUE + DAY + 1)
    one = chosen([early, late], deadline=NOON, late_per_day=0.2, attempts="best")
    assert (one.result, one.points) == (early, 8)  # the later one is worth 6


def test_of_two_as_good_the_earlier_is_the_best():
    tries = [worth(8, file="2", handed_in=2.0), worth(8, file="1", handed_in=1.0)]
    assert chosen(tries, attempts="best").result.handed_in == 1


@pytest.mark.parametrize("attempts", ["last", "first", "best"])
@pytest.mark.parametrize("when", [0.5, 3.0])
def test_an_attempt_that_was_not_graded_displaces_none_that_was(attempts, when):
    graded = worth(0, handed_in=2.0)
    broken = not_graded("ada", "01-beta", file="z", handed_in=when)
    one = chosen([broken, graded], attempts=attempts)
    assert (one.result, one.others) == (graded, 1)


def test_where_nothing_was_graded_one_of_them_counts():
    tries = [not_graded("ada", "01-beta", file=f, handed_in=1.0) for f in ("a", "b")]
    one = chosen(tries)
    assert (one.result.file, one.others, one.points) == ("b", 1, 0)


def test_files_without_an_exercise_all_count_each_for_itself():
    files = [not_graded("ada", file=file) for file in ("x.txt", "y.txt")]
    rows = counted([worth(3), *files], Policy())
    assert [(row.result.file, row.others) for row in rows] == [
        ("x.txt", 0),
        ("y.txt", 0),
        ("ada/01-beta.ipynb", 0),
    ]


def test_students_and_exercises_are_kept_apart_and_in_order():
    rows = counted([worth(1, s, e) for s in ("b", "a") for e in ("02", "01")], Policy())
    assert [(r.result.student, r.result.exercise) for r in rows] == [
        ("a", "01"),
        ("a", "02"),
        ("b", "01"),
        ("b", "02"),
    ]


def test_nothing_handed_in_counts_as_nothing():
    assert counted([], Policy()) == []


def test_what_a_person_marks_earns_nothing_yet():
    assert chosen([result(tasks=[task(status="marked by a person")])]).points == 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"late_per_day": -0.1}, "from 0 to 1"),
        ({"late_per_day": 1.1}, "from 0 to 1"),
        ({"late_per_day": math.nan}, "from 0 to 1"),
        ({"late_per_day": 0.1}, "Set a deadline"),
        ({"attempts": "median"}, "last, best, first"),
        ({"attempts": ""}, "last, best, first"),
        ({"deadline": datetime.datetime.min}, "this century"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(fields, words):
    with pytest.raises(ConfigError, match=words):
        Policy(**fields)
