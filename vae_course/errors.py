"""What can go wrong, each with what to do next.

Every exception owns its whole message, and the message ends with the next action.
Only the command line prints one and exits.
"""

__all__ = [
    "CheckpointError",
    "ConfigError",
    "CourseError",
    "DataError",
    "ExerciseError",
    "SandboxError",
    "ShapeError",
    "TrainingError",
]


class CourseError(Exception):
    """The parent of all the errors that this package raises on purpose.

    Args:
        problem: what is wrong, in one sentence.
        action: what to do about it, in one sentence.
    """

    def __init__(self, problem: str, action: str):
        super().__init__(f"{problem} {action}")
        self.problem = problem
        self.action = action


class ConfigError(CourseError, ValueError):
    """A configuration that cannot be meant: a negative β, a latent size of 0."""


class ShapeError(CourseError, ValueError):
    """Arrays whose shapes, types or values do not fit together."""


class DataError(CourseError):
    """Images that cannot be found, read or trusted."""


class TrainingError(CourseError):
    """Training that cannot go on, such as a loss that became NaN."""


class CheckpointError(CourseError):
    """A checkpoint file that is missing, damaged or not ours."""


class ExerciseError(CourseError):
    """A source or a notebook of an exercise that cannot be used."""


class SandboxError(CourseError):
    """No sandbox, or one that does not hold: untrusted notebooks are not run."""
