"""Calibration of exercise 05: what its thresholds judge, of the reference at a seed."""

import jax
import numpy as np

from vae_course import data, evaluation, training
from vae_course.checks import disentangled as checks
from vae_course.config import ModelConfig, TrainConfig
from vae_course.data import ImageData
from vae_course.factors import make_factors
from vae_course.models import VAE

# The exercise has its own images, so those of the course make no difference.
SETTINGS = (("digits", "smoke"), ("digits", "full"))
THRESHOLDS: dict[str, tuple[str, float]] = {
    "gain": (">", checks.GAIN["full"]),
    "gain_smoke": (">", checks.GAIN["smoke"]),
    "distortion_over_mean_image": ("<", checks.TRAINED),
    "rate_ratio": ("<", checks.RATE_RATIO),
    "lost_by_turning": (">", 0.0),  # what the text says of turned codes, not a check
}


def seed_run(seed: int, images: ImageData, budget: str) -> dict[str, float]:  # noqa: ARG001
    """Train as the notebook does, with other seeds; measure as the checks do.

    The notebook's images play no part: this exercise has its own.
    """
    shapes = make_factors()
    x = np.asarray(data.binarize(shapes.images, "threshold", level=127))
    full, count = budget == "full", checks.SEEDS[budget]
    models = {
        beta: [_trained(beta, count * seed + s, shapes.as_data(), full) for s in range(count)]
        for beta in checks.BETAS
    }
    means = {b: [np.asarray(m.encode(x)[0], np.float64) for m in ms] for b, ms in models.items()}
    low, high = (np.mean([_score(mean) for mean in part]) for part in means.values())
    found = np.array(
        [
            [evaluation.evaluate(m, x, key=jax.random.key(7))[1:3] for m in ms]
            for ms in models.values()
        ]
    )
    distortion, rate = found[..., 0], found[..., 1]
    return {
        "gain" if full else "gain_smoke": float(high - low),
        "distortion_over_mean_image": float(distortion.max() / checks.of_the_mean_image(x)),
        "rate_ratio": float((rate[-1] / rate[0]).max()),
        "lost_by_turning": min(_score(mean) - _score(_turned(mean)) for mean in means[10.0]),
    }


def _score(mean: np.ndarray) -> float:
    return float(checks.gaps(mean)[: checks.JUDGED].mean())


def _turned(mean: np.ndarray) -> np.ndarray:
    """By 45° in the plane of the two latents that vary most."""
    i, j = np.argsort(mean.var(0))[-2:]
    turned = mean.copy()
    turned[:, i] = (mean[:, i] - mean[:, j]) / np.sqrt(2)
    turned[:, j] = (mean[:, i] + mean[:, j]) / np.sqrt(2)
    return turned


def _trained(beta: float, seed: int, images: ImageData, full: bool) -> VAE:
    config = ModelConfig(
        hidden_sizes=(256, 128) if full else (128, 128), latent_size=6, activation="silu"
    )
    settings = TrainConfig(
        epochs=60 if full else 15,
        batch_size=64 if full else 32,
        learning_rate=5e-3,
        beta=beta,
        binarization="threshold",
        level=127,
        schedule="cosine",
    )
    model = training.init_model(config, seed=seed)
    training.fit(model, images, settings, key=jax.random.key(seed), progress=False)
    return model
