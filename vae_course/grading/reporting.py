"""All the files of a report, made from its results."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

from vae_course.grading.feedback import write_feedback
from vae_course.grading.gradebook import write_grades, write_gradescope, write_jsonl, write_junit
from vae_course.grading.likeness import Pair, near_pairs
from vae_course.grading.overview import write_overview
from vae_course.grading.policy import Policy, counted
from vae_course.grading.results import Result

__all__ = ["write_reports"]


def write_reports(
    folder: Path, results: Sequence[Result], *, policy: Policy, formats: Sequence[str]
) -> list[Path]:
    """Write the feedback pages, and the files of the formats asked for; their paths.

    Args:
        folder: of the report.
        results: all of them.
        policy: which attempt counts, and what a late one loses.
        formats: of csv, html, jsonl, junit, gradescope.

    Raises:
        ExerciseError: if an earlier gradebook cannot be read.
        OSError: if the folder cannot be written.
    """
    rows = counted(results, policy)
    for result in results:
        write_feedback(folder / "feedback", result)
    one = results[0] if results else None
    writers: dict[str, tuple[str, Callable[[Path], object]]] = {
        "csv": ("grades.csv", lambda path: write_grades(path, rows)),
        "html": (
            "overview.html",
            lambda path: write_overview(
                path, results, rows, title=folder.name, pairs=_pairs(results)
            ),
        ),
        "jsonl": ("results.jsonl", lambda path: write_jsonl(path, results)),
        "junit": ("junit.xml", lambda path: write_junit(path, results)),
        "gradescope": ("results.json", lambda path: write_gradescope(path, one)),
    }
    written = []
    for name in formats:
        file, write = writers[name]
        write(folder / file)
        written.append(folder / file)
    return written


def _pairs(results: Sequence[Result]) -> list[Pair]:
    """Submissions of one exercise by two students that are almost the same."""
    found = []
    by_exercise = sorted((r for r in results if r.shingles), key=lambda r: r.exercise)
    for exercise, group in itertools.groupby(by_exercise, key=lambda r: r.exercise):
        marked = {(r.student, r.file): frozenset(r.shingles) for r in group}
        for one, other, likeness in near_pairs(marked):
            if one[0] != other[0]:
                found.append(Pair(exercise, one[1], other[1], likeness))
    return found
