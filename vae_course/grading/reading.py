"""A notebook as plain JSON, from the bytes of a stranger's file."""

import json
from typing import Any

from vae_course.checks import EXERCISES

__all__ = ["Refused", "cell_id", "exercise_of", "read_notebook", "source_of"]

MOST_CELLS, LONGEST_ID = 2_000, 64


class Refused(Exception):  # noqa: N818 - it becomes the submission's problem
    """Why a file cannot be graded, and what to do."""


def read_notebook(content: bytes) -> dict[str, Any]:
    """The notebook in a file.

    Raises:
        Refused: if it holds none that can be graded.
    """
    again = "Save it again from Jupyter."
    try:
        notebook = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Refused(f"It is not a notebook: it cannot be read as JSON. {again}") from None
    if not isinstance(notebook, dict):
        raise Refused(f"It is not a notebook. {again}")
    version = notebook.get("nbformat")
    if version != 4:
        raise Refused(f"It is saved in format {str(version)[:20]}, not 4. {again}")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(_is_cell(cell) for cell in cells):
        raise Refused(f"Its cells are damaged. {again}")
    if len(cells) > MOST_CELLS:
        raise Refused(f"It has more than {MOST_CELLS:,} cells. Hand in the exercise alone.")
    metadata = notebook.get("metadata")
    notebook["metadata"] = metadata if isinstance(metadata, dict) else {}
    return notebook


def _is_cell(cell: Any) -> bool:
    source = cell.get("source", "") if isinstance(cell, dict) else None
    lines = isinstance(source, list) and all(isinstance(line, str) for line in source)
    return isinstance(source, str) or lines


def exercise_of(notebook: dict[str, Any]) -> str:
    """The id of the exercise that a notebook carries.

    Raises:
        Refused: if it carries none, or is not in Python.
    """
    metadata = notebook["metadata"]
    for part, key in (("kernelspec", "language"), ("language_info", "name")):
        language = _entry(metadata, part, key)
        if isinstance(language, str) and language.lower() != "python":
            raise Refused(f"It is a notebook in {language[:40]}. Hand in the one in Python.")
    name = _entry(metadata, "vae_course", "exercise")
    if not isinstance(name, str) or name not in EXERCISES:
        raise Refused(
            "It does not say which exercise it is. Copy the answers into a fresh copy of the "
            "exercise's notebook."
        )
    return name


def _entry(metadata: dict[str, Any], part: str, key: str) -> Any:
    found = metadata.get(part)
    return found.get(key) if isinstance(found, dict) else None


def cell_id(cell: dict[str, Any], number: int) -> str:
    """Its id, or its number where it has none."""
    found = cell.get("id")
    return found[:LONGEST_ID] if isinstance(found, str) and found else f"cell {number}"


def source_of(cell: dict[str, Any]) -> str:
    """Its text."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
