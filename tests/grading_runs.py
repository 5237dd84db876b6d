"""Helpers for the tests of the grader: places, jobs, and what a run leaves behind."""

import dataclasses
import json
import os
import shutil

import nbformat
import psutil
import pytest
from exercise_runs import ROOT, SUBMISSIONS, source_of

from vae_course.exercises import solution_notebook, student_notebook
from vae_course.grading.jobs import Job, grade
from vae_course.grading.process import Guests
from vae_course.grading.sandbox import Limits, prepare
from vae_course.grading.supplies import gather

MARKER = "hostile-marker"
HOSTILE = SUBMISSIONS / "hostile"
SMALL = Limits(seconds=24, memory_gb=1.5, disk_mb=64)  # for notebooks that mean harm
PATIENT = Limits(seconds=240)  # for those that mean well, on a machine that has other work
needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None and not os.environ.get("CI"), reason="bubblewrap is missing"
)
__all__ = ["ROOT"]


class Machine:
    """A place for guests and what they find there."""

    def __init__(self):
        self.supplies = gather()
        self.place = prepare(self.supplies.files)

    def grade(self, job, cpus=frozenset()):
        return grade(job, self.place, self.supplies, cpus=set(cpus), guests=Guests())


def job(cells, *, exercise="00-warmup", limits=PATIENT, secret="secret", **changes):
    numbered = tuple((f"cell {i}", text) for i, text in enumerate(cells))
    plain = Job(
        key="key",
        student="ada",
        file="ada/00_warmup.ipynb",
        digest="0" * 64,
        handed_in=0.0,
        exercise=exercise,
        cells=numbered,
        flags=(),
        shingles=(),
        secret=secret,
        budget="smoke",
        limits=limits,
    )
    return dataclasses.replace(plain, **changes)


def code_of(notebook, replaced=()):
    """The code cells of a notebook, some replaced by task, as a student would."""
    cells = {
        f"{kind}-{task}".replace("_", "-"): text
        for task, text in dict(replaced).items()
        for kind in ("task", "answer")
    }
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cells.get(cell.id, cell.source) for cell in code]


def solution(name, replaced=()):
    return code_of(solution_notebook(source_of(name)), replaced)


def untouched(name):
    return code_of(student_notebook(source_of(name)))


def left_running():
    """Processes that carry the marker of a hostile notebook."""
    found = []
    for process in psutil.process_iter():
        try:
            if MARKER in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def write_notebook(path, cells, *, exercise="00-warmup"):
    notebook = nbformat.v4.new_notebook(metadata={"vae_course": {"exercise": exercise}})
    notebook.cells = [nbformat.v4.new_code_cell(text) for text in cells]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path
