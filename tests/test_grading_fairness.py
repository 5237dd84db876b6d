"""What is right earns all, what is untouched nothing, and a mistake what it should and no more.

A handful of each; ``make bench-grade`` measures all wrong submissions and 20 secrets.
"""

import concurrent.futures

import pytest
from exercise_runs import read_submission, submissions
from grading_runs import Machine, job, needs_bubblewrap, solution, untouched

from vae_course.checks import EXERCISES
from vae_course.grading.sandbox import Limits

pytestmark = [pytest.mark.slow, needs_bubblewrap]
LIMITS = Limits(seconds=400)


@pytest.fixture(scope="module")
def graded():
    """Grades two jobs at a time in the background; a function from a name to its result."""
    jobs = {f"{n} untouched": job(untouched(n), exercise=n, limits=LIMITS) for n in EXERCISES}
    for name in EXERCISES:
        right, mistake = solution(name), read_submission(submissions(name, "wrong")[0])
        jobs[f"{name} right"] = job(right, exercise=name, limits=LIMITS)
        jobs[f"{name} wrong"] = job(
            solution(name, mistake.cells), exercise=name, limits=LIMITS, secret="another"
        )
    for number in range(4):
        jobs[f"secret {number}"] = job(
            solution("00-warmup"), limits=LIMITS, secret=f"secret {number}"
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_COURSE_DATA", "digits")
        machine = Machine()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            futures = {name: pool.submit(machine.grade, one) for name, one in jobs.items()}
            yield lambda name: futures[name].result()
        machine.place.remove()


@pytest.mark.parametrize("name", EXERCISES)
def test_the_untouched_exercise_earns_nothing(graded, name):
    result = graded(f"{name} untouched")
    assert (result.status, result.points) == ("graded", 0)
    assert {task.status for task in result.tasks} <= {"not started", "marked by a person"}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_earns_full_marks(graded, name):
    result = graded(f"{name} right")
    assert result.points == result.max_points > 0, result.tasks
    assert result.cells == result.flags == ()


@pytest.mark.parametrize("name", EXERCISES)
def test_a_mistake_loses_its_own_points(graded, name):
    mistake = read_submission(submissions(name, "wrong")[0])
    tasks = graded(f"{name} wrong").tasks
    lost = [task for task in tasks if task.status in ("wrong", "not started")]
    assert [task.task for task in lost] == list(mistake.loses)
    assert mistake.says in lost[0].message


@pytest.mark.parametrize("number", range(4))
def test_full_marks_do_not_depend_on_the_secret(graded, number):
    result = graded(f"secret {number}")
    assert result.points == result.max_points, result.tasks
