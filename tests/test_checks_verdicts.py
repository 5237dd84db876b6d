"""Answers against truths and against what mistakes predict."""

import numpy as np
import pytest

from vae_course.checks.verdicts import (
    Mistake,
    NotStarted,
    array,
    choice,
    comparisons,
    near,
    number,
    require,
    same,
)

TRUTH = np.array([1.0, 2.0, 3.0])
MISTAKES = {"It is averaged.": 2.0, "It is doubled.": 2 * TRUTH, "It is NaN.": TRUTH * np.nan}


def judged(answer, **kwargs):
    with pytest.raises(Mistake) as error:
        near(answer, TRUTH, what="f(x)", mistakes=MISTAKES, **kwargs)
    return str(error.value)


def test_the_truth_passes_within_the_tolerance_of_one_plus_its_size():
    near(TRUTH + 1.9e-4, TRUTH, what="f(x)")
    near((1, 2, 3), TRUTH, what="f(x)")
    near(TRUTH.astype(np.float32), TRUTH, what="f(x)")
    assert same(np.array(1000.0999), np.array(1000.0), 1e-4)
    assert not same(np.array(1000.11), np.array(1000.0), 1e-4)


def test_an_answer_that_a_mistake_predicts_is_named():
    assert judged(2 * TRUTH) == "It is doubled."
    assert judged(2.0) == "It is averaged."
    assert judged(np.full(3, np.nan)) == "It is NaN."


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.0, 2.0, 4.0], "f(x) is 4 at (2,); it should be 3."),
        ([1.0, 2.0], "f(x) has shape (2,); it should have (3,)."),
        ([1.0, np.nan, 3.0], "f(x) is NaN or infinite at 1 of 3 places."),
        ("three", "f(x) is a string; it should be an array."),
        ({"a": 1}, "f(x) is a dictionary; it should be an array."),
        (
            ([1.0, 2.0], 3.0),
            "f(x) is 2 things of different shapes or kinds; it should be an array.",
        ),
        ((None, 1), "f(x) is 2 things of different shapes or kinds; it should be an array."),
    ],
)
def test_other_wrong_answers_are_described(answer, message):
    assert judged(answer) == message


def test_none_means_not_started():
    for ask in (
        lambda: near(None, TRUTH, what="f(x)"),
        lambda: array(None, what="f(x)"),
        lambda: number(None, what="n"),
        lambda: choice(None, "a", {}, what="c"),
    ):
        with pytest.raises(NotStarted):
            ask()


def test_a_number_is_one_finite_number():
    assert number(np.array([2.5]), what="n") == 2.5
    with pytest.raises(Mistake, match="it should be one number"):
        number([1, 2], what="n")
    with pytest.raises(Mistake, match="n is nan"):
        number(float("nan"), what="n")


def test_a_choice_is_judged_with_its_reason():
    choice(" A ", "a", {"b": "No."}, what="c")
    with pytest.raises(Mistake, match=r"^Because\.$"):
        choice("b", "a", {"b": "Because."}, what="c")
    with pytest.raises(Mistake, match='c should be one of "a", "b"'):
        choice(7, "a", {"b": "Because."}, what="c")


def test_requirements():
    require(True, "no")
    with pytest.raises(Mistake, match="no"):
        require(np.False_, "no")


def test_comparisons_are_collected_inside_and_not_outside():
    near(1, 1, what="n")
    with comparisons() as seen:
        near(1, 1, what="n", mistakes={"It is two.": 2})
    near(1, 1, what="n")
    assert len(seen) == 1
    assert seen[0].mistakes["It is two."] == 2
