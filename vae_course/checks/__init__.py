"""Checks of the exercises: what each must satisfy, and what is most likely wrong.

In a notebook, ``check("01-beta", "beta_loss")`` looks at the names of that notebook and shows
for the task, or without one for every task: passed, not started, or the likely mistake.
"""

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from vae_course.checks.progress import remember
from vae_course.checks.reports import Report
from vae_course.checks.specs import Context, Exercise, budget, run
from vae_course.checks.students import NotebookStudent
from vae_course.errors import ConfigError

__all__ = ["EXERCISES", "check", "exercise"]

EXERCISES = {
    "00-warmup": "warmup",
    "01-beta": "beta",
    "02-latent-size": "latent_size",
    "03-convolutional": "convolutional",
    "04-conditional": "conditional",
    "05-disentangled": "disentangled",
}
GRADED = "VAE_COURSE_SANDBOX"  # set where a grader runs the notebook
SEED = 2014  # in a notebook the inputs are public; a grader draws its own


class ChecksFailed(Exception):  # noqa: N818 - named for what happened; nbgrader shows it
    """Raised under nbgrader, which scores a cell by whether it raises."""


def exercise(name: str) -> Exercise:
    """The exercise of that id, such as ``"01-beta"``.

    Raises:
        ConfigError: if there is none, with the ids that there are.
    """
    if name not in EXERCISES:
        raise ConfigError(
            f"There is no exercise {name!r}.", f"Choose one of {', '.join(EXERCISES)}."
        )
    module = importlib.import_module(f"{__name__}.{EXERCISES[name]}")
    return cast(Exercise, module.EXERCISE)


def check(
    name: str, task: str | None = None, *, namespace: Mapping[str, Any] | None = None
) -> Report:
    """Check a notebook's answers to an exercise.

    Args:
        name: the exercise, such as ``"01-beta"``.
        task: one of its tasks; None checks them all.
        namespace: the names to look at; None means those of the caller.

    In the grader's sandbox it looks at nothing: there the grader asks, from outside.

    Returns:
        `Report`, which a notebook shows as a table.

    Raises:
        ConfigError: if there is no such exercise or task.
    """
    spec = exercise(name)
    tasks = spec.tasks if task is None else (spec.task(task),)
    if os.environ.get(GRADED):
        return Report(spec, ())
    # Wherever it is called from, in a notebook that frame's globals are the notebook's names.
    names = sys._getframe(1).f_globals if namespace is None else namespace
    student = NotebookStudent(names)
    results = [run(one, student, Context(np.random.default_rng(SEED), budget())) for one in tasks]
    report = Report(spec, tuple(results))
    remember(report, names)
    if os.environ.get("NBGRADER_EXECUTION") and not report.passed:
        print(report)
        raise ChecksFailed(f"{report.points} of {report.out_of} points")
    return report
