"""How an answer is judged: against an independent truth, and against the usual mistakes.

A mistake is a prediction: it says which wrong number it would produce. An answer that equals
the prediction is named for the mistake, so that a check reads like a list of mistakes.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Comparison",
    "Mistake",
    "NotStarted",
    "array",
    "choice",
    "comparisons",
    "near",
    "number",
    "require",
    "same",
]

TOLERANCE = 1e-4


class Mistake(Exception):  # noqa: N818 - a verdict, not a fault of this program
    """The answer is wrong; the message says what is most likely wrong with it."""


class NotStarted(Exception):  # noqa: N818 - likewise
    """There is no answer yet."""


class Comparison(NamedTuple):
    """One use of `near`: the truth, what each mistake predicts, and the tolerance."""

    truth: np.ndarray
    mistakes: Mapping[str, np.ndarray]
    tolerance: float


_seen: ContextVar[list[Comparison] | None] = ContextVar("comparisons", default=None)


@contextlib.contextmanager
def comparisons() -> Iterator[list[Comparison]]:
    """Collect the comparisons made inside, so that a test can hold their mistakes apart."""
    found: list[Comparison] = []
    token = _seen.set(found)
    try:
        yield found
    finally:
        _seen.reset(token)


def array(answer: Any, shape: tuple[int, ...] | None = None, *, what: str) -> np.ndarray:
    """``answer`` as a float64 array of that shape.

    Args:
        answer: plain data, from a `Student`.
        shape: what it must have; None accepts any.
        what: its name in messages, such as ``"gaussian_kl(mean, logvar)"``.

    Raises:
        Mistake: if it is not numbers, or of another shape.
        NotStarted: if it is None.
    """
    if answer is None:
        raise NotStarted
    if isinstance(answer, str | dict) or not _is_rectangular(answer):
        raise Mistake(f"{what} is {_kind(answer)}; it should be an array{_of(shape)}.")
    values = np.asarray(answer, np.float64)
    if shape is not None and values.shape != shape:
        raise Mistake(f"{what} has shape {values.shape}; it should have {shape}.")
    return values


def number(answer: Any, *, what: str) -> float:
    """``answer`` as one finite number.

    Raises:
        Mistake: if it is not a number, or not a finite one.
        NotStarted: if it is None.
    """
    value = array(answer, what=what)
    if value.size != 1:
        raise Mistake(f"{what} has shape {value.shape}; it should be one number.")
    if np.asarray(answer).dtype == bool:
        raise Mistake(f"{what} is {bool(value.item())}; it should be a number.")
    if not np.isfinite(value).all():
        raise Mistake(f"{what} is {value.item()}.")
    return float(value.item())


def choice(answer: Any, right: str, wrong: Mapping[str, str], *, what: str) -> None:
    """Judge a multiple choice.

    Args:
        answer: plain data; a letter.
        right: the right letter.
        wrong: for each wrong letter, why it is wrong.
        what: the name of the answer.

    Raises:
        Mistake: with the reason, or with the letters there are.
        NotStarted: if it is None.
    """
    if answer is None:
        raise NotStarted
    letter = answer.strip().lower() if isinstance(answer, str) else answer
    if letter == right:
        return
    letters = ", ".join(f'"{name}"' for name in sorted([right, *wrong]))
    known = isinstance(letter, str) and letter in wrong
    raise Mistake(wrong[letter] if known else f"{what} should be one of {letters}.")


def require(condition: Any, mistake: str) -> None:
    """Raise `Mistake` with that message unless ``condition`` holds."""
    if not condition:
        raise Mistake(mistake)


def near(
    answer: Any,
    truth: Any,
    *,
    what: str,
    mistakes: Mapping[str, Any] | None = None,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """Judge numbers: equal to the truth, or to what a mistake predicts, or merely wrong.

    Two arrays are equal if they have the same shape and differ nowhere by more than
    ``tolerance · (1 + |truth|)``; NaN equals NaN.

    Args:
        answer: plain data, from a `Student`.
        truth: what it should be, from an independent route.
        what: its name in messages.
        mistakes: sentence → the numbers that this mistake would produce.
        tolerance: relative to 1 + |truth|.

    Returns:
        The answer, as float64.

    Raises:
        Mistake: named for the mistake that predicts the answer, if one does.
        NotStarted: if the answer is None.
    """
    truth = np.asarray(truth, np.float64)
    predictions = {name: np.asarray(value, np.float64) for name, value in (mistakes or {}).items()}
    seen = _seen.get()
    if seen is not None:
        seen.append(Comparison(truth, predictions, tolerance))
    got = array(answer, what=what)
    if same(got, truth, tolerance):
        return got
    for name, predicted in predictions.items():
        if same(got, predicted, tolerance):
            raise Mistake(name)
    raise Mistake(_difference(got, truth, what))


def same(got: np.ndarray, truth: np.ndarray, tolerance: float) -> bool:
    """Whether two arrays agree in shape, and everywhere to within the tolerance."""
    if got.shape != truth.shape:
        return False
    with np.errstate(invalid="ignore"):
        return bool(np.allclose(got, truth, rtol=tolerance, atol=tolerance, equal_nan=True))


def _difference(got: np.ndarray, truth: np.ndarray, what: str) -> str:
    if got.shape != truth.shape:
        return f"{what} has shape {got.shape}; it should have {truth.shape}."
    bad = np.isfinite(truth) & ~np.isfinite(got)
    if bad.any():
        return f"{what} is NaN or infinite at {bad.sum()} of {bad.size} places."
    with np.errstate(invalid="ignore"):
        gap = np.nan_to_num(np.abs(got - truth) / (1 + np.abs(truth)), nan=np.inf)
    at = np.unravel_index(int(np.argmax(gap)), gap.shape)
    place = f" at {tuple(int(i) for i in at)}" if at else ""
    return f"{what} is {got[at]:.5g}{place}; it should be {truth[at]:.5g}."


def _is_rectangular(answer: Any) -> bool:
    if not isinstance(answer, Sequence):
        return True
    try:
        return np.asarray(answer).dtype.kind in "biuf"
    except ValueError:
        return False


def _kind(answer: Any) -> str:
    if isinstance(answer, str):
        return "a string"
    if isinstance(answer, dict):
        return "a dictionary"
    return f"{len(answer)} things of different shapes or kinds"


def _of(shape: tuple[int, ...] | None) -> str:
    return "" if shape is None else f" of shape {shape}"
