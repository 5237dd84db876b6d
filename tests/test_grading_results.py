"""Result files: whole or not there, and read again as they were."""

import dataclasses
import json

import pytest
from grading_results import HOSTILE, hostile, result, task

from vae_course.grading import results

TASKS = (task("a", points=2), task("b", "wrong", 3, "Off by one."), task("c", "marked by a person"))


def test_a_result_survives_its_file(tmp_path):
    one = result(tasks=TASKS, cells=("cell 0: broken",), flags=("look",), shingles=(1, 2))
    results.save(tmp_path, one)
    assert results.load(tmp_path, one.key) == one
    assert results.load_all(tmp_path) == [one]


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_student_wrote_is_kept(tmp_path, words):
    one = hostile(words)
    path = results.save(tmp_path, one)
    kept = results.load(tmp_path, one.key)
    assert path.parent == tmp_path
    # A half of a surrogate pair is no text and has no file.
    assert kept.cells[0] == words.encode("utf-8", "replace").decode()


def test_points_are_those_of_passed_tasks_and_a_persons_are_apart():
    one = result(tasks=TASKS)
    assert (one.points, one.max_points, one.points_by_hand) == (2, 5, 2)


def test_the_file_says_its_version_and_the_points(tmp_path):
    kept = json.loads(results.save(tmp_path, result(tasks=TASKS)).read_text(encoding="utf-8"))
    assert (kept["schema"], kept["points"], kept["max_points"]) == (results.SCHEMA, 2, 5)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"schema": 1', '"schema": 0'),
        lambda text: text.replace('"student"', '"pupil"'),
        lambda text: "[]",
        lambda text: "",
    ],
    ids=["cut", "another version", "another field", "no object", "empty"],
)
def test_a_damaged_result_is_none_and_graded_anew(tmp_path, damage):
    one = result(tasks=TASKS)
    path = results.save(tmp_path, one)
    path.write_text(damage(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert results.load(tmp_path, one.key) is None
    assert results.load_all(tmp_path) == []


def test_a_disk_that_is_full_leaves_the_old_result(tmp_path, monkeypatch):
    one = result(tasks=TASKS)
    results.save(tmp_path, one)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space left"):
        results.save(tmp_path, dataclasses.replace(one, seconds=9.0))
    assert results.load_all(tmp_path) == [one]
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_results_come_by_student_and_exercise(tmp_path):
    for student, exercise in (("bob", "01-beta"), ("ada", "02-latent-size"), ("ada", "01-beta")):
        results.save(tmp_path, result(student, exercise))
    assert [(one.student, one.exercise) for one in results.load_all(tmp_path)] == [
        ("ada", "01-beta"),
        ("ada", "02-latent-size"),
        ("bob", "01-beta"),
    ]
