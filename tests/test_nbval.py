"""The run of the solutions can fail: a control for each way in which it must."""

import shutil
import subprocess
import sys

import nbformat
import pytest
from exercise_runs import ROOT

pytestmark = pytest.mark.slow
OPTIONS = ("--nbval-lax", "--nbval-cell-timeout=10", "-p", "no:cacheprovider", "-q")
CHECK = {"tags": ["nbval-check-output"]}


def run(folder, *cells):
    """The outcome of nbval on a notebook of these cells: (source, stored output, metadata)."""
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"display_name": "", "language": "python", "name": "python3"}}
    )
    for source, printed, metadata in cells:
        cell = nbformat.v4.new_code_cell(source, metadata=metadata, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", text=printed)] if printed else []
        notebook.cells.append(cell)
    shutil.copy(ROOT / "solutions" / "conftest.py", folder)
    nbformat.write(notebook, folder / "x.ipynb")
    command = [sys.executable, "-m", "pytest", *OPTIONS, "-c", "/dev/null", folder / "x.ipynb"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_sound_cells_pass_and_only_tagged_outputs_are_compared(tmp_path):
    done = run(tmp_path, ("print(1)", "1\n", CHECK), ("print(2)", "3\n", {}))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (("print(1)", "2\n", CHECK), "mismatch"),
        (("1 / 0", "", {}), "ZeroDivisionError"),
        (("%nonsense", "", {}), "printed a UsageError"),
        (("import os\nos._exit(1)", "", {}), "did not run"),
        (("import time\ntime.sleep(60)", "", {}), "Timeout"),
    ],
)
def test_each_failure_is_one(tmp_path, cell, words):
    done = run(tmp_path, cell, ("print(1)", "", {}))
    assert done.returncode == 1, done.stdout
    assert words in done.stdout
