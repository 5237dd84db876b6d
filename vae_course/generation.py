"""Pictures from a trained model: samples, reconstructions, paths and maps.

Everything returns arrays of pixel probabilities in [0, 1], that is sigmoid(logits): the *mean*
image, smoother than any image drawn from it. Where a code is meant, the posterior mean is used;
nothing here samples but `sample_prior`.
"""

import jax
import jax.numpy as jnp
import numpy as np

from vae_course.distributions import require_binary
from vae_course.errors import ConfigError, ShapeError
from vae_course.models import VAE, require_labels

__all__ = [
    "interpolate",
    "latent_grid",
    "latent_path",
    "posterior_means",
    "reconstruct",
    "sample_prior",
    "traverse",
]

PATHS = ("linear", "spherical")
Labels = jax.Array | np.ndarray | None


def sample_prior(model: VAE, count: int, *, key: jax.Array, labels: Labels = None) -> np.ndarray:
    """Decode ``count`` draws from the prior: z ~ N(0, I).

    Args:
        model: a trained VAE.
        count: number of images, at least 1.
        key: a JAX random key.
        labels: for a conditional model only: the class of each image, integers, ``(count,)``.

    Returns:
        ``(count, height, width)``, in [0, 1].

    Raises:
        ConfigError: if ``count`` is below 1.
        ShapeError: if the labels are not those that the model needs.
    """
    _require_at_least("count", count, 1)
    return _decode(model, jax.random.normal(key, (count, model.config.latent_size)), labels)


def reconstruct(model: VAE, x: jax.Array, *, labels: Labels = None) -> np.ndarray:
    """Decode the posterior mean of each image.

    Args:
        model: a trained VAE.
        x: black-and-white images, ``(n, height, width)``, 0.0 or 1.0.
        labels: for a conditional model only, integers, ``(n,)``.

    Returns:
        ``(n, height, width)``, in [0, 1].

    Raises:
        ShapeError: if ``x`` is empty, of another shape, or holds anything but 0 and 1, or if the
            labels are not those that the model needs.
    """
    return _decode(model, posterior_means(model, x, labels=labels), labels)


def posterior_means(model: VAE, x: jax.Array, *, labels: Labels = None) -> jax.Array:
    """The code of each image, E[z | x] or E[z | x, y]: ``(n, latents)``.

    Args:
        model: a trained VAE.
        x: black-and-white images, ``(n, height, width)``, 0.0 or 1.0.
        labels: for a conditional model only, integers, ``(n,)``.

    Raises:
        ShapeError: as `reconstruct`.
    """
    require_binary(x)
    return model.encode(jnp.asarray(x), *require_labels(model.config, labels, len(x)))[0]


def latent_path(start: jax.Array, end: jax.Array, steps: int, path: str = "linear") -> jax.Array:
    """Codes from ``start`` to ``end``, both included.

    ``"linear"``: (1 − t)·start + t·end. ``"spherical"``: along the arc between the two
    directions, while the length changes linearly; so the path keeps away from the origin,
    where few draws from a high-dimensional prior lie.

    Args:
        start: first code, ``(latents,)``.
        end: last code, ``(latents,)``.
        steps: number of codes, at least 2.
        path: ``"linear"`` or ``"spherical"``.

    Returns:
        ``(steps, latents)``.

    Raises:
        ConfigError: if there are fewer than 2 steps, the path is unknown, or the arc is
            undefined: a code of length zero, or two codes in opposite directions.
        ShapeError: if the codes differ in shape.

    Source:
        White (2016), for the arc; there the length follows from the arc too.
    """
    _require_at_least("steps", steps, 2)
    if start.shape != end.shape or start.ndim != 1:
        raise ShapeError(f"The codes have shapes {start.shape} and {end.shape}.", "Give two codes.")
    t = jnp.linspace(0.0, 1.0, steps)[:, None]
    if path == "linear":
        return (1 - t) * start + t * end
    if path != "spherical":
        raise ConfigError(f"There is no path {path!r}.", f"Choose one of {', '.join(PATHS)}.")
    return _arc(start, end, t)


def _arc(start: jax.Array, end: jax.Array, t: jax.Array) -> jax.Array:
    lengths = jnp.linalg.norm(start), jnp.linalg.norm(end)
    if min(lengths) < 1e-6:
        raise ConfigError("A code of length zero has no direction.", 'Use path="linear".')
    from_, to = start / lengths[0], end / lengths[1]
    angle = jnp.arccos(jnp.clip(from_ @ to, -1.0, 1.0))
    if angle > jnp.pi - 1e-3:
        raise ConfigError(
            "The codes point in opposite directions, so that every arc is as short.",
            'Use path="linear", or go by way of a third code.',
        )
    length = (1 - t) * lengths[0] + t * lengths[1]
    if angle < 1e-4:  # the arc is a straight line, and the formula 0 / 0
        return length * from_
    directions = jnp.sin((1 - t) * angle) * from_ + jnp.sin(t * angle) * to
    return length * directions / jnp.sin(angle)


def interpolate(
    model: VAE,
    a: jax.Array,
    b: jax.Array,
    steps: int = 9,
    path: str = "linear",
    *,
    labels: tuple[int, int] | None = None,
) -> np.ndarray:
    """Images on the way from ``a`` to ``b``, between their posterior means.

    A label cannot be halfway. Where the two differ, the first half of the images is decoded under
    the first label, the rest under the second.

    Args:
        model: a trained VAE.
        a: a black-and-white image, ``(height, width)``.
        b: another one.
        steps: number of images, at least 2; the ends are the two reconstructions.
        path: as `latent_path`.
        labels: for a conditional model only: the labels of ``a`` and ``b``.

    Returns:
        ``(steps, height, width)``, in [0, 1].

    Raises:
        ConfigError: as `latent_path`.
        ShapeError: if an image is of another shape, or not binarised, or the labels are not those
            that the model needs.
    """
    if np.shape(a) != np.shape(b) or np.ndim(a) != 2:
        raise ShapeError(
            f"The images have shapes {np.shape(a)} and {np.shape(b)}.", "Give two (height, width)."
        )
    ends = jnp.stack([jnp.asarray(a), jnp.asarray(b)])
    pair = None if labels is None else jnp.asarray(labels)
    start, end = posterior_means(model, ends, labels=pair)
    codes = latent_path(start, end, steps, path)
    return _decode(model, codes, None if pair is None else pair[jnp.arange(steps) * 2 // steps])


def traverse(
    model: VAE, z: jax.Array, latent: int, values: jax.Array, *, label: int | None = None
) -> np.ndarray:
    """Images of ``z`` with one latent set to each of ``values`` in turn.

    Args:
        model: a trained VAE.
        z: a code, ``(latents,)``, such as a row of `posterior_means`.
        latent: index of the latent to change, from 0.
        values: what to set it to, ``(steps,)``; −3 to 3 covers the prior.
        label: for a conditional model only: the class to decode all of them as.

    Returns:
        ``(steps, height, width)``, in [0, 1].

    Raises:
        ConfigError: if there is no such latent.
        ShapeError: if ``z`` is not one code, or ``values`` not one row of numbers, or if the
            label is not one that the model needs.
    """
    size = model.config.latent_size
    if np.shape(z) != (size,) or np.ndim(values) != 1 or not len(values):
        raise ShapeError(
            f"z has shape {np.shape(z)} and values {np.shape(values)}.",
            f"Give z as ({size},) and values as (steps,).",
        )
    if not 0 <= latent < size:
        raise ConfigError(f"There is no latent {latent}.", f"Choose one from 0 to {size - 1}.")
    codes = jnp.tile(jnp.asarray(z), (len(values), 1))
    codes = codes.at[:, latent].set(jnp.asarray(values))
    return _decode(model, codes, _for_all(label, len(codes)))


def latent_grid(model: VAE, side: int = 20, *, label: int | None = None) -> np.ndarray:
    """A map of a two-dimensional latent space, at equal steps of prior probability.

    Row i, column j decodes z = (Φ⁻¹(pⱼ), Φ⁻¹(pᵢ)) for p = (½, 1½, …) / side, with Φ the
    standard normal's distribution function: every cell stands for the same share of the
    prior. The second latent grows upwards.

    Args:
        model: a trained VAE with two latents.
        side: cells along each side, at least 1.
        label: for a conditional model only: the class to decode all of them as.

    Returns:
        ``(side, side, height, width)``, in [0, 1].

    Raises:
        ConfigError: if the model does not have two latents, or ``side`` is below 1.
        ShapeError: if the label is not one that the model needs.

    Source:
        Kingma and Welling (2014), appendix A.
    """
    if model.config.latent_size != 2:
        raise ConfigError(
            f"This model has {model.config.latent_size} latents, and a map needs two.",
            "Train one with ModelConfig(latent_size=2), such as the preset 'manifold'.",
        )
    _require_at_least("side", side, 1)
    quantiles = jax.scipy.stats.norm.ppf((jnp.arange(side) + 0.5) / side)
    across, up = jnp.meshgrid(quantiles, quantiles[::-1])
    codes = jnp.stack([across.ravel(), up.ravel()], axis=1)
    images = _decode(model, codes, _for_all(label, len(codes)))
    return images.reshape(side, side, *images.shape[1:])


def _decode(model: VAE, z: jax.Array, labels: Labels) -> np.ndarray:
    given = require_labels(model.config, labels, len(z))
    return np.asarray(jax.nn.sigmoid(model.decode(z, *given)))


def _for_all(label: int | None, count: int) -> np.ndarray | None:
    return None if label is None else np.full(count, label)


def _require_at_least(name: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigError(f"{name} is {value}.", f"Use at least {least}.")
