"""Which attempt counts, and what a late one loses."""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from vae_course.errors import ConfigError
from vae_course.grading.results import GRADED, Result

__all__ = ["ATTEMPTS", "Counted", "Policy", "counted"]

ATTEMPTS = ("last", "best", "first")
DAY = 24 * 60 * 60  # seconds


@dataclasses.dataclass(frozen=True)
class Policy:
    """The rules of a course.

    Args:
        deadline: when a submission begins to be late; without a time zone it is local time.
        late_per_day: share of the points that each begun day costs, 0 to 1.
        attempts: ``"last"``, ``"best"`` or ``"first"``: the one of a student that counts.

    Raises:
        ConfigError: if one of them cannot be meant.
    """

    deadline: datetime | None = None
    late_per_day: float = 0.0
    attempts: str = "last"

    def __post_init__(self) -> None:
        if not 0 <= self.late_per_day <= 1:
            raise ConfigError(f"late_per_day is {self.late_per_day}.", "Use a share from 0 to 1.")
        if self.late_per_day and self.deadline is None:
            raise ConfigError("late_per_day has no deadline to count from.", "Set a deadline.")
        if self.attempts not in ATTEMPTS:
            raise ConfigError(
                f"attempts is {self.attempts!r}.", f"Use one of {', '.join(ATTEMPTS)}."
            )
        try:
            self.days_late(1.0)
        except (OverflowError, OSError, ValueError) as error:
            raise ConfigError(
                f"The deadline {self.deadline} is no time that this machine can count.",
                "Use a date of this century.",
            ) from error

    def days_late(self, handed_in: float) -> int:
        """Days begun since the deadline; 0 where it is unknown when something was handed in.

        Args:
            handed_in: seconds since 1970; 0 if unknown.
        """
        if self.deadline is None or not handed_in:
            return 0
        return max(0, math.ceil((handed_in - self.deadline.timestamp()) / DAY))


class Counted(NamedTuple):
    """The attempt that counts, how many others there are, and what it is worth."""

    result: Result
    others: int
    days_late: int
    points: float


def counted(results: Sequence[Result], policy: Policy) -> list[Counted]:
    """The attempt that counts of each student and exercise, by student, exercise and file.

    What was not graded counts only where nothing else was handed in. Without an exercise
    nobody knows what it is an attempt at, so each such file counts for itself.
    """
    alone = [_weighed(result, 0, policy) for result in results if not result.exercise]
    known = sorted((r for r in results if r.exercise), key=_student_and_exercise)
    groups = [list(group) for _, group in itertools.groupby(known, key=_student_and_exercise)]
    chosen = [_choose(group, policy) for group in groups]
    return sorted(alone + chosen, key=lambda c: (*_student_and_exercise(c.result), c.result.file))


def _student_and_exercise(result: Result) -> tuple[str, str]:
    return result.student, result.exercise


def _weighed(result: Result, others: int, policy: Policy) -> Counted:
    days = policy.days_late(result.handed_in)
    kept = max(0.0, 1 - policy.late_per_day * days)
    return Counted(result, others, days, round(result.points * kept, 2))


def _choose(group: list[Result], policy: Policy) -> Counted:
    able = [result for result in group if result.status == GRADED] or group
    weighed = [_weighed(result, len(group) - 1, policy) for result in able]
    if policy.attempts == "last":
        return max(weighed, key=_when)
    if policy.attempts == "first":
        return min(weighed, key=_when)
    return min(weighed, key=lambda one: (-one.points, *_when(one)))


def _when(one: Counted) -> tuple[float, str]:
    return one.result.handed_in, one.result.file
