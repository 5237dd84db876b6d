"""The loss: rate, distortion and what β does to their sum.

Every term is in nats, **summed** over pixels and latents and averaged over the batch.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from vae_course.distributions import bernoulli_log_prob, gaussian_kl
from vae_course.errors import ConfigError, ShapeError

__all__ = ["ElboTerms", "beta_from_kl_weight", "elbo", "elbo_terms", "kl_weight_from_beta"]


class ElboTerms(NamedTuple):
    """The loss and its parts, as batch means in nats.

    ``loss = distortion + beta · rate`` is minimised; ``elbo = −(distortion + rate)`` is the
    lower bound on log p(x), whatever β is.
    """

    loss: jax.Array
    elbo: jax.Array
    distortion: jax.Array
    rate: jax.Array


def elbo_terms(
    logits: jax.Array, x: jax.Array, mean: jax.Array, logvar: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Distortion and rate of each image.

    distortion = −log p(x | z), rate = KL(q(z | x) ‖ p(z)).

    Args:
        logits: decoder output for one z per image, ``(batch, *pixels)``.
        x: the images, 0 or 1, same shape as ``logits``.
        mean: posterior means, ``(batch, latents)``.
        logvar: logarithms of the posterior variances, ``(batch, latents)``.

    Returns:
        distortion ``(batch,)`` and rate ``(batch,)``, in nats.

    Raises:
        ShapeError: if shapes differ, or the number of images does.

    Source:
        The names are those of Alemi et al. (2018).
    """
    if jnp.shape(logits)[:1] != jnp.shape(mean)[:1]:
        raise ShapeError(
            f"There are {jnp.shape(logits)[:1]} reconstructions but {jnp.shape(mean)[:1]} codes.",
            "Give one mean and one logvar for each image.",
        )
    return -bernoulli_log_prob(logits, x), gaussian_kl(mean, logvar)


def elbo(
    logits: jax.Array,
    x: jax.Array,
    mean: jax.Array,
    logvar: jax.Array,
    *,
    beta: float | jax.Array = 1.0,
) -> ElboTerms:
    """The β-weighted loss and the evidence lower bound, as means over the batch.

    loss = distortion + β · rate; elbo = −(distortion + rate).

    Args:
        logits: as in `elbo_terms`.
        x: as in `elbo_terms`.
        mean: as in `elbo_terms`.
        logvar: as in `elbo_terms`.
        beta: weight of the summed rate against the summed distortion; 1 makes the loss −ELBO.

    Returns:
        `ElboTerms` of scalars, in nats per image.

    Raises:
        ShapeError: as `elbo_terms`.

    Source:
        Kingma and Welling (2014), equation 10; Higgins et al. (2017), equation 4, for β.
    """
    per_image_distortion, per_image_rate = elbo_terms(logits, x, mean, logvar)
    distortion = jnp.mean(per_image_distortion)
    rate = jnp.mean(per_image_rate)
    return ElboTerms(
        loss=distortion + beta * rate,
        elbo=-(distortion + rate),
        distortion=distortion,
        rate=rate,
    )


def beta_from_kl_weight(kl_weight: float, *, pixels: int, latents: int) -> float:
    """The β that a weight between *means* amounts to.

    Some code averages the distortion over pixels and the rate over latents, then weighs the
    second by ``kl_weight``. Times the number of pixels that is
    distortion + (kl_weight · pixels / latents) · rate, so β = kl_weight · pixels / latents.

    Args:
        kl_weight: weight of the mean rate, 0 or more; the BrainState tutorial's is 0.1.
        pixels: pixels per image, at least 1.
        latents: latent variables, at least 1.

    Returns:
        β in ELBO units; 2.45 for the tutorial's 0.1, 784 pixels and 32 latents.

    Raises:
        ConfigError: if a weight is negative or a count is below 1.

    Source:
        Higgins et al. (2017), who call this weight β_norm = β · latents / pixels.
    """
    return _require_weight(kl_weight) * _ratio(pixels, latents)


def kl_weight_from_beta(beta: float, *, pixels: int, latents: int) -> float:
    """The inverse of `beta_from_kl_weight`: β · latents / pixels, Higgins et al.'s β_norm.

    Args:
        beta: weight in ELBO units, 0 or more.
        pixels: pixels per image, at least 1.
        latents: latent variables, at least 1.

    Raises:
        ConfigError: if a weight is negative or a count is below 1.
    """
    return _require_weight(beta) / _ratio(pixels, latents)


def _ratio(pixels: int, latents: int) -> float:
    if pixels < 1 or latents < 1:
        raise ConfigError(
            f"There are {pixels} pixels and {latents} latents.", "Both counts must be at least 1."
        )
    return pixels / latents


def _require_weight(weight: float) -> float:
    if not weight >= 0:
        raise ConfigError(f"The weight is {weight}.", "Use 0 or more.")
    return weight
