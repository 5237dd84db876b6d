import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_models import conditional_model, folded
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats

from vae_course.errors import ConfigError, ShapeError
from vae_course.generation import (
    interpolate,
    latent_grid,
    latent_path,
    posterior_means,
    reconstruct,
    sample_prior,
    traverse,
)

code = arrays(np.float32, 4, elements=st.floats(-3, 3, width=32))
quick = settings(max_examples=30, deadline=None)


def direction_and_length(z):
    length = np.linalg.norm(z, axis=-1)
    return z / length[..., None], length


def test_linear_path_by_hand():
    path = latent_path(jnp.array([0.0, 2.0]), jnp.array([4.0, 0.0]), 3)
    np.testing.assert_allclose(path, [[0, 2], [2, 1], [4, 0]])


def test_spherical_path_by_hand():
    # A quarter circle, from length 1 to length 3: halfway at 45° with length 2.
    path = latent_path(jnp.array([1.0, 0.0]), jnp.array([0.0, 3.0]), 3, "spherical")
    np.testing.assert_allclose(path, [[1, 0], [2**0.5, 2**0.5], [0, 3]], atol=1e-5)


@quick
@given(code, code, st.sampled_from(["linear", "spherical"]))
def test_every_path_begins_and_ends_where_it_should(start, end, path):
    assume(min(np.linalg.norm(start), np.linalg.norm(end)) > 0.1)
    cosine = start @ end / np.linalg.norm(start) / np.linalg.norm(end)
    assume(cosine > -0.99)
    codes = latent_path(jnp.asarray(start), jnp.asarray(end), 5, path)
    np.testing.assert_allclose(codes[0], start, atol=1e-3)
    np.testing.assert_allclose(codes[-1], end, atol=1e-3)


@quick
@given(code, code)
def test_spherical_path_turns_evenly_and_its_length_is_linear(start, end):
    assume(min(np.linalg.norm(start), np.linalg.norm(end)) > 0.1)
    cosine = start @ end / np.linalg.norm(start) / np.linalg.norm(end)
    assume(abs(cosine) < 0.95)
    codes = latent_path(jnp.asarray(start), jnp.asarray(end), 5, "spherical")
    directions, lengths = direction_and_length(np.asarray(codes, np.float64))
    turns = np.arccos((directions[1:] * directions[:-1]).sum(1))
    np.testing.assert_allclose(turns, turns.mean(), atol=1e-3)
    ends = np.linalg.norm(start), np.linalg.norm(end)
    np.testing.assert_allclose(lengths, np.linspace(*ends, 5), atol=1e-3)


def test_spherical_path_between_equal_directions_is_straight():
    codes = latent_path(jnp.array([1.0, 1.0]), jnp.array([3.0, 3.0]), 3, "spherical")
    np.testing.assert_allclose(codes, [[1, 1], [2, 2], [3, 3]], rtol=1e-5)


@pytest.mark.parametrize(
    ("start", "end", "steps", "path", "message"),
    [
        ([0, 0], [1, 0], 3, "spherical", "no direction"),
        ([1, 0], [-2, 0], 3, "spherical", "opposite"),
        ([1, 0], [0, 1], 1, "linear", "at least 2"),
        ([1, 0], [0, 1], 3, "curly", "linear, spherical"),
    ],
)
def test_senseless_paths_are_refused(start, end, steps, path, message):
    with pytest.raises(ConfigError, match=message):
        latent_path(jnp.array(start, float), jnp.array(end, float), steps, path)


def test_codes_of_unlike_shape_are_refused():
    with pytest.raises(ShapeError, match="two codes"):
        latent_path(jnp.zeros(2), jnp.zeros(3), 3)


def test_reconstruction_decodes_the_posterior_mean(trained, held_out):
    model, _ = trained
    x = held_out[:5]
    mean, _ = model.encode(x)
    expected = special.expit(np.asarray(model.decode(mean), np.float64))
    np.testing.assert_allclose(reconstruct(model, x), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(posterior_means(model, x), mean)


def test_reconstruction_is_closer_than_the_average_digit(trained, held_out):
    model, _ = trained
    x = np.asarray(held_out[:100])
    ours = np.abs(x - reconstruct(model, held_out[:100])).mean((1, 2))
    average = np.abs(x - x.mean(0)).mean((1, 2))
    assert stats.ttest_rel(average, ours, alternative="greater").pvalue < 1e-6


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_interpolation_ends_at_the_reconstructions(trained, held_out, path):
    model, _ = trained
    strip = interpolate(model, held_out[0], held_out[1], 5, path)
    ends = reconstruct(model, held_out[:2])
    np.testing.assert_allclose(strip[[0, -1]], ends, atol=1e-4)
    assert strip.shape == (5, 28, 28)


def test_samples_are_probabilities_and_depend_on_the_key(trained):
    model, _ = trained
    first, again, other = (sample_prior(model, 6, key=jax.random.key(k)) for k in (0, 0, 1))
    assert first.shape == (6, 28, 28)
    assert first.min() >= 0
    assert first.max() <= 1
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_traversal_changes_one_latent(trained):
    model, _ = trained
    z = jnp.arange(8.0) / 8
    images = traverse(model, z, 3, jnp.array([-2.0, 0.375, 2.0]))
    codes = np.tile(z, (3, 1))
    codes[:, 3] = [-2.0, 0.375, 2.0]
    expected = special.expit(np.asarray(model.decode(jnp.asarray(codes)), np.float64))
    np.testing.assert_allclose(images, expected, rtol=1e-4, atol=1e-6)


def test_grid_covers_the_prior_with_the_second_latent_upwards(tiny):
    grid = latent_grid(tiny, 4)
    quantiles = stats.norm.ppf([0.125, 0.375, 0.625, 0.875])
    top_left, bottom_right = [quantiles[0], quantiles[-1]], [quantiles[-1], quantiles[0]]
    logits = tiny.decode(jnp.array([top_left, bottom_right], jnp.float32))
    expected = special.expit(np.asarray(logits, np.float64))
    np.testing.assert_allclose(grid[0, 0], expected[0], rtol=1e-4)
    np.testing.assert_allclose(grid[-1, -1], expected[1], rtol=1e-4)
    assert grid.shape == (4, 4, 3, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m, _: sample_prior(m, 0, key=jax.random.key(0)), ConfigError, "at least 1"),
        (lambda m, _: latent_grid(m), ConfigError, "manifold"),
        (lambda m, _: traverse(m, jnp.zeros(8), 8, jnp.zeros(3)), ConfigError, "0 to 7"),
        (lambda m, _: traverse(m, jnp.zeros(7), 0, jnp.zeros(3)), ShapeError, "steps"),
        (lambda m, _: traverse(m, jnp.zeros(8), 0, jnp.zeros(0)), ShapeError, "steps"),
        (lambda m, x: interpolate(m, x, x, 3), ShapeError, "height, width"),
        (lambda m, x: interpolate(m, x[0], x[0, :5], 3), ShapeError, "height, width"),
        (lambda m, x: interpolate(m, x[0] / 2, x[1], 3), ShapeError, "Binarise"),
        (lambda m, x: reconstruct(m, x / 2), ShapeError, "Binarise"),
        (lambda m, x: reconstruct(m, x[:0]), ShapeError, "at least one"),
    ],
)
def test_senseless_calls_are_refused(trained, held_out, call, error, message):
    with pytest.raises(error, match=message):
        call(trained[0], held_out)


def test_a_map_needs_at_least_one_cell(tiny):
    with pytest.raises(ConfigError, match="at least 1"):
        latent_grid(tiny, 0)


# --- Conditional models ---


def test_every_picture_of_a_conditional_model_is_that_of_its_label():
    model, key = conditional_model(), jax.random.key(0)
    plain, twos = folded(model, 2), np.full(4, 2)
    x = jax.random.bernoulli(key, 0.5, (4, 3, 3)).astype(jnp.float32)
    values = jnp.array([-1.0, 2.0])
    pairs = [
        (sample_prior(model, 4, key=key, labels=twos), sample_prior(plain, 4, key=key)),
        (reconstruct(model, x, labels=twos), reconstruct(plain, x)),
        (posterior_means(model, x, labels=twos), posterior_means(plain, x)),
        (interpolate(model, x[0], x[1], 5, labels=(2, 2)), interpolate(plain, x[0], x[1], 5)),
        (traverse(model, values, 1, values, label=2), traverse(plain, values, 1, values)),
        (latent_grid(model, 3, label=2), latent_grid(plain, 3)),
    ]
    for told, expected in pairs:
        np.testing.assert_allclose(told, expected, rtol=1e-3, atol=1e-5)


def test_samples_of_several_classes_share_their_codes_with_samples_of_one():
    model, key = conditional_model(), jax.random.key(0)
    mixed = sample_prior(model, 6, key=key, labels=np.arange(6) % 3)
    for label in range(3):
        one = sample_prior(model, 6, key=key, labels=np.full(6, label))
        np.testing.assert_allclose(mixed[label::3], one[label::3], rtol=1e-4)


def test_a_path_between_classes_changes_the_label_after_its_middle():
    model = conditional_model()
    x = jax.random.bernoulli(jax.random.key(0), 0.5, (2, 3, 3)).astype(jnp.float32)
    strip = interpolate(model, x[0], x[1], 5, labels=(0, 1))
    start, end = posterior_means(model, x, labels=np.array([0, 1]))
    codes = latent_path(start, end, 5)
    expected = special.expit(np.asarray(model.decode(codes, np.array([0, 0, 0, 1, 1]))))
    np.testing.assert_allclose(strip, expected, rtol=1e-4)
    ends = reconstruct(model, x, labels=np.array([0, 1]))
    np.testing.assert_allclose(strip[[0, -1]], ends, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: sample_prior(m, 2, key=jax.random.key(0)), "no labels"),
        (
            lambda m, x: sample_prior(m, 2, key=jax.random.key(0), labels=np.array([0, 3])),
            "0 to 3",
        ),
        (lambda m, x: reconstruct(m, x, labels=np.array([0])), "of shape"),
        (lambda m, x: interpolate(m, x[0], x[1]), "no labels"),
        (lambda m, x: interpolate(m, x[0], x[1], labels=2), "of shape"),
        (lambda m, x: traverse(m, jnp.zeros(2), 0, jnp.zeros(3)), "no labels"),
        (lambda m, x: latent_grid(m, 2, label=3), "run from 3 to 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ShapeError, match=message):
        call(conditional_model(), jnp.zeros((2, 3, 3)))


def test_labels_for_a_model_without_classes_are_refused(tiny):
    with pytest.raises(ShapeError, match="not conditional"):
        sample_prior(tiny, 1, key=jax.random.key(0), labels=np.array([0]))
