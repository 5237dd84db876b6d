import brainstate
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_models import conditional_model
from scipy import special

from vae_course.architectures import (
    ConditionalDecoder,
    ConditionalEncoder,
    ConvDecoder,
    ConvEncoder,
)
from vae_course.config import ModelConfig
from vae_course.errors import ShapeError
from vae_course.models import (
    VAE,
    Decoder,
    Encoder,
    count_parameters,
    named_weights,
    parameters,
    require_labels,
    summary,
)
from vae_course.training import init_model


def test_parameters_of_the_tutorials_network_by_hand():
    model = init_model(ModelConfig(), seed=0)
    encoder = 784 * 256 + 256 + 256 * 64 + 64
    decoder = 32 * 256 + 256 + 256 * 784 + 784
    assert count_parameters(model.encoder) == encoder
    assert count_parameters(model) == encoder + decoder
    assert f"{encoder + decoder:,}" in summary(model)


def test_forward_pass_in_numpy():
    config = ModelConfig(hidden_sizes=(7, 5), latent_size=2, image_shape=(3, 4))
    model = init_model(config, seed=1)
    weights = {
        ".".join(map(str, path)): {k: np.asarray(v, np.float64) for k, v in state.value.items()}
        for path, state in parameters(model).items()
    }

    def dense(name, h):
        return h @ weights[f"{name}.weight"]["weight"] + weights[f"{name}.weight"]["bias"]

    x = np.random.RandomState(0).randint(0, 2, (6, 3, 4)).astype(np.float32)
    h = np.maximum(
        dense("encoder.layers.1", np.maximum(dense("encoder.layers.0", x.reshape(6, 12)), 0)), 0
    )
    heads = dense("encoder.heads", h)
    key = jax.random.key(2)
    eps = np.asarray(jax.random.normal(key, (6, 2)))
    z = heads[:, :2] + np.exp(heads[:, 2:] / 2) * eps
    h = np.maximum(dense("decoder.layers.1", np.maximum(dense("decoder.layers.0", z), 0)), 0)
    out = model(jnp.asarray(x), key=key)
    np.testing.assert_allclose(out.mean, heads[:, :2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(out.logvar, heads[:, 2:], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(out.z, z, rtol=1e-4, atol=1e-5)
    expected = dense("decoder.pixels", h).reshape(6, 3, 4)
    np.testing.assert_allclose(out.logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "function"), [("tanh", np.tanh), ("silu", lambda a: a * special.expit(a))]
)
def test_activation(name, function):
    config = ModelConfig(hidden_sizes=(4,), latent_size=1, image_shape=(1, 1), activation=name)
    decoder = init_model(config, seed=0).decoder
    first, last = decoder.layers[0].weight.value, decoder.pixels.weight.value
    h = function(np.float64(0.7) * first["weight"][0] + first["bias"])
    expected = np.asarray(h @ last["weight"] + last["bias"])[0]
    assert decoder(jnp.full((1, 1), 0.7))[0, 0] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_no_hidden_layer_is_a_linear_model():
    model = init_model(ModelConfig(hidden_sizes=(), latent_size=2, image_shape=(2, 2)), seed=0)
    assert count_parameters(model) == (4 * 4 + 4) + (2 * 4 + 4)
    z = jnp.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    a, b, both, none = model.decode(z)
    np.testing.assert_allclose(both - none, (a - none) + (b - none), rtol=1e-5, atol=1e-6)


def test_any_encoder_and_decoder_can_be_joined():
    config = ModelConfig(hidden_sizes=(4,), latent_size=2, image_shape=(2, 2))

    class Constant(brainstate.nn.Module):
        def __call__(self, x):
            return jnp.ones((len(x), 2)), jnp.zeros((len(x), 2))

    model = VAE(config, encoder=Constant(), decoder=Decoder(config))
    mean, logvar = model.encode(jnp.zeros((3, 2, 2)))
    assert (mean == 1).all()
    assert (logvar == 0).all()


def test_same_seed_same_weights_and_the_global_key_is_left_alone():
    brainstate.random.seed(5)
    before = brainstate.random.normal(size=3)
    brainstate.random.seed(5)
    first, second, other = (init_model(ModelConfig(), seed=s) for s in (1, 1, 2))
    after = brainstate.random.normal(size=3)
    np.testing.assert_array_equal(before, after)
    images = jax.random.bernoulli(jax.random.key(0), 0.5, (2, 28, 28)).astype(jnp.float32)
    np.testing.assert_array_equal(first.encode(images)[0], second.encode(images)[0])
    assert not np.allclose(first.encode(images)[0], other.encode(images)[0])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (jnp.zeros((28, 28)), r"x\[None\]"),
        (jnp.zeros((2, 784)), r"\(batch, 28, 28\)"),
        (jnp.zeros((2, 27, 28)), r"\(batch, 28, 28\)"),
        (jnp.zeros((2, 28, 28), jnp.uint8), "Binarise"),
    ],
)
def test_wrong_images_are_refused(x, message):
    with pytest.raises(ShapeError, match=message):
        init_model(ModelConfig(), seed=0).encode(x)


@pytest.mark.parametrize("shape", [(32,), (2, 31), (2, 2, 32)])
def test_wrong_codes_are_refused(shape):
    with pytest.raises(ShapeError, match=r"\(batch, 32\)"):
        init_model(ModelConfig(), seed=0).decode(jnp.zeros(shape))


@pytest.mark.parametrize(
    ("settings", "encoder", "decoder"),
    [
        ({}, Encoder, Decoder),
        ({"channels": (2,)}, ConvEncoder, ConvDecoder),
        ({"classes": 3}, ConditionalEncoder, ConditionalDecoder),
    ],
)
def test_the_configuration_chooses_the_networks(settings, encoder, decoder):
    config = ModelConfig(hidden_sizes=(4,), latent_size=2, image_shape=(4, 4), **settings)
    model = VAE(config)
    assert (type(model.encoder), type(model.decoder)) == (encoder, decoder)


def test_networks_of_ones_own_are_given_the_labels_of_a_conditional_model():
    class Told(brainstate.nn.Module):
        def __call__(self, x, labels):
            codes = jnp.repeat(labels[:, None], 2, axis=1).astype(jnp.float32)
            return codes, 0 * codes

    config = ModelConfig(hidden_sizes=(4,), latent_size=2, image_shape=(2, 2), classes=7)
    model = VAE(config, encoder=Told())
    labels = jnp.array([6, 0, 3])
    out = model(jnp.zeros((3, 2, 2)), key=jax.random.key(0), labels=labels)
    np.testing.assert_array_equal(out.mean[:, 0], labels)
    np.testing.assert_allclose(out.logits, model.decode(out.z, labels), rtol=1e-6)


@pytest.mark.parametrize("kind", [np.uint8, np.int64, jnp.int32])
def test_labels_of_any_integer_type_are_taken(kind):
    model = conditional_model()
    (given,) = require_labels(model.config, np.array([0, 2], kind), 2)
    np.testing.assert_array_equal(given, [0, 2])
    assert model.encode(jnp.zeros((2, 3, 3)), given)[0].shape == (2, 2)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"conditional, and there are no labels. Give labels=…, integers from 0 to 2"),
        (jnp.array([0, 3]), "run from 0 to 3"),
        (np.array([-1, 0]), "run from -1 to 0"),
        (jnp.array([0]), r"shape \(1,\).* of shape \(2,\)"),
        (jnp.zeros((2, 3), int), r"shape \(2, 3\)"),
        (jnp.array([0.0, 1.0]), "float32"),
        (np.array([True, False]), "bool"),
    ],
)
def test_labels_that_do_not_fit_are_refused_by_encoder_decoder_and_pass(labels, message):
    model = conditional_model()
    x, z = jnp.zeros((2, 3, 3)), jnp.zeros((2, 2))
    with pytest.raises(ShapeError, match=message):
        model.encode(x, labels)
    with pytest.raises(ShapeError, match=message):
        model.decode(z, labels)
    with pytest.raises(ShapeError, match=message):
        model(x, key=jax.random.key(0), labels=labels)


def test_labels_for_a_model_that_takes_none_are_refused(tiny):
    with pytest.raises(ShapeError, match=r"not conditional. Leave them out"):
        tiny.encode(jnp.zeros((2, 3, 3)), jnp.array([0, 1]))


def test_labels_under_jit_have_their_shape_checked_only():
    model = conditional_model()
    decode = jax.jit(model.decode)
    assert decode(jnp.zeros((2, 2)), jnp.array([0, 2])).shape == (2, 3, 3)
    with pytest.raises(ShapeError, match=r"shape \(3,\)"):
        decode(jnp.zeros((2, 2)), jnp.array([0, 2, 1]))


def test_weights_are_named_whatever_their_states_hold():
    class Bare(brainstate.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = brainstate.ParamState(jnp.ones(3))
            self.parts = brainstate.ParamState({"a": [jnp.zeros(2), jnp.zeros(())]})

    bare = Bare()
    shapes = {name: array.shape for name, array in named_weights(bare).items()}
    assert shapes == {"scale": (3,), "parts.a.0": (2,), "parts.a.1": ()}
    assert count_parameters(bare) == 6
    assert "parts.a.0" in summary(bare)
