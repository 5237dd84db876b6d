"""A `Student` behind a channel: what the checks ask of a notebook in the sandbox."""

import math
import time
from typing import Any

import numpy as np

from vae_course.checks.plain import Handle
from vae_course.checks.verdicts import Mistake, NotStarted
from vae_course.grading.wire import Broken, Channel, Late

__all__ = ["RemoteStudent"]

LONGEST_WORDS = 500


class RemoteStudent:
    """Asks over a channel; what comes back is a claim, and is treated as one.

    Args:
        channel: to the guest.
        deadline: on the clock of ``time.monotonic``, for all questions together.
        patience: seconds for one answer.
    """

    def __init__(self, channel: Channel, deadline: float = math.inf, patience: float = math.inf):
        self.channel, self.deadline, self.patience = channel, deadline, patience

    def value(self, target: str | Handle) -> Any:
        """See `Student.value`."""
        return self._ask("value", target)

    def call(self, target: str | Handle, *args: Any, **kwargs: Any) -> Any:
        """See `Student.call`."""
        return self._ask("call", target, *args, **kwargs)

    def method(self, target: str | Handle, name: str, *args: Any, **kwargs: Any) -> Any:
        """See `Student.method`."""
        return self._ask("method", target, name, *args, **kwargs)

    def weights(self, target: str | Handle) -> dict[str, np.ndarray]:
        """See `Student.weights`."""
        found = self._ask("weights", target)
        if not isinstance(found, dict) or not all(
            isinstance(name, str) and isinstance(part, np.ndarray) for name, part in found.items()
        ):
            raise Mistake(f"The weights of {target} are not arrays.")
        return found

    def _ask(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        until = min(self.deadline, time.monotonic() + self.patience)
        self.channel.send((verb, args, kwargs), until)
        try:
            answer = self.channel.receive(until)
        except Broken as broken:
            # What follows in the pipe cannot be trusted to begin at a frame.
            raise Late(f"its answer {broken}") from None
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise Late("its answer is not in the form of an answer")
        kind, content = answer
        if kind == "value":
            return content
        if kind == "not started":
            raise NotStarted
        raise Mistake(str(content)[:LONGEST_WORDS])
