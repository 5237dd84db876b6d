"""One source, two notebooks: ``solutions/NN_name.md`` → a student's and an executed solution.

The source is a MyST Markdown notebook. The keys of its code cells say what they are:
``:task: name`` holds a solution region, ``:answer: name`` likewise for a variable,
``:check: name`` is the self-check under it. ``+++ {"written": "name"}`` makes a Markdown cell
that a person marks. Notebooks carry nbgrader's metadata.
"""

import ast
import copy
import dataclasses
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbformat import NotebookNode

from vae_course.checks import EXERCISES, exercise
from vae_course.checks.specs import Exercise
from vae_course.errors import ExerciseError
from vae_course.links import book_page, colab, repository

__all__ = ["Source", "find_sources", "read_source", "solution_notebook", "student_notebook"]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
WRITTEN_STUB = "YOUR ANSWER HERE"
KEYS = ("task", "answer", "check", "written")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
TELLING = 18  # characters from which a line of a solution is one that gives it away


@dataclasses.dataclass(frozen=True)
class Source:
    """The source of an exercise: its specification, its file, its cells."""

    spec: Exercise
    path: Path
    notebook: NotebookNode


def find_sources(root: Path, only: str | None = None) -> list[Path]:
    """The sources in ``root/solutions``, in order.

    Args:
        root: the repository.
        only: the id of one exercise, such as ``"01-beta"``.

    Raises:
        ExerciseError: if there are none.
    """
    wanted = [only] if only else list(EXERCISES)
    paths = [root / "solutions" / f"{exercise(name).file}.md" for name in wanted]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise ExerciseError(
            f"{root / 'solutions'} has no {', '.join(missing)}.",
            "Run this in the root of the course's repository.",
        )
    return paths


def read_source(path: Path) -> Source:
    """Read and verify a source.

    Raises:
        ExerciseError: if a solution region is nested, unclosed, stray or empty, a task has no
            region or no check, a check no task, or the tasks are not those of the checks.
    """
    spec = exercise(path.stem.replace("_", "-"))
    try:
        notebook = jupytext.read(path, fmt="md:myst")
    except Exception as error:  # jupytext and the YAML parser raise many kinds
        raise ExerciseError(f"{path} is not a notebook ({error}).", "Mend the file.") from error
    source = Source(spec, path, notebook)
    _verify_cells(source)
    return source


def student_notebook(source: Source) -> NotebookNode:
    """What a student gets: stubs for solutions, no outputs.

    Raises:
        ExerciseError: if a line of a solution is left in it.
    """
    notebook = _common(source, _student_text)
    secrets = set(_solution_lines(source))
    for cell in notebook.cells:
        leaked = secrets & {line.strip() for line in cell.source.splitlines()}
        if leaked:
            raise ExerciseError(
                f"{source.path} gives its solution away in {cell.id}: {min(leaked)!r}.",
                "Put that line between the solution markers, or word it differently.",
            )
    return notebook


def solution_notebook(source: Source) -> NotebookNode:
    """The solution, regions kept, not executed yet."""
    notebook = _common(source, lambda _, cell: cell.source)
    first = notebook.cells[0]
    first.source = re.sub(r"\A(# .*)", r"\1 (solution)", first.source)
    return notebook


def _kind(cell: NotebookNode) -> tuple[str, str]:
    """A cell's key and the name that it carries; ``("", "")`` for an ordinary cell."""
    found = [(key, str(cell.metadata[key])) for key in KEYS if key in cell.metadata]
    return found[0] if found else ("", "")


def _verify_cells(source: Source) -> None:
    kinds = [_kind(cell) for cell in source.notebook.cells]
    for cell, (key, name) in zip(source.notebook.cells, kinds, strict=True):
        regions = list(_regions(source, cell))
        if key in ("task", "answer") and not regions:
            raise _refused(source, f"The task {name} has no solution region.")
        if regions and key not in ("task", "answer"):
            raise _refused(source, f"A solution region stands outside a task: {cell.source!r}.")
        if key == "check" and f'"{name}"' not in cell.source:
            raise _refused(source, f"The check of {name} checks something else.")
    steps = [(key, name) for key, name in kinds if key]
    for (key, name), after in itertools.zip_longest(steps, steps[1:], fillvalue=("", "")):
        if key in ("task", "answer") and after != ("check", name):
            raise _refused(source, f"The task {name} is not followed by its check.")
    for before, (key, name) in zip([("", ""), *steps], steps, strict=False):
        if key == "check" and before not in (("task", name), ("answer", name)):
            raise _refused(source, f"The check of {name} stands without its task.")
    named = [name for key, name in steps if key != "check"]
    wanted = [task.name for task in source.spec.tasks]
    if named != wanted:
        raise _refused(source, f"It has the tasks {named}, but the checks have {wanted}.")
    by_hand = [task.name for task in source.spec.tasks if task.check is None]
    if [name for key, name in steps if key == "written"] != by_hand:
        raise _refused(source, "What a person marks must be a written cell, and nothing else.")


def _refused(source: Source, problem: str) -> ExerciseError:
    return ExerciseError(f"{source.path}: {problem}", "Mend the source and build again.")


def _regions(source: Source, cell: NotebookNode) -> Iterator[list[str]]:
    """The lines of each solution region of a cell."""
    region: list[str] | None = None
    for line in cell.source.splitlines():
        mark = line.strip()
        if mark == BEGIN:
            if region is not None:
                raise _refused(source, f"A solution region begins inside another: {cell.source!r}.")
            region = []
        elif mark == END:
            if region is None:
                raise _refused(source, f"A solution region ends that never began: {cell.source!r}.")
            if not any(text.strip() for text in region):
                raise _refused(source, f"A solution region is empty: {cell.source!r}.")
            yield region
            region = None
        elif "BEGIN SOLUTION" in line or "END SOLUTION" in line:
            raise _refused(source, f"A marker is misspelt: {line!r}; write {BEGIN!r} or {END!r}.")
        elif region is not None:
            region.append(line)
    if region is not None:
        raise _refused(source, f"A solution region is not closed: {cell.source!r}.")


def _solution_lines(source: Source) -> Iterator[str]:
    for cell in source.notebook.cells:
        lines = itertools.chain.from_iterable(_regions(source, cell))
        if _kind(cell)[0] == "written":
            lines = iter(cell.source.splitlines())
        yield from (line.strip() for line in lines if len(line.strip()) >= TELLING)


def _student_text(source: Source, cell: NotebookNode) -> str:
    key, name = _kind(cell)
    if key == "written":
        return WRITTEN_STUB
    if key == "answer":
        return _without_solution(cell, lambda lines: _unanswered(source, lines))
    call = f'raise NotImplementedError("{source.spec.id}: {name}")'
    return _without_solution(cell, lambda lines: [_indent(lines) + call])


def _without_solution(cell: NotebookNode, stub: Callable[[list[str]], list[str]]) -> str:
    kept: list[str] = []
    region: list[str] | None = None
    for line in cell.source.splitlines():
        if line.strip() == BEGIN:
            region = []
        elif line.strip() == END and region is not None:
            kept += stub(region)
            region = None
        elif region is not None:
            region.append(line)
        else:
            kept.append(line)
    return "\n".join(kept)


def _unanswered(source: Source, lines: list[str]) -> list[str]:
    statements = ast.parse("\n".join(lines)).body
    targets = [node.targets[0] for node in statements if isinstance(node, ast.Assign)]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    if len(names) != len(statements):
        raise _refused(source, f"An answer may only assign to names: {lines}.")
    return [f"{name} = None  # your answer" for name in names]


def _indent(lines: list[str]) -> str:
    first = next(line for line in lines if line.strip())
    return first[: len(first) - len(first.lstrip())]


def _common(source: Source, text: Callable[[Source, NotebookNode], str]) -> NotebookNode:
    cells: list[NotebookNode] = []
    for cell in source.notebook.cells:
        make = nbformat.v4.new_code_cell if cell.cell_type == "code" else _markdown_cell
        key, name = _kind(cell)
        made = make(_filled(source, text(source, cell)), metadata=_metadata(source, cell))
        made.id = f"{key}-{name}".replace("_", "-") if key else _hash_id(cell.source, len(cells))
        cells.append(made)
    about = {"exercise": source.spec.id, "points": source.spec.points}
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": dict(KERNEL), "vae_course": about}
    )


def _markdown_cell(text: str, metadata: dict[str, Any]) -> NotebookNode:
    # A label before a heading is raw text in JupyterLab, and clashes between the two notebooks.
    return nbformat.v4.new_markdown_cell(
        re.sub(r"^\([\w-]+\)=\n", "", text, flags=re.M), metadata=metadata
    )


def _hash_id(text: str, position: int) -> str:
    return hashlib.sha256(f"{position} {text}".encode()).hexdigest()[:12]


def _filled(source: Source, text: str) -> str:
    """Put in what the source leaves to the specification: points, minutes, addresses."""
    spec = source.spec
    values = {
        "points": str(spec.points),
        "minutes": str(spec.minutes),
        "title": spec.title,
        "id": spec.id,
        "colab": colab(f"exercises/{spec.file}.ipynb"),
        "repository": repository(),
        "book": book_page("index"),
    }
    for task in spec.tasks:
        values[f"points:{task.name}"] = str(task.points)

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise _refused(source, f"Nothing is known of {match[0]}.")
        return values[match[1]]

    return re.sub(r"\{\{([\w:]+)\}\}", value, text)


def _metadata(source: Source, cell: NotebookNode) -> dict[str, Any]:
    key, name = _kind(cell)
    kept = {"tags": list(cell.metadata["tags"])} if cell.metadata.get("tags") else {}
    if key == "check":
        kept["tags"] = [*kept.get("tags", []), "nbval-check-output"]
    if not key:
        return copy.deepcopy(kept)
    graded = key in ("check", "written")
    about = {
        "schema_version": 3,
        "grade": graded,
        "solution": key != "check",
        "locked": key == "check",
        "task": False,
        "grade_id": f"{key}-{name}",
    }
    if graded:
        about["points"] = source.spec.task(name).points
    return {**kept, "nbgrader": about}
