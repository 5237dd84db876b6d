"""What a student reads: a page for the browser, and the same in Markdown."""

from collections.abc import Iterator
from pathlib import Path

from vae_course.checks.reports import MARKS
from vae_course.checks.specs import BY_A_PERSON, NOT_STARTED, WRONG
from vae_course.grading.escaping import markdown, markdown_code
from vae_course.grading.pages import (
    book_link,
    exercise_title,
    page_name,
    points_of,
    render,
    write_file,
)
from vae_course.grading.results import GRADED, Result, TaskResult

__all__ = ["write_feedback"]

NO_SANDBOX = "It was graded without a sandbox."


def write_feedback(folder: Path, result: Result) -> Path:
    """Write the feedback of a submission as ``NAME.html`` and ``NAME.md``.

    Args:
        folder: for all the feedback.
        result: of the submission.

    Returns:
        Where the page is.

    Raises:
        OSError: if the folder cannot be written.
    """
    path = folder / f"{page_name(result)}.html"
    page = render(
        "feedback.html",
        result=result,
        title=exercise_title(result.exercise),
        graded=result.status == GRADED,
        tasks=[(task, MARKS[task.status], _worth(task), _page(task)) for task in result.tasks],
        no_sandbox=NO_SANDBOX if result.sandbox == "none" else "",
    )
    write_file(path, page)
    write_file(path.with_suffix(".md"), "\n".join(_lines(result)) + "\n")
    return path


def _lines(result: Result) -> Iterator[str]:
    """The feedback in Markdown."""
    yield f"# {markdown(exercise_title(result.exercise))}"
    yield ""
    yield f"For {markdown(result.student)}, from {markdown(result.file)}"
    yield ""
    if result.status == GRADED:
        more = f" A person gives up to {result.points_by_hand} more." * bool(result.points_by_hand)
        yield f"**{points_of(result.points, result.max_points)}** from the checks.{more}"
    else:
        yield f"**This could not be graded.** {markdown(result.problem)}"
    if result.sandbox == "none":
        yield f"\n{NO_SANDBOX}"
    if result.tasks:
        yield "\n## Tasks\n"
        yield from map(_task_line, result.tasks)
    if result.cells:
        yield "\n## What happened in the cells\n"
        yield from (f"- {markdown_code(words)}" for words in result.cells)


def _task_line(task: TaskResult) -> str:
    line = f"- {MARKS[task.status]} **{markdown(task.title)}**: {task.status}, {_worth(task)}."
    if task.status == WRONG:
        line += f" {markdown(task.message)}"
    return line + (f" [Where the book explains it](<{_page(task)}>)" if _page(task) else "")


def _worth(task: TaskResult) -> str:
    if task.status == BY_A_PERSON:
        return f"up to {task.max_points} {'point' if task.max_points == 1 else 'points'}"
    return points_of(task.points, task.max_points)


def _page(task: TaskResult) -> str:
    """Where to read on, for what is not done yet."""
    return book_link(task.where) if task.where and task.status in (WRONG, NOT_STARTED) else ""
