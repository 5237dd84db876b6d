import json
import os
import socket
import stat
import zipfile

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
