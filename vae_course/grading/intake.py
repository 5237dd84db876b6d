"""What was handed in: a folder, a learning system's zip, or one notebook, read and never run.

Whatever is wrong with a file becomes a submission with a problem, which ends in what to do.
Nothing is written, no link is followed, and no more than a limited number of bytes is read.
"""

import contextlib
import dataclasses
import datetime
import hashlib
import itertools
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from vae_course.checks import EXERCISES
from vae_course.errors import ExerciseError
from vae_course.grading.reading import Refused, cell_id, exercise_of, read_notebook, source_of

__all__ = ["Cell", "Submission", "code_cells", "find_submissions"]

LARGEST, MOST_FILES, LONGEST_NAME = 20_000_000, 20_000, 200
TOO_LARGE = "It is larger than 20 MB. Clear its outputs, and hand it in again."
SKIPPED = ("__MACOSX", ".ipynb_checkpoints")
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED = (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, Refused)
COPY = re.compile(r"(?i)(\s*\(\d+\)|[\s_-]+copy(\s*\d+)?)+$")
MOODLE = re.compile(r"_\d+_assignsubmission_file.*$")
# Numbers go only where Canvas puts them, so that student_001 and student_002 stay two students.
IDS = "|".join(EXERCISES).replace("-", "[-_]")
EXERCISE = re.compile(rf"(?i)((_late)?_\d{{3,}}_\d{{3,}})?[\s_-]*({IDS})(-\d{{1,2}})?(?=$|[\s_-])")


@dataclasses.dataclass(frozen=True)
class Submission:
    """A file that was handed in."""

    student: str  # who, for the reports
    file: str  # its path in what was handed in
    path: Path  # the file, or the archive that holds it
    member: str  # its name in the archive; "" for a file
    digest: str  # SHA-256 of its content; "" if it could not be read
    handed_in: float  # seconds since 1970; 0 if unknown
    exercise: str  # the id that the notebook carries; "" if none
    problem: str  # why it cannot be graded, and what to do; "" if it can


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
    kind = "folder" if os.path.isdir(source) else source.suffix.lower()
    if not os.path.exists(source):
        raise ExerciseError(f"There is no {source}.", "Check the name.")
    if kind not in ("folder", ".zip", ".ipynb"):
        words = f"{source} is neither a folder, a zip nor a notebook."
        raise ExerciseError(words, "Give one of these.")
    with _archive(source) if kind == ".zip" else contextlib.nullcontext() as archive:
        if archive:
            found = _below_common_top(list(_in_archive(source, archive)))
        else:
            single = kind == ".ipynb"
            found = [_on_disk(source, source.name)] if single else list(_in_folder(source))
        read = [_read(one, archive) for one in _worth_telling(found)]
    if not read:
        raise ExerciseError(f"{source} holds no notebooks.", "Give the folder of the submissions.")
    return sorted(read, key=lambda one: (one.student, one.file))


def code_cells(submission: Submission) -> list[Cell]:
    """The code cells of a submission, in order.

    Raises:
        ExerciseError: if it cannot be read any more, or has changed since it was found.
    """
    place = _Found(submission.file, submission.path, submission.member, submission.handed_in)
    try:
        with _archive(place.path) if place.member else contextlib.nullcontext() as archive:
            content = _content(place, archive)
        if hashlib.sha256(content).hexdigest() != submission.digest:
            raise Refused("It changed while it was graded. Grade again.")
        cells = read_notebook(content)["cells"]
    except Refused as refused:
        problem, _, action = str(refused).rpartition(". ")
        raise ExerciseError(f"{submission.file}: {problem}.", action) from None
    return [
        Cell(cell_id(cell, number), source_of(cell))
        for number, cell in enumerate(cells, 1)
        if cell.get("cell_type") == "code"
    ]


def _in_folder(top: Path) -> Iterator[_Found]:
    """The files below a folder; linked folders are named, and not entered."""
    waiting, seen = [""], 0  # no recursion: folders may be deeper than Python's stack
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(top / folder) as entries:
                names = sorted(one.name for one in itertools.islice(entries, MOST_FILES + 1))
        except OSError as error:
            if not folder:
                words = f"{top} cannot be listed ({error.strerror})."
                raise ExerciseError(words, "Check its permissions.") from error
            yield _Found(folder, top / folder, "", 0.0, _unreadable(error))
            continue
        seen += len(names)
        if seen > MOST_FILES:
            raise _too_many(top)
        for name in itertools.filterfalse(_is_skipped, names):
            found = _on_disk(top / folder / name, f"{folder}/{name}".removeprefix("/"))
            if found.problem == FOLDER:  # to be entered, not told
                waiting.append(found.name)
            else:
                yield found


def _on_disk(path: Path, name: str) -> _Found:
    """A file and what it is; it may be gone since its folder was listed."""
    try:
        status = path.lstat()
    except OSError as error:
        return _Found(name, path, "", 0.0, _unreadable(error))
    problem = "" if stat.S_ISREG(status.st_mode) else _odd(status.st_mode)
    return _Found(name, path, "", status.st_mtime, problem)


def _too_many(path: Path) -> ExerciseError:
    return ExerciseError(f"{path} holds more than {MOST_FILES:,} files.", "Give less.")


def _unreadable(error: Exception) -> str:
    return f"It cannot be read ({type(error).__name__}). Hand it in again."


def _odd(mode: int) -> str:
    kinds = {stat.S_IFLNK: "a link", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = (kinds | {stat.S_IFDIR: "a folder"}).get(stat.S_IFMT(mode), "a device")
    return f"It is {kind}, not a file. Hand in the file itself."


FOLDER = _odd(stat.S_IFDIR)


@contextlib.contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(stack.enter_context(_regular(path))))
        except DAMAGED as error:
            words = f"{path} is a damaged zip ({error})."
            raise ExerciseError(words, "Export it again.") from error
        yield archive


def _in_archive(path: Path, archive: zipfile.ZipFile) -> Iterator[_Found]:
    members = archive.infolist()
    if len(members) > MOST_FILES:
        raise _too_many(path)
    for member in members:
        name = member.orig_filename  # with what follows a NUL
        if not name.endswith("/") and not any(map(_is_skipped, PurePosixPath(name).parts)):
            problem = _odd_member(archive, member)
            yield _Found(name, path, member.filename, _date(member), problem)


def _odd_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    name, mode = member.orig_filename, member.external_attr >> 16
    out = name.startswith("/") or ".." in name.split("/") or re.search(r"\\|\x00|^\w:", name)
    if out or not name:
        return "Its name leads out of the archive. Hand in a file with a plain name."
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return _odd(mode)
    if member.flag_bits & 1:
        return "It is encrypted. Hand it in without a password."
    if member.compress_type not in PACKED:  # zipfile unpacks the others without a limit
        return "It is compressed in a way that is not read. Hand in an ordinary zip."
    if archive.getinfo(member.filename) is not member:
        return "The archive holds another file of this name. Hand in one of them."
    return ""


def _date(member: zipfile.ZipInfo) -> float:
    """An archive's dates are local times."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.datetime(*member.date_time).timestamp()
    return 0.0


def _is_skipped(name: str) -> bool:
    return name in SKIPPED or (name.startswith(".") and name != "..")


def _below_common_top(found: list[_Found]) -> list[_Found]:
    """Without the one folder that holds all students, if there is one and they are several."""
    tops = {one.name.partition("/")[0] if "/" in one.name else "" for one in found}
    if len(tops) != 1 or tops & {"", ".."}:
        return found
    below = [dataclasses.replace(one, name=one.name.partition("/")[2]) for one in found]
    students = {_named(one.name) for one in below if "/" in one.name or _is_notebook(one)}
    return below if len(students - {""}) > 1 else found


def _worth_telling(found: list[_Found]) -> Iterator[_Found]:
    """The notebooks, what is no plain file, and what a student handed in instead of one."""
    with_notebook = {_folder(one) for one in found if _is_notebook(one)}
    words = "It is not a notebook. Hand in the .ipynb file"
    for one in found:
        if _is_notebook(one) or one.problem:
            yield one
        elif one.name.lower().endswith(".zip"):  # always: a student's work may be in it
            yield dataclasses.replace(one, problem=f"{words} itself, not in a zip.")
        elif "/" in one.name and _folder(one) not in with_notebook:
            yield dataclasses.replace(one, problem=f"{words}.")


def _is_notebook(one: _Found) -> bool:
    return one.name.lower().endswith(".ipynb")


def _folder(one: _Found) -> str:
    return one.name.split("/")[0] if "/" in one.name else ""


def _read(found: _Found, archive: zipfile.ZipFile | None) -> Submission:
    digest, exercise, problem = "", "", found.problem
    try:
        if not problem:
            content = _content(found, archive)
            digest = hashlib.sha256(content).hexdigest()
            exercise = exercise_of(read_notebook(content))
    except Refused as refused:
        problem = str(refused)
    return Submission(
        student=_clean(_student(found.name))[:LONGEST_NAME],
        file=_clean(found.name)[:LONGEST_NAME],
        path=found.path,
        member=found.member,
        digest=digest,
        handed_in=found.handed_in,
        exercise=exercise,
        problem=_clean(problem),
    )


def _student(name: str) -> str:
    """Who handed it in: the first folder, or the file's name without the exercise and numbers."""
    return _named(name) or re.sub(r"(?i)\.(ipynb|zip)$", "", name) or "unnamed"


def _named(name: str) -> str:
    """The student whom a name tells; "" if it tells the exercise only."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if len(parts) > 1:
        return MOODLE.sub("", parts[0]) or parts[0]
    # No disk has longer names; the expressions are slow on those that only an archive can hold.
    stem = re.sub(r"(?i)\.(ipynb|zip)$", "", parts[0] if parts else "")[:255]
    return EXERCISE.sub("", COPY.sub("", MOODLE.sub("", stem))).strip(" _-")


def _clean(words: str) -> str:
    return "".join(letter if letter.isprintable() else "�" for letter in words)


def _content(found: _Found, archive: zipfile.ZipFile | None) -> bytes:
    """All bytes of a file; never more than the largest that is taken.

    Raises:
        Refused: if it is too large, or cannot be read.
    """
    try:
        with _opened(found, archive) as file:
            content = file.read(LARGEST + 1)
    except Refused:
        raise
    except Exception as error:  # zlib has errors of its own
        raise Refused(_unreadable(error)) from None
    if len(content) > LARGEST:
        raise Refused(TOO_LARGE)
    if not content.strip():
        raise Refused("It is empty. Save the notebook, and hand it in again.")
    return content


@contextlib.contextmanager
def _opened(found: _Found, archive: zipfile.ZipFile | None) -> Iterator[IO[bytes]]:
    if archive is None:
        with _regular(found.path, os.O_NOFOLLOW) as file:
            if os.fstat(file.fileno()).st_size > LARGEST:
                raise Refused(TOO_LARGE)
            yield file
        return
    member = archive.getinfo(found.member)
    if problem := _odd_member(archive, member):  # the archive may be another by now
        raise Refused(problem)
    if member.file_size > LARGEST:
        raise Refused(TOO_LARGE)
    with archive.open(member) as content:
        yield content


@contextlib.contextmanager
def _regular(path: Path, flags: int = 0) -> Iterator[IO[bytes]]:
    """A file, opened without waiting: a pipe may have taken its place since it was listed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | flags)
    with open(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise Refused(_odd(mode))
        yield file
