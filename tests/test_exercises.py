"""From one source to two notebooks: what is refused, what is hidden, what nbgrader reads."""

import nbformat
import pytest

from vae_course import exercises
from vae_course.checks.specs import Exercise, Task
from vae_course.errors import ExerciseError

SPEC = Exercise(
    "01-beta",
    "A title",
    30,
    (
        Task("double", "Double", 2, lambda student, context: None),
        Task("guess", "Guess", 1, lambda student, context: None),
        Task("why", "Why", 3, None),
    ),
)
TITLE = "# Title\n\n{{points}} points, {{minutes}} minutes, {{points:double}} for the first"
TASK = (
    '```{code-cell} python\n:task: double\n\ndef double(x):\n    """Twice x."""\n'
    "    ### BEGIN SOLUTION\n    return_value = x + x\n    return return_value\n"
    "    ### END SOLUTION\n```"
)
CHECK = '```{code-cell} python\n:check: double\n\ncheck("{{id}}", "double")\n```'
ANSWER = (
    "```{code-cell} python\n:answer: guess\n\n# a number\n### BEGIN SOLUTION\n"
    "guess = 4\n### END SOLUTION\n```"
)
CHECK_ANSWER = '```{code-cell} python\n:check: guess\n\ncheck("{{id}}", "guess")\n```'
WRITTEN = '+++ {"written": "why"}\n\nThe model answer in words.\n\n+++'
END = "(sec-end)=\n## The end"
PARTS = (TITLE, TASK, CHECK, ANSWER, CHECK_ANSWER, WRITTEN, END)
HEAD = (
    "---\njupytext:\n  text_representation: {extension: .md, format_name: myst}\n"
    "kernelspec: {display_name: Python 3, language: python, name: python3}\n---\n\n"
)


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.setattr(exercises, "exercise", lambda name: SPEC)

    def read(*parts, **changes):
        text = HEAD + "\n\n".join(parts or PARTS)
        for old, new in changes.pop("replace", {}).items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "01_beta.md"
        path.write_text(text, encoding="utf-8")
        return exercises.read_source(path)

    return read


def cell(notebook, cell_id):
    return next(one for one in notebook.cells if one.id == cell_id)


def test_a_student_gets_stubs_and_checks_and_no_outputs(source):
    notebook = exercises.student_notebook(source())
    nbformat.validate(notebook)
    assert cell(notebook, "task-double").source == (
        'def double(x):\n    """Twice x."""\n    raise NotImplementedError("01-beta: double")'
    )
    assert cell(notebook, "answer-guess").source == "# a number\nguess = None  # your answer"
    assert cell(notebook, "check-double").source == 'check("01-beta", "double")'
    assert cell(notebook, "written-why").source == "YOUR ANSWER HERE"
    assert not any(one.get("outputs") for one in notebook.cells)


def test_the_stub_raises_the_name_of_the_exercise(source):
    names = {}
    exec(cell(exercises.student_notebook(source()), "task-double").source, names)
    with pytest.raises(NotImplementedError, match="01-beta: double"):
        names["double"](1)


def test_the_solution_keeps_its_regions_and_says_what_it_is(source):
    notebook = exercises.solution_notebook(source())
    assert notebook.cells[0].source.startswith("# Title (solution)\n")
    assert "### BEGIN SOLUTION\n    return_value = x + x" in cell(notebook, "task-double").source
    assert cell(notebook, "written-why").source == "The model answer in words."


def test_points_minutes_and_the_id_come_from_the_specification(source):
    title = exercises.student_notebook(source()).cells[0].source
    assert title.endswith("6 points, 30 minutes, 2 for the first")


def test_a_label_is_left_out(source):
    assert exercises.student_notebook(source()).cells[-1].source == "## The end"


def test_nbgraders_metadata(source):
    notebook = exercises.student_notebook(source())

    def read(cell_id):
        about = cell(notebook, cell_id).metadata["nbgrader"]
        assert about["schema_version"] == 3
        flags = about["grade"], about["solution"], about["locked"]
        return about["grade_id"], *flags, about.get("points")

    assert read("task-double") == ("task-double", False, True, False, None)
    assert read("check-double") == ("check-double", True, False, True, 2)
    assert read("answer-guess") == ("answer-guess", False, True, False, None)
    assert read("written-why") == ("written-why", True, True, False, 3)
    assert "nbval-check-output" in cell(notebook, "check-double").metadata["tags"]
    assert notebook.metadata["vae_course"] == {"exercise": "01-beta", "points": 6}


def test_reading_twice_makes_the_same_notebook(source):
    first, second = (nbformat.writes(exercises.student_notebook(source())) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("    return_value", "    ### BEGIN SOLUTION\n    return_value", "begins inside another"),
        ("    ### END SOLUTION\n", "", "is not closed"),
        ("    ### BEGIN SOLUTION\n", "", "ends that never began"),
        ("    return_value = x + x\n    return return_value\n", "\n", "is empty"),
        ("### BEGIN SOLUTION\n    return_value", "# BEGIN SOLUTION\n    return_value", "misspelt"),
        (":task: double\n", "", "stands outside a task"),
        (CHECK + "\n", "", "is not followed by its check"),
        (TASK + "\n", "", "stands without its task"),
        (ANSWER + "\n", "", "stands without its task"),
        ('"double")', '"guess")', "checks something else"),
        (WRITTEN, "", "the checks have"),
        ("guess = 4", "print(4)", "may only assign to names"),
        ("{{points}}", "{{pints}}", "Nothing is known of {{pints}}"),
    ],
)
def test_a_bad_source_is_refused(source, old, new, problem):
    with pytest.raises(ExerciseError) as error:
        exercises.student_notebook(source(replace={old: new}))
    assert problem in str(error.value)


def test_a_task_without_a_region_is_refused(source):
    plain = TASK.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION\n", "")
    with pytest.raises(ExerciseError, match="The task double has no solution region"):
        source(TITLE, plain, CHECK, ANSWER, CHECK_ANSWER, WRITTEN)


def test_a_task_that_the_checks_do_not_know_is_refused(source):
    with pytest.raises(ExerciseError, match="but the checks have"):
        source(TITLE, TASK, CHECK, WRITTEN)


def test_a_solution_that_shows_elsewhere_is_refused(source):
    leaking = source(*PARTS, "```{code-cell} python\nreturn_value = x + x\n```")
    with pytest.raises(ExerciseError, match=r"gives its solution away in .*return_value = x"):
        exercises.student_notebook(leaking)
    leaking = source(*PARTS, "The model answer in words.")
    with pytest.raises(ExerciseError, match=r"gives its solution away in .*The model answer"):
        exercises.student_notebook(leaking)


def test_a_file_that_is_no_notebook_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(exercises, "exercise", lambda name: SPEC)
    path = tmp_path / "01_beta.md"
    path.write_text("---\nx: [\n---\n", encoding="utf-8")
    with pytest.raises(ExerciseError, match="Mend the"):
        exercises.read_source(path)


def test_sources_are_found_in_order_or_missed_by_name(tmp_path):
    with pytest.raises(ExerciseError, match=r"has no 00_warmup\.md, 01_beta\.md"):
        exercises.find_sources(tmp_path)
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "01_beta.md").touch()
    assert [p.name for p in exercises.find_sources(tmp_path, "01-beta")] == ["01_beta.md"]
