"""The command line of the grader: grade a class, merge shards, test the sandbox."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vae_course.cli_grade_options import (
    Attempts,
    Bundle,
    ClusterAt,
    Counts,
    CourseAt,
    Deadline,
    Format,
    Formats,
    Fresh,
    Late,
    Memory,
    Only,
    Out,
    SelfTest,
    Shard,
    Submissions,
    Timeout,
    Unsafe,
    Workers,
    shard_of,
)
from vae_course.errors import ConfigError, CourseError, ExerciseError

if TYPE_CHECKING:
    from vae_course.grading.backends import Backend
    from vae_course.grading.policy import Policy
    from vae_course.grading.results import Result
    from vae_course.grading.sandbox import Limits
    from vae_course.grading.supplies import Supplies

__all__ = ["NO_SANDBOX", "app"]

NO_SANDBOX = 3
SHOWN_WORDS = 100
out = Console()


class RunByDefault(typer.core.TyperGroup):
    """``grade FOLDER`` is short for ``grade run FOLDER``."""

    def parse_args(self, context: Any, args: list[str]) -> list[str]:
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
    from vae_course.grading.sandbox import Limits

    policy = _policy(deadline, late_per_day, attempts)
    limits = Limits(seconds=timeout, memory_gb=memory)
    part = shard_of(shard)
    asked = Asked(
        submissions,
        folder,
        workers,
        tuple(only or ()),
        limits,
        part,
        fresh,
        cluster,
        course,
        unsafe,
    )
    with _told_to_gradescope(folder, _names(formats)), _writing(folder):
        raise typer.Exit(_grade(asked, policy, _names(formats)))


@app.command()
def merge(
    reports: Annotated[list[Path], typer.Argument(help="Report folders of shards.")],
    folder: Annotated[Path, typer.Option("--out", help="Folder of the whole report.")],
    formats: Formats = None,
    deadline: Deadline = None,
    late_per_day: Late = 0.0,
    attempts: Counts = Attempts.last,
) -> None:
    """Join the results of shards, and write their reports as one."""
    from vae_course.grading import marking
    from vae_course.grading.results import load_all, save

    policy = _policy(deadline, late_per_day, attempts)
    with _usage():
        found = {one.key: one for path in reports for one in load_all(path / "results")}
        if not found:
            raise ExerciseError("The folders hold no results.", "Give the --out of the shards.")
        marking.open_report(folder, fresh=False)
    with _writing(folder):
        for one in found.values():
            save(folder / "results", one)
        results = load_all(folder / "results")
        raise typer.Exit(_report(folder, results, policy, _names(formats)))


@dataclasses.dataclass(frozen=True)
class Asked:
    """What the command line asks of a run."""

    submissions: Path
    folder: Path
    workers: int | None
    only: tuple[str, ...]
    limits: "Limits"
    shard: tuple[int, int]
    fresh: bool
    cluster: str | None
    course: Path | None
    unsafe: bool


def _grade(asked: Asked, policy: "Policy", formats: list[str]) -> int:
    """Grade, with a line for each submission and the time left; the exit code."""
    from vae_course.checks import exercise
    from vae_course.checks.specs import budget
    from vae_course.grading import marking
    from vae_course.grading.backends import keep_no_freed_memory
    from vae_course.grading.intake import find_submissions
    from vae_course.grading.results import Result, save
    from vae_course.grading.supplies import gather

    keep_no_freed_memory()
    with _usage():
        for name in asked.only:
            exercise(name)
        handed_in = find_submissions(asked.submissions)
        secret = marking.open_report(asked.folder, fresh=asked.fresh)
        course = marking.read_course(asked.course or _repository())
    with out.status("Preparing images, classifier and sandbox …"):
        supplies = gather()
        backend = _backend(asked, supplies)
    kept = asked.folder / "results"
    try:
        order = marking.Order(secret, budget(), asked.limits, supplies.images.train_sha256)
        # What does not say which exercise it is may be one of those asked for.
        wanted = [one for one in handed_in if not asked.only or one.exercise in ("", *asked.only)]
        part, parts = asked.shard
        planned = marking.plan(wanted[part - 1 :: parts], order, course)
        results = [one for one in planned if isinstance(one, Result)]
        jobs = [one for one in planned if not isinstance(one, Result)]
        for result in results:
            save(kept, result)
            _say(result)
        with _progress() as progress:
            bar = progress.add_task("", total=len(jobs))
            for result in marking.grade_all(jobs, kept, backend):
                results.append(result)
                _say(result)
                progress.advance(bar)
    finally:
        backend.close()
    return _report(asked.folder, results, policy, formats)


@contextlib.contextmanager
def _told_to_gradescope(folder: Path, formats: list[str]) -> Iterator[None]:
    """Gradescope gets its file also when the grader fails."""
    from vae_course.grading.gradebook import write_gradescope

    try:
        yield
    except CourseError as error:
        if "gradescope" in formats:
            folder.mkdir(parents=True, exist_ok=True)
            write_gradescope(folder / "results.json", None, str(error))
        raise


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """A report that cannot be written; what was kept stays."""
    try:
        yield
    except OSError as error:
        raise ExerciseError(
            f"{error.filename or folder} cannot be written or read ({error.strerror or error}).",
            "Make room, or choose another place; then run the command again. What is graded is "
            "kept.",
        ) from error


def _backend(asked: Asked, supplies: "Supplies") -> "Backend":
    from vae_course.grading.backends import Cluster, Local
    from vae_course.grading.sandbox import prepare
    from vae_course.grading.selftest import require_sandbox

    if asked.cluster:
        return Cluster(asked.cluster, unsafe=asked.unsafe)
    place = prepare(supplies.files, unsafe=asked.unsafe)
    try:
        require_sandbox(place)
    except BaseException:
        place.remove()
        raise
    return Local(asked.workers or os.cpu_count() or 1, place, supplies)


def _policy(deadline: datetime | None, late_per_day: float, attempts: Attempts) -> "Policy":
    from vae_course.grading.policy import Policy

    if late_per_day and deadline is None:
        raise ConfigError("--late-per-day has no deadline to count from.", "Give --deadline.")
    return Policy(deadline, late_per_day, str(attempts))


def _progress() -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("left"))
    return Progress(*columns, console=out, transient=True)


def _say(result: "Result") -> None:
    """One line for a submission."""
    from vae_course.grading.escaping import one_line

    who = f"{result.student}  {result.exercise or result.file}"
    if result.status == "graded":
        words = f"{result.points}/{result.max_points} points in {result.seconds:.0f} s"
        words += f", {len(result.flags)} to look at" if result.flags else ""
    else:
        words = result.problem
    shown = f"{one_line(who, SHOWN_WORDS)}  {one_line(words, SHOWN_WORDS)}"
    out.print(shown, markup=False, highlight=False)


def _report(folder: Path, results: list["Result"], policy: "Policy", formats: list[str]) -> int:
    """Write the report, show a summary; the exit code."""
    from vae_course.grading.reporting import write_reports

    written = write_reports(folder, results, policy=policy, formats=formats)
    table = Table("exercise", "graded", "mean", "least", "most", "out of", "not graded")
    for name in sorted({result.exercise for result in results}):
        group = [r for r in results if r.exercise == name]
        points = [r.points for r in group if r.status == "graded"]
        missing = len(group) - len(points)
        most = max((r.max_points for r in group), default=0)
        mean = f"{sum(points) / len(points):.1f}" if points else ""
        ends = (str(min(points)), str(max(points))) if points else ("", "")
        row = (str(len(points)), mean, *ends, str(most), str(missing))
        table.add_row(name or "unknown", *row)
    out.print(table)
    for path in written:
        out.print(f"wrote {path}", highlight=False, markup=False)
    if any(result.sandbox == "none" for result in results):
        out.print("Graded WITHOUT a sandbox: the notebooks could do what you can.")
    return int(any(result.status != "graded" for result in results))


def _self_test(unsafe: bool) -> int:
    """Show each way out of the sandbox, and whether it is barred; the exit code."""
    from vae_course.grading.sandbox import prepare
    from vae_course.grading.selftest import REMEDY, try_to_break_out

    place = prepare({}, unsafe=unsafe)
    try:
        with out.status("Trying to break out of the sandbox; half a minute …"):
            attempts = try_to_break_out(place)
    finally:
        place.remove()
    table = Table("", "way out", "what happened")
    for attempt in attempts:
        table.add_row("✓" if attempt.barred else "✗", attempt.what, attempt.seen)
    out.print(table)
    if all(attempt.barred for attempt in attempts):
        out.print("The sandbox holds.")
        return 0
    out.print(f"The sandbox does not hold here. {REMEDY}")
    return NO_SANDBOX


def _bundle(path: Path, course: Path | None) -> None:
    from vae_course.grading.bundle import write_bundle

    with _usage():
        write_bundle(path, course or _repository())
    out.print(f"wrote {path}: upload it to Gradescope as the autograder.", markup=False)


def _names(formats: list[Format] | None) -> list[str]:
    return [str(one) for one in formats or Format if formats or one is not Format.gradescope]


def _repository() -> Path:
    """The repository that this package is installed from, if it is."""
    return Path(__file__).resolve().parents[1]


@contextlib.contextmanager
def _usage() -> Iterator[None]:
    """What the user pointed at is wrong: exit code 2."""
    try:
        yield
    except ExerciseError as error:
        raise ConfigError(error.problem, error.action) from error
