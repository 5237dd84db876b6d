"""What crosses between the side that asks and the side that answers: plain data, and no more.

Numbers, strings, arrays and tuples or dictionaries of them travel. A model stays where it is
and travels as a `Handle`; a random key travels as its seed. So another process can stand behind
the questions, and nothing that a student's object says about itself is believed.
"""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

__all__ = ["Handle", "Key", "Unusable", "to_plain"]

MAX_DEPTH, MAX_ITEMS, MAX_TEXT, MAX_NUMBERS = 6, 10_000, 100_000, 50_000_000
NUMBERS = "biuf"  # the NumPy kinds that travel: no objects, no strings, no complex numbers


@dataclass(frozen=True)
class Handle:
    """A thing that stays on the answering side: a name, then keys or attributes into it."""

    name: str
    path: tuple[str | int | float, ...] = ()

    def __str__(self) -> str:
        return self.name + "".join(f"[{step!r}]" for step in self.path)


@dataclass(frozen=True)
class Key:
    """A JAX random key, by its seed."""

    seed: int


class Unusable(Exception):  # noqa: N818 - it describes a value, and is no error of ours
    """A value that cannot travel; the message completes the sentence "It …"."""


def to_plain(value: Any, depth: int = 0) -> Any:
    """``value`` as plain data: a number, a string, None, an array, or tuples and dicts of them.

    Nothing of the student's is called: no ``__repr__``, no ``__iter__``, no ``__array__``.

    Args:
        value: anything at all.
        depth: how deep in containers it lies.

    Raises:
        Unusable: if it is something else, or too large; the message says what it is.
    """
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return _small(value)
    if issubclass(kind, jax.core.Tracer):
        raise Unusable("is a JAX tracer: a value that was kept from inside jit, grad or vmap")
    if issubclass(kind, np.ndarray | np.generic | jax.Array):
        return _array(value)
    if depth > MAX_DEPTH:
        raise Unusable("is nested too deeply")
    if kind in (tuple, list) or _is_named_tuple(kind):
        _require_few(tuple.__len__(value) if issubclass(kind, tuple) else len(value))
        return tuple(to_plain(item, depth + 1) for item in value)
    if kind is dict:
        _require_few(len(value))
        return {_plain_key(key): to_plain(item, depth + 1) for key, item in value.items()}
    raise Unusable(f"is {_article(kind)}, not numbers")


def _is_named_tuple(kind: type) -> bool:
    iteration = kind.__dict__.get("__iter__", tuple.__iter__)
    plain = kind.__bases__ == (tuple,) and isinstance(kind.__dict__.get("_fields"), tuple)
    return plain and iteration is tuple.__iter__


def _small(value: Any) -> Any:
    if type(value) is str and len(value) > MAX_TEXT:
        raise Unusable(f"is a string of {len(value):,} characters")
    if type(value) is int and value.bit_length() > 64:
        raise Unusable("is a whole number of more than 64 bits")
    return value


def _array(value: Any) -> np.ndarray:
    kind = type(value)
    if not issubclass(kind, jax.Array) and kind is not np.ndarray and kind.__module__ != "numpy":
        raise Unusable(f"is {_article(kind)}, not a plain array")
    dtype = value.dtype
    if getattr(dtype, "kind", "?") not in NUMBERS and str(dtype) != "bfloat16":
        raise Unusable(f"is an array of {dtype}, not of numbers")
    if value.size > MAX_NUMBERS:
        raise Unusable(f"is an array of {value.size:,} numbers")
    array = np.asarray(value)
    return array.astype(np.float32) if str(dtype) == "bfloat16" else array


def _plain_key(key: Any) -> Any:
    if issubclass(type(key), np.generic) and type(key).__module__ == "numpy":
        key = key.item()
    if type(key) not in (str, int, float, bool):
        raise Unusable(f"is a dictionary whose key is {_article(type(key))}")
    return key


def _require_few(items: int) -> None:
    if items > MAX_ITEMS:
        raise Unusable(f"has {items:,} items")


def _article(kind: type) -> str:
    name = str(type.__dict__["__name__"].__get__(kind))[:60]
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
