import contextlib
import json
import os
import struct
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_course.checks.plain import Handle, Key
from vae_course.grading.wire import (
    LARGEST_BODY,
    MOST_NUMBERS,
    PREFIX,
    Broken,
    Channel,
    Closed,
    Late,
    pack,
    unpack,
)


def there_and_back(message):
    frame = pack(message)
    _, header, _ = PREFIX.unpack(frame[: PREFIX.size])
    return unpack(frame[PREFIX.size : PREFIX.size + header], frame[PREFIX.size + header :])


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(0, 9) | st.floats(0, 1), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(plain)
def test_plain_data_arrives_as_it_left(message):
    assert there_and_back((message,)) == (message,)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3), (5,)])
def test_arrays_arrive_with_type_and_shape(dtype, shape):
    array = np.ones(shape, dtype)
    found = there_and_back({"a": (array, 1)})["a"][0]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert np.array_equal(found, array)
    found[...] = 0  # it may be written to: it is a copy


def test_an_array_that_is_strided_arrives_in_order():
    array = np.arange(12.0).reshape(3, 4).T
    assert np.array_equal(there_and_back(array), array)


def test_handles_and_keys_travel():
    assert there_and_back((Handle("models", (0.5, "encoder")), Key(7))) == (
        Handle("models", (0.5, "encoder")),
        Key(7),
    )


@pytest.mark.parametrize(
    ("header", "body", "words"),
    [
        ([[["float64", [99_999, 99_999, 999]]], ["array"]], b"", "promises more"),
        ([[["float64", [2**62, 2**62]]], ["array"]], b"12345678", "promises more"),
        ([[["bool", [MOST_NUMBERS + 1]]], ["array"]], b"\0" * (MOST_NUMBERS + 1), "promises more"),
        ([[["float32", [-1, -1]]], ["array"]], b"1234", "not one of numbers"),
        ([[["object", [1]]], ["array"]], b"12345678", "not one of numbers"),
        ([[["<U4", [1]]], ["array"]], b"1234", "not one of numbers"),
        ([[["float32", [1] * 9]], ["array"]], b"1234", "not one of numbers"),
        ([[["float32", [1]]], ["tuple", ["array"], ["array"]]], b"1234", "more arrays"),
        ([[], ["pickle", "cos"]], b"", "not in the form"),
        ([[], {"tuple": 1}], b"", "not in the form"),
        ([[], ["dict", [["tuple", ["dict"]], 1]]], b"", "cannot be read"),
        ([[], []], b"", "cannot be read"),
        ([1], b"", "cannot be read"),
        (7, b"", "cannot be read"),
    ],
)
def test_a_forged_frame_is_refused_before_anything_is_allocated(header, body, words):
    with pytest.raises(Broken, match=words):
        unpack(json.dumps(header).encode(), body)


@pytest.mark.parametrize(
    "header", [b"", b"\xff\xfe", b"[" * 100_000, b"[[], " + b'["tuple", ' * 50 + b"1" + b"]" * 51]
)
def test_a_header_that_is_no_json_or_too_deep_is_refused(header):
    with pytest.raises(Broken):
        unpack(header, b"")


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read_and_nothing_else(header):
    with contextlib.suppress(Broken):
        unpack(header, b"")


def test_what_is_too_large_does_not_leave():
    with pytest.raises(Broken, match="large"):
        pack(np.zeros(LARGEST_BODY // 4 + 1, np.float32))
    with pytest.raises(Broken, match="large"):
        pack("x" * 5_000_000)


@pytest.fixture
def pipes():
    ours, theirs = os.pipe(), os.pipe()
    yield Channel(theirs[0], ours[1]), ours[0], theirs[1]
    for descriptor in (*ours, *theirs):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def test_a_message_larger_than_a_pipe_arrives(pipes):
    channel, reading, writing = pipes
    other = Channel(reading, writing)
    message = np.random.default_rng(0).normal(size=1_000_000)
    thread = threading.Thread(target=channel.send, args=(message,))
    thread.start()
    assert np.array_equal(other.receive(time.monotonic() + 20), message)
    thread.join()


def test_nobody_who_reads_makes_it_late_and_nobody_there_makes_it_closed(pipes):
    channel, reading, writing = pipes
    started = time.monotonic()
    with pytest.raises(Late):
        channel.send(np.zeros(1_000_000), started + 0.2)
    with pytest.raises(Late):
        channel.receive(time.monotonic() + 0.2)
    assert time.monotonic() - started < 5
    os.close(reading)
    with pytest.raises(Closed):
        channel.send("x")
    os.close(writing)
    with pytest.raises(Closed):
        channel.receive()


@pytest.mark.parametrize(
    "sent",
    [
        b"not a frame!!",
        struct.pack("<4sII", b"VAEC", 4_000_000_000, 0),
        b"\x80\x04\x95" + b"0" * 20,
    ],
)
def test_what_does_not_begin_as_a_frame_is_refused(pipes, sent):
    channel, _, writing = pipes
    os.write(writing, sent)
    with pytest.raises(Broken):
        channel.receive(time.monotonic() + 2)
