"""A digit classifier that is no part of any VAE: it says what a generated image shows.

A dense network with one hidden layer, trained in seconds on the training images, each redrawn
in every batch as grey or as black and white, so that it reads decoded means and samples alike.
"""

import functools
import hashlib
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from safetensors import SafetensorError
from safetensors.numpy import load_file, save
from scipy.special import softmax

from vae_course.data import ImageData
from vae_course.errors import ShapeError
from vae_course.image_cache import cache_folder, write_atomically

__all__ = ["Classifier", "classifier_file", "digit_classifier"]

HIDDEN, BATCH, RATE, STEPS, DECAY = 256, 128, 2e-3, 2000, 1e-4
Weights = dict[str, jax.Array]


class Classifier(NamedTuple):
    """A trained classifier, with its share of right answers on the test images."""

    weights: dict[str, np.ndarray]
    accuracy: float

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """The probability of each class.

        Args:
            images: ``(n, height, width)``, grey in [0, 1] or black and white.

        Returns:
            ``(n, classes)``, rows that sum to 1.

        Raises:
            ShapeError: if the images do not have the size that it was trained on, or hold
                values outside [0, 1].
        """
        pixels = np.reshape(images, (len(images), -1)).astype(np.float32)
        if pixels.shape[1:] != (len(self.weights["hidden"]),):
            raise ShapeError(f"The images have shape {np.shape(images)}.", "Give (n, 28, 28).")
        if not ((pixels >= 0) & (pixels <= 1)).all():
            raise ShapeError("The images reach beyond [0, 1].", "Give sigmoid(logits).")
        w = self.weights
        hidden = np.maximum(pixels @ w["hidden"] + w["hidden_bias"], 0)
        return softmax(np.float64(hidden @ w["out"] + w["out_bias"]), axis=1)


def digit_classifier(images: ImageData) -> Classifier:
    """The classifier for ``images``: from the course's cache, or trained and kept there.

    Args:
        images: from `data.load_images`.
    """
    path = classifier_file(images)
    try:
        kept = load_file(path)
        return Classifier(kept, float(kept.pop("accuracy")))
    except (OSError, SafetensorError, KeyError):
        pass
    classifier = _train(images)
    content = {**classifier.weights, "accuracy": np.asarray(classifier.accuracy)}
    try:
        write_atomically(path, save(content))
    except OSError as error:
        warnings.warn(f"The classifier was not kept ({error.strerror}).", stacklevel=2)
    return classifier


def classifier_file(images: ImageData) -> Path:
    """Where the classifier for ``images`` is kept, once it is trained."""
    source = Path(__file__).read_bytes()
    parts = images.train_sha256, images.test_sha256, hashlib.sha256(source).hexdigest()
    digest = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:16]
    return cache_folder() / "models" / f"classifier-{digest}.safetensors"


def _scores(weights: Any, pixels: Any) -> jax.Array:
    hidden = jax.nn.relu(pixels @ weights["hidden"] + weights["hidden_bias"])
    return hidden @ weights["out"] + weights["out_bias"]  # (batch, classes)


def _train(images: ImageData) -> Classifier:
    pixels = images.train_images.reshape(len(images.train_images), -1)
    classes = int(images.train_labels.max()) + 1
    start_key, steps_key = jax.random.split(jax.random.key(0))
    weights = _run(
        _start(pixels.shape[1], classes, start_key), pixels, images.train_labels, steps_key
    )
    trained = Classifier({name: np.ascontiguousarray(w) for name, w in weights.items()}, 0.0)
    found = trained(images.test_images / 255).argmax(1)
    return trained._replace(accuracy=float((found == images.test_labels).mean()))


def _start(pixels: int, classes: int, key: jax.Array) -> Weights:
    hidden_key, out_key = jax.random.split(key)
    return {
        "hidden": jax.random.normal(hidden_key, (pixels, HIDDEN)) * np.sqrt(2 / pixels),
        "hidden_bias": jnp.zeros(HIDDEN),
        "out": jax.random.normal(out_key, (HIDDEN, classes)) * np.sqrt(1 / HIDDEN),
        "out_bias": jnp.zeros(classes),
    }


@functools.partial(jax.jit, donate_argnums=0)
def _run(weights: Weights, pixels: jax.Array, labels: jax.Array, key: jax.Array) -> Weights:
    optimizer = optax.adamw(optax.cosine_decay_schedule(RATE, STEPS), weight_decay=DECAY)

    def loss(weights: Weights, x: jax.Array, y: jax.Array) -> jax.Array:
        return optax.softmax_cross_entropy_with_integer_labels(_scores(weights, x), y).mean()

    def step(carry: tuple[Weights, optax.OptState], key: jax.Array) -> tuple[Any, None]:
        weights, state = carry
        row_key, pixel_key, kind_key = jax.random.split(key, 3)
        rows = jax.random.randint(row_key, (BATCH,), 0, len(pixels))
        grey = pixels[rows] / 255
        drawn = (jax.random.uniform(pixel_key, grey.shape) < grey).astype(grey.dtype)
        x = jnp.where(jax.random.bernoulli(kind_key, 0.5, (BATCH, 1)), drawn, grey)
        gradient = jax.grad(loss)(weights, x, labels[rows].astype(jnp.int32))
        updates, state = optimizer.update(gradient, state, weights)
        return (optax.apply_updates(weights, updates), state), None

    (weights, _), _ = jax.lax.scan(
        step, (weights, optimizer.init(weights)), jax.random.split(key, STEPS)
    )
    return weights
