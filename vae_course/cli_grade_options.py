"""The options of `vae-course grade`, with their help."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vae_course.errors import ConfigError

__all__ = [
    "Attempts",
    "Bundle",
    "ClusterAt",
    "Counts",
    "CourseAt",
    "Deadline",
    "Format",
    "Formats",
    "Fresh",
    "Late",
    "Memory",
    "Only",
    "Out",
    "SelfTest",
    "Shard",
    "Submissions",
    "Timeout",
    "Unsafe",
    "Workers",
    "shard_of",
]


class Format(StrEnum):
    """What a report folder can hold besides the results and the feedback."""

    csv = "csv"
    html = "html"
    jsonl = "jsonl"
    junit = "junit"
    gradescope = "gradescope"


class Attempts(StrEnum):
    """Which of several attempts counts."""

    last = "last"
    best = "best"
    first = "first"


Option = typer.Option
Submissions = Annotated[
    Path | None,
    typer.Argument(help="A folder, a zip or a notebook: student/01_beta.ipynb, or flat files."),
]
Out = Annotated[Path | None, Option("--out", help="Folder of the report; made, or gone on with.")]
Workers = Annotated[
    int | None, Option("--jobs", min=1, help="Notebooks at a time. Default: one a processor.")
]
Only = Annotated[list[str] | None, Option("--exercise", help="Only these; may be given again.")]
Timeout = Annotated[float, Option(min=10, help="Seconds for one notebook.")]
Memory = Annotated[float, Option(min=0.5, help="GB for one notebook, all its processes together.")]
Shard = Annotated[str | None, Option(help="I/N: grade the I-th of N parts; then `grade merge`.")]
Fresh = Annotated[bool, Option("--fresh/--resume", help="Grade all anew, or only what is missing.")]
ClusterAt = Annotated[
    str | None, Option("--cluster", help="A dask scheduler, such as tcp://host:8786.")
]
Formats = Annotated[
    list[Format] | None, Option("--format", help="May be given again. Default: all but gradescope.")
]
Deadline = Annotated[datetime | None, Option(help="Local time: 2026-11-30T23:59:00.")]
Late = Annotated[
    float, Option("--late-per-day", help="Share of the points lost for each day begun after it.")
]
Counts = Annotated[Attempts, Option("--attempts", help="Which of several attempts counts.")]
CourseAt = Annotated[
    Path | None, Option("--course", help="The course's repository, to notice copied solutions.")
]
Unsafe = Annotated[bool, Option("--unsafe", help="Without a sandbox; every report says so.")]
SelfTest = Annotated[bool, Option("--self-test", help="Try whether the sandbox holds here.")]
Bundle = Annotated[Path | None, Option(help="Write an autograder for Gradescope to this zip.")]


def shard_of(text: str | None) -> tuple[int, int]:
    """I and N of ``"I/N"``; None is the whole.

    Raises:
        ConfigError: if it is anything else.
    """
    if text is None:
        return 1, 1
    parts = text.split("/")
    if len(parts) == 2 and all(part.isdecimal() for part in parts):
        number, count = map(int, parts)
        if 1 <= number <= count:
            return number, count
    raise ConfigError(f"--shard is {text!r}.", "Give I/N with I from 1 to N, such as 2/4.")
