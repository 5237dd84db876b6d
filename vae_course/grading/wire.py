"""Frames of plain data between grader and sandbox: JSON for structure, raw bytes for arrays.

Nothing is pickled. What arrives is a claim by whoever wrote it: every length is checked against
a limit before a byte of it is read or allocated, and an array's type and shape against its bytes.

A frame is ``b"VAEC"``, the length of the header and of the body (4 bytes each, little-endian),
the header in JSON, and the bytes of its arrays, one after the other.
"""

import json
import math
import os
import selectors
import struct
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from vae_course.checks.plain import Handle, Key

__all__ = ["Broken", "Channel", "Closed", "Late", "pack", "unpack"]

MAGIC, PREFIX = b"VAEC", struct.Struct("<4sII")
LARGEST_HEADER, LARGEST_BODY, MOST_NUMBERS = 4_000_000, 64_000_000, 16_000_000
DTYPES = ("bool", *(f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)))
DTYPES += ("float16", "float32", "float64")
MAX_DEPTH, MAX_DIMENSIONS, PIECE = 12, 8, 1 << 20


class Broken(Exception):  # noqa: N818 - it says what the other side sent
    """What arrived is not a frame, or larger than the grader takes."""


class Closed(Exception):  # noqa: N818 - likewise
    """The other side is gone."""


class Late(Exception):  # noqa: N818 - likewise
    """The other side did not answer, or did not listen, in time."""


def pack(message: Any) -> bytes:
    """A frame of plain data, `Handle` and `Key`.

    Raises:
        Broken: if it is larger than the other side takes.
    """
    arrays: list[np.ndarray] = []
    tree = _to_tree(message, arrays)
    described = [[str(array.dtype), list(array.shape)] for array in arrays]
    header = json.dumps([described, tree]).encode()
    body = b"".join(array.tobytes() for array in arrays)
    numbers = sum(array.size for array in arrays)
    if len(header) > LARGEST_HEADER or len(body) > LARGEST_BODY or numbers > MOST_NUMBERS:
        raise Broken(f"is {len(header) + len(body):,} bytes large")
    return PREFIX.pack(MAGIC, len(header), len(body)) + header + body


def unpack(header: bytes, body: bytes) -> Any:
    """The message of a frame.

    Raises:
        Broken: if it is not what `pack` makes.
    """
    try:
        described, tree = json.loads(header)
        return _from_tree(tree, iter(_arrays(described, body)), 0)
    except Broken:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise Broken(f"cannot be read ({type(error).__name__})") from None


def _to_tree(value: Any, arrays: list[np.ndarray]) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        arrays.append(np.ascontiguousarray(value).reshape(np.shape(value)))
        return ["array"]
    if isinstance(value, Handle):
        return ["handle", value.name, list(value.path)]
    if isinstance(value, Key):
        return ["key", value.seed]
    if isinstance(value, tuple | list):
        return ["tuple", *(_to_tree(item, arrays) for item in value)]
    if isinstance(value, dict):
        pairs = ([_to_tree(key, arrays), _to_tree(item, arrays)] for key, item in value.items())
        return ["dict", *pairs]
    return value


def _arrays(described: Any, body: bytes) -> list[np.ndarray]:
    """Copies of the arrays in ``body``; what is promised must be there before one is made."""
    offset, numbers, arrays = 0, 0, []
    for dtype, shape in described:
        sizes = [int(size) for size in shape]
        if dtype not in DTYPES or len(sizes) > MAX_DIMENSIONS or any(s < 0 for s in sizes):
            raise Broken("holds an array that is not one of numbers")
        count = math.prod(sizes)  # of Python's integers: it cannot overflow
        end, numbers = offset + count * np.dtype(dtype).itemsize, numbers + count
        if end > len(body) or numbers > MOST_NUMBERS:
            raise Broken("promises more numbers than it holds")
        flat = np.frombuffer(body, dtype, count, offset) if count else np.zeros(0, dtype)
        arrays.append(flat.reshape(sizes).copy())
        offset = end
    return arrays


def _from_tree(tree: Any, arrays: Iterator[np.ndarray], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Broken("is nested too deeply")
    if not isinstance(tree, list):
        if isinstance(tree, dict):
            raise Broken("is not in the form of an answer")
        return tree
    kind, *rest = tree
    if kind == "tuple":
        return tuple(_from_tree(item, arrays, depth + 1) for item in rest)
    if kind == "dict":
        pairs = [[_from_tree(part, arrays, depth + 1) for part in (k, v)] for k, v in rest]
        return dict(pairs)
    if kind == "array":
        # Each only once, or a small frame could fill the memory.
        if (array := next(arrays, None)) is None:
            raise Broken("promises more arrays than it holds")
        return array
    if kind == "handle":
        return Handle(str(rest[0]), tuple(rest[1]))
    if kind == "key":
        return Key(int(rest[0]))
    raise Broken("is not in the form of an answer")


class Channel:
    """Frames over two file descriptors, each with a deadline; neither side can make one hang."""

    def __init__(self, reading: int, writing: int):
        self.reading, self.writing = reading, writing
        for descriptor in (reading, writing):
            os.set_blocking(descriptor, False)

    def send(self, message: Any, deadline: float = math.inf) -> None:
        """Write a frame before ``time.monotonic()`` reaches the deadline.

        Raises:
            Broken: if the message is too large.
            Closed: if nobody reads.
            Late: if nobody read in time.
        """
        rest = memoryview(pack(message))
        while rest:
            _wait(self.writing, selectors.EVENT_WRITE, deadline)
            try:
                rest = rest[os.write(self.writing, rest[:PIECE]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Closed from None

    def receive(self, deadline: float = math.inf) -> Any:
        """The next message.

        Raises:
            Broken: if it is not a frame, or is too large.
            Closed: if the other side is gone.
            Late: if it does not come in time.
        """
        magic, header, body = PREFIX.unpack(self._read(PREFIX.size, deadline))
        if magic != MAGIC or header > LARGEST_HEADER or body > LARGEST_BODY:
            raise Broken("is not in the form of an answer, or far too large")
        return unpack(self._read(header, deadline), self._read(body, deadline))

    def _read(self, count: int, deadline: float) -> bytes:
        pieces, left = [], count  # in pieces: a promised length is not allocated
        while left:
            _wait(self.reading, selectors.EVENT_READ, deadline)
            try:
                piece = os.read(self.reading, min(left, PIECE))
            except BlockingIOError:
                continue
            except OSError:
                raise Closed from None
            if not piece:
                raise Closed
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)


def _wait(descriptor: int, event: int, deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0:
        raise Late
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, event)
        if not selector.select(None if math.isinf(left) else left):
            raise Late
