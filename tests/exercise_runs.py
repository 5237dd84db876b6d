"""Runs of an exercise in this process: the solution, some of its cells replaced by others.

A submission in ``tests/submissions/NN_name/{wrong,right}/`` is a Python file. ``# task: name``
begins a cell that takes the place of the solution's. In ``wrong/`` the file is named for its
mistake, and ``# says:`` gives the message that the check must show.
"""

import re
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
from IPython.core.inputtransformer2 import TransformerManager

from vae_course.checks import check, exercise
from vae_course.exercises import read_source, solution_notebook, student_notebook

ROOT = Path(__file__).resolve().parents[1]
SUBMISSIONS = ROOT / "tests" / "submissions"


class Submission(NamedTuple):
    """Cells that replace the solution's; for a wrong one, what its check must say, and where."""

    cells: dict[str, str]
    says: str
    loses: tuple[str, ...]


class Run(NamedTuple):
    """The names that a notebook leaves, and what its cells raised: cell id → exception."""

    names: dict
    raised: dict[str, Exception]


def source_of(name):
    return read_source(ROOT / "solutions" / f"{exercise(name).file}.md")


def submissions(name, kind):
    """The files of ``tests/submissions/NN_name/kind``, by name."""
    return sorted((SUBMISSIONS / exercise(name).file / kind).glob("*.py"))


def read_submission(path):
    text = path.read_text(encoding="utf-8")
    parts = re.split(r"^# task: (\w+)\n", text, flags=re.M)
    cells = dict(zip(parts[1::2], parts[2::2], strict=True))
    says = re.search(r"^# says: (.+)$", text, flags=re.M)
    loses = re.search(r"^# loses: (.+)$", text, flags=re.M)
    lost = tuple(loses[1].split(", ")) if loses else tuple(cells)[:1]
    return Submission(cells, says[1] if says else "", lost)


def run_notebook(notebook, cells=None):
    """Run the code cells, some replaced by task; a cell that raises does not stop the rest."""
    names, raised = {"__name__": "__main__"}, {}
    replaced = {
        f"{key}-{task}".replace("_", "-"): text
        for task, text in (cells or {}).items()
        for key in ("task", "answer")
    }
    for cell in notebook.cells:
        if cell.cell_type != "code" or cell.id.startswith("check-"):
            continue
        text = TransformerManager().transform_cell(replaced.get(cell.id, cell.source))
        try:
            exec(compile(text, f"<{cell.id}>", "exec"), names)
        except Exception as error:
            raised[cell.id] = error
    plt.close("all")
    return Run(names, raised)


def run_solution(name, cells=None):
    return run_notebook(solution_notebook(source_of(name)), cells)


def run_untouched(name):
    return run_notebook(student_notebook(source_of(name)))


def verdicts(name, run):
    """Task → (status, message)."""
    report = check(name, namespace=run.names)
    return {result.task.name: (result.status, result.message) for result in report.results}
