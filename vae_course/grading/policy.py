"""Which attempt counts, and what lateness costs."""

import dataclasses
import datetime
import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

from vae_course.errors import ConfigError
from vae_course.grading.results import NOT_GRADED, Result

__all__ = ["ATTEMPTS", "Counted", "Policy", "counted"]

ATTEMPTS = ("last", "best", "first")
DAY = 86_400


@dataclasses.dataclass(frozen=True)
class Policy:
    """A deadline, the share of the points that each day begun after it costs, which attempt counts.

    Raises:
        ConfigError: if the share is not from 0 to 1, or the attempts are unknown.
    """

    deadline: datetime.datetime | None = None
    late_per_day: float = 0.0
    attempts: str = "last"

    def __post_init__(self) -> None:
        if not 0 <= self.late_per_day <= 1:
            raise ConfigError(
                f"--late-per-day is {self.late_per_day:g}.", "Give a share from 0 to 1."
            )
        if self.late_per_day and self.deadline is None:
            raise ConfigError("There is no deadline to be late for.", "Give --deadline too.")
        if self.attempts not in ATTEMPTS:
            raise ConfigError(
                f"--attempts is {self.attempts!r}.", f"Use one of {', '.join(ATTEMPTS)}."
            )

    def days_late(self, handed_in: float) -> int:
        """Days begun after the deadline; 0 where there is none, or the time is unknown."""
        if self.deadline is None or not handed_in:
            return 0
        return max(0, math.ceil((handed_in - self.deadline.timestamp()) / DAY))


class Counted(NamedTuple):
    """The attempt that counts, how many others there are, and its points after lateness."""

    result: Result
    others: int
    days_late: int
    points: float


def counted(results: Sequence[Result], policy: Policy) -> list[Counted]:
    """One attempt for each student and exercise; what is of no exercise counts by itself.

    An attempt that was not graded counts only where there is no other.
    """

    def owner(one: Result) -> tuple[str, str, str]:
        return (one.student, one.exercise, "" if one.exercise else one.file)

    groups = itertools.groupby(sorted(results, key=owner), key=owner)
    return [_chosen(list(group), policy) for _, group in groups]


def _chosen(group: list[Result], policy: Policy) -> Counted:
    rows = [_row(one, len(group) - 1, policy) for one in group]
    graded = [row for row in rows if row.result.status != NOT_GRADED] or rows
    by_time = sorted(graded, key=lambda row: (row.result.handed_in, row.result.file))
    if policy.attempts == "best":
        return max(by_time, key=lambda row: row.points)
    return by_time[-1 if policy.attempts == "last" else 0]


def _row(result: Result, others: int, policy: Policy) -> Counted:
    late = policy.days_late(result.handed_in)
    kept = max(0.0, 1 - late * policy.late_per_day)
    return Counted(result, others, late, round(result.points * kept, 2))
