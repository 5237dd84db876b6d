"""The side that answers: a notebook's namespace, asked by name, answering in plain data."""

import contextlib
import traceback
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, cast

import jax
import jax.numpy as jnp
import numpy as np

from vae_course.checks.plain import Handle, Key, Unusable, to_plain
from vae_course.checks.verdicts import Mistake, NotStarted

__all__ = ["NotebookStudent", "Student", "described"]


class Student(Protocol):
    """What a check may ask. Arguments and answers are plain data, `Handle` and `Key`.

    Every method raises `NotStarted` where the name is missing or a stub, and `Mistake` where
    the student's code fails or answers with something that is not plain data.
    """

    def value(self, target: str | Handle) -> Any:
        """The value of a name: numbers, strings, arrays."""

    def call(self, target: str | Handle, *args: Any, **kwargs: Any) -> Any:
        """What a function, or a callable thing, returns."""

    def method(self, target: str | Handle, name: str, *args: Any, **kwargs: Any) -> Any:
        """What a method returns, of a thing that stays on the answering side."""

    def weights(self, target: str | Handle) -> dict[str, np.ndarray]:
        """The trainable arrays of a model, by name."""


class NotebookStudent:
    """A `Student` in this process: the names of a notebook.

    Inputs are handed over as fresh copies, and brainstate's global random key is put back.
    """

    def __init__(self, namespace: Mapping[str, Any]):
        self.namespace = namespace

    def value(self, target: str | Handle) -> Any:
        """See `Student.value`."""
        return _plain(self._find(target), str(target))

    def call(self, target: str | Handle, *args: Any, **kwargs: Any) -> Any:
        """See `Student.call`."""
        return self._answer(self._find(target), str(target), args, kwargs)

    def method(self, target: str | Handle, name: str, *args: Any, **kwargs: Any) -> Any:
        """See `Student.method`."""
        with _blamed_on(str(target)):
            function = getattr(self._find(target), name, None)
        return self._answer(function, f"{target}.{name}", args, kwargs)

    def weights(self, target: str | Handle) -> dict[str, np.ndarray]:
        """See `Student.weights`."""
        import brainstate  # here, so that a side which only asks does without it

        model = self._find(target)
        if not isinstance(model, brainstate.nn.Module):
            raise Mistake(f"{target} is not a brainstate module.")
        with _blamed_on(str(target)):
            states = cast(Any, model.states(brainstate.ParamState))
            return {
                ".".join(map(str, path)) + jax.tree_util.keystr(part): np.asarray(leaf)
                for path, state in states.items()
                for part, leaf in jax.tree_util.tree_leaves_with_path(state.value)
            }

    def _answer(self, function: Any, name: str, args: Any, kwargs: Any) -> Any:
        if not callable(function):
            raise Mistake(f"{name} cannot be called.")
        given = [self._give(value) for value in args]
        named = {key: self._give(value) for key, value in kwargs.items()}
        import brainstate

        with _blamed_on(name), brainstate.random.seed_context(0):
            result = function(*given, **named)
        return _plain(result, f"what {name} returns")

    def _give(self, value: Any) -> Any:
        if isinstance(value, Handle):
            return self._find(value)
        if isinstance(value, Key):
            return jax.random.key(value.seed)
        return jnp.array(value) if isinstance(value, np.ndarray) else value

    def _find(self, target: str | Handle) -> Any:
        handle = target if isinstance(target, Handle) else Handle(target)
        if handle.name not in self.namespace:
            raise NotStarted
        found = self.namespace[handle.name]
        for step in handle.path:
            if found is None:
                raise NotStarted
            with _blamed_on(str(handle)):
                found = _step(found, step, handle)
        if found is None or found is ...:
            raise NotStarted
        return found


def _step(found: Any, step: str | int | float, handle: Handle) -> Any:
    try:
        if isinstance(step, str) and not isinstance(found, dict):
            return getattr(found, step)
        return found[step]
    except (KeyError, IndexError, AttributeError, TypeError):
        raise Mistake(f"{handle} is missing: {handle.name} has no {step!r}.") from None


def _plain(value: Any, name: str) -> Any:
    try:
        with _blamed_on(name):
            return to_plain(value)
    except Unusable as error:
        raise Mistake(f"{name} {error}.") from None


@contextlib.contextmanager
def _blamed_on(name: str) -> Iterator[None]:
    """Turn what the student's code raises into a verdict. Ctrl-C stays Ctrl-C."""
    try:
        yield
    except (Mistake, NotStarted, Unusable):
        raise
    except NotImplementedError:
        raise NotStarted from None
    except (Exception, SystemExit, GeneratorExit) as error:
        raise Mistake(f"{name} raised {described(error)}") from None


def described(error: BaseException) -> str:
    """Kind, message and line of an error, without calling anything of the student's."""
    words = [part for part in BaseException.__dict__["args"].__get__(error) if type(part) is str]
    message = " ".join(" ".join(words).split())[:300]
    kind = type.__dict__["__name__"].__get__(type(error))
    return f"{kind}{_line(error)}" + (f": {message}" if message else ".")


def _line(error: BaseException) -> str:
    """The last line of the notebook that ran; its cells are no files of an installed package."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "ipykernel" in frame.filename or frame.filename.startswith("<")
    ]
    last = next((frame for frame in reversed(frames) if frame.line), None)
    return f" at `{last.line}`" if last else ""
