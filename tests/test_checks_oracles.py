"""The truths of the checks, by hand and by quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import entropy as scipy_entropy
from scipy.stats import norm

from vae_course.checks import oracles


def test_kl_by_hand():
    # N(2, 1) against N(0, 1): half the squared distance.
    assert oracles.gaussian_kl(np.array([2.0]), np.array([0.0])) == pytest.approx(2.0)


@pytest.mark.parametrize(("m", "v", "p", "w"), [(0.3, -1.0, 0.0, 0.0), (1.0, 0.5, -0.5, 1.2)])
def test_kl_by_quadrature(m, v, p, w):
    q, other = norm(m, np.exp(v / 2)), norm(p, np.exp(w / 2))
    expected, _ = quad(lambda z: q.pdf(z) * (q.logpdf(z) - other.logpdf(z)), -20, 20)
    assert oracles.gaussian_kl(m, v, p, w) == pytest.approx(expected, abs=1e-6)


def test_bernoulli_by_hand_and_at_the_extremes():
    logits = np.array([0.0, np.log(3.0), 800.0])
    x = np.array([1.0, 0.0, 0.0])
    assert oracles.bernoulli(logits, x) == pytest.approx([-np.log(2), np.log(0.25), -800.0])


def test_entropy_against_scipy_and_at_the_extremes():
    p = np.array([0.2, 0.5])
    expected = [scipy_entropy([q, 1 - q]) for q in p]
    assert oracles.entropy(np.log(p / (1 - p))) == pytest.approx(expected)
    assert oracles.entropy(np.array([800.0])) == pytest.approx(0.0)
