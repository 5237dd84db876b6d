"""What `data` does with images once they are loaded: black and white, and batches."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hub_layout import grey_images
from hypothesis import given, settings
from hypothesis import strategies as st

from vae_course.data import binarize, epoch_indices, require_images
from vae_course.errors import ConfigError, ShapeError

ALL_GREYS = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
LEVELS = np.array([[[0, 1, 127], [128, 254, 255]]], np.uint8)
METHODS = ["threshold", "static", "stochastic"]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (0, [[0, 1, 1], [1, 1, 1]]),
        (1, [[0, 0, 1], [1, 1, 1]]),
        (127, [[0, 0, 0], [1, 1, 1]]),
        (254, [[0, 0, 0], [0, 0, 1]]),
    ],
)
def test_threshold_by_hand(level, expected):
    x = binarize(LEVELS, "threshold", level=level)
    assert x.tolist() == [expected]


def test_threshold_is_the_tutorials_unless_told_otherwise():
    assert (binarize(ALL_GREYS, "threshold") == (ALL_GREYS > 0)).all()


def test_stochastic_pixels_are_white_as_often_as_they_are_bright():
    draws = 4000
    images = np.broadcast_to(ALL_GREYS, (draws, 16, 16))
    share = binarize(images, "stochastic", key=jax.random.key(0)).mean(0)
    expected = ALL_GREYS[0] / 255
    standard_error = np.sqrt(expected * (1 - expected) / draws)
    assert (np.abs(share - expected) <= 5 * standard_error + 1e-6).all()


@pytest.mark.parametrize("method", ["static", "stochastic"])
def test_black_stays_black_and_white_stays_white(method):
    images = np.stack([np.zeros((200, 200), np.uint8), np.full((200, 200), 255, np.uint8)])
    x = binarize(images, method, key=jax.random.key(5))
    assert not x[0].any()
    assert x[1].all()


def test_static_is_the_same_each_time_and_needs_no_key():
    first = binarize(ALL_GREYS, "static")
    assert (binarize(ALL_GREYS, "static") == first).all()
    assert (binarize(ALL_GREYS, "static", key=jax.random.key(7)) == first).all()


def test_stochastic_follows_its_key():
    draw = functools.partial(binarize, ALL_GREYS, "stochastic")
    first = draw(key=jax.random.key(1))
    assert (draw(key=jax.random.key(1)) == first).all()
    assert (draw(key=jax.random.key(2)) != first).any()


@pytest.mark.parametrize("method", METHODS)
def test_binarize_gives_float32_zeros_and_ones_of_the_same_shape_also_compiled(method):
    images = grey_images(3, height=4, width=5)
    key = jax.random.key(0)
    x = binarize(images, method, key=key)
    compiled = jax.jit(lambda images, key: binarize(images, method, key=key))
    assert x.shape == images.shape
    assert x.dtype == jnp.float32
    assert set(np.unique(x)) <= {0.0, 1.0}
    assert (compiled(jnp.asarray(images), key) == x).all()


def test_an_unknown_method_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"Choose one of threshold, static, stochastic"):
        binarize(LEVELS, "dynamic", key=jax.random.key(0))


def test_stochastic_without_a_key_is_refused():
    with pytest.raises(ConfigError, match="Give it key="):
        binarize(LEVELS, "stochastic")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("images", "says"),
    [
        (LEVELS / 255, r"float64, not uint8 .* use np.rint\(255 \* x\)"),
        (LEVELS.astype(np.int32), "int32, not uint8"),
        (LEVELS[:0], "no images.* Give at least one"),
        (LEVELS[0], r"Give \(batch, height, width\); one image is x\[None\]"),
        (LEVELS[..., None], r"Give \(batch, height, width\)"),
        (LEVELS.tolist(), "None, not uint8"),
    ],
)
def test_what_is_no_stack_of_grey_images_is_refused(method, images, says):
    with pytest.raises(ShapeError, match=says):
        binarize(images, method, key=jax.random.key(0))


def test_the_advice_for_float_images_is_right():
    images = ALL_GREYS / 255
    assert (np.rint(255 * images).astype(np.uint8) == ALL_GREYS).all()
    require_images(np.rint(255 * images).astype(np.uint8))


# --- Batches ---


def test_an_epoch_of_seven_in_threes_by_hand():
    indices = epoch_indices(7, 3, key=jax.random.key(0))
    assert indices.shape == (2, 3)
    assert len(set(indices.ravel().tolist())) == 6
    assert set(indices.ravel().tolist()) < set(range(7))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**31 - 1))
@settings(deadline=None, max_examples=15)
def test_an_epoch_sees_every_image_at_most_once(images, batch_size, seed):
    batch_size = min(batch_size, images)
    indices = np.asarray(epoch_indices(images, batch_size, key=jax.random.key(seed)))
    assert indices.shape == (images // batch_size, batch_size)
    assert len(np.unique(indices)) == indices.size
    assert indices.min() >= 0
    assert indices.max() < images


def test_epochs_follow_their_key_and_every_image_comes_up_in_the_long_run():
    epochs = [epoch_indices(10, 4, key=jax.random.key(seed)) for seed in range(30)]
    assert (epochs[0] == epoch_indices(10, 4, key=jax.random.key(0))).all()
    assert len({tuple(epoch.ravel().tolist()) for epoch in epochs}) == 30
    assert set(np.unique(epochs)) == set(range(10))


@pytest.mark.parametrize(("images", "batch_size"), [(3, 4), (3, 0), (3, -1), (0, 1)])
def test_an_epoch_without_a_batch_is_refused(images, batch_size):
    with pytest.raises(ConfigError, match=f"Use a batch size from 1 to {images}"):
        epoch_indices(images, batch_size, key=jax.random.key(0))
