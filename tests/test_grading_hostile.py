"""Notebooks that mean harm: each ends within its limits, gains nothing and leaves nothing."""

import concurrent.futures
import re
import time
from pathlib import Path

import pytest
from grading_runs import (
    HOSTILE,
    MARKER,
    SMALL,
    Machine,
    job,
    left_running,
    needs_bubblewrap,
    solution,
    untouched,
)

pytestmark = [pytest.mark.slow, needs_bubblewrap]
KL = "00_warmup"


@pytest.fixture(scope="module")
def machine():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_COURSE_DATA", "digits")
        made = Machine()
        yield made
        made.place.remove()


@pytest.mark.parametrize("path", sorted(HOSTILE.glob("*.py")), ids=lambda path: path.stem)
def test_a_hostile_notebook_gains_nothing_and_leaves_nothing(machine, path):
    text = path.read_text(encoding="utf-8")
    says = re.search(r"^# says: (.+)$", text, flags=re.M)
    exercise = re.search(r"^# exercise: (.+)$", text, flags=re.M)
    started = time.monotonic()
    name = exercise[1] if exercise else "00-warmup"
    result = machine.grade(job([text], exercise=name, limits=SMALL))
    assert time.monotonic() - started < SMALL.seconds + 30  # starting and stopping are not its own
    assert result.status == "graded", result.problem
    assert result.points == 0, result.tasks
    words = " ".join([*result.cells, *(task.message for task in result.tasks)])
    assert says is None or says[1] in words, words
    assert result.memory_mb < 1.25 * 1000 * SMALL.memory_gb
    assert left_running() == []


def test_a_daemon_writes_nothing_later(machine):
    result = machine.grade(job([(HOSTILE / "daemon.py").read_text(encoding="utf-8")], limits=SMALL))
    assert result.status == "graded"
    time.sleep(6)  # it would write after five seconds
    folders = ["/tmp", "/var/tmp", "/dev/shm", "."]
    assert not [folder for folder in folders if (Path(folder) / MARKER).exists()]


def test_a_good_notebook_earns_all_beside_a_fork_bomb_and_a_memory_bomb(machine):
    bombs = [
        job([(HOSTILE / f"{name}.py").read_text()], limits=SMALL)
        for name in ("fork_bomb", "memory_in_many")
    ]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        running = [pool.submit(machine.grade, bomb) for bomb in bombs]
        good = machine.grade(job(solution("00-warmup")))
        assert all(bomb.result().points == 0 for bomb in running)
    assert good.points == good.max_points, good.tasks


def test_one_broken_cell_does_not_zero_the_others(machine):
    code = solution("00-warmup")
    attacks = ["def broken(:", "1 / 0", "import os; os._exit(3)", "raise SystemExit(2)"]
    result = machine.grade(job([*attacks, *code]))
    assert result.points == result.max_points, result.tasks
    assert len(result.cells) == 4
    assert "SyntaxError" in result.cells[0]
    assert "run without this cell" in " ".join(result.cells)


def test_cells_may_be_doubled_turned_round_or_missing(machine):
    code = solution("00-warmup")
    result = machine.grade(job([*code[:1], *reversed(code), *code]))
    assert result.points == result.max_points
    first = [cell for cell in code if "def kl_between" not in cell]
    lost = [t.task for t in machine.grade(job(first)).tasks if t.status == "not started"]
    assert lost == ["kl_between"]


def test_the_untouched_exercise_earns_nothing(machine):
    result = machine.grade(job(untouched("00-warmup")))
    assert result.points == 0
    assert {task.status for task in result.tasks} == {"not started", "marked by a person"}


def test_questions_are_fresh_for_each_secret_and_submission_and_the_same_again(machine):
    spy = "def kl_between(*args):\n    raise ValueError(str(args[0]))"

    def message(**changes):
        return machine.grade(job([spy], **changes)).tasks[0].message

    first = message()
    assert "ValueError" in first
    assert message() == first
    assert message(secret="another") != first
    assert message(digest="1" * 64) != first


def test_check_in_the_sandbox_looks_at_nothing(machine):
    cells = [
        "from vae_course.checks import check",
        "kl_in_bits = len(check('00-warmup').results)",
    ]
    task = next(t for t in machine.grade(job(cells)).tasks if t.task == "kl_in_bits")
    assert task.message.startswith("kl_in_bits is 0")
