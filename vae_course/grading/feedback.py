"""A page for the student: task by task, what is most likely wrong and where to read."""

import hashlib
import re
from pathlib import Path
from typing import Any

import jinja2

from vae_course.checks import EXERCISES, exercise
from vae_course.grading.gradebook import one_line
from vae_course.grading.results import Result
from vae_course.image_cache import write_atomically
from vae_course.links import book_page

__all__ = ["page_name", "templates", "write_feedback"]

LONGEST_NAME = 80
MARKS = {"passed": "✓", "wrong": "✗", "not started": "·", "marked by a person": "✎"}
MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@])")


def templates() -> jinja2.Environment:
    """The templates of the reports; whatever is filled in is escaped."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("vae_course.grading"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["one_line"] = one_line
    found.globals["marks"] = MARKS
    return found


def page_name(result: Result) -> str:
    """The name of a student's page, without its ending: safe on every disk, and its own."""
    words = f"{result.student}-{result.exercise or result.file}"
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", words).strip("-.")[:LONGEST_NAME]
    mark = hashlib.sha256(f"{result.student}\0{result.file}".encode("utf-8", "replace"))
    return f"{plain or 'submission'}-{mark.hexdigest()[:8]}"


def write_feedback(folder: Path, result: Result) -> Path:
    """Write ``NAME.html`` and ``NAME.md`` for the student; the path of the first.

    Args:
        folder: for the pages.
        result: of the submission.
    """
    shown = _shown(result)
    page = folder / f"{page_name(result)}.html"
    html = templates().get_template("feedback.html").render(shown)
    for path, text in ((page, html), (page.with_suffix(".md"), _markdown(shown))):
        write_atomically(path, text.encode("utf-8", "replace"))
        path.chmod(0o644)
    return page


def _shown(result: Result) -> dict[str, Any]:
    known = result.exercise in EXERCISES
    return {
        "result": result,
        "title": exercise(result.exercise).title if known else "Not graded",
        "tasks": [
            (task, book_page(task.where) if task.where and task.status == "wrong" else "")
            for task in result.tasks
        ],
    }


def _markdown(shown: dict[str, Any]) -> str:
    result: Result = shown["result"]
    lines = [f"# {_plain(shown['title'])}: {_plain(result.student)}", ""]
    if result.status == "graded":
        lines += [f"{result.points} of {result.max_points} points.", ""]
    else:
        lines += [_plain(result.problem), ""]
    if result.sandbox == "none":
        lines += ["Graded without a sandbox.", ""]
    for task, where in shown["tasks"]:
        words = f"- {MARKS[task.status]} **{_plain(task.title)}**: {task.status}"
        words += f". {_plain(task.message)}" if task.message else ""
        lines.append(words + (f" [Where the book explains it](<{where}>)" if where else ""))
    if result.cells:
        lines += ["", "## Cells that did not run", ""]
        lines += [f"- {_plain(note)}" for note in result.cells]
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """Text that Markdown shows as it is: no link, picture, code or HTML."""
    return MARKUP.sub(r"\\\1", one_line(words))
