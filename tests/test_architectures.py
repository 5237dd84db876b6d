import dataclasses

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_models import conditional_model, folded
from scipy import signal

from vae_course.architectures import (
    ConditionalEncoder,
    ConvDecoder,
    ConvEncoder,
    conv_shapes,
    depth_to_space,
)
from vae_course.config import ModelConfig
from vae_course.models import count_parameters, named_weights
from vae_course.training import init_model

CONV = ModelConfig(hidden_sizes=(6,), latent_size=2, image_shape=(8, 12), channels=(3, 5))
UPSAMPLINGS = ["transposed", "depth_to_space"]


def made(network, config, seed=0):
    with brainstate.random.seed_context(seed):
        return network(config)


def silent(h):
    return h


# --- Convolutional ---


def test_shapes_halve_from_the_image_inwards():
    assert conv_shapes(CONV) == [(8, 12, 1), (4, 6, 3), (2, 3, 5)]


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("channels", [(4,), (3, 5)])
def test_what_goes_in_and_what_comes_out(upsampling, channels):
    config = dataclasses.replace(CONV, channels=channels, upsampling=upsampling)
    model = init_model(config, seed=0)
    out = model(jnp.zeros((7, 8, 12)), key=jax.random.key(0))
    assert out.logits.shape == (7, 8, 12)
    assert out.mean.shape == out.logvar.shape == out.z.shape == (7, 2)


def test_parameters_of_a_convolutional_model_by_hand():
    encoder = made(ConvEncoder, CONV)
    convolutions = (9 * 1 * 3 + 3) + (9 * 3 * 5 + 5)
    assert count_parameters(encoder) == convolutions + (30 * 6 + 6) + (6 * 4 + 4)
    dense = (2 * 6 + 6) + (6 * 30 + 30)
    transposed = (9 * 5 * 3 + 3) + (9 * 3 * 1 + 1)
    assert count_parameters(made(ConvDecoder, CONV)) == dense + transposed
    config = dataclasses.replace(CONV, upsampling="depth_to_space")
    four_times = (9 * 5 * 12 + 12) + (9 * 3 * 4 + 4)
    assert count_parameters(made(ConvDecoder, config)) == dense + four_times


def test_a_convolution_against_scipy():
    config = dataclasses.replace(CONV, channels=(3,))
    encoder = made(ConvEncoder, config)
    layer = encoder.convolutions[0]
    bias = jnp.array([[[0.5, -1.0, 2.0]]])
    layer.weight.value = {**layer.weight.value, "bias": bias}
    x = np.random.default_rng(0).random((2, 8, 12))
    kernels = np.asarray(layer.weight.value["weight"], np.float64)  # (3, 3, 1, 3)
    # Stride 2 with SAME pads 0 before and 1 after an even side: the windows begin at 0, 2, 4 …
    padded = np.pad(x, ((0, 0), (0, 1), (0, 1)))
    expected = np.stack(
        [
            [signal.correlate2d(image, kernels[:, :, 0, c], "valid")[::2, ::2] for image in padded]
            for c in range(3)
        ],
        axis=-1,
    )
    h = layer(jnp.asarray(x, jnp.float32)[..., None])
    np.testing.assert_allclose(h, expected + np.asarray(bias), rtol=1e-4, atol=1e-5)


def test_a_transposed_convolution_spreads_one_pixel_over_its_kernel():
    decoder = made(ConvDecoder, dataclasses.replace(CONV, channels=(1,), hidden_sizes=()))
    layer = decoder.convolutions[0]
    one = jnp.zeros((1, 4, 6, 1)).at[0, 1, 2, 0].set(1.0)
    spread = np.asarray(layer(one))[0, :, :, 0]
    kernel = np.asarray(layer.weight.value["weight"])[:, :, 0, 0]
    assert spread.shape == (8, 12)
    assert np.count_nonzero(spread) == 9
    np.testing.assert_allclose(np.sort(spread[spread != 0]), np.sort(kernel.ravel()), rtol=1e-6)
    rows, columns = np.nonzero(spread)
    # Pixel (1, 2) becomes the square at (2, 4), and the kernel reaches one pixel further.
    assert (rows.max() - rows.min(), columns.max() - columns.min()) == (2, 2)
    assert {2, 3} <= set(rows)
    assert {4, 5} <= set(columns)


def test_depth_to_space_by_hand():
    h = jnp.array([10.0, 20.0, 30.0, 40.0]).reshape(1, 1, 1, 4)
    np.testing.assert_array_equal(depth_to_space(h)[0, :, :, 0], [[10, 20], [30, 40]])


def test_depth_to_space_against_a_loop():
    h = np.random.default_rng(0).normal(size=(2, 3, 4, 8))
    expected = np.zeros((2, 6, 8, 2))
    for n, i, j, a, b, c in np.ndindex(2, 3, 4, 2, 2, 2):
        expected[n, 2 * i + a, 2 * j + b, c] = h[n, i, j, (2 * a + b) * 2 + c]
    np.testing.assert_allclose(depth_to_space(jnp.asarray(h)), expected, rtol=1e-6)


def test_depth_to_space_needs_four_times_the_channels():
    with pytest.raises(TypeError):
        depth_to_space(jnp.zeros((1, 2, 2, 6)))


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_moving_the_features_moves_the_image_twice_as_far(upsampling):
    decoder = made(ConvDecoder, dataclasses.replace(CONV, upsampling=upsampling, channels=(2,)))
    decoder.layers, decoder.activation = [], silent
    features = np.zeros((2, 4, 6, 2), np.float32)
    features[0, 1, 1] = features[1, 2, 3] = [1.0, -2.0]
    decoder.first = lambda h: h
    image, moved = decoder(jnp.asarray(features).reshape(2, -1))
    np.testing.assert_allclose(moved, np.roll(image, (2, 4), axis=(0, 1)), atol=1e-6)
    assert np.abs(image).max() > 0


def test_logits_of_a_convolutional_decoder_can_have_either_sign():
    # An activation after the last layer would forbid one of them.
    decoder = made(ConvDecoder, CONV)
    logits = decoder(jax.random.normal(jax.random.key(0), (20, 2)))
    assert logits.min() < 0 < logits.max()


# --- Conditional ---


def test_parameters_of_a_conditional_model_by_hand():
    model = conditional_model()
    encoder = (9 + 3) * 8 + 8 + 8 * 4 + 4
    decoder = (2 + 3) * 8 + 8 + 8 * 9 + 9
    assert count_parameters(model.encoder) == encoder
    assert count_parameters(model) == encoder + decoder


def test_a_label_is_a_choice_of_bias_in_encoder_and_decoder():
    model = conditional_model()
    x = jax.random.bernoulli(jax.random.key(0), 0.5, (6, 3, 3)).astype(jnp.float32)
    z = jax.random.normal(jax.random.key(1), (6, 2))
    labels = jnp.array([0, 1, 2, 2, 1, 0])
    mean, logvar = model.encode(x, labels)
    logits = model.decode(z, labels)
    for i, label in enumerate(labels):
        plain = folded(model, int(label))
        one_mean, one_logvar = plain.encode(x[i : i + 1])
        np.testing.assert_allclose(mean[i], one_mean[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(logvar[i], one_logvar[0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(logits[i], plain.decode(z[i : i + 1])[0], rtol=1e-4, atol=1e-6)


def test_labels_matter_in_the_encoder_and_in_the_decoder():
    model = conditional_model()
    same = jnp.ones((3, 3, 3)), jnp.ones((3, 2))
    labels = jnp.arange(3)
    for rows in (model.encode(same[0], labels)[0], model.decode(same[1], labels)):
        flat = np.asarray(rows).reshape(3, -1)
        assert min(np.abs(flat[i] - flat[j]).max() for i, j in ((0, 1), (1, 2), (0, 2))) > 1e-3


def test_the_encoder_reads_the_label_behind_the_pixels():
    config = ModelConfig(hidden_sizes=(), latent_size=1, image_shape=(1, 2), classes=2)
    encoder = made(ConditionalEncoder, config)
    weight = jnp.array([[1.0, 0.0], [10.0, 0.0], [100.0, 0.0], [1000.0, 0.0]])
    encoder.heads.weight.value = {"weight": weight, "bias": jnp.zeros(2)}
    mean, _ = encoder(jnp.array([[[1.0, 0.0]], [[0.0, 1.0]]]), jnp.array([0, 1]))
    np.testing.assert_allclose(mean[:, 0], [101, 1010])


def test_every_array_has_a_name():
    names = named_weights(made(ConvEncoder, CONV))
    assert "convolutions.0.weight.bias" in names
    assert names["convolutions.1.weight.weight"].shape == (3, 3, 3, 5)
