"""A page for the instructor: how the class did, what went wrong most, what to look at."""

import itertools
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vae_course.checks import EXERCISES, exercise
from vae_course.grading.feedback import page_name, templates
from vae_course.grading.likeness import Pair
from vae_course.grading.policy import Counted
from vae_course.grading.results import NOT_GRADED, Result
from vae_course.image_cache import write_atomically

__all__ = ["write_overview"]

MOST_MISTAKES, MOST_SLOW, BINS = 5, 5, 10
STATUSES = ("passed", "wrong", "not started")


class TaskRow(NamedTuple):
    """A task over a class: how many submissions have each status, and the usual mistakes."""

    title: str
    counts: dict[str, int]
    mistakes: list[tuple[str, int]]


class Group(NamedTuple):
    """An exercise over a class. ``bars`` are how many earned each tenth of the points."""

    title: str
    graded: int
    median: float
    max_points: int
    tasks: list[TaskRow]
    bars: list[int]


def write_overview(
    path: Path,
    results: Sequence[Result],
    rows: Sequence[Counted],
    *,
    title: str,
    pairs: Sequence[Pair],
) -> None:
    """Write the page.

    Args:
        path: of the HTML file; the students' pages are in ``feedback/`` beside it.
        results: all of them.
        rows: the attempts that count.
        title: of the page.
        pairs: submissions that are almost the same.
    """
    graded = [one for one in results if one.status != NOT_GRADED]
    shown: dict[str, Any] = {
        "title": title,
        "results": results,
        "students": len({one.student for one in results}),
        "graded": graded,
        "refused": [one for one in results if one.status == NOT_GRADED],
        "unsafe": sum(one.sandbox == "none" for one in results),
        "groups": list(_groups(rows)),
        "slowest": sorted(graded, key=lambda one: -one.seconds)[:MOST_SLOW],
        "flagged": [one for one in results if one.flags],
        "pairs": pairs,
        "rows": rows,
        "page": page_name,
        "statuses": STATUSES,
        "bins": BINS,
    }
    html = templates().get_template("overview.html").render(shown)
    write_atomically(path, html.encode("utf-8", "replace"))
    path.chmod(0o644)


def _groups(rows: Sequence[Counted]) -> Iterable[Group]:
    graded = [row.result for row in rows if row.result.status != NOT_GRADED]
    ordered = sorted(graded, key=lambda one: one.exercise)
    for name, members in itertools.groupby(ordered, key=lambda one: one.exercise):
        yield _group(name, list(members))


def _group(name: str, members: list[Result]) -> Group:
    most = max(1, members[0].max_points)
    bars = [0] * BINS
    for one in members:
        bars[min(BINS - 1, one.points * BINS // most)] += 1
    title = exercise(name).title if name in EXERCISES else name
    median = statistics.median(one.points for one in members)
    tasks = [_task(list(column)) for column in zip(*(one.tasks for one in members), strict=False)]
    kept = [row for row in tasks if sum(row.counts.values())]
    return Group(title, len(members), median, most, kept, bars)


def _task(column: list[Any]) -> TaskRow:
    """One task of all the submissions of an exercise."""
    counts = Counter(task.status for task in column)
    mistakes = Counter(task.message for task in column if task.message)
    return TaskRow(
        column[0].title,
        {status: counts[status] for status in STATUSES},
        mistakes.most_common(MOST_MISTAKES),
    )
