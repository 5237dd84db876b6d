"""HTML pages that need nothing but themselves, and the files of a report."""

import hashlib
import json
import re
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from vae_course.checks import EXERCISES, exercise
from vae_course.grading.escaping import one_line
from vae_course.grading.results import Result
from vae_course.image_cache import write_atomically
from vae_course.links import book_page

__all__ = ["book_link", "exercise_title", "page_name", "points_of", "render", "write_file"]

LONGEST_NAME = 80


def page_name(result: Result) -> str:
    """The stem of a submission's feedback files: readable, and unlike any other submission's.

    The hash keeps apart what looks the same in lower-case ASCII, also two attempts of a student.
    """
    words = unicodedata.normalize("NFKD", f"{result.student}-{result.exercise}".lower())
    readable = re.sub(r"[^a-z0-9_]+", "-", words.encode("ascii", "ignore").decode())
    parts = json.dumps([result.student, result.exercise, result.file])
    digest = hashlib.sha256(parts.encode()).hexdigest()[:16]
    return f"{readable[:LONGEST_NAME].strip('-_') or 'submission'}-{digest}"


def exercise_title(name: str) -> str:
    """An exercise's id and title; an id that is none of ours stands for itself."""
    return f"{name}: {exercise(name).title}" if name in EXERCISES else name or "Unknown exercise"


def book_link(where: str) -> str:
    """The address of a page of the book, safe within any markup."""
    return book_page(quote(where, safe="#/"))


def points_of(points: float, most: int) -> str:
    """Points in words: ``"1.5 of 2 points"``."""
    return f"{points:g} of {most} {'point' if most == 1 else 'points'}"


def render(template: str, **values: Any) -> str:
    """A page from a template; whatever is put in becomes one short escaped line.

    Args:
        template: a file in ``templates``.
        values: for its names.
    """
    return _templates.get_template(template).render(values)


def write_file(path: Path, content: str) -> None:
    """Write a file that everybody may read; all of it or none.

    Raises:
        OSError: if the folder cannot be written.
    """
    write_atomically(path, content.encode("utf-8", "replace"))
    path.chmod(0o644)


def _harmless(value: Any) -> Any:
    """Jinja calls this on every value before it escapes it; markup made by a macro is ours."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("vae_course.grading"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    finalize=_harmless,
)
_templates.globals |= {"points_of": points_of, "book_link": book_link}
