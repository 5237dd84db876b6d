"""What was handed in: a folder, a learning system's zip, or one notebook, read and never run.

Whatever is wrong with a file becomes a submission with a problem, which ends in what to do.
Nothing is written, no link is followed, and no more than a limited number of bytes is read.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from vae_course.checks import EXERCISES
from vae_course.errors import ExerciseError
from vae_course.grading.reading import (
    Refused,
    cell_id,
    exercise_of,
    read_notebook,
    source_of,
)

__all__ = ["Cell", "Submission", "code_cells", "find_submissions"]

LARGEST, MOST_FILES, LONGEST_NAME = 20_000_000, 20_000, 200
SKIPPED = ("__MACOSX", ".ipynb_checkpoints")
COPY = re.compile(r"(?i)[\s_-]*(\(\d+\)|copy\s*\d*|-\d{1,2})$")


@dataclasses.dataclass(frozen=True)
class Submission:
    """A file that was handed in.

    Args:
        student: who, for the reports.
        file: its path in what was handed in.
        path: the file, or the archive that holds it.
        member: its name in the archive; "" for a file.
        digest: SHA-256 of its content; "" if it could not be read.
        handed_in: seconds since 1970; 0 if unknown.
        exercise: the id that the notebook carries; "" if none.
        problem: why it cannot be graded, and what to do; "" if it can.
    """

    student: str
    file: str
    path: Path
    member: str
    digest: str
    handed_in: float
    exercise: str
    problem: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """A code cell; without an id of its own it has its number."""

    id: str
    source: str


@dataclasses.dataclass(frozen=True)
class _Found:
    """A file before it is read: its place, and what is wrong with the place."""

    name: str  # "/"-separated
    path: Path
    member: str
    handed_in: float
    problem: str = ""


def find_submissions(source: Path) -> list[Submission]:
    """All that was handed in, by student and file.

    Args:
        source: a folder, a zip, or one notebook.

    Raises:
        ExerciseError: if there is nothing of the kind, or nothing in it.
    """
    if not source.exists():
        raise ExerciseError(f"There is no {source}.", "Check the name.")
    if source.is_dir():
        found = list(_in_folder(source))
    elif source.suffix.lower() == ".zip":
        found = list(_in_archive(source))
    elif source.suffix.lower() == ".ipynb":
        found = [_Found(source.name, source, "", source.stat().st_mtime)]
    else:
        raise ExerciseError(
            f"{source} is neither a folder, a zip nor a notebook.", "Give one of these."
        )
    if not found:
        raise ExerciseError(f"{source} holds no notebooks.", "Give the folder of the submissions.")
    read = [_read(one) for one in _worth_telling(_below_common_top(found))]
    return sorted(read, key=lambda one: (one.student, one.file))


def code_cells(submission: Submission) -> list[Cell]:
    """The code cells of a submission, in order.

    Raises:
        ExerciseError: if it cannot be read any more, or has changed since it was found.
    """
    place = _Found(submission.file, submission.path, submission.member, submission.handed_in)
    try:
        content = _content(place)
        if hashlib.sha256(content).hexdigest() != submission.digest:
            raise Refused("It changed while it was graded. Grade again.")
        cells = read_notebook(content)["cells"]
    except Refused as refused:
        raise ExerciseError(f"{submission.file}: {refused}", "") from None
    return [
        Cell(cell_id(cell, number), source_of(cell))
        for number, cell in enumerate(cells, 1)
        if cell.get("cell_type") == "code"
    ]


def _in_folder(top: Path) -> Iterator[_Found]:
    """The files below a folder; linked folders are named, and not entered."""
    seen = 0
    for folder, folders, files in os.walk(top, onerror=_cannot_be_listed):
        linked = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        for name in sorted([*files, *linked]):
            seen += 1
            if seen > MOST_FILES:
                raise ExerciseError(f"{top} holds more than {MOST_FILES:,} files.", "Give less.")
            if _is_skipped(name):
                continue
            path = Path(folder, name)
            status = path.lstat()
            problem = "" if stat.S_ISREG(status.st_mode) else _odd(status.st_mode)
            relative = path.relative_to(top).as_posix()
            yield _Found(relative, path, "", status.st_mtime, problem)


def _cannot_be_listed(error: OSError) -> None:
    raise ExerciseError(f"{error.filename} cannot be listed ({error.strerror}).", "Check it.")


def _odd(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = kinds.get(stat.S_IFMT(mode), "a device")
    return f"It is {kind}, not a file. Hand in the file itself."


def _in_archive(path: Path) -> Iterator[_Found]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise ExerciseError(f"{path} is a damaged zip ({error}).", "Export it again.") from error
    if len(members) > MOST_FILES:
        raise ExerciseError(f"{path} holds more than {MOST_FILES:,} files.", "Give less.")
    for member in members:
        parts = PurePosixPath(member.filename).parts
        if not member.is_dir() and not any(map(_is_skipped, parts)):
            yield _Found(member.filename, path, member.filename, _date(member), _odd_member(member))


def _odd_member(member: zipfile.ZipInfo) -> str:
    name, mode = member.filename, member.external_attr >> 16
    if name.startswith("/") or ".." in name.split("/") or re.search(r"\\|\x00|^\w:", name):
        return "Its name leads out of the archive. Hand in a file with a plain name."
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return _odd(mode)
    if member.flag_bits & 1:
        return "It is encrypted. Hand it in without a password."
    return ""


def _date(member: zipfile.ZipInfo) -> float:
    """An archive's dates are local times."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.datetime(*member.date_time).timestamp()
    return 0.0


def _is_skipped(name: str) -> bool:
    return name in SKIPPED or (name.startswith(".") and name != "..")


def _below_common_top(found: list[_Found]) -> list[_Found]:
    """Without the one folder that holds all the students' folders, if there is one."""
    parts = [one.name.split("/") for one in found]
    tops = {p[0] for p in parts}
    below = {p[1] for p in parts if len(p) > 1}
    deep = len(tops) == 1 and ".." not in tops and "" not in tops and all(len(p) > 2 for p in parts)
    if not deep or len(below) < 2:
        return found
    return [
        dataclasses.replace(one, name="/".join(p[1:])) for one, p in zip(found, parts, strict=True)
    ]


def _worth_telling(found: list[_Found]) -> Iterator[_Found]:
    """The notebooks, what is no plain file, and what a student handed in instead of one."""
    with_notebook = {_folder(one) for one in found if one.name.lower().endswith(".ipynb")}
    for one in found:
        notebook = one.name.lower().endswith(".ipynb")
        if notebook or one.problem:
            yield one
        elif "/" in one.name and _folder(one) not in with_notebook:
            problem = "It is not a notebook. Hand in the .ipynb file"
            zipped = one.name.lower().endswith(".zip")
            problem += " itself, not in a zip." if zipped else "."
            yield dataclasses.replace(one, problem=problem)


def _folder(one: _Found) -> str:
    return one.name.split("/")[0] if "/" in one.name else ""


def _read(found: _Found) -> Submission:
    digest, exercise, problem = "", "", found.problem
    try:
        if not problem:
            content = _content(found)
            digest = hashlib.sha256(content).hexdigest()
            exercise = exercise_of(read_notebook(content))
    except Refused as refused:
        problem = str(refused)
    return Submission(
        student=_clean(_student(found.name)),
        file=_clean(found.name),
        path=found.path,
        member=found.member,
        digest=digest,
        handed_in=found.handed_in,
        exercise=exercise,
        problem=problem,
    )


def _student(name: str) -> str:
    """Who handed it in: the first folder, or the file's name without the exercise and numbers."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if len(parts) > 1:
        # Moodle: "Ada Lovelace_12345_assignsubmission_file_".
        return re.sub(r"_\d+_assignsubmission_file_?$", "", parts[0]) or parts[0]
    stem = re.sub(r"(?i)\.ipynb$", "", parts[-1] if parts else name)
    kept = COPY.sub("", stem)
    files = "|".join(re.escape(one).replace("\\-", "[-_]") for one in EXERCISES)
    kept = re.sub(rf"(?i)[\s_-]*({files})(?=$|[\s_-])", "", kept)
    kept = re.sub(r"(?i)(_late)?(_\d{3,}){1,2}$", "", kept)  # Canvas: "lovelaceada_12345_678910"
    return kept.strip(" _-") or stem


def _clean(name: str) -> str:
    shown = "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "�" for c in name)
    return shown[:LONGEST_NAME]


def _content(found: _Found) -> bytes:
    """All bytes of a file; never more than the largest that is taken.

    Raises:
        Refused: if it is too large, or cannot be read.
    """
    try:
        with _opened(found) as file:
            content = file.read(LARGEST + 1)
    except Refused:
        raise
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        kind = type(error).__name__
        raise Refused(f"It cannot be read ({kind}). Hand it in again.") from None
    except Exception as error:  # zlib, lzma and bz2 have errors of their own
        raise Refused(f"It is damaged ({type(error).__name__}). Hand it in again.") from None
    if len(content) > LARGEST:
        raise _too_large()
    if not content.strip():
        raise Refused("It is empty. Save the notebook, and hand it in again.")
    return content


def _too_large() -> Refused:
    size = LARGEST // 1_000_000
    return Refused(f"It is larger than {size} MB. Clear its outputs, and hand it in again.")


@contextlib.contextmanager
def _opened(found: _Found) -> Iterator[IO[bytes]]:
    if found.member:
        with zipfile.ZipFile(found.path) as archive:
            if archive.getinfo(found.member).file_size > LARGEST:
                raise _too_large()
            with archive.open(found.member) as member:
                yield member
        return
    # A link or a pipe may have taken the file's place since it was listed.
    descriptor = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused(_odd(status.st_mode))
        if status.st_size > LARGEST:
            raise _too_large()
        yield file
