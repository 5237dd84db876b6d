import json
import os
import socket
import stat
import subprocess
import time
import zipfile
from pathlib import Path

import nbformat
import pytest
from exercise_runs import ROOT
from grading_runs import write_notebook
from hypothesis import given
from hypothesis import strategies as st

from vae_course.errors import ExerciseError
from vae_course.grading import intake
from vae_course.grading.intake import code_cells, find_submissions


def only(folder):
    (found,) = find_submissions(folder)
    return found


def archive(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def notebook(exercise="01-beta", **metadata):
    made = nbformat.v4.new_notebook(metadata={"vae_course": {"exercise": exercise}, **metadata})
    made.cells = [nbformat.v4.new_markdown_cell("words"), nbformat.v4.new_code_cell("x = 1")]
    return nbformat.writes(made)


def test_a_real_exercise_is_known_by_its_id_and_not_by_its_name(tmp_path):
    path = tmp_path / "ada" / "homework.ipynb"
    path.parent.mkdir()
    path.write_bytes((ROOT / "exercises" / "01_beta.ipynb").read_bytes())
    found = only(tmp_path)
    assert (found.student, found.exercise, found.problem) == ("ada", "01-beta", "")
    assert found.handed_in == path.stat().st_mtime
    given = nbformat.read(ROOT / "exercises" / "01_beta.ipynb", as_version=4)
    expected = [(c.id, c.source) for c in given.cells if c.cell_type == "code"]
    assert [(cell.id, cell.source) for cell in code_cells(found)] == expected


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("ada/01_beta.ipynb", "ada"),
        ("ada/work/deep/01.ipynb", "ada"),
        ("ada.ipynb", "ada"),
        ("ada_01_beta.ipynb", "ada"),
        ("ada-01-beta.ipynb", "ada"),
        ("ada - 01_beta (2).ipynb", "ada"),
        ("ada_01_beta-1.ipynb", "ada"),
        ("01_beta_ada.ipynb", "ada"),
        ("01_beta.ipynb", "01_beta"),
        ("lovelaceada_12345_678910_01_beta.ipynb", "lovelaceada"),
        ("lovelaceada_LATE_12345_678910_01_beta-2.ipynb", "lovelaceada"),
        ("Ada Lovelace_12345_assignsubmission_file_/01_beta.ipynb", "Ada Lovelace"),
        ("-rf é 名前/01_beta.ipynb", "-rf é 名前"),
        ("x" * 200 + "/a.ipynb", "x" * 200),
    ],
)
def test_who_handed_it_in(tmp_path, name, student):
    write_notebook(tmp_path / "in" / name, ["x = 1"], exercise="01-beta")
    assert only(tmp_path / "in").student == student
    zipped = archive(tmp_path / "all.zip", {name: notebook()})
    assert only(zipped).student == student


def test_an_exported_zip_with_one_top_folder(tmp_path):
    members = {f"course 7/{who}/01_beta.ipynb": notebook() for who in ("ada", "bob")}
    found = find_submissions(archive(tmp_path / "all.zip", members))
    assert [(one.student, one.file) for one in found] == [
        ("ada", "ada/01_beta.ipynb"),
        ("bob", "bob/01_beta.ipynb"),
    ]
    assert [cell.source for cell in code_cells(found[0])] == ["x = 1"]


def test_a_single_notebook(tmp_path):
    path = write_notebook(tmp_path / "ada.ipynb", ["x = 1"])
    assert only(path).student == "ada"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "It is empty"),
        (b"  \n", "It is empty"),
        (b"PDF", "cannot be read as JSON"),
        (b"\xff\xfe\x00", "cannot be read as JSON"),
        (b"[" * 200_000, "cannot be read as JSON"),
        (b"[]", "not a notebook"),
        (b"{}", "format None"),
        (b'{"nbformat": 3, "worksheets": []}', "format 3"),
        (b'{"nbformat": 4}', "cells are damaged"),
        (b'{"nbformat": 4, "cells": [7]}', "cells are damaged"),
        (b'{"nbformat": 4, "cells": [{"source": [1]}]}', "cells are damaged"),
        (json.dumps({"nbformat": 4, "cells": [{}] * 2001}).encode(), "more than 2,000 cells"),
        (b'{"nbformat": 4, "cells": []}', "does not say which exercise"),
        (b'{"nbformat": 4, "cells": [], "metadata": []}', "does not say which exercise"),
        (notebook("99-none").encode(), "does not say which exercise"),
        (
            notebook(kernelspec={"language": "R", "name": "ir", "display_name": "R"}).encode(),
            "a notebook in R",
        ),
        (b" " * (intake.LARGEST + 1), "larger than 20 MB"),
    ],
)
def test_a_file_that_cannot_be_graded_says_why_and_what_to_do(tmp_path, content, words):
    (tmp_path / "ada.ipynb").write_bytes(content)
    found = only(tmp_path)
    assert words in found.problem
    assert found.problem.count(". ") >= 1  # a second sentence says what to do
    assert found.student == "ada"


def test_the_kernel_that_a_file_names_does_not_matter(tmp_path):
    spec = {"name": "a-kernel-of-my-own", "language": "python", "display_name": "Mine"}
    for number, kernel in enumerate([spec, {"name": "gone"}, None, 7]):
        made = json.loads(notebook())
        made["metadata"]["kernelspec"] = kernel
        (tmp_path / f"s{number}.ipynb").write_text(json.dumps(made))
    for found in find_submissions(tmp_path):
        assert [cell.source for cell in code_cells(found)] == ["x = 1"], found.problem


def test_outputs_and_points_in_the_file_are_ignored(tmp_path):
    made = nbformat.reads(notebook(), as_version=4)
    made.cells[1].outputs = [nbformat.v4.new_output("stream", text="full marks")]
    made.cells[1].metadata["nbgrader"] = {"points": 1000}
    (tmp_path / "ada.ipynb").write_text(nbformat.writes(made))
    assert [cell.source for cell in code_cells(only(tmp_path))] == ["x = 1"]


def test_links_pipes_sockets_and_linked_folders_are_named_and_not_followed(tmp_path):
    secret = tmp_path / "secret"
    write_notebook(secret / "01_beta.ipynb", ["x = 1"])
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "ada.ipynb").symlink_to(secret / "01_beta.ipynb")
    (folder / "bob").symlink_to(secret)
    os.mkfifo(folder / "carl.ipynb")
    where = os.getcwd()
    os.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("dora.ipynb")
    os.chdir(where)
    found = {one.student: one.problem for one in find_submissions(folder)}
    assert {name: words.split(",")[0] for name, words in found.items()} == {
        "ada": "It is a link",
        "bob": "It is a link",
        "carl": "It is a pipe",
        "dora": "It is a socket",
    }


def test_a_file_that_became_a_pipe_or_changed_is_not_read(tmp_path):
    path = write_notebook(tmp_path / "ada.ipynb", ["x = 1"])
    found = only(tmp_path)
    write_notebook(path, ["x = 2"])
    with pytest.raises(ExerciseError, match="changed while"):
        code_cells(found)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ExerciseError, match="It is a pipe"):
        code_cells(found)
    path.unlink()
    with pytest.raises(ExerciseError, match="cannot be read"):
        code_cells(found)


@pytest.mark.parametrize(
    "name",
    ["../evil.ipynb", "/etc/evil.ipynb", "a/../../evil.ipynb", "C:/evil.ipynb", "a\\b.ipynb"],
)
def test_names_that_lead_out_of_an_archive(tmp_path, name):
    found = only(archive(tmp_path / "all.zip", {name: notebook()}))
    assert "leads out of the archive" in found.problem
    assert not (tmp_path.parent / "evil.ipynb").exists()


def test_links_and_devices_in_an_archive(tmp_path):
    for kind, words in ((stat.S_IFLNK, "a link"), (stat.S_IFCHR, "a device")):
        member = zipfile.ZipInfo("ada.ipynb")
        member.external_attr = (kind | 0o777) << 16
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as file:
            file.writestr(member, "/etc/passwd")
        assert words in only(tmp_path / "all.zip").problem


def test_a_zip_bomb_and_a_header_that_lies(tmp_path):
    path = archive(tmp_path / "all.zip", {"ada.ipynb": b" " * 200_000_000})
    assert path.stat().st_size < 300_000
    assert "larger than 20 MB" in only(path).problem
    content = path.read_bytes()
    real = (200_000_000).to_bytes(4, "little")
    assert content.count(real) == 2  # the local header and the directory
    path.write_bytes(content.replace(real, (1000).to_bytes(4, "little")))
    assert only(path).problem


def test_an_encrypted_member_and_a_zip_in_a_zip(tmp_path):
    path = archive(tmp_path / "all.zip", {"ada.ipynb": notebook()})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "encrypted" in only(path).problem
    inner = archive(tmp_path / "inner.zip", {"01_beta.ipynb": notebook()}).read_bytes()
    found = only(archive(tmp_path / "outer.zip", {"ada/work.zip": inner}))
    assert "not in a zip" in found.problem


def test_other_files_are_told_only_where_there_is_no_notebook(tmp_path):
    write_notebook(tmp_path / "ada" / "01_beta.ipynb", ["x = 1"])
    (tmp_path / "ada" / "notes.pdf").write_text("x")
    (tmp_path / "ada" / ".hidden.ipynb").write_text("x")
    (tmp_path / "ada" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "ada" / ".ipynb_checkpoints" / "x.ipynb").write_text("x")
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "notes.pdf").write_text("x")
    (tmp_path / "readme.txt").write_text("x")
    found = [(one.file, one.problem.split(".")[0]) for one in find_submissions(tmp_path)]
    assert found == [("ada/01_beta.ipynb", ""), ("bob/notes.pdf", "It is not a notebook")]


@pytest.mark.parametrize("name", ["none", "notes.txt", "broken.zip", "empty"])
def test_nothing_to_grade_is_an_error(tmp_path, name):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.zip").write_text("x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExerciseError, match=name):
        find_submissions(tmp_path / name)


def test_names_are_shown_without_what_does_not_print(tmp_path):
    odd = os.fsdecode(b"a\x1b[31m\xff.ipynb")
    (tmp_path / odd).write_text(notebook())
    assert only(tmp_path).file == "a�[31m�.ipynb"


@given(st.binary(max_size=200))
def test_any_bytes_become_a_submission(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("in")
    (folder / "ada.ipynb").write_bytes(content)
    assert only(folder).problem


def handed_in(source):
    return [(one.student, one.file) for one in find_submissions(source)]


def test_flat_files_below_a_common_top_are_students(tmp_path):
    members = {f"c7/{name}": notebook() for name in ("ada_01_beta.ipynb", "bob.ipynb")}
    path = archive(tmp_path / "all.zip", members | {"c7/README.md": "x"})
    assert handed_in(path) == [("ada", "ada_01_beta.ipynb"), ("bob", "bob.ipynb")]


@pytest.mark.parametrize("names", [("01_beta", "02_latent_size"), ("01_beta", "work/02")])
def test_the_only_students_folder_is_no_common_top(tmp_path, names):
    path = archive(tmp_path / "all.zip", {f"ada/{name}.ipynb": notebook() for name in names})
    assert {student for student, _ in handed_in(path)} == {"ada"}


def test_in_a_folder_the_first_folder_is_the_student_even_if_it_is_the_only_one(tmp_path):
    for name in ("ada/a/01.ipynb", "ada/b/02.ipynb"):
        write_notebook(tmp_path / name, ["x = 1"], exercise="01-beta")
    assert handed_in(tmp_path) == [("ada", "ada/a/01.ipynb"), ("ada", "ada/b/02.ipynb")]


@pytest.mark.parametrize(
    ("name", "student"),
    [
        ("student_001.ipynb", "student_001"),
        ("student_001_01_beta.ipynb", "student_001"),
        ("user-01.ipynb", "user-01"),
        ("photocopy.ipynb", "photocopy"),
        ("ada 01_beta - Copy (2).ipynb", "ada"),
        ("ada_01_beta-Copy1.ipynb", "ada"),
        ("Ada Lovelace_12345_assignsubmission_file_01_beta.ipynb", "Ada Lovelace"),
        ("(2).ipynb", "(2)"),
    ],
)
def test_numbers_that_tell_students_apart_stay(tmp_path, name, student):
    (tmp_path / name).write_text(notebook())
    assert only(tmp_path).student == student


@pytest.mark.parametrize("name", ["ada.zip", "ada/rest.zip"])
def test_a_zip_is_told_wherever_it_lies(tmp_path, name):
    members = {name: "x", "ada/01.ipynb": notebook(), "bob/01.ipynb": notebook()}
    found = find_submissions(archive(tmp_path / "all.zip", members))
    problems = {one.file: one.problem for one in found}
    assert "not in a zip" in problems[name]
    assert {one for one in problems if not problems[one]} == {"ada/01.ipynb", "bob/01.ipynb"}


def test_nothing_worth_telling_is_an_error(tmp_path):
    (tmp_path / "readme.txt").write_text("x")
    with pytest.raises(ExerciseError, match="holds no notebooks"):
        find_submissions(tmp_path)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "a.zip"])
def test_a_source_that_cannot_be_opened_is_an_error_at_once(tmp_path, name):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(ExerciseError):
        find_submissions(tmp_path / name)


def test_a_source_that_is_a_linked_notebook_is_a_problem(tmp_path):
    write_notebook(tmp_path / "real.ipynb", ["x = 1"])
    (tmp_path / "ada.ipynb").symlink_to(tmp_path / "real.ipynb")
    assert "It is a link" in only(tmp_path / "ada.ipynb").problem


def test_what_cannot_be_read_does_not_stop_the_others(tmp_path, monkeypatch):
    for name in ("ada/01.ipynb", "bob/01.ipynb", "carl/01.ipynb", "dora/01.ipynb"):
        write_notebook(tmp_path / name, ["x = 1"], exercise="01-beta")

    def failing(function, name, error):  # root may read everything, so modes would not do
        def call(path, *args, **options):
            if name in str(path):
                raise error
            return function(path, *args, **options)

        return call

    monkeypatch.setattr(os, "scandir", failing(os.scandir, "ada", PermissionError(13, "no")))
    monkeypatch.setattr(Path, "lstat", failing(Path.lstat, "bob/01", FileNotFoundError(2, "gone")))
    monkeypatch.setattr(os, "open", failing(os.open, "carl", PermissionError(13, "no")))
    problems = {one.student: one.problem for one in find_submissions(tmp_path)}
    assert problems == {
        "ada": "It cannot be read (PermissionError). Hand it in again.",
        "bob": "It cannot be read (FileNotFoundError). Hand it in again.",
        "carl": "It cannot be read (PermissionError). Hand it in again.",
        "dora": "",
    }


def test_folders_deeper_than_the_stack_and_paths_too_long_are_no_matter(tmp_path, monkeypatch):
    write_notebook(tmp_path / "in" / "bob.ipynb", ["x = 1"], exercise="01-beta")
    for length, depth in ((1, 1200), (200, 30)):
        monkeypatch.chdir(tmp_path / "in")
        for _ in range(depth):
            os.mkdir("d" * length)
            os.chdir("d" * length)
        Path("01.ipynb").write_text(notebook())
    monkeypatch.chdir(tmp_path)
    try:
        problems = {one.student[:2]: one.problem for one in find_submissions(tmp_path / "in")}
    finally:
        subprocess.run(["rm", "-rf", "in"], check=True)  # pytest's own tidying recurses
    assert problems == {
        "bo": "",
        "d": "",
        "dd": "It cannot be read (OSError). Hand it in again.",
    }


def test_too_many_files_or_folders_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MOST_FILES", 20)
    for number in range(21):
        (tmp_path / "in" / str(number)).mkdir(parents=True)
    with pytest.raises(ExerciseError, match="more than 20 files"):
        find_submissions(tmp_path / "in")
    many = archive(tmp_path / "all.zip", {f"{n}.ipynb": "x" for n in range(21)})
    with pytest.raises(ExerciseError, match="more than 20 files"):
        find_submissions(many)


@pytest.mark.parametrize("odd", [b"\0da.ipynb", b"ada\0ipynb"])
def test_a_nul_in_a_members_name_is_a_problem(tmp_path, odd):
    path = archive(tmp_path / "all.zip", {"ada.ipynb": notebook(), "bob.ipynb": notebook()})
    path.write_bytes(path.read_bytes().replace(b"ada.ipynb", odd))
    problems = {one.file: one.problem for one in find_submissions(path)}
    assert problems.pop("bob.ipynb") == ""
    assert ["leads out of the archive" in words for words in problems.values()] == [True]


def test_of_two_members_with_one_name_the_earlier_is_a_problem(tmp_path):
    path = archive(tmp_path / "all.zip", {"ada.ipynb": notebook(), "bob.ipynb": notebook()})
    path.write_bytes(path.read_bytes().replace(b"bob.ipynb", b"ada.ipynb"))
    found = find_submissions(path)
    assert [one.problem[:24] for one in found] == ["The archive holds anothe", ""]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_without_a_limit_is_not_unpacked(tmp_path, method):
    with zipfile.ZipFile(tmp_path / "all.zip", "w", method) as file:
        file.writestr("ada.ipynb", notebook())
    assert "compressed in a way" in only(tmp_path / "all.zip").problem


@pytest.mark.parametrize("name", ["-" * 60_000, " copy" * 50 + "  copy" * 40 + "x", "_1" * 30_000])
def test_a_name_made_to_be_slow_is_not(tmp_path, name):
    path = archive(tmp_path / "all.zip", {f"{name}.ipynb": notebook()})
    begun = time.monotonic()
    found = only(path)
    assert time.monotonic() - begun < 10  # a slow pattern would take hours
    assert max(len(found.student), len(found.file)) <= 200


def test_a_large_archive_is_opened_once(tmp_path, monkeypatch):
    path = archive(tmp_path / "all.zip", {f"{n}/01.ipynb": notebook() for n in range(30)})
    opened = []
    plain = zipfile.ZipFile
    monkeypatch.setattr(zipfile, "ZipFile", lambda *args: opened.append(1) or plain(*args))
    assert len(find_submissions(path)) == 30
    assert len(opened) == 1


def test_an_archive_that_changed_or_is_gone_is_not_graded(tmp_path):
    path = archive(tmp_path / "all.zip", {"ada.ipynb": notebook()})
    found = only(path)
    archive(path, {"ada.ipynb": notebook() + " "})
    with pytest.raises(ExerciseError, match="changed while") as raised:
        code_cells(found)
    assert raised.value.action == "Grade again."
    archive(path, {"bob.ipynb": notebook()})
    with pytest.raises(ExerciseError, match="cannot be read"):
        code_cells(found)
    path.unlink()
    with pytest.raises(ExerciseError, match="damaged zip"):
        code_cells(found)


def test_words_of_the_file_in_a_problem_are_printable(tmp_path):
    language = {"language": "\ud800\x1b[31m\n", "name": "x", "display_name": "x"}
    made = json.loads(notebook()) | {"metadata": {"kernelspec": language}}
    (tmp_path / "ada.ipynb").write_text(json.dumps(made))
    assert only(tmp_path).problem.isprintable()


def test_cells_without_an_id_are_numbered_and_doubled_ids_are_kept(tmp_path):
    cells = [{"cell_type": kind, "source": ["a = 1\n", "b"]} for kind in ("markdown", "code")]
    cells += [{"cell_type": "code", "source": "c", "id": "same"}] * 2
    made = json.loads(notebook()) | {"cells": cells}
    (tmp_path / "ada.ipynb").write_text(json.dumps(made))
    found = [(cell.id, cell.source) for cell in code_cells(only(tmp_path))]
    assert found == [("cell 2", "a = 1\nb"), ("same", "c"), ("same", "c")]
