"""Marking a class: from what was handed in to jobs, and from results to reports' folder.

A report folder holds ``results/``, one JSON file for each submission, from which everything else
in it is made; and ``run.json``, which only the grader reads: the questions of a run are drawn
from its secret.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
import platform
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from vae_course.checks import EXERCISES, exercise
from vae_course.errors import ExerciseError
from vae_course.grading.backends import Backend, failed
from vae_course.grading.intake import Cell, Submission, code_cells
from vae_course.grading.jobs import Job
from vae_course.grading.likeness import likeness, shingles, without
from vae_course.grading.reading import read_notebook, source_of
from vae_course.grading.results import NOT_GRADED, SCHEMA, Result, load, save
from vae_course.grading.sandbox import Limits
from vae_course.image_cache import write_atomically

__all__ = ["Course", "Order", "grade_all", "open_report", "plan", "read_course"]

NEAR = 0.8  # likeness above which a submission is flagged
MOST_CODE = 500_000  # characters
MOST_SHINGLES = 2000  # the smallest hashes stand for all of a very large notebook
FEWEST = 30  # shingles below which nothing can be told
LIBRARIES = ("brainstate", "jax", "jaxlib", "numpy", "optax", "ipython")


@dataclasses.dataclass(frozen=True)
class Order:
    """What a run is asked for: the questions' secret, the budget, the limits, the images."""

    secret: str
    budget: str
    limits: Limits
    images: str


@dataclasses.dataclass(frozen=True)
class Course:
    """What is published of each exercise: the code handed out, and the solution's, by id."""

    given: dict[str, list[str]]
    solved: dict[str, list[str]]


def read_course(root: Path) -> Course:
    """The published exercises and solutions; empty where there is no repository.

    Args:
        root: of the repository.
    """
    given, solved = (
        {name: root / part / f"{exercise(name).file}.ipynb" for name in EXERCISES}
        for part in ("exercises", "solutions")
    )
    if not all(path.is_file() for path in (*given.values(), *solved.values())):
        return Course({}, {})
    return Course(
        {name: _code(path) for name, path in given.items()},
        {name: _code(path) for name, path in solved.items()},
    )


def open_report(folder: Path, *, fresh: bool) -> str:
    """Make the folder of a report, or open it to go on; its secret.

    Args:
        folder: of the report.
        fresh: forget its results, and draw a new secret.

    Raises:
        ExerciseError: if the folder holds something else, or cannot be written.
    """
    kept = folder / "run.json"
    if folder.exists() and not folder.is_dir():
        raise ExerciseError(f"{folder} is a file.", "Choose another folder for --out.")
    if folder.is_dir() and any(folder.iterdir()) and not kept.exists():
        raise ExerciseError(
            f"{folder} holds files that are no report.", "Choose an empty folder for --out."
        )
    try:
        if fresh:
            shutil.rmtree(folder / "results", ignore_errors=True)
        elif kept.exists():
            return str(json.loads(kept.read_text(encoding="utf-8"))["secret"])
        secret = secrets.token_hex(16)
        write_atomically(kept, json.dumps({"schema": SCHEMA, "secret": secret}).encode())
        kept.chmod(0o600)
    except (ValueError, KeyError) as error:
        raise ExerciseError(f"{kept} is damaged.", "Grade anew with --fresh.") from error
    except OSError as error:
        raise ExerciseError(
            f"{folder} cannot be written ({error.strerror}).", "Choose another folder for --out."
        ) from error
    return secret


def plan(submissions: Sequence[Submission], order: Order, course: Course) -> list[Job | Result]:
    """For each submission its job, or its result where it cannot be graded."""
    return [_planned(one, order, course) for one in submissions]


def grade_all(jobs: Sequence[Job], folder: Path, backend: Backend) -> Iterator[Result]:
    """Grade what has no result in ``folder`` yet, each kept as it comes; earlier ones come first.

    Raises:
        OSError: if a result cannot be kept.
    """
    missing = []
    for job in jobs:
        kept = load(folder, job.key)
        if kept is not None and kept.status != NOT_GRADED:
            yield kept
        else:
            missing.append(job)
    futures = {backend.submit(job): job for job in missing}
    for future in backend.completed(futures):
        try:
            result = future.result()
        except Exception as error:  # a fault of the grader, or a lost machine: go on
            result = failed(futures[future], f"{type(error).__name__}: {error}"[:300])
        save(folder, result)
        yield result


def _planned(one: Submission, order: Order, course: Course) -> Job | Result:
    key = _key(one, order)
    try:
        cells = [] if one.problem else code_cells(one)
        much = sum(len(cell.source) for cell in cells) > MOST_CODE
        too_much = f"It holds more than {MOST_CODE:,} characters of code. Hand in less."
        problem = one.problem or (too_much if much else "")
    except ExerciseError as error:
        cells, problem = [], str(error)
    if problem:
        return Result(
            key=key,
            student=one.student,
            file=one.file,
            digest=one.digest,
            handed_in=one.handed_in,
            exercise=one.exercise if one.exercise in EXERCISES else "",
            status=NOT_GRADED,
            problem=problem,
            sandbox="",
        )
    own = _own_code(one.exercise, cells, course)
    return Job(
        key=key,
        student=one.student,
        file=one.file,
        digest=one.digest,
        handed_in=one.handed_in,
        exercise=one.exercise,
        cells=tuple((_called(cell, number), cell.source) for number, cell in enumerate(cells, 1)),
        flags=tuple(_flags(one.exercise, cells, own, course)),
        shingles=tuple(sorted(own)[:MOST_SHINGLES]),
        secret=order.secret,
        budget=order.budget,
        limits=order.limits,
    )


def _key(one: Submission, order: Order) -> str:
    """What a result depends on: the submission, the checks, the environment, the order."""
    parts = [SCHEMA, one.student, one.file, one.digest, one.exercise, order.budget, order.images]
    parts += [dataclasses.asdict(order.limits), _sources(), platform.python_version()]
    parts += [importlib.metadata.version(name) for name in LIBRARIES]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _sources() -> str:
    """Of this package: a changed check grades anew."""
    folder = Path(__file__).resolve().parents[1]
    content = b"".join(path.read_bytes() for path in sorted(folder.rglob("*.py")))
    return hashlib.sha256(content).hexdigest()


def _own_code(exercise: str, cells: Sequence[Cell], course: Course) -> frozenset[int]:
    """Shingles of what is not handed out with the exercise."""
    return without(
        shingles([cell.source for cell in cells]), shingles(course.given.get(exercise, []))
    )


def _flags(
    exercise: str, cells: Sequence[Cell], own: frozenset[int], course: Course
) -> Iterator[str]:
    """What an instructor should look at."""
    if exercise not in course.given:
        return
    given = {line.strip() for source in course.given[exercise] for line in source.splitlines()}
    for cell in cells:
        for line in cell.source.splitlines():
            if re.search(r"\bvae_course\b", line) and line.strip() not in given:
                yield f"names the package where the exercise does not: {line.strip()[:120]}"
    solution = without(shingles(course.solved[exercise]), shingles(course.given[exercise]))
    if len(own) >= FEWEST and (found := likeness(own, solution)) >= NEAR:
        yield f"{found:.0%} like the published solution"


def _called(cell: Cell, number: int) -> str:
    """A code cell as a student sees it: its number in a fresh run, and which task it is."""
    of_a_task = re.match(r"(task|answer|check)-", cell.id)
    return f"[{number}] {cell.id}" if of_a_task else f"[{number}]"


def _code(path: Path) -> list[str]:
    cells = read_notebook(path.read_bytes())["cells"]
    return [source_of(cell) for cell in cells if cell.get("cell_type") == "code"]
