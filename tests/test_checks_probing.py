"""Asking a model: the terms computed on the asking side are those of the package."""

import jax.numpy as jnp
import numpy as np
import pytest

from vae_course import distributions
from vae_course.checks import probing
from vae_course.checks.specs import Context
from vae_course.checks.students import NotebookStudent
from vae_course.checks.verdicts import Mistake, NotStarted
from vae_course.config import ModelConfig
from vae_course.training import init_model


@pytest.fixture
def context(monkeypatch):
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    return Context(np.random.default_rng(0), "smoke")


class Fake:
    def __init__(self, codes, logits):
        self.encode, self.decode = codes, logits


def good_codes(x):
    return np.zeros((len(x), 2)), np.zeros((len(x), 2))


def good_logits(z):
    return np.zeros((len(z), 28, 28))


def test_held_out_images_are_black_and_white_draws_of_test_images(context, digits):
    x, labels = probing.held_out(context, 10_000)
    assert x.shape == (360, 28, 28)
    assert set(np.unique(x)) == {0.0, 1.0}
    grey = digits.test_images.mean() / 255
    assert x.mean() == pytest.approx(grey, abs=5 * 0.5 / np.sqrt(x.size))
    assert sorted(labels) == sorted(digits.test_labels)
    assert len(probing.held_out(context, 7).x) == 7


def test_terms_by_hand(context):
    x, _ = probing.held_out(context, 5)
    student = NotebookStudent({"m": Fake(good_codes, good_logits)})
    distortion, rate = probing.terms(student, "m", x, context)
    assert distortion == pytest.approx(np.full(5, 784 * np.log(2)))
    assert rate.tolist() == [0] * 5


def test_terms_of_a_real_model_are_the_packages(context):
    model = init_model(ModelConfig(hidden_sizes=(16,), latent_size=3), seed=0)
    x, _ = probing.held_out(context, 50)
    _, rate = probing.terms(NotebookStudent({"m": model}), "m", x, context)
    mean, logvar = model.encode(jnp.asarray(x))
    assert rate == pytest.approx(np.asarray(distributions.gaussian_kl(mean, logvar)), rel=1e-4)


@pytest.mark.parametrize(
    ("codes", "logits", "message"),
    [
        (lambda x: np.zeros((len(x), 2)), good_logits, "should return (mean, logvar)"),
        (lambda x: (np.zeros(2), np.zeros(2)), good_logits, "it should have (batch, latents)"),
        (lambda x: (np.zeros((len(x), 2)), np.zeros((len(x), 3))), good_logits, "has shape (5, 3)"),
        (lambda x: (np.full((len(x), 2), np.nan),) * 2, good_logits, "NaN or infinite"),
        (good_codes, lambda z: np.zeros((len(z), 784)), "(batch, height, width)"),
        (good_codes, lambda z: np.zeros((len(z), 28, 27)), "not (5, 28, 28)"),
        (good_codes, lambda z: np.full((len(z), 28, 28), np.inf), "NaN or infinite"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(context, codes, logits, message):
    x, _ = probing.held_out(context, 5)
    with pytest.raises(Mistake) as error:
        probing.terms(NotebookStudent({"m": Fake(codes, logits)}), "m", x, context)
    assert message in str(error.value)


def test_no_model_is_not_started(context):
    with pytest.raises(NotStarted):
        probing.codes(NotebookStudent({}), "m", np.zeros((1, 28, 28)))


def test_a_margin_is_paired():
    rng = np.random.default_rng(0)
    hard = rng.normal(100, 30, 1000)
    gap, error = probing.paired_margin(hard, hard + rng.normal(1, 0.1, 1000))
    assert gap == pytest.approx(1, abs=5 * error)
    assert error == pytest.approx(0.1 / np.sqrt(1000), rel=0.1)


def test_a_model_that_remembers_is_refused_and_one_that_knows_the_test_images_is_the_limit(context):
    grey = context.images.test_images / 255.0
    rng = np.random.default_rng(1)
    # The best that knowing the images allows: their own probabilities, and which one it is.
    p = grey.clip(1e-9, 1 - 1e-9)
    draws = [rng.random(grey.shape) < grey for _ in range(20)]
    costs = [-np.where(x, np.log(p), np.log(1 - p)).sum((1, 2)).mean() for x in draws]
    limit = np.mean(costs) + np.log(len(grey))
    error = np.std(costs, ddof=1) / np.sqrt(len(costs))
    probing.require_learned(np.full(5, limit + 5 * error), context, what="m")
    with pytest.raises(Mistake, match=r"m describes test images in .* remembers"):
        probing.require_learned(np.full(5, limit - 5 * error), context, what="m")
