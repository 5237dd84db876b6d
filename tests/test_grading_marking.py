"""From what was handed in to a report: resuming, keys, flags, backends, the command."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import psutil
import pytest
from exercise_runs import ROOT
from grading_runs import SMALL, needs_bubblewrap, solution, untouched, write_notebook

from vae_course import cli
from vae_course.errors import ConfigError, ExerciseError
from vae_course.grading import backends, marking, process, supplies
from vae_course.grading.bundle import RUN, write_bundle
from vae_course.grading.intake import find_submissions
from vae_course.grading.marking import Order
from vae_course.grading.results import Result, TaskResult

BIN = Path(sys.executable).parent
QUICK = ["kl_in_bits = 3.4\npredicted_ratio = 2.0"]


class Stand:
    """A backend that runs nothing, and may fail."""

    def __init__(self, fails=()):
        self.fails, self.jobs = fails, []

    def submit(self, job):
        self.jobs.append(job.student)
        return job

    def completed(self, futures):
        for job in futures:
            yield Future(job, job.student in self.fails)

    def close(self):
        pass


class Future:
    def __init__(self, job, fails):
        self.job, self.fails = job, fails

    def __hash__(self):
        return hash(self.job)

    def __eq__(self, other):
        return self.job == other

    def result(self):
        if self.fails:
            raise RuntimeError("lost worker")
        tasks = (TaskResult("f", "First", "passed", 1, 1),)
        job = self.job
        return Result(
            job.key, job.student, job.file, job.digest, exercise=job.exercise, tasks=tasks
        )


@pytest.fixture
def class_of_three(tmp_path):
    for name in ("ada", "bob", "carl"):
        write_notebook(tmp_path / "in" / name / "00.ipynb", [f"# {name}", *QUICK])
    return tmp_path / "in"


def order(**changes):
    return Order(**{"secret": "s", "budget": "smoke", "limits": SMALL, "images": "i"} | changes)


def planned(folder, course=None, **changes):
    return marking.plan(
        find_submissions(folder), order(**changes), course or marking.Course({}, {})
    )


def test_what_has_a_result_is_not_graded_again_and_what_failed_is(class_of_three, tmp_path):
    jobs, kept = planned(class_of_three), tmp_path / "results"
    first = Stand(fails=("bob",))
    found = {one.student: one.status for one in marking.grade_all(jobs, kept, first)}
    assert found == {"ada": "graded", "bob": "not graded", "carl": "graded"}
    again = Stand()
    assert len(list(marking.grade_all(jobs, kept, again))) == 3
    assert again.jobs == ["bob"]


def test_each_result_is_kept_before_the_next_begins(class_of_three, tmp_path):
    jobs, kept = planned(class_of_three), tmp_path / "results"
    run = marking.grade_all(jobs, kept, Stand())
    next(run)
    assert len(list(kept.glob("*.json"))) == 1
    run.close()
    rest = Stand()
    list(marking.grade_all(jobs, kept, rest))
    assert len(rest.jobs) == 2


def test_a_key_changes_with_what_the_result_depends_on(class_of_three):
    before = {job.key for job in planned(class_of_three)}
    assert len(before) == 3
    assert {job.key for job in planned(class_of_three)} == before
    for changes in (
        {"budget": "full"},
        {"images": "others"},
        {"limits": SMALL.__class__(seconds=99)},
    ):
        assert before.isdisjoint(job.key for job in planned(class_of_three, **changes))
    write_notebook(class_of_three / "ada" / "00.ipynb", ["# changed", *QUICK])
    assert len(before - {job.key for job in planned(class_of_three)}) == 1


def test_too_much_code_is_refused_before_it_runs(tmp_path):
    write_notebook(tmp_path / "ada.ipynb", ["x = '" + "é" * 600_000 + "'"])
    (one,) = planned(tmp_path)
    assert "more than 500,000 characters" in one.problem


def test_copies_of_the_solution_and_imports_of_the_answer_are_flagged_and_others_are_not(tmp_path):
    course = marking.read_course(ROOT)
    copied = [text.replace("mean", "mu") for text in solution("00-warmup")]
    write_notebook(tmp_path / "copy.ipynb", copied)
    imports = [*untouched("00-warmup"), "from vae_course.distributions import gaussian_kl"]
    write_notebook(tmp_path / "imports.ipynb", imports)
    write_notebook(tmp_path / "honest.ipynb", untouched("00-warmup"))
    flags = {job.student: " ".join(job.flags) for job in planned(tmp_path, course)}
    assert "like the published solution" in flags["copy"]
    assert "from vae_course.distributions import gaussian_kl" in flags["imports"]
    assert flags["honest"] == ""


def test_a_folder_that_is_no_report_is_not_written_to(tmp_path):
    (tmp_path / "thesis.txt").write_text("x")
    with pytest.raises(ExerciseError, match="no report"):
        marking.open_report(tmp_path, fresh=False)
    with pytest.raises(ExerciseError, match="is a file"):
        marking.open_report(tmp_path / "thesis.txt", fresh=False)


def test_a_report_keeps_its_secret_until_it_is_made_afresh(tmp_path):
    secret = marking.open_report(tmp_path / "r", fresh=False)
    assert marking.open_report(tmp_path / "r", fresh=False) == secret
    assert marking.open_report(tmp_path / "r", fresh=True) != secret
    assert (tmp_path / "r" / "run.json").stat().st_mode & 0o077 == 0
    (tmp_path / "r" / "run.json").write_text("{")
    with pytest.raises(ExerciseError, match="--fresh"):
        marking.open_report(tmp_path / "r", fresh=False)


def test_shares_of_processors_are_disjoint():
    shares = backends._shares(2)
    assert len(shares) == 2
    assert not shares[0] & shares[1]
    assert backends._shares(10_000)[0] == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade"], "Usage"),
        (["grade", "nowhere", "--out", "r"], "There is no nowhere"),
        (["grade", "--out", "r"], "nothing to grade"),
        (["grade", ".", "--out", "r", "--exercise", "1-beta"], "Choose one of 00-warmup"),
        (["grade", ".", "--out", "r", "--shard", "3/2"], "Give I/N"),
        (["grade", ".", "--out", "r", "--late-per-day", "0.1"], "Give --deadline"),
        (["grade", "merge", "nowhere", "--out", "r"], "hold no results"),
    ],
)
def test_wrong_use_says_what_to_do_and_exits_with_2(
    arguments, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    code, said = command(arguments, monkeypatch, capsys)
    assert code == 2
    assert words in said


@needs_bubblewrap
def test_a_full_disk_is_said_and_what_was_graded_stays(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    write_notebook(tmp_path / "in" / "ada.ipynb", ["x = 1"], exercise="99-none")
    report = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "r")]
    assert command(report, monkeypatch, capsys)[0] == 1  # it names no exercise
    (kept,) = (tmp_path / "r" / "results").iterdir()
    before = kept.read_bytes()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "grades.csv")

    monkeypatch.setattr("vae_course.grading.pages.write_atomically", full)
    code, said = command(report, monkeypatch, capsys)
    assert code == 1
    assert "grades.csv cannot be written or read (No space left on device). Make room" in said
    assert kept.read_bytes() == before


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere", "", "tcp://"])
def test_a_cluster_that_is_not_there_is_named(address, monkeypatch):
    monkeypatch.setattr(backends, "PATIENCE", 1)
    with pytest.raises(ConfigError, match=r"No dask scheduler answers at .*`dask scheduler`"):
        backends.Cluster(address)


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ConfigError, match=r"vae-course\[cluster\]"):
        backends.Cluster("tcp://127.0.0.1:9")


def command(arguments, monkeypatch, capsys):
    """The exit code, and all that is said, on one line."""
    monkeypatch.setattr(sys, "argv", ["vae-course", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    return ended.value.code or 0, " ".join((captured.out + captured.err).split())


@pytest.mark.slow
@needs_bubblewrap
def test_a_class_is_graded_resumed_and_merged(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    monkeypatch.setenv("VAE_COURSE_BUDGET", "smoke")
    folder = tmp_path / "in"
    write_notebook(folder / "ada" / "00.ipynb", solution("00-warmup"))
    write_notebook(folder / "bob é" / "00.ipynb", untouched("00-warmup"))
    (folder / "carl.ipynb").write_text("x")
    for part in ("1/2", "2/2"):
        out = tmp_path / f"part{part[0]}"
        arguments = ["grade", str(folder), "--out", str(out), "--shard", part]
        code, said = command(arguments, monkeypatch, capsys)
        assert code == (1 if "carl" in said else 0), said
    whole = tmp_path / "whole"
    parts = [str(tmp_path / f"part{i}") for i in (1, 2)]
    arguments = ["grade", "merge", *parts, "--out", str(whole)]
    code, said = command(arguments, monkeypatch, capsys)
    assert code == 1, said
    grades = (whole / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[:4] for line in grades[1:]] == [
        ["ada", "00-warmup", "graded", "15"],
        ["bob é", "00-warmup", "graded", "0"],
        ["carl", "", "not graded", ""],
    ]
    assert {path.name for path in whole.iterdir()} == {
        *("feedback", "grades.csv", "junit.xml", "overview.html", "results", "results.jsonl"),
        "run.json",
    }


@pytest.fixture
def interruptible():
    """Ctrl-C reaches what a test starts, also where a shell started the tests with ``&``."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@needs_bubblewrap
@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_run_leaves_nothing_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    folder, out = tmp_path / "in", tmp_path / "out"
    write_notebook(folder / "a.ipynb", QUICK)
    write_notebook(folder / "b.ipynb", ["import time; time.sleep(600)  # interrupted-marker"])
    again = [str(BIN / "vae-course"), "grade", str(folder), "--out", str(out)]
    with subprocess.Popen([*again, "--jobs", "1"]) as process:
        deadline = time.monotonic() + 120
        while not list((out / "results").glob("*.json")) and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(2)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
    assert family
    assert not [one for one in family if one.is_running() and one.status() != "zombie"]
    assert len(list((out / "results").glob("*.json"))) == 1
    # By now it is another submission; only that one is graded.
    write_notebook(folder / "b.ipynb", QUICK)
    (started,) = [path.stat().st_mtime for path in (out / "results").glob("*.json")]
    assert subprocess.run(again, check=False).returncode == 0
    assert len(list((out / "results").glob("*.json"))) == 2
    assert min(p.stat().st_mtime for p in (out / "results").glob("*.json")) == started


@pytest.mark.slow
@needs_bubblewrap
def test_a_cluster_loses_nothing_when_a_worker_dies(tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    supplies.gather()
    for number in range(6):
        write_notebook(tmp_path / "in" / f"s{number}.ipynb", [f"# {number}", *QUICK])
    dask = str(BIN / "dask")
    scheduler = subprocess.Popen(
        [
            dask,
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            str(tmp_path / "scheduler.json"),
        ],
        stderr=subprocess.DEVNULL,
    )
    workers = []
    try:
        until = time.monotonic() + 60
        while not (tmp_path / "scheduler.json").exists() and time.monotonic() < until:
            time.sleep(0.2)
        address = json.loads((tmp_path / "scheduler.json").read_text())["address"]
        worker = [dask, "worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny"]
        workers = [
            subprocess.Popen(
                [*worker, "--local-directory", str(tmp_path / f"w{i}")], stderr=subprocess.DEVNULL
            )
            for i in range(2)
        ]
        backend = backends.Cluster(address)
        backend.client.wait_for_workers(2, timeout=60)
        found = []
        for result in marking.grade_all(planned(tmp_path / "in"), tmp_path / "out", backend):
            found.append(result)
            if len(found) == 1:
                workers[0].kill()
        backend.close()
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()
    assert sorted(one.student for one in found) == [f"s{i}" for i in range(6)]
    assert {one.status for one in found} == {"graded"}
    assert {one.points for one in found} == {1}


def test_the_gradescope_bundle_holds_the_package_and_nothing_else(tmp_path):
    write_bundle(tmp_path / "a.zip", ROOT)
    write_bundle(tmp_path / "b.zip", ROOT)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as bundle:
        names = set(bundle.namelist())
        modes = {m.filename: m.external_attr >> 16 & 0o777 for m in bundle.infolist()}
    assert {"setup.sh", "run_autograder", "requirements.lock", "vae_course/cli.py"} <= names
    assert "vae_course/grading/templates/base.html" in names
    assert not [name for name in names if name.startswith(("solutions", "tests", "."))]
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    with pytest.raises(ExerciseError, match="--course"):
        write_bundle(tmp_path / "c.zip", tmp_path)


@pytest.mark.slow
@needs_bubblewrap
@pytest.mark.parametrize("handed_in", ["good", "broken", "nothing"])
def test_the_autograder_writes_results_whatever_happens(tmp_path, monkeypatch, handed_in):
    """Gradescope's script itself, with its folders moved to where this test may write."""
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    monkeypatch.setenv("VAE_COURSE_BUDGET", "smoke")
    (tmp_path / "submission").mkdir()
    if handed_in == "good":
        write_notebook(tmp_path / "submission" / "00.ipynb", QUICK)
    elif handed_in == "broken":
        (tmp_path / "submission" / "00.ipynb").write_text("x")
    moved = RUN.replace("/autograder", str(tmp_path)).replace("/opt/vae-course/bin", str(BIN))
    script = tmp_path / "run_autograder"
    script.write_text(moved.replace("/tmp/report", str(tmp_path / "report")))
    subprocess.run(["bash", str(script)], check=False, timeout=120)
    found = json.loads((tmp_path / "results" / "results.json").read_text())
    assert found["score"] == (1 if handed_in == "good" else 0)
    said = "1 of 15 points" if handed_in == "good" else "could not be graded"
    assert said in found["output"]


@pytest.mark.slow
def test_without_a_sandbox_every_report_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(process, "NOBODY", os.getuid())  # nobody may not reach this Python
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    write_notebook(tmp_path / "in" / "ada.ipynb", QUICK)
    out = tmp_path / "out"
    arguments = ["grade", str(tmp_path / "in"), "--out", str(out), "--unsafe", "--format"]
    formats = ["html", "--format", "gradescope", "--format", "jsonl"]
    code, said = command([*arguments, *formats], monkeypatch, capsys)
    assert (code, "WITHOUT a sandbox" in said) == (0, True), said
    assert "without a sandbox" in (out / "overview.html").read_text()
    assert all("without a sandbox" in page.read_text() for page in (out / "feedback").iterdir())
    assert "without a sandbox" in json.loads((out / "results.json").read_text())["output"]
    assert json.loads((out / "results.jsonl").read_text())["sandbox"] == "none"
    assert not list(Path(tempfile.gettempdir()).glob("vae-course-guest-*"))


@pytest.mark.slow
def test_without_bubblewrap_it_refuses_with_3(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    write_notebook(tmp_path / "in" / "ada.ipynb", QUICK)
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out")]
    code, said = command(arguments, monkeypatch, capsys)
    assert (code, "Install the package bubblewrap" in said) == (3, True)


def test_cells_are_called_by_their_number_in_a_run_and_their_task(tmp_path):
    notebook = json.loads((ROOT / "exercises" / "00_warmup.ipynb").read_text(encoding="utf-8"))
    (tmp_path / "ada.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (job,) = planned(tmp_path)
    ids = [cell["id"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    called = [name for name, _ in job.cells]
    at = ids.index("task-kl-between")
    assert called[0] == "[1]"
    assert called[at] == f"[{at + 1}] task-kl-between"
