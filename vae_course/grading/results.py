"""What comes of one submission: plain data with a version, one JSON file each.

A result file is written at once or not at all, and its name is a hash of what it depends on, so
an interrupted run goes on where it was, and a changed submission is graded anew.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from vae_course.image_cache import write_atomically

__all__ = ["SCHEMA", "Result", "TaskResult", "load", "load_all", "save"]

SCHEMA = 1
GRADED, NOT_GRADED = "graded", "not graded"


@dataclasses.dataclass(frozen=True)
class TaskResult:
    """What came of one task.

    ``status`` is ``"passed"``, ``"wrong"``, ``"not started"`` or ``"marked by a person"``.
    ``message`` says what is most likely wrong. It may hold words of the student's code, so it is
    escaped wherever it is shown.
    """

    task: str
    title: str
    status: str
    points: int
    max_points: int
    message: str = ""
    where: str = ""  # the page of the book that explains it, for links.book_page


@dataclasses.dataclass(frozen=True)
class Result:
    """What came of one submission.

    Args:
        key: what the result depends on, hashed; its file is named for it.
        student: who handed it in.
        file: its path in what was handed in.
        digest: SHA-256 of the file.
        handed_in: when, in seconds since 1970, as the file or the archive says; 0 if unknown.
        exercise: its id; "" if the file does not say.
        status: ``"graded"`` or ``"not graded"``.
        problem: why it is not graded, and what to do; "" if it is.
        tasks: one for each task of the exercise, in order.
        cells: what cells raised or did, a line each; words of the student's code among them.
        flags: what an instructor should look at; never a reason to fail.
        sandbox: ``"bubblewrap"``, or ``"none"`` where it ran without one.
        seconds: wall time of the whole.
        memory_mb: the most memory that its processes held, together.
        shingles: hashes of short runs of its code, to find submissions that are alike.
    """

    key: str
    student: str
    file: str
    digest: str
    handed_in: float = 0.0
    exercise: str = ""
    status: str = GRADED
    problem: str = ""
    tasks: tuple[TaskResult, ...] = ()
    cells: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    sandbox: str = "bubblewrap"
    seconds: float = 0.0
    memory_mb: float = 0.0
    shingles: tuple[int, ...] = ()

    @property
    def points(self) -> int:
        """Points earned."""
        return sum(task.points for task in self.tasks)

    @property
    def max_points(self) -> int:
        """Points that could be earned without a person."""
        return sum(t.max_points for t in self.tasks if t.status != "marked by a person")

    @property
    def points_by_hand(self) -> int:
        """Points that a person gives."""
        return sum(t.max_points for t in self.tasks if t.status == "marked by a person")

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as the JSON file holds it."""
        sums = {"points": self.points, "max_points": self.max_points}
        return {"schema": SCHEMA, **dataclasses.asdict(self), **sums}


def save(folder: Path, result: Result) -> Path:
    """Write ``folder/KEY.json``; all of it or none.

    Raises:
        OSError: if the folder cannot be written.
    """
    path = folder / f"{_file(result.key)}.json"
    text = json.dumps(result.as_dict(), indent=1, ensure_ascii=False)
    write_atomically(path, text.encode("utf-8", "replace"))
    path.chmod(0o644)
    return path


def load(folder: Path, key: str) -> Result | None:
    """The result of that key; None if there is none, or it is damaged or of another version."""
    return _read(folder / f"{_file(key)}.json")


def load_all(folder: Path) -> list[Result]:
    """Every sound result in a folder, by student, exercise and file."""
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    whole = [result for result in found if result is not None]
    return sorted(whole, key=lambda r: (r.student, r.exercise, r.file))


def _file(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _read(path: Path) -> Result | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept.pop("schema") != SCHEMA:
            return None
        for derived in ("points", "max_points"):
            kept.pop(derived)
        tasks = tuple(TaskResult(**task) for task in kept.pop("tasks"))
        cells, flags, shingles = (tuple(kept.pop(k)) for k in ("cells", "flags", "shingles"))
        return Result(**kept, tasks=tasks, cells=cells, flags=flags, shingles=shingles)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
