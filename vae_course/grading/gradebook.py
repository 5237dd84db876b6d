"""Grades for other programs: a table to type in, JUnit, JSON lines, Gradescope.

What a student wrote is escaped for each of them. Each file is written whole or not at all.
"""

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from vae_course.checks import EXERCISES, exercise
from vae_course.checks.specs import BY_A_PERSON, PASSED, WRONG
from vae_course.errors import ExerciseError
from vae_course.grading.escaping import csv_field, markdown, one_line, xml_text
from vae_course.grading.pages import book_link, points_of, write_file
from vae_course.grading.policy import Counted
from vae_course.grading.results import GRADED, NOT_GRADED, Result, TaskResult

__all__ = ["COLUMNS", "write_grades", "write_gradescope", "write_jsonl", "write_junit"]

COLUMNS = (
    "student",
    "exercise",
    "status",
    "points",
    "max_points",
    "manual_points",
    "manual_max",
    "days_late",
    "file",
    "problem",
    "flags",
)
MISSING = "missing"
Row = dict[str, str]
Key = tuple[str, str, str]


def write_grades(path: Path, counted: Sequence[Counted]) -> None:
    """Write the gradebook; what a person typed into ``manual_points`` before is kept.

    A row with manual points whose student or exercise is gone stays, as ``"missing"``.

    Args:
        path: of the CSV file.
        counted: a row each.

    Raises:
        ExerciseError: if the file that is there cannot be read; it is left as it is.
        OSError: if the folder cannot be written.
    """
    typed = _typed(path)
    rows = [_row(one) for one in counted]
    for row in rows:
        row["manual_points"] = typed.get(_key(row), {}).get("manual_points", "")
    present = {_key(row) for row in rows}
    rows += [row | {"status": MISSING} for key, row in typed.items() if key not in present]
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, table.getvalue())


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """Write JUnit's XML: a suite for each submission, a case for each task.

    Raises:
        OSError: if the folder cannot be written.
    """
    root = ElementTree.Element("testsuites", name="vae-course")
    for result in results:
        root.append(_suite(result))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    write_file(path, f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n')


def write_jsonl(path: Path, results: Sequence[Result]) -> None:
    """Write JSON lines: ``as_dict()`` of each result.

    Raises:
        OSError: if the folder cannot be written.
    """
    lines = (json.dumps(result.as_dict(), ensure_ascii=False) + "\n" for result in results)
    write_file(path, "".join(lines))


def write_gradescope(path: Path, result: Result | None, problem: str = "") -> None:
    """Write the ``results.json`` that Gradescope reads; also where there is nothing to tell.

    Args:
        path: of the file.
        result: of the one submission; None if grading never came that far.
        problem: why not.

    Raises:
        OSError: if the folder cannot be written.
    """
    graded = result if result is not None and result.status == GRADED else None
    checked = [task for task in graded.tasks if task.status != BY_A_PERSON] if graded else []
    if result is not None:
        problem = result.problem or problem
    content = {
        "score": graded.points if graded else 0,
        "output": _summary(graded) if graded else _apology(problem),
        "output_format": "md",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_gradescope_test(number, task) for number, task in enumerate(checked, 1)],
    }
    write_file(path, json.dumps(content, indent=1, ensure_ascii=False))


def _key(row: Row) -> Key:
    """What a row is about, in the file's own spelling. Without an exercise it is about a file."""
    return row["student"], row["exercise"], "" if row["exercise"] else row["file"]


def _typed(path: Path) -> dict[Key, Row]:
    """The rows of an earlier gradebook that hold points from a person.

    Raises:
        ExerciseError: if it is damaged, or no gradebook.
    """
    if not path.exists():
        return {}
    typed: dict[Key, Row] = {}
    try:
        text = path.read_bytes().decode("utf-8-sig")  # spreadsheets put a mark before it
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except (OSError, ValueError, csv.Error) as error:
        raise _unreadable(path, f"cannot be read ({error})") from error
    if not lines or tuple(lines[0]) != COLUMNS:
        raise _unreadable(path, f"has other columns than {', '.join(COLUMNS)}")
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS):
            raise _unreadable(path, f"has {len(line)} columns in row {number}")
        row = dict(zip(COLUMNS, line, strict=True))
        if not row["manual_points"].strip():
            continue
        earlier = typed.setdefault(_key(row), row)
        if earlier["manual_points"] != row["manual_points"]:
            raise _unreadable(path, f"has two manual points for {row['student']} (row {number})")
    return typed


def _unreadable(path: Path, why: str) -> ExerciseError:
    return ExerciseError(
        f"The gradebook {path} {why}, so the points typed into it would be lost.",
        "Move it away, and run the command again.",
    )


def _row(one: Counted) -> Row:
    result = one.result
    most, by_hand = _most(result)
    return {
        "student": csv_field(_identity(result.student)),
        "exercise": csv_field(result.exercise),
        "status": result.status,
        "points": f"{one.points:g}" if result.status == GRADED else "",
        "max_points": f"{most}",
        "manual_max": f"{by_hand}",
        "days_late": f"{one.days_late}",
        "file": csv_field(_identity(result.file)),
        "problem": csv_field(result.problem),
        "flags": csv_field("; ".join(result.flags)),
    }


def _identity(name: str) -> str:
    """A name on one line, unlike every other name's."""
    shown = one_line(name, 400)
    if shown == name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()
    return f"{shown} #{digest[:16]}"


def _most(result: Result) -> tuple[int, int]:
    """Points of the checks and of a person; those of the exercise if nothing was graded."""
    if result.tasks or result.exercise not in EXERCISES:
        return result.max_points, result.points_by_hand
    tasks = exercise(result.exercise).tasks
    by_hand = sum(task.points for task in tasks if task.check is None)
    return sum(task.points for task in tasks) - by_hand, by_hand


def _suite(result: Result) -> ElementTree.Element:
    name = xml_text(one_line(f"{result.student}: {result.file}"))
    suite = ElementTree.Element("testsuite", name=name, time=f"{result.seconds:.2f}")
    if result.status != GRADED:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="graded")
        _add(case, "error", NOT_GRADED, result.problem)
    for task in result.tasks:
        label = xml_text(f"{result.exercise} {task.task}")
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=label)
        if task.status == BY_A_PERSON:
            ElementTree.SubElement(case, "skipped", message=task.status)
        elif task.status != PASSED:
            _add(case, "failure", task.status, task.message or task.status)
    suite.set("tests", str(len(suite)))
    for tag, total in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(total, str(len(suite.findall(f"testcase/{tag}"))))
    return suite


def _add(case: ElementTree.Element, tag: str, kind: str, words: str) -> None:
    """What went wrong: a line of it as an attribute, all of it as text."""
    attributes = {"message": xml_text(one_line(words)), "type": kind}
    ElementTree.SubElement(case, tag, attributes).text = xml_text(words)


def _summary(result: Result) -> str:
    lines = [f"{points_of(result.points, result.max_points)} from the checks."]
    if result.points_by_hand:
        lines.append(f"A person gives up to {result.points_by_hand} more.")
    if result.sandbox == "none":
        lines.append("Graded without a sandbox.")
    if result.cells:
        lines += ["", "What happened in the cells:", ""]
        lines += [f"- {markdown(words)}" for words in result.cells]
    return "\n".join(lines)


def _apology(problem: str) -> str:
    why = markdown(problem) or "The reason is not known. Tell your instructor."
    return f"This submission could not be graded: {why}"


def _gradescope_test(number: int, task: TaskResult) -> dict[str, Any]:
    words = task.message if task.status == WRONG else task.status
    if task.where and task.status != PASSED:
        words += f" (See {book_link(task.where)})"
    return {
        "score": task.points,
        "max_score": task.max_points,
        "name": one_line(task.title),
        "number": str(number),
        "output": words,
        "output_format": "text",
        "visibility": "visible",
        "status": "passed" if task.status == PASSED else "failed",
    }
