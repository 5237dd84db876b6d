"""Running notebooks: build the exercises, verify what is committed, check a student's file."""

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from vae_course.checks import EXERCISES
from vae_course.errors import ExerciseError
from vae_course.exercises import (
    Source,
    find_sources,
    read_source,
    solution_notebook,
    student_notebook,
)
from vae_course.image_cache import cache_folder, write_atomically

__all__ = ["build", "check_notebook", "execute", "read_notebook", "verify"]

LARGEST_SOLUTION, LARGEST_NOTEBOOK = 400_000, 50_000_000
CELL_TIMEOUT = 600
WIDGET = "application/vnd.jupyter.widget-view+json"
ABSOLUTE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|Users|usr|opt|content)/\S+")
REPORT_MARK = "vae-course report: "
Say = Callable[[str], None]


def build(root: Path, say: Say, *, only: str | None = None, again: bool = False) -> None:
    """Write the student's notebooks, and execute and write the solutions.

    A solution whose code is unchanged keeps its outputs.

    Args:
        root: the repository.
        say: told what is done, a line each.
        only: the id of one exercise.
        again: execute the unchanged ones too.

    Raises:
        ExerciseError: if a source is refused, a solution raises, fails one of its own checks,
            grows too large, or shows a path of this machine.
    """
    for path in find_sources(root, only):
        source = read_source(path)
        _write(root / "exercises" / f"{source.spec.file}.ipynb", student_notebook(source))
        solution, target = solution_notebook(source), path.with_suffix(".ipynb")
        if not again and target.exists():
            before = read_notebook(target)
            if _same_sources(solution, before):
                say(f"{source.spec.id}: unchanged")
                continue
            if _take_outputs(solution, before):
                _require_sound(source, solution)
                _write(target, solution)
                say(f"{source.spec.id}: new words; the code and its outputs are as before")
                continue
        say(f"{source.spec.id}: running the solution …")
        # A cache of its own, so that the solutions are not kept as somebody's answers; and
        # without what an earlier run kept, so that they show what a first run does.
        cache = cache_folder() / "solutions"
        shutil.rmtree(cache / "progress", ignore_errors=True)
        executed = execute(solution, path.parent, cache=cache)
        _require_sound(source, executed)
        _write(target, executed)
        say(f"{source.spec.id}: {len(nbformat.writes(executed)) // 1000} kB")


def verify(root: Path, only: str | None = None) -> list[str]:
    """What differs between the committed notebooks and their sources; [] if nothing does.

    Sources of cells and their metadata are compared, outputs are not; a solution must have
    been executed, and soundly.

    Args:
        root: the repository.
        only: the id of one exercise.

    Raises:
        ExerciseError: as `build`.
    """
    problems = []
    for path in find_sources(root, only):
        source = read_source(path)
        pairs = (
            (root / "exercises" / f"{source.spec.file}.ipynb", student_notebook(source)),
            (path.with_suffix(".ipynb"), solution_notebook(source)),
        )
        for target, expected in pairs:
            if not target.exists():
                problems.append(f"{target.relative_to(root)} is missing.")
            elif not _same_sources(expected, read_notebook(target)):
                problems.append(f"{target.relative_to(root)} differs from its source.")
            elif target.parent == path.parent:
                _require_sound(source, read_notebook(target))
            elif any(cell.get("outputs") for cell in read_notebook(target).cells):
                problems.append(f"{target.relative_to(root)} has outputs.")
    return problems


def read_notebook(path: Path) -> NotebookNode:
    """A notebook from a file.

    Raises:
        ExerciseError: if there is none, it is too large, or it is not a notebook.
    """
    if not path.is_file():
        raise ExerciseError(f"There is no file {path}.", "Check the name.")
    if path.stat().st_size > LARGEST_NOTEBOOK:
        raise ExerciseError(f"{path} is larger than 50 MB.", "Clear its outputs and save it again.")
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises many kinds
        raise ExerciseError(
            f"{path} is not a notebook ({type(error).__name__}).", "Save it again from Jupyter."
        ) from error


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    cache: Path | None = None,
    keep_going: bool = False,
    timeout: int = CELL_TIMEOUT,
) -> NotebookNode:
    """Run all the cells of ``notebook`` in a fresh kernel, in ``folder``; the same notebook.

    Args:
        notebook: changed in place.
        folder: where the kernel starts.
        cache: the course's cache folder for this run; None means the usual one.
        keep_going: run the cells after one that raises, too.
        timeout: seconds that a cell may take.

    Raises:
        ExerciseError: if the kernel dies or a cell takes too long.
        CellExecutionError: if a cell raises, unless ``keep_going``.
    """
    cache_for = str(cache or cache_folder())
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=keep_going,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env={**os.environ, "VAE_COURSE_CACHE": cache_for, "TQDM_DISABLE": "1"})
    except DeadKernelError:
        raise ExerciseError("The kernel died while it ran.", "Restart it and run all.") from None
    except CellTimeoutError:
        raise ExerciseError(
            f"A cell ran for more than {timeout} seconds.", "Look for an endless loop."
        ) from None
    for noise in ("language_info", "widgets"):
        notebook.metadata.pop(noise, None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_noise(output)]
    return notebook


def check_notebook(path: Path) -> dict[str, Any]:
    """Run a notebook of an exercise from top to bottom, and check it.

    A cell that raises does not stop the ones after it.

    Returns:
        ``{"exercise": id, "tasks": [{"task", "status", "points", "max_points", "message"}]}``.

    Raises:
        ExerciseError: if it is no notebook of an exercise, or its kernel dies.
    """
    notebook = read_notebook(path)
    name = notebook.metadata.get("vae_course", {}).get("exercise")
    if name not in EXERCISES:
        raise ExerciseError(
            f"{path} does not say which exercise it is.",
            "Copy your answers into a fresh copy of the exercise's notebook.",
        )
    notebook.cells.append(nbformat.v4.new_code_cell(_closing_cell(name)))
    execute(notebook, path.resolve().parent, keep_going=True)
    printed = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    if REPORT_MARK not in printed:
        raise ExerciseError("The checks could not be run.", "Run all in Jupyter to see why.")
    return json.loads(printed.split(REPORT_MARK, 1)[1])


def _closing_cell(name: str) -> str:
    return (
        "import json as _json\nfrom vae_course.checks import check as _check\n"
        f"print({REPORT_MARK!r} + _json.dumps(_check({name!r}).as_dict()))"
    )


def _is_noise(output: NotebookNode) -> bool:
    return output.get("name") == "stderr" or WIDGET in output.get("data", {})


def _require_sound(source: Source, executed: NotebookNode) -> None:
    """A solution that is committed ran, passed its checks, is small and shows no path."""
    text = nbformat.writes(executed)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    outputs = [output for cell in code for output in cell.outputs]
    if not all(cell.execution_count for cell in code):
        raise _unsound(source, "has cells that were not run")
    if any(output.output_type == "error" for output in outputs) or "UsageError" in text:
        raise _unsound(source, "has a cell that raises")
    if len(text) > LARGEST_SOLUTION:
        raise _unsound(source, f"has {len(text):,} characters, more than {LARGEST_SOLUTION:,}")
    shown = "".join(str(output.get("text", output.get("data", ""))) for output in outputs)
    if found := ABSOLUTE_PATH.search(shown):
        raise _unsound(source, f"shows a path of this machine, {found[0]}")
    for cell in code:
        if "nbval-check-output" in cell.metadata.get("tags", []) and "✗" in str(cell.outputs):
            raise _unsound(source, f"fails its own check: {cell.outputs}")


def _unsound(source: Source, problem: str) -> ExerciseError:
    return ExerciseError(f"The solution of {source.spec.id} {problem}.", f"Mend {source.path}.")


def _same_sources(one: NotebookNode, other: NotebookNode) -> bool:
    def kept(notebook: NotebookNode) -> Any:
        cells = [(c.id, c.cell_type, c.source, c.metadata) for c in notebook.cells]
        return cells, notebook.metadata

    return kept(one) == kept(other)


def _take_outputs(notebook: NotebookNode, executed: NotebookNode) -> bool:
    """Give ``notebook`` the outputs of ``executed``, if all their code is the same."""

    def code(notebook: NotebookNode) -> list[NotebookNode]:
        return [cell for cell in notebook.cells if cell.cell_type == "code"]

    pairs = list(zip(code(notebook), code(executed), strict=False))
    if len(code(notebook)) != len(code(executed)) or any(a.source != b.source for a, b in pairs):
        return False
    for cell, run in pairs:
        cell.outputs, cell.execution_count = run.outputs, run.execution_count
    return True


def _write(path: Path, notebook: NotebookNode) -> None:
    nbformat.validate(notebook)
    write_atomically(path, (nbformat.writes(notebook) + "\n").encode())
    path.chmod(0o644)
