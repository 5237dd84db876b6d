"""What holds for every exercise; each test_exercise_*.py asks it of one."""

import pytest
from exercise_runs import (
    read_submission,
    run_solution,
    run_untouched,
    source_of,
    submissions,
    verdicts,
)

from vae_course.checks import check, exercise
from vae_course.checks.verdicts import comparisons, same


def cases(name):
    """A class of tests for the exercise of that id."""

    @pytest.mark.slow
    class Cases:
        @pytest.fixture(scope="class", autouse=True)
        @classmethod
        def _smoke(cls):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("VAE_COURSE_BUDGET", "smoke")
                patch.setenv("VAE_COURSE_DATA", "digits")
                yield

        @pytest.fixture(scope="class")
        @classmethod
        def solution(cls, _smoke):
            return run_solution(name)

        def test_the_solution_runs_and_earns_full_marks(self, solution):
            assert solution.raised == {}
            report = check(name, namespace=solution.names)
            assert report.points == report.out_of, str(report)

        def test_no_two_mistakes_predict_the_same(self, solution):
            with comparisons() as seen:
                check(name, namespace=solution.names)
            assert seen
            for one in seen:
                predictions = [("the truth", one.truth), *one.mistakes.items()]
                for i, (first, a) in enumerate(predictions):
                    for second, b in predictions[i + 1 :]:
                        assert not same(a, b, 2 * one.tolerance), (first, second)

        def test_checking_twice_says_the_same(self, solution):
            assert verdicts(name, solution) == verdicts(name, solution)

        def test_the_untouched_exercise_runs_to_its_first_task_and_reads_not_started(self):
            run = run_untouched(name)
            ids = [cell.id for cell in source_cells(name)]
            first = next(i for i, cell in enumerate(ids) if cell.startswith("task-"))
            assert all(ids.index(cell) >= first for cell in run.raised), run.raised
            kinds = {type(error) for error in run.raised.values()}
            assert kinds <= {NotImplementedError, NameError, TypeError}, run.raised
            statuses = {status for status, _ in verdicts(name, run).values()}
            assert statuses <= {"not started", "marked by a person"}, verdicts(name, run)

        @pytest.mark.parametrize("path", submissions(name, "wrong"), ids=lambda path: path.stem)
        def test_a_wrong_submission_fails_where_and_as_intended(self, path):
            wrong = read_submission(path)
            found = verdicts(name, run_solution(name, wrong.cells))
            status, message = found[next(iter(wrong.cells))]
            assert (status, wrong.says in message) == ("wrong", True), message
            lost = [
                task
                for task, (status, _) in found.items()
                if status not in ("passed", "marked by a person")
            ]
            assert lost == list(wrong.loses), found

        @pytest.mark.parametrize("path", submissions(name, "right"), ids=lambda path: path.stem)
        def test_another_right_answer_passes(self, path):
            run = run_solution(name, read_submission(path).cells)
            assert run.raised == {}
            report = check(name, namespace=run.names)
            assert report.points == report.out_of, str(report)

        def test_there_are_enough_submissions_and_each_names_tasks_and_a_message(self):
            wrong = [read_submission(path) for path in submissions(name, "wrong")]
            right = [read_submission(path) for path in submissions(name, "right")]
            assert len(wrong) >= 6
            assert len(right) >= 2
            known = {task.name for task in exercise(name).tasks}
            assert all(one.cells and set(one.cells) <= known for one in wrong + right)
            assert all(one.says for one in wrong)

    return Cases


def source_cells(name):
    from vae_course.exercises import student_notebook

    return student_notebook(source_of(name)).cells
