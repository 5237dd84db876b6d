"""What an instructor reads: how a class did, what went wrong, and where to look."""

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from vae_course.checks.specs import BY_A_PERSON, NOT_STARTED, PASSED, WRONG
from vae_course.grading.escaping import one_line
from vae_course.grading.likeness import Pair
from vae_course.grading.pages import exercise_title, page_name, render, write_file
from vae_course.grading.policy import Counted
from vae_course.grading.results import GRADED, Result, TaskResult

__all__ = ["write_overview"]

MOST_MISTAKES, MOST_SLOW, MOST_BINS = 5, 5, 24


class Bin(NamedTuple):
    """How many students have ``least`` points or more, and fewer than those of the next bin."""

    least: int
    students: int


class TaskSummary(NamedTuple):
    """How a task went. ``mistakes`` are messages and how many saw each."""

    title: str
    max_points: int
    by_hand: bool
    passed: int
    wrong: int
    not_started: int
    mistakes: list[tuple[str, int]]


class ExerciseSummary(NamedTuple):
    """How an exercise went; ``median`` is a share of the points, None if none was graded."""

    name: str
    title: str
    graded: int
    not_graded: int
    max_points: int
    median: float | None
    tasks: list[TaskSummary]
    bins: list[Bin]
    width: int


def write_overview(
    path: Path,
    results: Sequence[Result],
    counted: Sequence[Counted],
    *,
    title: str,
    pairs: Sequence[Pair] = (),
) -> None:
    """Write the page; it links to the feedback in ``feedback/`` beside it.

    Args:
        path: of the page.
        results: of all submissions.
        counted: the attempts that count; tasks and points are summed up over these.
        title: of the page.
        pairs: submissions that are alike, by their files.

    Raises:
        OSError: if the folder cannot be written.
    """
    shown = {(one.result.student, one.result.file): one for one in counted}
    files = _files(results)
    graded = [result for result in results if result.status == GRADED]
    page = render(
        "overview.html",
        title=title,
        students=len({result.student for result in results}),
        graded=len(graded),
        without_sandbox=sum(result.sandbox == "none" for result in results),
        exercises=_exercises(counted),
        slowest=sorted(graded, key=lambda result: -result.seconds)[:MOST_SLOW],
        failed=[result for result in results if result.status != GRADED],
        flagged=[result for result in results if result.flags],
        pairs=[
            (pair, [files.get((pair.exercise, file)) for file in (pair.one, pair.other)])
            for pair in pairs
        ],
        rows=[(result, shown.get((result.student, result.file))) for result in results],
        page_name=page_name,
    )
    write_file(path, page)


def _files(results: Sequence[Result]) -> dict[tuple[str, str], Result]:
    """Results by exercise and file; a file that two share belongs to neither."""
    often = Counter((result.exercise, result.file) for result in results)
    keyed = {(result.exercise, result.file): result for result in results}
    return {key: result for key, result in keyed.items() if often[key] == 1}


def _exercises(counted: Sequence[Counted]) -> list[ExerciseSummary]:
    known = sorted((one for one in counted if one.result.exercise), key=_exercise)
    return [_summary(name, list(group)) for name, group in itertools.groupby(known, key=_exercise)]


def _exercise(one: Counted) -> str:
    return one.result.exercise


def _summary(name: str, group: list[Counted]) -> ExerciseSummary:
    graded = [one for one in group if one.result.status == GRADED]
    most = max((one.result.max_points for one in graded), default=0)
    shares = [one.points / one.result.max_points for one in graded if one.result.max_points]
    width = max(1, math.ceil((most + 1) / MOST_BINS))
    return ExerciseSummary(
        name=name,
        title=exercise_title(name),
        graded=len(graded),
        not_graded=len(group) - len(graded),
        max_points=most,
        median=statistics.median(shares) if shares else None,
        tasks=_tasks([one.result for one in graded]),
        bins=_bins([one.points for one in graded], most, width),
        width=width,
    )


def _bins(points: list[float], most: int, width: int) -> list[Bin]:
    counts = Counter(int(earned // width) for earned in points)
    return [Bin(i * width, counts[i]) for i in range(most // width + 1)]


def _tasks(graded: list[Result]) -> list[TaskSummary]:
    by_name: dict[str, list[TaskResult]] = {}
    for result in graded:
        for task in result.tasks:
            by_name.setdefault(task.task, []).append(task)
    return [_task(tasks) for tasks in by_name.values()]


def _task(tasks: list[TaskResult]) -> TaskSummary:
    counts = Counter(task.status for task in tasks)
    messages = Counter(one_line(task.message) for task in tasks if task.status == WRONG)
    return TaskSummary(
        title=tasks[0].title,
        max_points=tasks[0].max_points,
        by_hand=tasks[0].status == BY_A_PERSON,
        passed=counts[PASSED],
        wrong=counts[WRONG],
        not_started=counts[NOT_STARTED],
        mistakes=messages.most_common(MOST_MISTAKES),
    )
