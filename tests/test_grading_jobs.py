"""Grading one submission, where a guest and a check behave in ways that a notebook cannot make."""

import contextlib
import dataclasses

import numpy as np
import pytest
from grading_runs import job

from vae_course.checks.specs import Context
from vae_course.grading import jobs
from vae_course.grading.results import NOT_GRADED
from vae_course.grading.supplies import Supplies
from vae_course.grading.wire import Broken, Closed, Late


class Channel:
    """Says what it is told to; an exception is raised."""

    def __init__(self, said):
        self.said, self.sent = list(said), []

    def send(self, message, until=None):
        self.sent.append(message)

    def receive(self, until=None):
        message = self.said.pop(0) if self.said else Closed()
        if isinstance(message, Exception):
            raise message
        return message


class Guest:
    def __init__(self, said):
        self.channel, self.reason, self.words, self.most_memory = Channel(said), "", b"", 0


def graded(runs, cells=("a = 1", "b = 2"), **changes):
    """The result of a submission whose guests say the given things, run by run; and the guests."""
    guests = [Guest(said) for said in runs]
    started = iter(guests)

    @contextlib.contextmanager
    def start(**_):
        yield next(started)

    supplies = Supplies(None, "digits", {})
    grading = jobs._Grading(job(cells, **changes), supplies, start, "bubblewrap")
    return grading.result(), guests


NOTHING = [("not started", None)] * 50
BEGUN = [("cell", 0), ("cell", 1), ("ready",)]


def test_a_notebook_that_answers_nothing_has_started_nothing():
    result, _ = graded([[*BEGUN, *NOTHING]])
    assert result.status == "graded"
    assert {task.status for task in result.tasks} == {"not started", "marked by a person"}
    assert (result.points, result.cells) == (0, ())


def test_a_cell_that_ends_the_process_is_left_out_of_the_next_run():
    result, guests = graded([[("cell", 0), ("cell", 1), Closed()], [*BEGUN, *NOTHING]])
    assert "cell 1: The notebook ended its own process" in result.cells[0]
    assert guests[1].channel.sent[0]["cells"] == (("cell 0", "a = 1"), ("cell 1", ""))


def test_after_three_runs_it_is_given_up():
    result, guests = graded([[("cell", 0), Late("late")]] * 3)
    assert len(guests) == 3
    assert {task.status for task in result.tasks} == {"wrong", "marked by a person"}
    assert "still running" in result.tasks[0].message


def test_a_guest_that_never_began_is_the_graders_fault():
    result, _ = graded([[Closed()]])
    assert result.status == NOT_GRADED
    assert "The sandbox could not be used" in result.problem


@pytest.mark.parametrize(
    "forged",
    [("cell", 2), ("cell", -1), ("raised", 0), ("ready", 1), "ready", None, ("raised", 5, "x")],
)
def test_what_is_no_event_ends_the_run(forged):
    result, _ = graded([[("cell", 0), forged]] * 3)
    assert result.points == 0
    assert "is not an event" in result.cells[0]


def test_an_answer_that_ends_the_process_costs_its_task_and_the_rest_are_asked_again():
    result, guests = graded([[*BEGUN, Closed()], [*BEGUN, *NOTHING]])
    first, *rest = result.tasks
    assert first.status == "wrong"
    assert "When it was asked for this, the notebook ended its own process" in first.message
    assert {task.status for task in rest} == {"not started", "marked by a person"}
    assert len(guests) == 2


def test_an_answer_in_no_form_is_the_end_of_that_run():
    result, _ = graded([[*BEGUN, Broken("is too deep")], [*BEGUN, "value"], [*BEGUN, *NOTHING]])
    assert [task.status for task in result.tasks[:3]] == ["wrong", "wrong", "not started"]


def test_a_check_that_stumbles_is_shown_to_the_instructor(monkeypatch):
    def stumbles(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "run", stumbles)
    result, _ = graded([BEGUN])
    assert result.tasks[0].status == "wrong"
    assert "could not judge this answer (ZeroDivisionError)" in result.tasks[0].message
    assert result.flags[0].startswith(f"{result.tasks[0].task}: ")


def test_notes_are_few_and_short():
    said = [("raised", 0, f"{number} " + "x" * 5000) for number in range(200)]
    result, _ = graded([[("cell", 0), *said, ("ready",), *NOTHING]])
    assert len(result.cells) == jobs.MOST_NOTES
    assert max(map(len, result.cells)) <= jobs.LONGEST_NOTE


def test_questions_follow_from_secret_digest_and_task_alone(monkeypatch):
    def drawn(**changes):
        seen = {}

        def run(task, student, context: Context):
            seen[task.name] = float(context.rng.random())
            raise ValueError

        monkeypatch.setattr(jobs, "run", run)
        graded([BEGUN], **changes)
        return seen

    first = drawn()
    assert len(set(first.values())) == len(first) > 3
    assert drawn(student="bob", file="b.ipynb", key="k") == first
    other = [drawn(secret="other"), drawn(digest="1" * 64)]
    assert not {*first.values()} & {*other[0].values()} & {*other[1].values()}
    assert np.unique([[*one.values()] for one in (first, *other)]).size == 3 * len(first)


def test_a_job_is_plain_data_and_whole_again():
    one = job(["a = 1"])
    plain = dataclasses.asdict(one)
    assert jobs.Job(**{**plain, "limits": type(one.limits)(**plain["limits"])}) == one
