"""JAX's own numbers, bit by bit."""

import jax
import numpy as np
import pytest

from vae_course.checks import draws
from vae_course.data import binarize


@pytest.mark.parametrize("seed", [0, 1, 7, 2**31 - 1])
@pytest.mark.parametrize("count", [1, 5, draws.PART + 3])
def test_uniform_numbers_are_those_of_jax(seed, count):
    expected = np.asarray(jax.random.uniform(jax.random.key(seed), (count,)))
    assert np.array_equal(draws.uniform(seed, count), expected)


def test_binarised_images_are_those_of_the_package(digits):
    expected = np.asarray(binarize(digits.test_images, "stochastic", key=jax.random.key(1)))
    found = draws.binarized(digits.test_images, seed=1)
    assert found.dtype == expected.dtype
    assert np.array_equal(found, expected)
