"""A school that runs nbgrader can use the notebooks as they are: its own commands say so."""

import os
import shutil
import sys
from pathlib import Path

import nbformat
import pytest
from exercise_runs import ROOT, read_submission, submissions

from vae_course.checks import EXERCISES, exercise

NAME, FILE = "00-warmup", "00_warmup"

pytestmark = [
    pytest.mark.slow,
    # nbgrader 0.9.6 on newer libraries: none of these are ours.
    pytest.mark.filterwarnings("ignore"),
]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """nbgrader's view of a course folder with our executed solution as its source."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    root = tmp_path_factory.mktemp("course")
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = "vae"
    config.CourseDirectory.db_url = f"sqlite:///{root}/gradebook.db"
    config.Exchange.path_includes_course = False
    config.ExecutePreprocessor.timeout = 120
    source = root / "source" / FILE / f"{FILE}.ipynb"
    source.parent.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / f"{FILE}.ipynb", source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_COURSE_BUDGET", "smoke")
        patch.setenv("VAE_COURSE_DATA", "digits")
        # It calls alembic by name, which an environment that is not activated does not find.
        patch.setenv(
            "PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        )
        patch.chdir(root)
        api = NbGraderAPI(config=config)
        made = api.generate_assignment(FILE)
        assert made["success"], made
        yield api, root


def submit(root, student, notebook):
    path = root / "submitted" / student / FILE / f"{FILE}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def grade(api, student):
    """Points by task, and what could be earned without a person."""
    done = api.autograde(FILE, student)
    assert done["success"], done
    with api.gradebook as gradebook:
        submission = gradebook.find_submission_notebook(FILE, FILE, student)
        return {grade.name: grade.auto_score for grade in submission.grades}


def student_notebook():
    return nbformat.read(ROOT / "exercises" / f"{FILE}.ipynb", as_version=4)


def full_marks():
    tasks = exercise(NAME).tasks
    return {f"check-{task.name}": task.points for task in tasks if task.check}


def machine_marks(grades):
    return {name: points for name, points in grades.items() if name.startswith("check-")}


def test_nbgrader_makes_an_assignment_that_hides_the_solution(course):
    _, root = course
    released = nbformat.read(root / "release" / FILE / f"{FILE}.ipynb", as_version=4)
    text = nbformat.writes(released)
    assert "BEGIN SOLUTION" not in text
    assert text.count("raise NotImplementedError()") == text.count('"grade_id": "task-') + (
        text.count('"grade_id": "answer-')
    )
    ids = [
        cell.metadata.nbgrader.grade_id for cell in released.cells if "nbgrader" in cell.metadata
    ]
    ours = [
        c.metadata.nbgrader.grade_id for c in student_notebook().cells if "nbgrader" in c.metadata
    ]
    assert ids == ours


def test_the_solution_earns_full_marks(course):
    api, root = course
    solution = nbformat.read(ROOT / "solutions" / f"{FILE}.ipynb", as_version=4)
    submit(root, "solver", solution)
    assert machine_marks(grade(api, "solver")) == full_marks()


def test_the_untouched_exercise_earns_nothing(course):
    api, root = course
    submit(root, "idler", student_notebook())
    grades = grade(api, "idler")
    assert machine_marks(grades) == dict.fromkeys(full_marks(), 0)
    assert grades["written-why_logvar"] in (0, None)


def test_a_wrong_answer_loses_its_own_points(course):
    api, root = course
    path = next(p for p in submissions(NAME, "wrong") if p.stem == "half_still_missing")
    wrong = read_submission(path)
    notebook = nbformat.read(ROOT / "solutions" / f"{FILE}.ipynb", as_version=4)
    for cell in notebook.cells:
        task = cell.metadata.get("nbgrader", {}).get("grade_id", "").removeprefix("task-")
        cell.source = wrong.cells.get(task, cell.source)
    submit(root, "halver", notebook)
    lost = {f"check-{task}": 0 for task in wrong.loses}
    assert machine_marks(grade(api, "halver")) == full_marks() | lost


def test_nbgraders_validate_passes_the_solution_and_fails_the_exercise(monkeypatch):
    from nbgrader.validator import Validator

    monkeypatch.setenv("VAE_COURSE_BUDGET", "smoke")
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    solved = Validator().validate(str(ROOT / "solutions" / f"{FILE}.ipynb"))
    assert solved.get("failed", []) == []
    untouched = Validator().validate(str(ROOT / "exercises" / f"{FILE}.ipynb"))
    assert len(untouched["failed"]) >= len(full_marks())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_metadata_of_every_notebook_is_valid(name):
    from nbgrader.nbgraderformat import MetadataValidator

    for folder in ("exercises", "solutions"):
        path = ROOT / folder / f"{exercise(name).file}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        MetadataValidator().validate_nb(notebook)
        points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)
        assert points == exercise(name).points
