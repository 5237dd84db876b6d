"""Notebooks that run: built, verified, checked; and what is wrong with those that do not."""

import json
import shutil

import nbformat
import pytest
from exercise_runs import ROOT, source_of
from nbclient.exceptions import CellExecutionError

from vae_course import execution
from vae_course.errors import ExerciseError
from vae_course.exercises import solution_notebook, student_notebook

NAME, FILE = "00-warmup", "00_warmup"


def notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


@pytest.fixture(autouse=True)
def _smoke(monkeypatch):
    monkeypatch.setenv("VAE_COURSE_BUDGET", "smoke")
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")


@pytest.fixture
def root(tmp_path):
    """A repository with one exercise, built."""
    for folder in ("solutions", "exercises"):
        (tmp_path / folder).mkdir()
    for name in (f"solutions/{FILE}.md", f"solutions/{FILE}.ipynb", f"exercises/{FILE}.ipynb"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.slow
def test_cells_run_in_order_without_timings_warnings_or_widgets(tmp_path):
    code = "import sys, warnings\nprint(a + 1)\nprint('noise', file=sys.stderr)"
    done = execution.execute(notebook("a = 1", code), tmp_path)
    assert [cell.execution_count for cell in done.cells] == [1, 2]
    assert [output.text for output in done.cells[1].outputs] == ["2\n"]
    assert all("execution" not in cell.metadata for cell in done.cells)
    assert set(done.metadata) == {"kernelspec"}


@pytest.mark.slow
def test_a_cell_that_raises_stops_or_not(tmp_path):
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execution.execute(notebook("1 / 0", "2"), tmp_path)
    done = execution.execute(notebook("1 / 0", "2"), tmp_path, keep_going=True)
    assert done.cells[1].outputs[0]["data"]["text/plain"] == "2"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_dead_kernel_and_an_endless_cell_are_errors(tmp_path):
    with pytest.raises(ExerciseError, match="kernel died"):
        execution.execute(notebook("import os\nos._exit(1)"), tmp_path)
    with pytest.raises(ExerciseError, match="more than 1 seconds"):
        execution.execute(notebook("while True: pass"), tmp_path, timeout=1)


@pytest.mark.slow
def test_build_makes_both_notebooks_and_leaves_unchanged_ones(root):
    (root / f"exercises/{FILE}.ipynb").unlink()
    (root / f"solutions/{FILE}.ipynb").unlink()
    said = []
    execution.build(root, said.append, only=NAME)
    assert said[0] == "00-warmup: running the solution …"
    assert execution.verify(root, NAME) == []
    before = (root / f"solutions/{FILE}.ipynb").read_bytes()
    execution.build(root, said.append, only=NAME)
    assert said[-1] == "00-warmup: unchanged"
    assert (root / f"solutions/{FILE}.ipynb").read_bytes() == before


def test_new_words_keep_the_outputs_and_new_code_does_not(root, monkeypatch):
    source, target = (root / f"solutions/{FILE}.{kind}" for kind in ("md", "ipynb"))
    before = [cell.get("outputs") for cell in execution.read_notebook(target).cells]
    words = source.read_text(encoding="utf-8")
    source.write_text(words.replace("# Warm-up", "# A warm-up", 1), encoding="utf-8")
    said = []
    execution.build(root, said.append, only=NAME)
    assert said == ["00-warmup: new words; the code and its outputs are as before"]
    assert execution.verify(root, NAME) == []
    assert [cell.get("outputs") for cell in execution.read_notebook(target).cells] == before
    monkeypatch.setattr(execution, "execute", lambda notebook, *_, **__: notebook)
    source.write_text(words.replace("import jax\n", "import jax  # so\n", 1), encoding="utf-8")
    with pytest.raises(ExerciseError):  # run anew, and this run leaves no outputs
        execution.build(root, said.append, only=NAME)


def test_the_committed_notebooks_are_what_their_sources_make():
    assert execution.verify(ROOT) == []


def test_the_committed_solutions_show_a_first_run():
    paths = sorted((ROOT / "solutions").glob("*.ipynb"))
    assert len(paths) == 6
    assert not any("Kept from" in path.read_text(encoding="utf-8") for path in paths)


def test_verify_finds_each_difference(root):
    student, solution = root / f"exercises/{FILE}.ipynb", root / f"solutions/{FILE}.ipynb"
    assert execution.verify(root, NAME) == []
    text = student.read_text(encoding="utf-8")
    student.write_text(text.replace("45 minutes", "5 minutes"), encoding="utf-8")
    assert execution.verify(root, NAME) == [f"exercises/{FILE}.ipynb differs from its source."]
    student.write_text(text.replace('"points": 2', '"points": 20'), encoding="utf-8")
    assert execution.verify(root, NAME) == [f"exercises/{FILE}.ipynb differs from its source."]
    student.unlink()
    assert execution.verify(root, NAME) == [f"exercises/{FILE}.ipynb is missing."]
    nbformat.write(student_notebook(source_of(NAME)), student)
    source = root / f"solutions/{FILE}.md"
    source.write_text(source.read_text(encoding="utf-8").replace("0.5 * logvar", "logvar / 2"))
    assert execution.verify(root, NAME) == [f"solutions/{FILE}.ipynb differs from its source."]
    nbformat.write(solution_notebook(source_of(NAME)), solution)
    shutil.copy(ROOT / f"solutions/{FILE}.md", source)
    with pytest.raises(ExerciseError, match="has cells that were not run"):
        execution.verify(root, NAME)


def test_outputs_in_a_students_notebook_are_a_difference(root):
    path = root / f"exercises/{FILE}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    code = next(cell for cell in notebook.cells if cell.cell_type == "code")
    code.outputs = [nbformat.v4.new_output("stream", text="4")]
    nbformat.write(notebook, path)
    assert execution.verify(root, NAME) == [f"exercises/{FILE}.ipynb has outputs."]


@pytest.mark.parametrize(
    ("output", "problem"),
    [
        (nbformat.v4.new_output("error", ename="E", evalue="", traceback=[]), "a cell that raises"),
        (nbformat.v4.new_output("stream", text="UsageError: no"), "a cell that raises"),
        (nbformat.v4.new_output("stream", text="saved /home/someone/x"), "/home/someone/x"),
        (nbformat.v4.new_output("stream", text="x" * 400_001), "more than 400,000"),
        (nbformat.v4.new_output("stream", text="✗ KL: wrong"), "fails its own check"),
    ],
)
def test_an_unsound_solution_is_refused(output, problem):
    executed = nbformat.read(ROOT / f"solutions/{FILE}.ipynb", as_version=4)
    check = next(cell for cell in executed.cells if cell.id == "check-kl-between")
    check.outputs = [output]
    with pytest.raises(ExerciseError) as error:
        execution._require_sound(source_of(NAME), executed)
    assert problem in str(error.value)


@pytest.mark.slow
def test_check_notebook_reads_a_file_and_runs_past_a_broken_cell(root):
    path = root / f"exercises/{FILE}.ipynb"
    untouched = nbformat.read(path, as_version=4)
    task = next(cell for cell in untouched.cells if cell.id == "task-repaired-kl")
    task.source = "def repaired_kl(m, v):\n    return (m**2 + jnp.exp(v) - 1 - v).sum(-1)"
    broken = next(cell for cell in untouched.cells if cell.id == "task-kl-between")
    broken.source = "1 / 0"
    nbformat.write(untouched, path)
    report = execution.check_notebook(path)
    found = {row["task"]: (row["status"], row["message"]) for row in report["tasks"]}
    assert found["repaired_kl"] == ("wrong", "The factor ½ is missing.")
    assert found["kl_between"] == ("not started", "")
    assert json.loads(json.dumps(report)) == report


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not a notebook"),
        (b"\x89PNG", "is not a notebook"),
        (b"[1, 2]", "is not a notebook"),
        (nbformat.writes(notebook("1")).encode(), "does not say which exercise"),
    ],
)
def test_other_files_are_refused(tmp_path, content, problem):
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ExerciseError, match=problem):
        execution.check_notebook(path)


def test_missing_and_huge_files_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ExerciseError, match="no file"):
        execution.check_notebook(tmp_path / "x.ipynb")
    monkeypatch.setattr(execution, "LARGEST_NOTEBOOK", 10)
    with pytest.raises(ExerciseError, match="larger than"):
        execution.check_notebook(ROOT / f"exercises/{FILE}.ipynb")
