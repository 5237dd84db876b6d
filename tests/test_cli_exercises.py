"""The commands of the exercises, as one types them."""

import json
import shutil

import pytest
from command_line import invoke
from exercise_runs import ROOT

from vae_course import execution
from vae_course.checks import EXERCISES
from vae_course.errors import ExerciseError

FILE = "00_warmup.ipynb"


def test_list_shows_every_exercise():
    done = invoke("exercises", "list")
    assert done.exit_code == 0, done.output
    assert all(name in done.output for name in EXERCISES)


def test_verify_passes_here_and_fails_elsewhere(tmp_path):
    done = invoke("exercises", "verify", "--root", str(ROOT))
    assert done.exit_code == 0, done.output
    for folder in ("solutions", "exercises"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    text = (tmp_path / "exercises" / FILE).read_text(encoding="utf-8")
    changed = text.replace("Before a VAE", "After a VAE")
    (tmp_path / "exercises" / FILE).write_text(changed, encoding="utf-8")
    done = invoke("exercises", "verify", "--root", str(tmp_path))
    assert done.exit_code == 1
    assert f"exercises/{FILE} differs from its source." in done.output
    assert "vae-course exercises build" in done.output


def test_a_folder_without_sources_is_an_error_with_what_to_do(tmp_path):
    with pytest.raises(ExerciseError, match="Run this in the root"):
        invoke("exercises", "verify", "--root", tmp_path)


REPORT = {
    "exercise": "00-warmup",
    "tasks": [
        {"task": "a", "status": "passed", "points": 2, "max_points": 2, "message": ""},
        {"task": "b", "status": "wrong", "points": 0, "max_points": 1, "message": "½ is missing."},
    ],
}


def test_check_shows_the_mistakes(monkeypatch):
    monkeypatch.setattr(execution, "check_notebook", lambda path: REPORT)
    done = invoke("check", str(ROOT / "exercises" / FILE))
    assert done.exit_code == 0, done.output
    assert "½ is missing." in done.output
    assert "2/2" in done.output


def test_check_prints_json(monkeypatch):
    monkeypatch.setattr(execution, "check_notebook", lambda path: REPORT)
    assert json.loads(invoke("check", str(ROOT / FILE), "--json").output) == REPORT


@pytest.mark.slow
def test_check_runs_a_file(monkeypatch):
    monkeypatch.setenv("VAE_COURSE_BUDGET", "smoke")
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    done = invoke("check", str(ROOT / "exercises" / FILE), "--json")
    assert {row["status"] for row in json.loads(done.output)["tasks"]} == {
        "not started",
        "marked by a person",
    }
