"""The command line of the grader: grade a class, merge shards, test the sandbox."""

import dataclasses
import os
import time
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vae_course.errors import ConfigError, ExerciseError

if TYPE_CHECKING:
    from vae_course.grading.jobs import Job
    from vae_course.grading.marking import Course, Order
    from vae_course.grading.policy import Policy
    from vae_course.grading.results import Result

__all__ = ["app"]

SOME_NOT_GRADED, NO_SANDBOX = 1, 3
SHOWN_WORDS = 100
out = Console()


class RunByDefault(typer.core.TyperGroup):
    """``grade FOLDER`` is short for ``grade run FOLDER``."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """See `click.Group.parse_args`."""
        if args and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(context, args)


app = typer.Typer(
    cls=RunByDefault,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Grade the notebooks of a class in a sandbox, and write reports.",
)


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


@app.command()
def run(
    submissions: Submissions = None,
    folder: Out = None,
    workers: Workers = None,
    only: Only = None,
    timeout: Timeout = 600,
    memory: Memory = 4,
    shard: Shard = None,
    fresh: Fresh = False,
    cluster: ClusterAt = None,
    formats: Formats = None,
    deadline: Deadline = None,
    late_per_day: Late = 0.0,
    attempts: Counts = Attempts.last,
    course: CourseAt = None,
    unsafe: Unsafe = False,
    self_test: SelfTest = False,
    gradescope_zip: Bundle = None,
) -> None:
    """Grade notebooks that strangers wrote, each in a sandbox without network, within limits.

    Fresh questions are asked from outside, and answers judged there. Exit codes: 0 all graded,
    1 some could not be, 2 usage, 3 no sandbox. `grade merge` joins the reports of shards.
    """
    if self_test:
        raise typer.Exit(_self_test(unsafe))
    if gradescope_zip is not None:
        _bundle(gradescope_zip, course)
        return
    if submissions is None or folder is None:
        raise ConfigError("There is nothing to grade.", "Give SUBMISSIONS and --out FOLDER.")
    from vae_course.grading.policy import Policy
    from vae_course.grading.sandbox import Limits

    policy = Policy(deadline, late_per_day, str(attempts))
    asked = Asked(
        submissions=submissions,
        folder=folder,
        workers=workers or len(os.sched_getaffinity(0)),
        only=tuple(only or ()),
        limits=Limits(seconds=timeout, memory_gb=memory),
        shard=_shard(shard),
        fresh=fresh,
        cluster=cluster,
        course=course,
        unsafe=unsafe,
    )
    chosen = formats or [f for f in Format if f is not Format.gradescope]
    raise typer.Exit(_grade(asked, policy, [str(one) for one in chosen]))


@app.command()
def merge(
    reports: Annotated[list[Path], typer.Argument(help="Report folders of shards.")],
    folder: Annotated[Path, Option("--out", help="Folder of the whole report.")],
    formats: Formats = None,
    deadline: Deadline = None,
    late_per_day: Late = 0.0,
    attempts: Counts = Attempts.last,
) -> None:
    """Join the results of shards, and write their reports as one."""
    from vae_course.grading import marking
    from vae_course.grading.policy import Policy
    from vae_course.grading.results import load_all, save

    policy = Policy(deadline, late_per_day, str(attempts))
    with _usage():
        marking.open_report(folder, fresh=False)
        found = {one.key: one for path in reports for one in _shard_results(path)}
    for one in found.values():
        save(folder / "results", one)
    results = load_all(folder / "results")
    raise typer.Exit(_report(folder, results, policy, _names(formats)))


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the command line asks of a run."""

    submissions: Path
    folder: Path
    workers: int
    only: tuple[str, ...]
    limits: "Limits"
    shard: tuple[int, int]
    fresh: bool
    cluster: str | None
    course: Path | None
    unsafe: bool


def _grade(asked: Asked, policy: "Policy", formats: list[str]) -> int:
    """Grade, with a line for each submission and the time left; the exit code."""
    from vae_course.checks.specs import budget
    from vae_course.grading import marking
    from vae_course.grading.intake import find_submissions
    from vae_course.grading.supplies import gather

    with _usage():
        handed_in = find_submissions(asked.submissions)
        secret = marking.open_report(asked.folder, fresh=asked.fresh)
    with out.status("Preparing images, classifier and sandbox …"):
        supplies = gather()
        backend = _backend(asked, supplies)
    try:
        order = marking.Order(secret, budget(), asked.limits, supplies.images.train_sha256)
        wanted = [one for one in handed_in if not asked.only or one.exercise in asked.only]
        part, parts = asked.shard
        course = marking.read_course(asked.course or _repository())
        planned = marking.plan(wanted[part - 1 :: parts], order, course)
        results = [one for one in planned if isinstance(one, Result)]
        jobs = [one for one in planned if isinstance(one, Job)]
        for result in results:
            save(asked.folder / "results", result)
            _say(result)
        with _progress() as progress:
            bar = progress.add_task("grading", total=len(jobs))
            for result in marking.grade_all(jobs, asked.folder / "results", backend):
                results.append(result)
                _say(result)
                progress.advance(bar)
    finally:
        backend.close()
    return _report(asked.folder, results, policy, formats)
