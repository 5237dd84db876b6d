"""Calibration of exercise 03: what its thresholds judge, of the reference models at a seed."""

import dataclasses
import math

import jax
import numpy as np

from vae_course.checks import convolutional as checks
from vae_course.checks.probing import paired_margin
from vae_course.config import ModelConfig, TrainConfig
from vae_course.data import ImageData, binarize
from vae_course.evaluation import terms_per_image
from vae_course.models import VAE, count_parameters
from vae_course.training import fit, init_model

THRESHOLDS: dict[str, tuple[str, float]] = {
    "most_nats_over_a_coin": ("<", checks.TRAINED["full"]),
    "most_nats_over_a_coin_smoke": ("<", checks.TRAINED["smoke"]),
    "margin_in_standard_errors": (">", checks.STANDARD_ERRORS),
    "size_of_dense_over_convolutional": ("<", checks.MOST_PARAMETERS),
    "redrawn_margin_in_standard_errors": ("<", checks.NOISE),
    "redrawn_standard_error": ("<", 2 * checks.ERROR),
}


def seed_run(seed: int, images: ImageData, budget: str) -> dict[str, float]:
    """Train as the notebook does, with another seed; measure as the checks do."""
    full = budget == "full"
    config = ModelConfig(
        channels=(8, 16) if full else (4, 8),
        hidden_sizes=(),
        latent_size=16 if full else 8,
        activation="silu",
    )
    models = {"conv": init_model(config, seed=seed)}
    models["mlp"] = _as_large(config, count_parameters(models["conv"]), seed)
    settings = TrainConfig(
        batch_size=50,
        epochs=math.ceil((1200 if full else 224) / (len(images.train_images) // 50)),
        learning_rate=3e-3 if full else 1e-2,
        schedule="cosine",
    )
    for model in models.values():
        fit(model, images, settings, key=jax.random.key(seed), progress=False)
    x = binarize(images.test_images, "stochastic", key=jax.random.key(1000 + seed))
    draws = [{name: _totals(models[name], x, key) for name in models} for key in (seed, 500 + seed)]
    (margin, error), again = (paired_margin(one["conv"], one["mlp"]) for one in draws)
    gaps = [one["mlp"] - one["conv"] for one in draws]
    coin = x[0].size * math.log(2)
    sizes = {name: count_parameters(model) for name, model in models.items()}
    trained = "most_nats_over_a_coin" if full else "most_nats_over_a_coin_smoke"
    return {
        trained: max(float(total.mean()) for total in draws[0].values()) / coin,
        "margin_in_standard_errors": margin / error,
        "size_of_dense_over_convolutional": sizes["mlp"] / sizes["conv"],
        "redrawn_margin_in_standard_errors": abs(margin - again[0]) / paired_margin(*gaps)[1],
        "redrawn_standard_error": abs(again[1] / error - 1),
    }


def _as_large(config: ModelConfig, size: int, seed: int) -> VAE:
    """The narrowest dense model with no fewer than ``size`` parameters."""
    latents, pixels = config.latent_size, config.pixels
    width = math.ceil((size - 2 * latents - pixels) / (2 * pixels + 3 * latents + 2))
    shape = dataclasses.replace(config, channels=(), hidden_sizes=(width,))
    return init_model(shape, seed=seed)


def _totals(model: VAE, x: jax.Array, seed: int) -> np.ndarray:
    """−ELBO of each image in nats."""
    return np.add(*terms_per_image(model, x, key=jax.random.key(seed)))
