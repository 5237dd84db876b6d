import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conditional_models import conditional_model, folded
from scipy import special, stats

from vae_course import evaluation
from vae_course.errors import ConfigError, ShapeError
from vae_course.evaluation import (
    active_units,
    evaluate,
    importance_weighted_bound,
    log_likelihood,
    terms_per_image,
)
from vae_course.losses import elbo_terms
from vae_course.models import parameters


@pytest.fixture
def wide(tiny):
    """A tiny model whose posteriors are near the prior, so that importance sampling is easy."""
    heads = parameters(tiny.encoder)[("heads", "weight")]
    heads.value = jax.tree.map(lambda array: 0.15 * array, heads.value)
    return tiny


def all_images_of(bits):
    """Every black-and-white image of 3×3 pixels whose last pixels are black."""
    pixels = np.arange(2**bits)[:, None] >> np.arange(9) & 1
    return jnp.asarray(pixels.reshape(-1, 3, 3), jnp.float32)


def exact_log_likelihood(model, x, half_width=8.0, side=401):
    """Log p(x) of a model with two latents, by the trapezoidal rule on a square."""
    axis = np.linspace(-half_width, half_width, side)
    z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    logits = np.asarray(model.decode(jnp.asarray(z, jnp.float32)), np.float64).reshape(len(z), -1)
    prior = stats.norm.logpdf(z).sum(1) + 2 * np.log(axis[1] - axis[0])
    flat = np.asarray(x, np.float64).reshape(len(x), -1)
    likelihood = flat @ special.log_expit(logits).T + (1 - flat) @ special.log_expit(-logits).T
    return special.logsumexp(likelihood + prior, axis=1)


def test_log_likelihood_against_quadrature(wide):
    x = all_images_of(4)
    exact = exact_log_likelihood(wide, x)
    repeats = np.stack(
        [
            log_likelihood(wide, x, samples=4000, key=jax.random.key(seed), progress=False)
            for seed in range(6)
        ]
    )
    error = repeats.std(0, ddof=1) / np.sqrt(len(repeats))
    assert (np.abs(repeats.mean(0) - exact) < 5 * error + 2e-3).all()


def test_quadrature_itself_adds_up(tiny):
    # All 512 images share the whole probability.
    total = np.exp(exact_log_likelihood(tiny, all_images_of(9), side=101)).sum()
    assert total == pytest.approx(1.0, abs=1e-4)


def test_bound_tightens_with_samples_and_stays_below_the_truth(wide):
    x = jnp.tile(all_images_of(4), (40, 1, 1))
    bounds = [
        importance_weighted_bound(wide, x, samples=k, key=jax.random.key(k), progress=False)
        for k in (1, 5, 50)
    ]
    exact = np.tile(exact_log_likelihood(wide, all_images_of(4)), 40)
    for looser, tighter in zip(bounds, [*bounds[1:], exact], strict=True):
        gain = tighter - looser
        assert gain.mean() > -4 * gain.std(ddof=1) / np.sqrt(len(gain))
    gain = bounds[1] - bounds[0]
    assert gain.mean() > 4 * gain.std(ddof=1) / np.sqrt(len(gain))


def test_bound_of_one_sample_is_the_elbo_on_average(wide):
    x = jnp.tile(all_images_of(4), (100, 1, 1))
    bound = importance_weighted_bound(wide, x, samples=1, key=jax.random.key(0), progress=False)
    distortion, rate = terms_per_image(wide, x, key=jax.random.key(1))
    difference = bound + distortion + rate
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert abs(difference.mean()) < 5 * error


def test_evaluate_is_the_mean_of_the_terms(trained, held_out):
    model, _ = trained
    distortion, rate = terms_per_image(model, held_out, key=jax.random.key(0))
    result = evaluate(model, held_out, key=jax.random.key(0))
    assert result.distortion == pytest.approx(distortion.mean())
    assert result.rate == pytest.approx(rate.mean())
    assert result.negative_elbo == pytest.approx(result.distortion + result.rate)
    expected = stats.sem(distortion + rate)
    assert result.standard_error == pytest.approx(expected)


def test_terms_agree_with_a_plain_pass_on_average(trained, held_out):
    model, _ = trained
    distortion, rate = terms_per_image(model, held_out, key=jax.random.key(0))
    out = model(held_out, key=jax.random.key(5))
    plain, plain_rate = elbo_terms(out.logits, held_out, out.mean, out.logvar)
    np.testing.assert_allclose(rate, plain_rate, rtol=1e-4)
    difference = distortion - np.asarray(plain)
    assert abs(difference.mean()) < 5 * stats.sem(difference)


@pytest.mark.parametrize("size", [1, 7, 360])
def test_the_size_of_a_chunk_changes_nothing(trained, held_out, monkeypatch, size):
    model, _ = trained
    x = held_out[:20]
    whole = terms_per_image(model, x, key=jax.random.key(0))
    bound = importance_weighted_bound(model, x, samples=3, key=jax.random.key(0), progress=False)
    monkeypatch.setattr(evaluation, "IMAGES_PER_CHUNK", size)
    monkeypatch.setattr(evaluation, "IMAGES_PER_BOUND", size)
    parts = terms_per_image(model, x, key=jax.random.key(0))
    again = importance_weighted_bound(model, x, samples=3, key=jax.random.key(0), progress=False)
    np.testing.assert_allclose(parts, whole, rtol=1e-4)
    np.testing.assert_allclose(again, bound, rtol=1e-4)


def test_passes_need_not_divide_the_samples(wide, monkeypatch):
    x = all_images_of(4)
    exact = exact_log_likelihood(wide, x)
    monkeypatch.setattr(evaluation, "SAMPLES_PER_PASS", 300)
    bound = log_likelihood(wide, x, samples=1999, key=jax.random.key(0), progress=False)
    # A pass too many would add log(2100 / 1999) = 0.049 to every image.
    assert np.mean(bound - exact) == pytest.approx(0, abs=0.02)


def test_active_units_of_a_hand_made_encoder(tiny):
    heads = parameters(tiny.encoder)[("heads", "weight")]
    weight, bias = np.array(heads.value["weight"]), np.array(heads.value["bias"])
    weight[:, 1] = 0  # the second mean ignores the image …
    weight[:, 2:] = 0  # … and so do both variances, which are
    bias[2:] = [-2.0, 0.0]  # exp(−2) and 1
    bias[1] = 0.0
    heads.value = {"weight": jnp.asarray(weight), "bias": jnp.asarray(bias)}
    units = active_units(tiny, all_images_of(9))
    mean, _ = tiny.encode(all_images_of(9))
    expected = 0.5 * (np.exp(-2) + np.asarray(mean[:, 0]) ** 2 - 1 + 2).mean()
    assert units.active == 1
    assert units.variance[0] == pytest.approx(np.var(np.asarray(mean[:, 0])), rel=1e-4)
    assert units.variance[1] == pytest.approx(0, abs=1e-10)
    np.testing.assert_allclose(units.rate, [expected, 0], rtol=1e-4, atol=1e-7)


def test_rates_of_the_latents_add_up(trained, held_out):
    model, _ = trained
    rate = evaluate(model, held_out, key=jax.random.key(0)).rate
    assert active_units(model, held_out).rate.sum() == pytest.approx(rate, rel=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: evaluate(m, x, key=jax.random.key(0)),
        lambda m, x: log_likelihood(m, x, key=jax.random.key(0), samples=2),
        active_units,
    ],
)
@pytest.mark.parametrize(
    "x",
    [
        jnp.zeros((0, 3, 3)),
        jnp.zeros((3, 3)),
        jnp.full((2, 3, 3), jnp.nan),
        jnp.full((2, 3, 3), 0.5),
        jnp.zeros((2, 4, 3)),
        jnp.zeros((2, 3, 3), jnp.uint8),
    ],
)
def test_unfit_images_are_refused(tiny, function, x):
    with pytest.raises(ShapeError):
        function(tiny, x)


def test_no_samples_are_refused(tiny):
    with pytest.raises(ConfigError, match="at least 1"):
        importance_weighted_bound(tiny, all_images_of(1), samples=0, key=jax.random.key(0))


# --- Conditional models ---


@pytest.mark.parametrize("size", [4, 1000])
def test_a_conditional_model_is_for_each_label_another_model(monkeypatch, size):
    monkeypatch.setattr(evaluation, "IMAGES_PER_CHUNK", size)
    monkeypatch.setattr(evaluation, "IMAGES_PER_BOUND", size)
    model, x, key = conditional_model(), all_images_of(4), jax.random.key(0)
    labels = np.arange(16) % 3
    terms = terms_per_image(model, x, key=key, labels=labels)
    bound = importance_weighted_bound(model, x, samples=5, key=key, labels=labels, progress=False)
    for label in range(3):
        chosen, plain = labels == label, folded(model, label)
        expected = terms_per_image(plain, x, key=key)
        np.testing.assert_allclose(terms[0][chosen], expected[0][chosen], rtol=1e-4)
        np.testing.assert_allclose(terms[1][chosen], expected[1][chosen], rtol=1e-3, atol=1e-6)
        expected = importance_weighted_bound(plain, x, samples=5, key=key, progress=False)
        np.testing.assert_allclose(bound[chosen], expected[chosen], rtol=1e-4)


def test_log_likelihood_given_the_label_against_quadrature():
    model, x = conditional_model(), all_images_of(2)
    heads = parameters(model.encoder)[("heads", "weight")]
    heads.value = jax.tree.map(lambda array: 0.15 * array, heads.value)
    labels = jnp.array([2, 0, 1, 2])
    estimate = log_likelihood(
        model, x, samples=20_000, key=jax.random.key(0), labels=labels, progress=False
    )
    exact = [
        exact_log_likelihood(folded(model, int(y)), x[i : i + 1])[0] for i, y in enumerate(labels)
    ]
    np.testing.assert_allclose(estimate, exact, atol=0.03)


def test_active_units_and_evaluation_of_a_conditional_model():
    model, x = conditional_model(), all_images_of(4)
    labels = np.full(16, 1)
    units, plain = active_units(model, x, labels=labels), active_units(folded(model, 1), x)
    np.testing.assert_allclose(units.variance, plain.variance, rtol=1e-3)
    result = evaluate(model, x, key=jax.random.key(0), labels=labels)
    expected = evaluate(folded(model, 1), x, key=jax.random.key(0))
    np.testing.assert_allclose(result, expected, rtol=1e-3)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x, y: evaluate(m, x, key=jax.random.key(0), labels=y),
        lambda m, x, y: log_likelihood(m, x, key=jax.random.key(0), samples=2, labels=y),
        lambda m, x, y: active_units(m, x, labels=y),
    ],
)
@pytest.mark.parametrize(
    ("labels", "message"),
    [(None, "no labels"), (np.array([0, 1, 2, 3]), "0 to 3"), (np.array([0]), "of shape")],
)
def test_unfit_labels_are_refused(function, labels, message):
    with pytest.raises(ShapeError, match=message):
        function(conditional_model(), all_images_of(2), labels)
