"""Grading one submission: run it in a sandbox, ask, judge outside.

A cell or an answer that brings the process down costs what depends on it and no more: the
notebook is run again without that cell, or asked on from the next task.
"""

import contextlib
import dataclasses
import functools
import hashlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from vae_course.checks import exercise
from vae_course.checks.specs import BY_A_PERSON, WRONG, Context, Task, run
from vae_course.grading import process
from vae_course.grading.remote import RemoteStudent
from vae_course.grading.results import NOT_GRADED, Result, TaskResult
from vae_course.grading.sandbox import Limits, Place
from vae_course.grading.supplies import Supplies
from vae_course.grading.wire import Broken, Closed, Late

__all__ = ["Job", "grade"]

ATTEMPTS = 3
PATIENCE = 1 / 3  # of all the time, for one cell or one answer
MOST_NOTES, LONGEST_NOTE = 50, 300
Start = Callable[..., contextlib.AbstractContextManager[process.Guest]]


@dataclasses.dataclass(frozen=True)
class Job:
    """A submission and how it is graded, as plain data that may go to another machine.

    Args:
        key: what the result depends on.
        student: who handed it in.
        file: its path in what was handed in.
        digest: SHA-256 of the file.
        handed_in: seconds since 1970.
        exercise: its id.
        cells: what each code cell is called, and its source.
        flags: what was noticed without running it.
        shingles: hashes of short runs of its code.
        secret: of this run; the questions are drawn from it and from the digest.
        budget: ``"full"`` or ``"smoke"``.
        limits: what it may use.
    """

    key: str
    student: str
    file: str
    digest: str
    handed_in: float
    exercise: str
    cells: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    shingles: tuple[int, ...]
    secret: str
    budget: str
    limits: Limits


class _Ended(Exception):  # noqa: N818 - an event
    """The guest is gone, or of no more use; the message completes "The notebook …"."""


class _NeverBegan(Exception):  # noqa: N818 - likewise
    """The guest did not reach the first cell: a fault of the machine, not of the student."""


def grade(
    job: Job, place: Place, supplies: Supplies, *, cpus: set[int], guests: process.Guests
) -> Result:
    """Grade one submission.

    Args:
        job: what to grade.
        place: where its code runs.
        supplies: what it finds there.
        cpus: processors for it; all if empty.
        guests: whose guests it adds to.

    Returns:
        Its result; ``"not graded"`` if the sandbox could not be started.

    Raises:
        Interrupted: if the grader is stopping.
    """
    start = functools.partial(guests.start, place, job.limits, cpus=cpus)
    return _Grading(job, supplies, start, place.kind).result()


class _Grading:
    """The state of grading one submission over up to `ATTEMPTS` runs of its notebook."""

    def __init__(self, job: Job, supplies: Supplies, start: Start, sandbox: str):
        self.job, self.supplies, self.start, self.sandbox = job, supplies, start, sandbox
        self.started = time.monotonic()
        self.deadline = self.started + job.limits.seconds
        self.skipped: set[int] = set()
        self.notes: list[str] = []
        self.flags = list(job.flags)
        self.done: dict[str, TaskResult] = {}
        self.memory = 0

    def result(self) -> Result:
        spec = exercise(self.job.exercise)
        ending = "could not be run in the time it has"
        try:
            for _ in range(ATTEMPTS):
                pending = [task for task in spec.tasks if task.name not in self.done]
                if not pending or time.monotonic() > self.deadline:
                    break
                try:
                    self._attempt(pending)
                except _Ended as ended:
                    ending = str(ended)
        except (_NeverBegan, OSError) as fault:
            return self._result("", problem=f"The sandbox could not be used: {fault}.")
        for task in spec.tasks:
            if task.name not in self.done:
                self.done[task.name] = _judged(task, WRONG, f"The notebook {ending}.")
        return self._result("graded", tasks=tuple(self.done[task.name] for task in spec.tasks))

    def _attempt(self, pending: list[Task]) -> None:
        """Run the notebook once, and ask for each pending task."""
        with self._guest() as guest:
            self._run_cells(guest)
            patience = PATIENCE * self.job.limits.seconds
            student = RemoteStudent(guest.channel, self.deadline, patience)
            for task in pending:
                context = Context(self._rng(task), self.job.budget, self.supplies.images)
                try:
                    with _ends(guest, "did not answer in time"):
                        found = run(task, student, context)
                except _Ended as ended:
                    message = f"When it was asked for this, the notebook {ended}."
                    self.done[task.name] = _judged(task, WRONG, message)
                    raise
                except Exception as error:  # a check that stumbles over an answer
                    message = f"The check could not judge this answer ({type(error).__name__})."
                    self.flags.append(f"{task.name}: {message}")
                    self.done[task.name] = _judged(task, WRONG, message)
                    continue
                self.done[task.name] = _judged(task, found.status, found.message)

    @contextlib.contextmanager
    def _guest(self) -> Iterator[process.Guest]:
        environment = {
            "VAE_COURSE_DATA": self.supplies.source,
            "VAE_COURSE_BUDGET": self.job.budget,
        }
        with self.start(environment=environment) as guest:
            try:
                yield guest
            finally:
                self.memory = max(self.memory, guest.most_memory)

    def _run_cells(self, guest: process.Guest) -> None:
        cells = [c if i not in self.skipped else (c[0], "") for i, c in enumerate(self.job.cells)]
        at = -1
        try:
            with _ends(guest, "was still running when its time was up"):
                limits = self.job.limits.for_the_kernel()
                guest.channel.send({"cells": tuple(cells), "limits": limits}, self.deadline)
                while True:
                    patience = PATIENCE * self.job.limits.seconds
                    until = min(self.deadline, time.monotonic() + patience)
                    said = guest.channel.receive(until)
                    kind, number, *words = _event(said, len(cells))
                    if kind == "ready":
                        return
                    at = number
                    if kind == "raised":
                        self._note(number, " ".join(words))
        except _Ended as ended:
            if at < 0:
                raise _NeverBegan(guest.reason or process.last_line(guest.words)) from None
            self.skipped.add(at)
            self._note(at, f"The notebook {ended}; the others were run without this cell.")
            raise

    def _note(self, number: int, words: str) -> None:
        note = f"{self.job.cells[number][0]}: {words}"[:LONGEST_NOTE]
        if note not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(note)

    def _rng(self, task: Task) -> np.random.Generator:
        """Fresh for each submission and task; the same in any order, whatever else is graded."""
        parts = " ".join([self.job.secret, self.job.digest, task.name])
        return np.random.default_rng(list(hashlib.sha256(parts.encode()).digest()))

    def _result(
        self, status: str, *, problem: str = "", tasks: tuple[TaskResult, ...] = ()
    ) -> Result:
        job = self.job
        return Result(
            key=job.key,
            student=job.student,
            file=job.file,
            digest=job.digest,
            handed_in=job.handed_in,
            exercise=job.exercise,
            status=status or NOT_GRADED,
            problem=problem,
            tasks=tasks,
            cells=tuple(self.notes),
            flags=tuple(self.flags),
            shingles=job.shingles,
            sandbox=self.sandbox,
            seconds=round(time.monotonic() - self.started, 2),
            memory_mb=round(self.memory / 1e6),
        )


@contextlib.contextmanager
def _ends(guest: process.Guest, late: str) -> Iterator[None]:
    """Say why a guest is of no more use."""
    try:
        yield
    except Late:
        raise _Ended(guest.reason or late) from None
    except Broken as broken:
        raise _Ended(guest.reason or f"sent something that {broken}") from None
    except Closed:
        raise _Ended(guest.reason or "ended its own process") from None


def _event(said: Any, cells: int) -> tuple[Any, ...]:
    """What a guest says while it runs; it may be forged, and then only harms itself."""
    match said:
        case ("ready",):
            return ("ready", 0)
        case ("cell", int(number)) if 0 <= number < cells:
            return ("cell", number)
        case ("raised", int(number), str(words)) if 0 <= number < cells:
            return ("raised", number, words)
    raise Broken("is not an event")


def _judged(task: Task, status: str, message: str) -> TaskResult:
    status = BY_A_PERSON if task.check is None else status
    points = task.points if status == "passed" else 0
    shown = message if status == WRONG else ""
    return TaskResult(task.name, task.title, status, points, task.points, shown, task.where)
