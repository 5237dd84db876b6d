import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from vae_course.errors import ConfigError, ShapeError
from vae_course.losses import beta_from_kl_weight, elbo, elbo_terms, kl_weight_from_beta


@pytest.fixture
def batch():
    keys = jax.random.split(jax.random.key(0), 4)
    logits = 3 * jax.random.normal(keys[0], (5, 4, 4))
    x = jax.random.bernoulli(keys[1], 0.4, (5, 4, 4)).astype(jnp.float32)
    return logits, x, jax.random.normal(keys[2], (5, 3)), jax.random.normal(keys[3], (5, 3))


def test_terms_by_hand():
    # Four undecided pixels: 4 log 2. Two latents of mean 1 and variance 1: 2 · ½.
    distortion, rate = elbo_terms(
        jnp.zeros((1, 2, 2)), jnp.ones((1, 2, 2)), jnp.ones((1, 2)), jnp.zeros((1, 2))
    )
    assert distortion == pytest.approx([4 * np.log(2)])
    assert rate == pytest.approx([1.0])


def test_terms_are_per_image_and_elbo_averages_them(batch):
    distortion, rate = elbo_terms(*batch)
    terms = elbo(*batch, beta=3.0)
    assert distortion.shape == rate.shape == (5,)
    assert terms.distortion == pytest.approx(float(distortion.mean()))
    assert terms.rate == pytest.approx(float(rate.mean()))
    assert terms.loss == pytest.approx(float(terms.distortion + 3 * terms.rate))
    assert terms.elbo == pytest.approx(-float(terms.distortion + terms.rate))


def test_beta_one_makes_the_loss_the_negative_elbo(batch):
    terms = elbo(*batch)
    assert terms.loss == pytest.approx(-float(terms.elbo))


def test_loss_in_float64_numpy(batch):
    logits, x, mean, logvar = (np.asarray(a, np.float64) for a in batch)
    likelihood = np.where(x == 1, special.log_expit(logits), special.log_expit(-logits))
    rate = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar).sum(1)
    expected = (-likelihood.sum((1, 2)) + 2.5 * rate).mean()
    assert elbo(*batch, beta=2.5).loss == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("argument", [0, 2, 3])
def test_gradient_against_finite_differences(batch, argument):
    direction = jax.random.normal(jax.random.key(9), batch[argument].shape)

    def loss_at(step):
        moved = list(batch)
        moved[argument] = batch[argument] + step * direction
        return elbo(*moved, beta=2.0).loss

    slope = jax.grad(loss_at)(0.0)
    with jax.enable_x64(True):
        wide = [jnp.asarray(np.asarray(a), jnp.float64) for a in batch]
        along = jnp.asarray(np.asarray(direction), jnp.float64)

        def wide_loss(step):
            moved = list(wide)
            moved[argument] = wide[argument] + step * along
            return float(elbo(*moved, beta=2.0).loss)

        expected = (wide_loss(1e-5) - wide_loss(-1e-5)) / 2e-5
    assert slope == pytest.approx(expected, rel=1e-4)


def test_the_tutorials_weight_is_beta_2_45():
    assert beta_from_kl_weight(0.1, pixels=784, latents=32) == pytest.approx(2.45)


@given(st.floats(0, 1e3), st.integers(1, 10_000), st.integers(1, 1000))
@settings(max_examples=50, deadline=None)
def test_weights_convert_there_and_back(weight, pixels, latents):
    beta = beta_from_kl_weight(weight, pixels=pixels, latents=latents)
    back = kl_weight_from_beta(beta, pixels=pixels, latents=latents)
    assert back == pytest.approx(weight)


def test_a_loss_of_means_is_ours_at_the_converted_beta(batch):
    logits, x, mean, logvar = batch
    pixels = -(x * logits - jnp.logaddexp(logits, 0.0)).mean()
    latents = 0.5 * (jnp.exp(logvar) + mean**2 - 1 - logvar).mean()
    beta = beta_from_kl_weight(0.1, pixels=16, latents=3)
    ours = float(elbo(*batch, beta=beta).loss)
    assert 16 * (pixels + 0.1 * latents) == pytest.approx(ours, rel=1e-5)


@pytest.mark.parametrize("convert", [beta_from_kl_weight, kl_weight_from_beta])
@pytest.mark.parametrize(
    ("weight", "pixels", "latents"), [(-1, 4, 2), (1, 0, 2), (1, 4, 0), (float("nan"), 4, 2)]
)
def test_senseless_weights_are_refused(convert, weight, pixels, latents):
    with pytest.raises(ConfigError, match=r"at least 1|0 or more"):
        convert(weight, pixels=pixels, latents=latents)


def test_unlike_shapes_are_refused(batch):
    logits, x, mean, logvar = batch
    with pytest.raises(ShapeError, match="same shape"):
        elbo(logits, x[:1], mean, logvar)
    with pytest.raises(ShapeError, match="same shape"):
        elbo(logits, x[0], mean, logvar)
    with pytest.raises(ShapeError, match="each image"):
        elbo(logits, x, mean[:1], logvar[:1])
