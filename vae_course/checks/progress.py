"""What a student had done: kept in the course's folder, so that it outlives the session."""

import datetime
import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vae_course.checks.reports import Report
from vae_course.image_cache import cache_folder, write_atomically

__all__ = ["progress_file", "recalled", "remember"]


def progress_file(exercise: str) -> Path:
    """Where the progress of an exercise is kept."""
    return cache_folder() / "progress" / f"{exercise}.json"


def recalled(exercise: str) -> dict[str, Any]:
    """What was kept: task → status, time, and the cell that answered it; {} if nothing."""
    try:
        kept = json.loads(progress_file(exercise).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(kept, dict):
        return {}
    return {str(task): entry for task, entry in kept.items() if _is_entry(entry)}


def remember(report: Report, names: Mapping[str, Any]) -> None:
    """Keep the status of each task of a notebook with the cell that answered it.

    Outside a notebook there are no cells, and nothing is kept. A task that was not started
    leaves what an earlier session kept.
    """
    cells = names.get("In")
    if not isinstance(cells, list):
        return
    kept = recalled(report.exercise.id)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    for result in report.results:
        source = _cell_that_defines(result.task.name, cells)
        if result.status != "not started" and source:
            kept[result.task.name] = {"status": result.status, "when": now, "source": source}
    try:
        text = json.dumps(kept, indent=1, ensure_ascii=False)
        write_atomically(progress_file(report.exercise.id), text.encode())
    except OSError as error:
        warnings.warn(f"Your progress could not be kept ({error.strerror}).", stacklevel=3)


def _is_entry(entry: Any) -> bool:
    fields = ("status", "when", "source")
    return isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in fields)


def _cell_that_defines(name: str, cells: Sequence[Any]) -> str:
    pattern = re.compile(rf"^(def|class)\s+{re.escape(name)}\b|^{re.escape(name)}\s*=", re.M)
    found = (cell for cell in reversed(cells) if isinstance(cell, str) and pattern.search(cell))
    return next(found, "")
