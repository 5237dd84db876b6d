"""`check` in a notebook: reports, what is kept, and how nbgrader sees it."""

import json

import numpy as np
import pytest

from vae_course import checks
from vae_course.checks import check, exercise, progress
from vae_course.checks.reports import Report
from vae_course.checks.specs import Context, Exercise, Task, budget, run
from vae_course.checks.students import NotebookStudent
from vae_course.checks.verdicts import near
from vae_course.errors import ConfigError
from vae_course.links import book_page

GIVES_AWAY = "<script>alert(1)</script>"


def _is_four(student, context):
    near(student.value("four"), 4, what="four", mistakes={f"It is five. {GIVES_AWAY}": 5})


def _draws(student, context):
    near(student.value("draw"), context.rng.normal(), what="draw")


SPEC = Exercise(
    "00-warmup",
    "A title",
    5,
    (
        Task("four", "Four <b>", 2, _is_four, "loss#sum-or-mean"),
        Task("draw", "A draw", 1, _draws),
        Task("words", "Words", 3, None),
    ),
)


def report(names):
    student = NotebookStudent(names)
    context = Context(np.random.default_rng(0), "full")
    return Report(SPEC, tuple(run(task, student, context) for task in SPEC.tasks))


@pytest.fixture(autouse=True)
def _spec(monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("VAE_COURSE_BUDGET", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(checks, "exercise", lambda name: SPEC)


def test_points_are_all_or_nothing_and_a_person_marks_words():
    found = report({"four": 4, "draw": 0})
    assert [result.status for result in found.results] == ["passed", "wrong", "marked by a person"]
    assert (found.points, found.out_of, found.passed) == (2, 3, False)
    assert (SPEC.points, SPEC.file) == (6, "00_warmup")


def test_the_text_says_what_is_wrong_and_where_the_book_explains_it():
    lines = str(report({"four": 5})).splitlines()
    assert lines[0].startswith("✗ Four <b>: It is five.")
    assert lines[0].endswith(f"(See {book_page('loss#sum-or-mean')})")
    assert lines[1:] == ["· A draw: not started", "✎ Words: marked by a person", "0 of 3 points"]


def test_the_table_escapes_what_the_notebook_says_and_links_the_book():
    shown = report({"four": 5})._repr_mimebundle_(include=None)
    assert GIVES_AWAY not in shown["text/html"]
    assert "&lt;script&gt;" in shown["text/html"]
    assert f'<a href="{book_page("loss#sum-or-mean")}">' in shown["text/html"]
    assert shown["text/plain"] == str(report({"four": 5}))


def test_as_dict_is_json():
    found = json.loads(json.dumps(report({"four": 4}).as_dict()))
    assert found["exercise"] == "00-warmup"
    row = {"task": "four", "status": "passed", "points": 2, "max_points": 2, "message": ""}
    assert found["tasks"][0] == row


def test_check_looks_at_the_names_of_its_caller():
    names = {"check": check, "four": 4}
    exec('shown = check("00-warmup", "four")', names)
    assert str(names["shown"]) == "✓ Four <b>: passed"


def test_the_inputs_of_a_notebook_are_the_same_each_time_and_for_each_task():
    draw = float(np.random.default_rng(checks.SEED).normal())
    names = {"four": 4, "draw": draw}
    assert check("00-warmup", namespace=names).points == 3
    assert check("00-warmup", "draw", namespace=names).points == 1


def test_under_nbgrader_a_failure_is_shown_and_raised_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert check("00-warmup", "four", namespace={"four": 4}).passed
    with pytest.raises(checks.ChecksFailed, match=r"^0 of 2 points$"):
        check("00-warmup", "four", namespace={"four": 5})
    assert "It is five." in capsys.readouterr().out


def test_progress_is_kept_with_the_cell_and_found_again():
    cells = ["four = 3", "x = 1\nfour = 4", "fourteen = 1"]
    check("00-warmup", namespace={"four": 4, "In": cells})
    kept = progress.recalled("00-warmup")
    assert set(kept) == {"four"}
    assert (kept["four"]["status"], kept["four"]["source"]) == ("passed", "x = 1\nfour = 4")
    check("00-warmup", namespace={"In": ["nothing"]})  # a fresh session: nothing started yet
    assert progress.recalled("00-warmup") == kept
    check("00-warmup", namespace={"four": 5, "In": ["four = 5"]})
    assert progress.recalled("00-warmup")["four"]["status"] == "wrong"


def test_outside_a_notebook_nothing_is_kept(tmp_path):
    check("00-warmup", namespace={"four": 4})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "[1]", '{"four": 3}', '{"four": {"status": 1}}', "\udcff"])
def test_a_damaged_progress_file_counts_as_none(content):
    path = progress.progress_file("00-warmup")
    path.parent.mkdir(parents=True)
    path.write_bytes(content.encode(errors="surrogateescape"))
    assert progress.recalled("00-warmup") == {}
    check("00-warmup", namespace={"four": 4, "In": ["four = 4"]})
    assert set(progress.recalled("00-warmup")) == {"four"}


def test_a_folder_that_cannot_be_written_is_a_warning(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="could not be kept"):
        found = check("00-warmup", namespace={"four": 4, "In": ["four = 4"]})
    assert found.points == 2


def test_unknown_names_are_refused_with_those_there_are(monkeypatch):
    with pytest.raises(ConfigError, match=r"no task 'five'\. It has four, draw, words"):
        check("00-warmup", "five")
    with pytest.raises(ConfigError, match=r"no exercise '99'\. Choose one of 00-warmup"):
        exercise("99")
    monkeypatch.setenv("VAE_COURSE_BUDGET", "huge")
    with pytest.raises(ConfigError, match="VAE_COURSE_BUDGET is 'huge'"):
        budget()
