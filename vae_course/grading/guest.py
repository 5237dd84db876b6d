"""Inside the sandbox: run the cells of a notebook, then answer questions about its names.

Started as ``python -m vae_course.grading.guest``, it speaks frames on its standard input and
output. Everything here shares a process with the student's code, so nothing that it says is
believed: its limits bind because the kernel enforces them, its answers because they are checked.
"""

import contextlib
import fcntl
import os
import random
import resource
from collections.abc import Iterator
from typing import Any

import numpy as np
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from vae_course.checks.students import NotebookStudent, described
from vae_course.checks.verdicts import Mistake, NotStarted
from vae_course.grading.wire import Broken, Channel, Closed

__all__: list[str] = []

FIRST_DESCRIPTOR = 64  # out of the way of a child's 0, 1 and 2
VERBS = ("value", "call", "method", "weights")


class Shell(InteractiveShell):
    """IPython, but for keeping all that is printed."""

    @contextlib.contextmanager
    def _tee(self, channel: str) -> Iterator[None]:  # noqa: ARG002 - IPython's name
        yield


def main() -> None:
    """Serve one grader until it goes away."""
    channel = _take_channel()
    order = channel.receive()
    _limit(order["limits"])
    names = _run(order["cells"], channel)
    channel.send(("ready",))
    student = NotebookStudent(names)
    while True:
        answer = _answer(student, channel.receive())
        try:
            channel.send(answer)
        except Broken as broken:
            channel.send(("mistake", f"The answer {broken}."))


def _take_channel() -> Channel:
    """The grader's pipes, with the standard streams put out of the notebook's way."""
    duplicates = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR) for fd in (0, 1)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nowhere, descriptor)
    return Channel(*duplicates)


def _limit(limits: dict[str, int]) -> None:
    for name, most in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))


def _run(cells: tuple[tuple[str, str], ...], channel: Channel) -> dict[str, Any]:
    """Run every cell as IPython would; one that raises does not stop the ones after it."""
    # What a notebook prints goes nowhere; what Python said before it was for the grader's log.
    os.dup2(1, 2)
    random.seed(0)
    np.random.seed(0)  # the legacy generator, which a notebook may use
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.xmode = "Minimal"
    shell = Shell.instance(config=config, user_ns={"__name__": "__main__"})
    for number, (_, source) in enumerate(cells):
        channel.send(("cell", number))
        problem = _run_cell(shell, source)
        if problem is not None:
            channel.send(("raised", number, described(problem)))
    return shell.user_ns


def _run_cell(shell: Any, source: str) -> BaseException | None:
    """What a cell raised; also where it broke the shell itself."""
    try:
        result = shell.run_cell(source, store_history=True)
        return result.error_before_exec or result.error_in_exec
    except (Exception, SystemExit, GeneratorExit) as error:
        return error


def _answer(student: NotebookStudent, question: Any) -> tuple[str, Any]:
    verb, args, kwargs = question
    try:
        if verb not in VERBS:
            raise Mistake(f"There is no question {verb!r}.")
        return ("value", getattr(student, verb)(*args, **kwargs))
    except NotStarted:
        return ("not started", None)
    except Mistake as mistake:
        return ("mistake", str(mistake))


if __name__ == "__main__":
    with contextlib.suppress(Closed):
        main()
