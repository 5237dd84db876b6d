"""What crosses between the asking and the answering side: plain data, and nothing else."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vae_course.checks.plain import Handle, Unusable, to_plain


class Pair(NamedTuple):
    first: int
    second: float


class Hostile:
    """Every special method would hang or lie."""

    def _refuse(self, *args, **kwargs):
        raise AssertionError("something of the student's was called")

    __repr__ = __str__ = __iter__ = __len__ = __array__ = __eq__ = __float__ = _refuse
    __hash__ = __index__ = __bool__ = _refuse


class MyArray(np.ndarray):
    pass


class MyList(list):
    __iter__ = None


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "b"])
def test_small_things_travel_as_they_are(value):
    assert to_plain(value) is value


def test_arrays_of_either_library_become_numpy_and_keep_their_numbers():
    for value in (np.array([1.0, 2.5]), jnp.array([1.0, 2.5])):
        plain = to_plain(value)
        assert type(plain) is np.ndarray
        assert plain.tolist() == [1.0, 2.5]
    assert to_plain(jnp.array([1.5], jnp.bfloat16)).tolist() == [1.5]
    assert to_plain(np.float32(0.5)).shape == ()


def test_containers_become_tuples_and_dictionaries():
    assert to_plain([1, (2, "a")]) == (1, (2, "a"))
    assert to_plain(Pair(1, 2.0)) == (1, 2.0)
    assert to_plain({np.int64(8): [1]}) == {8: (1,)}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Hostile(), "is a Hostile, not numbers"),
        ([Hostile()], "is a Hostile"),
        ((n for n in range(3)), "is a generator"),
        (np.array(["a"]), "is an array of <U1"),
        (np.array([None]), "is an array of object"),
        (np.array([1j]), "is an array of complex128"),
        (np.zeros(2).view(MyArray), "is a MyArray, not a plain array"),
        (MyList([1]), "is a MyList"),
        ({(1, 2): 3}, "whose key is a tuple"),
        ("x" * 100_001, "a string of 100,001 characters"),
        (1 << 65, "more than 64 bits"),
        ([0] * 10_001, "has 10,001 items"),
        (jax.random.key(0), "is an array of key<fry>"),
        (jnp.sin, "is a PjitFunction"),
        (np.broadcast_to(np.float32(0), (10**8,)), "is an array of 100,000,000 numbers"),
    ],
)
def test_what_cannot_travel_is_described(value, words):
    with pytest.raises(Unusable, match=r"is|has") as error:
        to_plain(value)
    assert words in str(error.value)


def test_nesting_ends():
    value = []
    value.append(value)
    with pytest.raises(Unusable, match="nested too deeply"):
        to_plain(value)


def test_a_tracer_that_escaped_is_named():
    kept = []
    jax.jit(lambda x: kept.append(x) or x)(1.0)
    with pytest.raises(Unusable, match="a JAX tracer"):
        to_plain(kept[0])


def test_a_handle_reads_as_one_would_write_it():
    assert str(Handle("models", (4.0, "encoder"))) == "models[4.0]['encoder']"
