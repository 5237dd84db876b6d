"""What a check shows: a table in a notebook, lines in a terminal."""

import dataclasses
import html
from typing import Any

from vae_course.checks.specs import BY_A_PERSON, NOT_STARTED, PASSED, WRONG, Exercise, Result
from vae_course.links import book_page

__all__ = ["Report"]

MARKS = {PASSED: "✓", NOT_STARTED: "·", WRONG: "✗", BY_A_PERSON: "✎"}
COLOURS = {PASSED: "#1a7f37", NOT_STARTED: "#6e7781", WRONG: "#cf222e", BY_A_PERSON: "#6e7781"}


@dataclasses.dataclass(frozen=True)
class Report:
    """The results of some or all tasks of an exercise."""

    exercise: Exercise
    results: tuple[Result, ...]

    @property
    def passed(self) -> bool:
        """Whether all that is checked here passed."""
        return all(result.status in (PASSED, BY_A_PERSON) for result in self.results)

    @property
    def points(self) -> int:
        """Points earned."""
        return sum(result.points for result in self.results)

    @property
    def out_of(self) -> int:
        """Points that could be earned here without a person."""
        return sum(result.task.points for result in self.results if result.task.check)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for a program."""
        rows = [
            {
                "task": result.task.name,
                "status": result.status,
                "points": result.points,
                "max_points": result.task.points,
                "message": result.message,
            }
            for result in self.results
        ]
        return {"exercise": self.exercise.id, "tasks": rows}

    def __str__(self) -> str:
        lines = [
            f"{MARKS[result.status]} {result.task.title}: {_verdict(result)}"
            for result in self.results
        ]
        if len(self.results) > 1:
            lines.append(f"{self.points} of {self.out_of} points")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._html()}

    def _html(self) -> str:
        rows = "".join(map(_row, self.results))
        total = f"<p>{self.points} of {self.out_of} points</p>" if len(self.results) > 1 else ""
        return f'<table style="text-align:left;margin:0">{rows}</table>{total}'


def _verdict(result: Result) -> str:
    if result.status != WRONG:
        return result.status
    where = f" (See {book_page(result.task.where)})" if result.task.where else ""
    return result.message + where


def _row(result: Result) -> str:
    words = html.escape(result.message if result.status == WRONG else result.status)
    if result.status == WRONG and result.task.where:
        address = html.escape(book_page(result.task.where), quote=True)
        words += f' <a href="{address}">Where the book explains it</a>'
    mark = f'<span style="color:{COLOURS[result.status]}">{MARKS[result.status]}</span>'
    cells = (mark, html.escape(result.task.title), words)
    style = ' style="text-align:left;vertical-align:top;padding:0.15em 1em 0.15em 0"'
    return "<tr>" + "".join(f"<td{style}>{cell}</td>" for cell in cells) + "</tr>"
