import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, special, stats

from vae_course.distributions import (
    bernoulli_log_prob,
    gaussian_kl,
    gaussian_log_prob,
    reparameterize,
    require_binary,
)
from vae_course.errors import ShapeError

finite = st.floats(-5, 5, width=32)
codes = arrays(np.float32, (3, 4), elements=finite)
quick = settings(max_examples=25, deadline=None)


def test_kl_by_hand():
    # Two latents with mean 1 and variance 1: ½ · 1² each.
    assert gaussian_kl(jnp.ones((1, 2)), jnp.zeros((1, 2))) == pytest.approx([1.0])
    # Mean 0, variance e: ½ (e − 1 − 1).
    assert gaussian_kl(jnp.zeros((1, 1)), jnp.ones((1, 1))) == pytest.approx([(np.e - 2) / 2])


def test_kl_of_the_prior_is_zero():
    assert gaussian_kl(jnp.zeros((3, 5)), jnp.zeros((3, 5))) == pytest.approx([0, 0, 0])


@pytest.mark.parametrize(("mean", "logvar"), [(0.0, 0.0), (1.5, -2.0), (-0.3, 1.0), (2.0, 0.5)])
def test_kl_against_quadrature(mean, logvar):
    q = stats.norm(mean, np.exp(logvar / 2))
    expected, _ = integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z)), mean - 15, mean + 15
    )
    assert gaussian_kl(jnp.array([[mean]]), jnp.array([[logvar]])) == pytest.approx(
        [expected], rel=1e-5, abs=1e-6
    )


@quick
@given(codes, codes)
def test_kl_is_never_negative_and_sums_over_latents(mean, logvar):
    kl = np.asarray(gaussian_kl(jnp.asarray(mean), jnp.asarray(logvar)))
    m, v = mean.astype(np.float64), logvar.astype(np.float64)
    np.testing.assert_allclose(kl, 0.5 * (np.exp(v) + m**2 - 1 - v).sum(1), rtol=1e-5, atol=1e-5)
    assert (kl >= -1e-6).all()


def test_kl_is_finite_far_out():
    logvar = jnp.array([[50.0], [-50.0]])
    assert np.isfinite(gaussian_kl(jnp.zeros((2, 1)), logvar)).all()
    gradient = jax.grad(lambda v: gaussian_kl(jnp.zeros((2, 1)), v).sum())(logvar)
    assert np.isfinite(gradient).all()


def test_bernoulli_by_hand():
    # Two undecided pixels cost log 2 each.
    value = bernoulli_log_prob(jnp.zeros((1, 2)), jnp.array([[1.0, 0.0]]))
    assert value == pytest.approx([-2 * np.log(2)])


@quick
@given(arrays(np.float32, (2, 3, 3), elements=st.floats(-30, 30, width=32)), st.data())
def test_bernoulli_against_scipy(logits, draw):
    x = draw.draw(arrays(np.int8, (2, 3, 3), elements=st.integers(0, 1)))
    value = bernoulli_log_prob(jnp.asarray(logits), jnp.asarray(x, jnp.float32))
    exact = logits.astype(np.float64)
    expected = np.where(x == 1, special.log_expit(exact), special.log_expit(-exact))
    np.testing.assert_allclose(value, expected.sum((1, 2)), rtol=1e-5, atol=1e-5)


def test_bernoulli_is_finite_at_extreme_logits():
    logits = jnp.array([[1e4], [-1e4], [1e4], [-1e4]])
    x = jnp.array([[1.0], [0.0], [0.0], [1.0]])
    assert bernoulli_log_prob(logits, x) == pytest.approx([0, 0, -1e4, -1e4])
    gradient = jax.grad(lambda a: bernoulli_log_prob(a, x).sum())(logits)
    np.testing.assert_allclose(gradient.ravel(), [0, 0, -1, 1], atol=1e-6)


def test_bernoulli_probabilities_of_all_images_add_up_to_one():
    logits = jnp.array([0.3, -1.2, 2.0, 0.0])
    images = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(np.float32)
    total = jnp.exp(bernoulli_log_prob(jnp.tile(logits, (16, 1)), jnp.asarray(images))).sum()
    assert total == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("argument", [0, 1])
def test_bernoulli_gradient_against_finite_differences(argument):
    point = [np.array([[0.7, -2.0, 0.0]]), np.array([[1.0, 0.0, 0.4]])]

    def exact(*values):
        logits, x = values
        return float((x * logits - np.logaddexp(0, logits)).sum())

    gradient = jax.grad(lambda *v: bernoulli_log_prob(*v).sum(), argnums=argument)(
        *map(jnp.asarray, point)
    )
    for index in range(3):
        up, down = [p.copy() for p in point], [p.copy() for p in point]
        up[argument][0, index] += 1e-5
        down[argument][0, index] -= 1e-5
        slope = (exact(*up) - exact(*down)) / 2e-5
        assert gradient[0, index] == pytest.approx(slope, abs=1e-5)


def test_bernoulli_second_derivative():
    # d²/da² = −p (1 − p): the custom rule must be differentiable again.
    curvature = jax.grad(jax.grad(lambda a: bernoulli_log_prob(a[None], jnp.ones(1)).sum()))
    p = special.expit(0.7)
    assert curvature(jnp.float32(0.7)) == pytest.approx(-p * (1 - p))


@quick
@given(codes, codes, codes)
def test_gaussian_log_prob_against_scipy(z, mean, logvar):
    value = gaussian_log_prob(*map(jnp.asarray, (z, mean, logvar)))
    std = np.exp(logvar.astype(np.float64) / 2)
    expected = stats.norm.logpdf(z.astype(np.float64), mean, std).sum(1)
    np.testing.assert_allclose(value, expected, rtol=2e-5, atol=1e-4)


def test_reparameterize_has_the_right_moments():
    mean, logvar, count = 1.5, -1.0, 200_000
    shape = (count, 1)
    z = np.asarray(
        reparameterize(jnp.full(shape, mean), jnp.full(shape, logvar), key=jax.random.key(0))
    )
    std = np.exp(logvar / 2)
    assert z.mean() == pytest.approx(mean, abs=5 * std / np.sqrt(count))
    # The standard error of a sample variance is σ² √(2 / n).
    assert z.var() == pytest.approx(std**2, abs=5 * std**2 * np.sqrt(2 / count))


def test_reparameterize_lets_gradients_through():
    key = jax.random.key(4)
    eps = jax.random.normal(key, (1, 3))
    mean, logvar = jnp.zeros((1, 3)), jnp.full((1, 3), 0.8)
    by_mean, by_logvar = jax.grad(lambda m, v: reparameterize(m, v, key=key).sum(), argnums=(0, 1))(
        mean, logvar
    )
    np.testing.assert_allclose(by_mean, 1.0)
    np.testing.assert_allclose(by_logvar, 0.5 * jnp.exp(0.4) * eps, rtol=1e-6)


def test_reparameterize_takes_a_log_variance():
    # Taken for a log-standard-deviation, the spread would be e² and not e.
    shape = (20_000, 1)
    z = reparameterize(jnp.zeros(shape), jnp.full(shape, 2.0), key=jax.random.key(0))
    assert np.std(z) == pytest.approx(np.e, rel=5 / np.sqrt(2 * 20_000))


@pytest.mark.parametrize(
    "call",
    [
        lambda: gaussian_kl(jnp.zeros((2, 3)), jnp.zeros((3,))),
        lambda: gaussian_kl(jnp.zeros(()), jnp.zeros(())),
        lambda: bernoulli_log_prob(jnp.zeros((2, 4)), jnp.zeros((4,))),
        lambda: bernoulli_log_prob(jnp.zeros((2, 4)), jnp.zeros((2, 2, 2))),
        lambda: gaussian_log_prob(jnp.zeros((2, 3)), jnp.zeros((1, 3)), jnp.zeros((1, 3))),
        lambda: reparameterize(jnp.zeros((2, 3)), jnp.zeros((2, 1)), key=jax.random.key(0)),
    ],
)
def test_unlike_shapes_are_refused(call):
    with pytest.raises(ShapeError, match=r"shape|single number"):
        call()


def test_no_silent_broadcasting_inside():
    with jax.numpy_rank_promotion("raise"):
        bernoulli_log_prob(jnp.zeros((2, 3, 3)), jnp.ones((2, 3, 3)))
        gaussian_kl(jnp.zeros((2, 3)), jnp.zeros((2, 3)))
        gaussian_log_prob(jnp.zeros((2, 3)), jnp.zeros((2, 3)), jnp.zeros((2, 3)))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((0, 3, 3)), "at least one"),
        (np.zeros((3, 3)), "x\\[None\\]"),
        (np.full((1, 3, 3), np.nan), "NaN"),
        (np.full((1, 3, 3), np.inf), "infinite"),
        (np.full((1, 3, 3), 0.5), "Binarise"),
        (np.full((1, 3, 3), 255.0), "Binarise"),
    ],
)
def test_images_that_are_not_black_and_white_are_refused(x, message):
    with pytest.raises(ShapeError, match=message):
        require_binary(jnp.asarray(x))
