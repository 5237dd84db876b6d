"""A notebook that answers: whatever it holds, the question ends in plain data or a verdict."""

import sys

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from vae_course.checks.plain import Handle, Key
from vae_course.checks.students import NotebookStudent
from vae_course.checks.verdicts import Mistake, NotStarted


class Model:
    def __init__(self):
        self.scale = 3.0

    def encode(self, x):
        return self.scale * x, [1, 2]

    def leak(self, x):
        return self


def broken(x):
    raise KeyError("the key", 7)


class LoudError(Exception):
    def __str__(self):
        raise AssertionError("something of the student's was called")


def loud():
    raise LoudError("too loud")


def stub():
    raise NotImplementedError("01-beta: stub")


def bad_property():
    class Bad:
        @property
        def encode(self):
            raise ValueError("no encode today")

    return Bad()


@pytest.fixture
def student():
    names = {
        "n": 3,
        "missing": None,
        "dots": ...,
        "double": lambda x: 2 * x,
        "model": Model(),
        "models": {4.0: Model(), "a": None},
        "broken": broken,
        "loud": loud,
        "stub": stub,
        "leave": sys.exit,
        "noise": lambda key: jax.random.normal(key, (2,)),
        "global_noise": lambda: brainstate.random.normal(size=(2,)),
        "bad": bad_property(),
        "linear": brainstate.nn.Linear(2, 3),
        "total": lambda model, x: model.scale + x,
    }
    return NotebookStudent(names)


def test_values_calls_and_methods(student):
    assert student.value("n") == 3
    assert student.call("double", np.array([1.0])).tolist() == [2.0]
    first, second = student.method(Handle("models", (4.0,)), "encode", np.array([1.0]))
    assert (first.tolist(), second) == ([3.0], (1, 2))
    assert student.value(Handle("models", (4.0, "scale"))) == 3.0
    assert student.call("total", Handle("model"), 1) == 4.0


def test_a_key_arrives_as_a_key(student):
    expected = jax.random.normal(jax.random.key(5), (2,))
    assert student.call("noise", Key(5)).tolist() == expected.tolist()


def test_weights_are_named_arrays(student):
    weights = student.weights("linear")
    assert {name: array.shape for name, array in weights.items()} == {
        "weight['bias']": (3,),
        "weight['weight']": (2, 3),
    }
    with pytest.raises(Mistake, match="model is not a brainstate module"):
        student.weights("model")


@pytest.mark.parametrize("name", ["unknown", "missing", "dots", "stub"])
def test_what_is_not_there_is_not_started(student, name):
    with pytest.raises(NotStarted):
        student.call(name)
    with pytest.raises(NotStarted):
        student.value(Handle("models", ("a", "scale")))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.call("broken", 1), "broken raised KeyError: the key"),
        (lambda s: s.call("loud"), "loud raised LoudError: too loud"),
        (lambda s: s.call("leave"), "leave raised SystemExit."),
        (lambda s: s.call("n"), "n cannot be called."),
        (lambda s: s.call("double"), "double raised TypeError"),
        (
            lambda s: s.method("model", "leak", 1),
            "what model.leak returns is a Model, not numbers.",
        ),
        (lambda s: s.method("model", "decode", 1), "model.decode cannot be called."),
        (lambda s: s.method("bad", "encode"), "bad raised ValueError"),
        (lambda s: s.value("double"), "double is a function, not numbers."),
        (lambda s: s.value(Handle("models", (1.0,))), "models[1.0] is missing: models has no 1.0."),
    ],
)
def test_what_goes_wrong_over_there_is_a_verdict_here(student, ask, message):
    with pytest.raises(Mistake) as error:
        ask(student)
    assert message in str(error.value)


def test_the_line_of_the_cell_is_shown():
    names = {}
    exec(compile("def f(x):\n    y = x + 1\n    return y / 0\n", "<cell>", "exec"), names)
    import linecache

    text = ["def f(x):\n", "    y = x + 1\n", "    return y / 0\n"]
    linecache.cache["<cell>"] = (0, None, text, "<cell>")
    with pytest.raises(Mistake, match=r"ZeroDivisionError at `return y / 0`: division by zero"):
        NotebookStudent(names).call("f", 1)


def test_ctrl_c_stays_ctrl_c():
    def slow():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        NotebookStudent({"slow": slow}).call("slow")


def test_inputs_are_copies_and_the_global_key_is_put_back(student):
    def spoil(x):
        student.namespace["kept"] = x
        return np.asarray(x).sum()

    student.namespace["spoil"] = spoil
    x = np.ones(3)
    student.call("spoil", x)
    assert isinstance(student.namespace["kept"], jnp.ndarray)
    assert x.tolist() == [1, 1, 1]
    before = brainstate.random.get_key()
    first, second = student.call("global_noise"), student.call("global_noise")
    assert first.tolist() == second.tolist()
    assert jnp.array_equal(
        jax.random.key_data(before)
        if jnp.issubdtype(before.dtype, jax.dtypes.prng_key)
        else before,
        jax.random.key_data(brainstate.random.get_key())
        if jnp.issubdtype(before.dtype, jax.dtypes.prng_key)
        else brainstate.random.get_key(),
    )
