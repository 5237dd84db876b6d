"""Calibration of exercise 04: what its thresholds judge, of the reference model at a seed."""

import jax
import numpy as np

from vae_course.checks import conditional as checks
from vae_course.config import ModelConfig, TrainConfig
from vae_course.data import ImageData, binarize
from vae_course.evaluation import evaluate
from vae_course.generation import sample_prior
from vae_course.training import fit, init_model

THRESHOLDS: dict[str, tuple[str, float]] = {
    "read_as_wanted": (">", checks.READ_AS_WANTED["full"]),
    "read_as_wanted_smoke": (">", checks.READ_AS_WANTED["smoke"]),
    "rate": (">", checks.RATE),
    "diversity": (">", checks.DIVERSITY),
    "style_held": (">", checks.STYLE),
    "copy_ratio": (">", checks.COPY),
}


def seed_run(seed: int, images: ImageData, budget: str) -> dict[str, float]:
    """Train as the notebook does, with another seed; measure as the checks do."""
    full = budget == "full"
    config = ModelConfig(
        hidden_sizes=(256 if full else 64,), latent_size=8, activation="silu", classes=10
    )
    settings = TrainConfig(
        epochs=3 if full else 2,
        batch_size=min(128, len(images.train_images) // 40),
        learning_rate=3e-3 if full else 5e-3,
        beta=3.0,
        schedule="cosine",
    ).scaled_to(len(images.train_images))
    model = init_model(config, seed=seed)
    fit(model, images, settings, key=jax.random.key(seed), progress=False)
    test_key, draw_key, code_key = jax.random.split(jax.random.key(1000 + seed), 3)
    x = binarize(images.test_images, "stochastic", key=test_key)
    share = "read_as_wanted" if full else "read_as_wanted_smoke"
    made = np.stack(
        # The same codes for every digit, as the check has them.
        [
            sample_prior(model, checks.CODES, key=code_key, labels=np.full(checks.CODES, digit))
            for digit in range(checks.DIGITS)
        ]
    )
    copies = [checks.copy_ratio(images, made[digit], digit) for digit in range(checks.DIGITS)]
    return {
        share: checks.read_as_wanted(images, made),
        "rate": evaluate(model, x, key=draw_key, labels=images.test_labels).rate,
        "diversity": checks.diversity(images, made),
        "style_held": checks.style_held(made),
        "copy_ratio": float(np.median(copies)),
    }
