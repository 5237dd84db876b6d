"""What the tests share: an isolated cache, two data sets, one small trained model."""

import os

os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TQDM_DISABLE", "1")

import jax
import pytest

from vae_course import data, training
from vae_course.config import ModelConfig, TrainConfig

CONFIGURED_DATA = os.environ.get("VAE_COURSE_DATA")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Neither find what a user cached, nor leave anything there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAE_COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.delenv("VAE_COURSE_DATA", raising=False)
        yield


@pytest.fixture(scope="session")
def digits(_own_cache):
    return data.load_images("digits")


@pytest.fixture(scope="session")
def mnist(_own_cache):
    if not CONFIGURED_DATA:
        pytest.skip("set VAE_COURSE_DATA to a folder with MNIST to run this")
    return data.load_images(CONFIGURED_DATA)


@pytest.fixture(scope="session")
def trained(digits):
    """A small model after a few epochs on the digits, and its history."""
    model = training.init_model(ModelConfig(hidden_sizes=(64,), latent_size=8), seed=0)
    config = TrainConfig(epochs=15, learning_rate=3e-3)
    history = training.fit(model, digits, config, key=jax.random.key(0), progress=False)
    return model, history


@pytest.fixture(scope="session")
def held_out(digits):
    """The test digits, black and white."""
    return data.binarize(digits.test_images, "stochastic", key=jax.random.key(1))


@pytest.fixture
def tiny():
    """An untrained model of 3×3 images with two latents, small enough for quadrature."""
    config = ModelConfig(hidden_sizes=(8,), latent_size=2, image_shape=(3, 3), activation="tanh")
    return training.init_model(config, seed=3)
