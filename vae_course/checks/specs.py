"""What an exercise is made of, and how its checks are run."""

import dataclasses
import functools
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vae_course.checks.students import Student
from vae_course.checks.verdicts import Mistake, NotStarted
from vae_course.data import ImageData, load_images
from vae_course.errors import ConfigError

__all__ = ["BUDGETS", "Context", "Exercise", "Result", "Task", "budget", "run"]

BUDGETS = ("full", "smoke")
PASSED, NOT_STARTED, WRONG, BY_A_PERSON = "passed", "not started", "wrong", "marked by a person"


def budget() -> str:
    """``"full"``, or what the environment variable VAE_COURSE_BUDGET says.

    Raises:
        ConfigError: if it says neither ``full`` nor ``smoke``.
    """
    name = os.environ.get("VAE_COURSE_BUDGET") or "full"
    if name not in BUDGETS:
        raise ConfigError(f"VAE_COURSE_BUDGET is {name!r}.", "Use one of full, smoke.")
    return name


@dataclasses.dataclass(frozen=True)
class Context:
    """What a check needs besides the student: random numbers, the budget, the images."""

    rng: np.random.Generator
    budget: str
    loaded: ImageData | None = None

    @functools.cached_property
    def images(self) -> ImageData:
        """The images of the course: those given, or loaded at the first use."""
        return load_images() if self.loaded is None else self.loaded


Check = Callable[[Student, Context], None]


@dataclasses.dataclass(frozen=True)
class Task:
    """One thing to do.

    Args:
        name: the function, class or variable that the student writes; the cell's name too.
        title: what it is, in a few words.
        points: what it is worth.
        check: raises `Mistake` or `NotStarted`, or returns; None where a person marks it.
        where: the page of the book that explains it, with an anchor: ``"loss#sec-loss-terms"``.
    """

    name: str
    title: str
    points: int
    check: Check | None
    where: str = ""


@dataclasses.dataclass(frozen=True)
class Exercise:
    """A notebook's tasks, in order. ``id`` is ``"00-warmup"`` where the file is 00_warmup."""

    id: str
    title: str
    minutes: int
    tasks: tuple[Task, ...]

    @property
    def file(self) -> str:
        """The stem of its files."""
        return self.id.replace("-", "_")

    @property
    def points(self) -> int:
        """What all of it is worth."""
        return sum(task.points for task in self.tasks)

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises:
            ConfigError: if there is none, with the names that there are.
        """
        found = {task.name: task for task in self.tasks}
        if name not in found:
            raise ConfigError(
                f"Exercise {self.id} has no task {name!r}.", f"It has {', '.join(found)}."
            )
        return found[name]


class Result(NamedTuple):
    """What came of one task. ``message`` says what is most likely wrong, if anything is."""

    task: Task
    status: str
    message: str = ""

    @property
    def points(self) -> int:
        """What was earned: all or nothing."""
        return self.task.points if self.status == PASSED else 0


def run(task: Task, student: Student, context: Context) -> Result:
    """Run the check of one task."""
    if task.check is None:
        return Result(task, BY_A_PERSON)
    try:
        task.check(student, context)
    except NotStarted:
        return Result(task, NOT_STARTED)
    except Mistake as mistake:
        return Result(task, WRONG, str(mistake))
    return Result(task, PASSED)
