"""The two distributions of this course, as pure functions.

The diagonal Gaussian lives in latent space, the Bernoulli on pixels. All
log-probabilities and divergences are in nats and are **summed** over the last axes
(latents or pixels), one number per image. A mean over pixels would silently rescale the
trade-off between rate and distortion; see the chapter *The loss*.
"""

import jax
import jax.numpy as jnp

from vae_course.errors import ShapeError

__all__ = [
    "bernoulli_log_prob",
    "gaussian_kl",
    "gaussian_log_prob",
    "reparameterize",
    "require_binary",
    "require_same_shape",
]

LOG_2PI = 1.8378770664093453


def reparameterize(mean: jax.Array, logvar: jax.Array, *, key: jax.Array) -> jax.Array:
    """A draw from a diagonal Gaussian that gradients can pass through.

    z = mean + exp(logvar / 2) · ε, with ε ~ N(0, I).

    Args:
        mean: means, ``(..., latents)``.
        logvar: logarithms of the *variances* (not of the standard deviations), same shape.
        key: a JAX random key; all the randomness is in ε.

    Returns:
        z, of the same shape.

    Raises:
        ShapeError: if the two shapes differ.

    Source:
        Kingma and Welling (2014), section 2.4.
    """
    require_same_shape("mean", mean, "logvar", logvar)
    eps = jax.random.normal(key, mean.shape, mean.dtype)
    return mean + jnp.exp(0.5 * logvar) * eps


def gaussian_kl(mean: jax.Array, logvar: jax.Array) -> jax.Array:
    """KL divergence from N(mean, diag(exp(logvar))) to the standard normal: the rate.

    ½ Σⱼ (exp(logvarⱼ) + meanⱼ² − 1 − logvarⱼ), never negative.

    Args:
        mean: means, ``(batch, latents)``.
        logvar: logarithms of the variances, same shape; finite results for −50 to 50.

    Returns:
        ``(batch,)``, in nats, summed over the latents.

    Raises:
        ShapeError: if the two shapes differ.

    Source:
        Kingma and Welling (2014), appendix B, with the opposite sign: they write −KL.
    """
    require_same_shape("mean", mean, "logvar", logvar)
    return 0.5 * jnp.sum(jnp.expm1(logvar) + mean**2 - logvar, axis=-1)


def gaussian_log_prob(z: jax.Array, mean: jax.Array, logvar: jax.Array) -> jax.Array:
    """Log-density of a diagonal Gaussian.

    log N(z; mean, exp(logvar)) = −½ Σⱼ (log 2π + logvarⱼ + (zⱼ − meanⱼ)² / exp(logvarⱼ)).

    Args:
        z: points, ``(..., latents)``.
        mean: means, same shape.
        logvar: logarithms of the variances, same shape.

    Returns:
        ``(...)``, in nats, summed over the latents.

    Raises:
        ShapeError: if the shapes differ.
    """
    require_same_shape("z", z, "mean", mean)
    require_same_shape("mean", mean, "logvar", logvar)
    squared = (z - mean) ** 2 * jnp.exp(-logvar)
    return -0.5 * jnp.sum(LOG_2PI + logvar + squared, axis=-1)


def bernoulli_log_prob(logits: jax.Array, x: jax.Array) -> jax.Array:
    """Log-probability of black-and-white images, from logits.

    log p(x) = Σᵢ (xᵢ · logitᵢ − log(1 + exp(logitᵢ))), which is the negative binary
    cross-entropy. The sigmoid is never formed, so nothing overflows for logits of ±1e4.

    Args:
        logits: log-odds of a white pixel, ``(batch, *pixels)``.
        x: pixels, 0 or 1, same shape.

    Returns:
        ``(batch,)``, in nats, summed over all pixels.

    Raises:
        ShapeError: if the two shapes differ; broadcasting would hide a mistake here.
    """
    require_same_shape("logits", logits, "x", x)
    per_pixel = _bernoulli_per_pixel(logits, x)
    return jnp.sum(per_pixel.reshape(per_pixel.shape[0], -1), axis=-1)


@jax.custom_jvp
def _bernoulli_per_pixel(logits: jax.Array, x: jax.Array) -> jax.Array:
    # log(1 + exp(logit)) with an exponent that is never positive.
    softplus = jnp.maximum(logits, 0) + jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return x * logits - softplus


@_bernoulli_per_pixel.defjvp
def _bernoulli_per_pixel_jvp(primals, tangents):  # type: ignore[no-untyped-def]
    """d/dlogit = x − sigmoid(logit): shorter than what autodiff finds, and 5 % of a step."""
    logits, x = primals
    d_logits, d_x = tangents
    change = (x - jax.nn.sigmoid(logits)) * d_logits + logits * d_x
    return _bernoulli_per_pixel(logits, x), change


def require_same_shape(name: str, a: jax.Array, other: str, b: jax.Array) -> None:
    """Refuse arrays of unlike shapes, naming both.

    Raises:
        ShapeError: if ``a.shape != b.shape`` or they have no axes.
    """
    if jnp.shape(a) != jnp.shape(b):
        raise ShapeError(
            f"{name} has shape {jnp.shape(a)} and {other} has shape {jnp.shape(b)}.",
            "Give both the same shape; nothing is broadcast here.",
        )
    if not jnp.ndim(a):
        raise ShapeError(f"{name} is a single number.", "Give it a batch axis, (batch, …).")


def require_binary(x: jax.Array) -> None:
    """Refuse anything but a non-empty stack of images of 0.0 and 1.0.

    Args:
        x: concrete images, ``(n, height, width)``; not for use under ``jit``.

    Raises:
        ShapeError: naming what is wrong: the shape, NaN or infinite pixels, grey pixels.
    """
    shape = jnp.shape(x)
    if len(shape) != 3 or 0 in shape:
        raise ShapeError(
            f"The images have shape {shape}.",
            "Give at least one, as (n, height, width); one image is x[None].",
        )
    if not jnp.isfinite(x).all():
        raise ShapeError("Some pixels are NaN or infinite.", "Find out where they come from.")
    if not ((x == 0) | (x == 1)).all():
        raise ShapeError(
            f"The pixels run from {x.min():.3g} to {x.max():.3g} and are not all 0 or 1.",
            "Binarise the images first: data.binarize(images, 'stochastic', key=key).",
        )
