"""Files for other programs: a gradebook, JUnit, JSON lines, Gradescope's results.

What students wrote is text in all of them, and no formula, markup or control character.
"""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vae_course.errors import ExerciseError
from vae_course.grading.policy import Counted
from vae_course.grading.results import NOT_GRADED, Result, TaskResult
from vae_course.image_cache import write_atomically

__all__ = ["one_line", "write_grades", "write_gradescope", "write_jsonl", "write_junit"]

COLUMNS = (
    *("student", "exercise", "status", "points", "max_points", "manual_points", "manual_max"),
    *("days_late", "file", "problem", "flags"),
)
FORMULA = ("=", "+", "-", "@")
LONGEST = 500
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_line(words: str, longest: int = LONGEST) -> str:
    """Text on one line, without what does not print, and not too long."""
    kept = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


def write_grades(path: Path, rows: Sequence[Counted]) -> None:
    """Write the gradebook; points that a person typed into the earlier one stay.

    Args:
        path: of the CSV file.
        rows: the attempts that count.

    Raises:
        ExerciseError: if the earlier file cannot be read; nothing is overwritten then.
    """
    by_hand = _by_hand(path)
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for row in rows:
        fields = _fields(row)
        fields["manual_points"] = by_hand.pop((fields["student"], fields["exercise"]), "")
        table.writerow(fields)
    for (student, exercise), points in by_hand.items():
        if points:  # a student who is gone; the marks are not
            table.writerow(
                dict.fromkeys(COLUMNS, "")
                | {"student": student, "exercise": exercise}
                | {"status": "missing", "manual_points": points}
            )
    _write(path, text.getvalue())


def write_jsonl(path: Path, results: Sequence[Result]) -> None:
    """Write each result on a line, as JSON."""
    lines = (json.dumps(result.as_dict(), ensure_ascii=True) + "\n" for result in results)
    _write(path, "".join(lines))


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """Write JUnit XML: a suite for each submission, a case for each task."""
    root = ET.Element("testsuites", name="vae-course")
    for result in results:
        name = _xml(f"{result.student} {result.exercise}".strip())
        suite = ET.SubElement(root, "testsuite", name=name, time=f"{result.seconds:.2f}")
        if result.status == NOT_GRADED:
            case = ET.SubElement(suite, "testcase", classname=name, name=_xml(result.file))
            ET.SubElement(case, "error", message=_xml(result.problem))
        for task in result.tasks:
            case = ET.SubElement(suite, "testcase", classname=name, name=_xml(task.title))
            _verdict(case, task)
        for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            suite.set(count, str(len(suite.findall(f".//{tag}"))))
    ET.indent(root)
    _write(path, ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n")


def write_gradescope(path: Path, result: Result | None, problem: str = "") -> None:
    """Write what Gradescope reads; also where nothing could be graded.

    Args:
        path: of ``results.json``.
        result: of the one submission; None if the grader failed.
        problem: why it did.
    """
    if result is None or result.status == NOT_GRADED:
        why = problem or (result.problem if result else "Nothing was handed in.")
        content: dict[str, Any] = {"score": 0, "output": f"Not graded: {one_line(why)}"}
        _write(path, json.dumps(content | {"visibility": "visible"}))
        return
    checked = [task for task in result.tasks if task.status != "marked by a person"]
    words = [f"{result.exercise}: {result.points} of {result.max_points} points."]
    words += ["Graded without a sandbox."] * (result.sandbox == "none")
    content = {
        "score": result.points,
        "output": " ".join(words),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(result.seconds),
        "tests": [_gradescope(number, task) for number, task in enumerate(checked, 1)],
    }
    _write(path, json.dumps(content, indent=1))


def _gradescope(number: int, task: TaskResult) -> dict[str, Any]:
    return {
        "score": task.points,
        "max_score": task.max_points,
        "name": task.title,
        "number": str(number),
        "output": one_line(task.message or task.status),
        "output_format": "text",
        "visibility": "visible",
        "status": "passed" if task.status == "passed" else "failed",
    }


def _fields(row: Counted) -> dict[str, str]:
    result = row.result
    graded = result.status != NOT_GRADED
    fields = {
        "student": result.student,
        "exercise": result.exercise,
        "status": result.status,
        "points": f"{row.points:g}" if graded else "",
        "max_points": str(result.max_points) if graded else "",
        "manual_max": str(result.points_by_hand) if graded else "",
        "days_late": str(row.days_late),
        "file": result.file,
        "problem": result.problem,
        "flags": "; ".join(result.flags),
    }
    return {name: _cell(value) for name, value in fields.items()}


def _cell(words: str) -> str:
    """A field that no spreadsheet takes for a formula."""
    shown = one_line(words)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def _by_hand(path: Path) -> dict[tuple[str, str], str]:
    """The points that a person typed in: (student, exercise) → points."""
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            kept = csv.DictReader(file, strict=True)
            if not {"student", "exercise", "manual_points"} <= set(kept.fieldnames or ()):
                raise ValueError("it has other columns")
            return {(r["student"], r["exercise"]): r["manual_points"] or "" for r in kept}
    except (ValueError, csv.Error, OSError) as error:
        raise ExerciseError(
            f"{path} is not a gradebook of this grader ({error}), so it was not written over.",
            "Move it away, and run the command again.",
        ) from error


def _verdict(case: ET.Element, task: TaskResult) -> None:
    if task.status == "marked by a person":
        ET.SubElement(case, "skipped", message=task.status)
    elif task.status != "passed":
        ET.SubElement(case, "failure", message=_xml(task.message or task.status))


def _xml(words: str) -> str:
    return one_line(NOT_XML.sub("�", words))


def _write(path: Path, text: str) -> None:
    write_atomically(path, text.encode("utf-8", "replace"))
    path.chmod(0o644)
