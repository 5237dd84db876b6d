"""How good a trained model is, on images that it has not seen.

Everything here takes images that are **already binarised**, so that two numbers for the same
images are about the same pixels. Results are in nats, and each image has random numbers of its
own: neither the order of the images nor the size of a chunk changes them.
"""

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
from tqdm.auto import tqdm

from vae_course.distributions import (
    bernoulli_log_prob,
    gaussian_kl,
    gaussian_log_prob,
    reparameterize,
    require_binary,
)
from vae_course.errors import ConfigError
from vae_course.losses import elbo_terms
from vae_course.models import VAE, require_labels

__all__ = [
    "ActiveUnits",
    "Evaluation",
    "active_units",
    "evaluate",
    "importance_weighted_bound",
    "log_likelihood",
    "terms_per_image",
]

Labels = jax.Array | np.ndarray | None
IMAGES_PER_CHUNK = 1000
# Images times samples decoded at once: 5,000 rows of 784 floats are 16 MB an array.
IMAGES_PER_BOUND = 50
SAMPLES_PER_PASS = 100


class Evaluation(NamedTuple):
    """Means over images, in nats; ``standard_error`` is that of ``negative_elbo``."""

    negative_elbo: float
    distortion: float
    rate: float
    standard_error: float


class ActiveUnits(NamedTuple):
    """Which latents are used: how many, and ``variance`` and ``rate`` of each, ``(latents,)``."""

    active: int
    variance: np.ndarray
    rate: np.ndarray


def evaluate(model: VAE, x: jax.Array, *, key: jax.Array, labels: Labels = None) -> Evaluation:
    """Held-out −ELBO with its parts, from one posterior sample an image.

    Args:
        model: a trained VAE.
        x: black-and-white images, ``(n, height, width)``, 0.0 or 1.0.
        key: a JAX random key, for the samples.
        labels: for a conditional model only, integers, ``(n,)``.

    Returns:
        `Evaluation`; ``negative_elbo = distortion + rate``, whatever β the model was trained at.

    Raises:
        ShapeError: if ``x`` is empty, of another shape, or holds anything but 0 and 1, or if the
            labels are not those that the model needs.
    """
    distortion, rate = terms_per_image(model, x, key=key, labels=labels)
    total = distortion + rate
    return Evaluation(
        negative_elbo=float(total.mean()),
        distortion=float(distortion.mean()),
        rate=float(rate.mean()),
        standard_error=float(total.std(ddof=1) / math.sqrt(len(total))) if len(total) > 1 else 0.0,
    )


def terms_per_image(
    model: VAE, x: jax.Array, *, key: jax.Array, labels: Labels = None
) -> tuple[np.ndarray, np.ndarray]:
    """Distortion and rate of each image, for paired comparisons.

    Args:
        model: a trained VAE.
        x: black-and-white images, ``(n, height, width)``.
        key: a JAX random key.
        labels: for a conditional model only, integers, ``(n,)``.

    Returns:
        distortion ``(n,)`` and rate ``(n,)``, in nats, float64.

    Raises:
        ShapeError: as `evaluate`.
    """
    require_binary(x)
    given = require_labels(model.config, labels, len(x))
    keys = jax.random.split(key, len(x))
    compiled = functools.partial(_terms, *brainstate.graph.treefy_split(model))
    distortion, rate = _in_chunks(compiled, IMAGES_PER_CHUNK, x, keys, *given)
    return distortion, rate


def importance_weighted_bound(
    model: VAE,
    x: jax.Array,
    *,
    samples: int,
    key: jax.Array,
    labels: Labels = None,
    progress: bool = True,
) -> np.ndarray:
    """The importance-weighted lower bound on log p(x), for each image.

    L_K = log (1/K) Σₖ p(x | zₖ) p(zₖ) / q(zₖ | x), with z₁…z_K ~ q(z | x). With K = 1 its mean
    is the ELBO; its expectation never falls as K grows, and tends to log p(x). Of a conditional
    model every density is conditional on the label, and the bound is one on log p(x | y).

    Args:
        model: a trained VAE.
        x: black-and-white images, ``(n, height, width)``, 0.0 or 1.0.
        samples: K, at least 1.
        key: a JAX random key.
        labels: for a conditional model only, integers, ``(n,)``.
        progress: show a bar if it takes over two seconds.

    Returns:
        ``(n,)``, in nats, float64.

    Raises:
        ConfigError: if ``samples`` is below 1.
        ShapeError: as `evaluate`.

    Source:
        Burda, Grosse and Salakhutdinov (2016), equation 8.
    """
    require_binary(x)
    if samples < 1:
        raise ConfigError(f"samples is {samples}.", "Use at least 1.")
    given = require_labels(model.config, labels, len(x))
    keys = jax.random.split(key, len(x))
    compiled = functools.partial(_bound, *brainstate.graph.treefy_split(model), samples)
    (bound,) = _in_chunks(compiled, IMAGES_PER_BOUND, x, keys, *given, progress=progress)
    return bound


def log_likelihood(
    model: VAE,
    x: jax.Array,
    *,
    key: jax.Array,
    samples: int = 5000,
    labels: Labels = None,
    progress: bool = True,
) -> np.ndarray:
    """An estimate of log p(x) for each image: the bound of many importance samples.

    It is a *stochastic lower bound* that tightens with ``samples``, not an unbiased estimate:
    for 5,000 samples the bias is commonly small against a nat, but it is never zero.

    Args:
        model: as `importance_weighted_bound`.
        x: as `importance_weighted_bound`.
        key: as `importance_weighted_bound`.
        samples: importance samples for each image; 5,000 is Burda et al.'s number.
        labels: as `importance_weighted_bound`.
        progress: as `importance_weighted_bound`.

    Returns:
        ``(n,)``, in nats, float64.

    Raises:
        ConfigError: if ``samples`` is below 1.
        ShapeError: as `evaluate`.

    Source:
        Burda, Grosse and Salakhutdinov (2016), section 5.
    """
    return importance_weighted_bound(
        model, x, samples=samples, key=key, labels=labels, progress=progress
    )


def active_units(
    model: VAE, x: jax.Array, *, threshold: float = 0.01, labels: Labels = None
) -> ActiveUnits:
    """How many latents react to the image.

    A latent j counts as active if Var_x(E[zⱼ | x]) > threshold: the variance over images of
    its posterior mean. A latent that ignores the image has variance 0 and, once training has
    settled, rate 0.

    Args:
        model: a trained VAE.
        x: black-and-white images, ``(n, height, width)``, 0.0 or 1.0.
        threshold: variance above which a latent counts.
        labels: for a conditional model only, integers, ``(n,)``.

    Returns:
        `ActiveUnits`: number of active latents, variance of each posterior mean, and rate of each
        latent in nats; the rates add up to the model's.

    Raises:
        ShapeError: as `evaluate`.

    Source:
        Burda, Grosse and Salakhutdinov (2016), section 5.3 and appendix C.
    """
    require_binary(x)
    given = require_labels(model.config, labels, len(x))
    compiled = functools.partial(_codes, *brainstate.graph.treefy_split(model))
    mean, rate = _in_chunks(compiled, IMAGES_PER_CHUNK, x, *given)
    variance = mean.var(axis=0)
    return ActiveUnits(int((variance > threshold).sum()), variance, rate.mean(axis=0))


@functools.partial(jax.jit, static_argnums=0)
def _terms(graphdef: Any, states: Any, x: jax.Array, keys: jax.Array, *labels: jax.Array) -> Any:
    model = brainstate.graph.treefy_merge(graphdef, states)
    mean, logvar = model.encode(x, *labels)
    z = jax.vmap(lambda m, v, k: reparameterize(m, v, key=k))(mean, logvar, keys)
    return elbo_terms(model.decode(z, *labels), x, mean, logvar)


@functools.partial(jax.jit, static_argnums=0)
def _codes(graphdef: Any, states: Any, x: jax.Array, *labels: jax.Array) -> Any:
    mean, logvar = brainstate.graph.treefy_merge(graphdef, states).encode(x, *labels)
    # gaussian_kl sums over its last axis; a new one keeps the latents apart.
    return mean, gaussian_kl(mean[..., None], logvar[..., None])


@functools.partial(jax.jit, static_argnums=(0, 2))
def _bound(
    graphdef: Any, states: Any, samples: int, x: jax.Array, keys: jax.Array, *labels: jax.Array
) -> Any:
    model = brainstate.graph.treefy_merge(graphdef, states)
    mean, logvar = model.encode(x, *labels)
    width = min(samples, SAMPLES_PER_PASS)

    def add_pass(total: jax.Array, start: jax.Array) -> tuple[jax.Array, None]:
        pass_keys = jax.vmap(jax.random.fold_in, (0, None))(keys, start)
        weights = _log_weights(model, x, mean, logvar, width, pass_keys, *labels)  # (images, width)
        # The last pass may reach beyond the number asked for.
        weights = jnp.where(start + jnp.arange(width) < samples, weights, -jnp.inf)
        return jnp.logaddexp(total, jax.nn.logsumexp(weights, axis=1)), None

    nothing = jnp.full(x.shape[0], -jnp.inf)
    total, _ = jax.lax.scan(add_pass, nothing, jnp.arange(0, samples, width))
    return (total - jnp.log(samples),)


def _log_weights(
    model: VAE,
    x: jax.Array,
    mean: jax.Array,
    logvar: jax.Array,
    width: int,
    keys: jax.Array,
    *labels: jax.Array,
) -> jax.Array:
    """Log p(x, z) − log q(z | x) for ``width`` draws of each image, ``(images, width)``."""
    images, latents = mean.shape
    means = jnp.broadcast_to(mean[:, None], (images, width, latents))
    logvars = jnp.broadcast_to(logvar[:, None], means.shape)
    z = jax.vmap(lambda m, v, k: reparameterize(m, v, key=k))(means, logvars, keys)
    each = (jnp.repeat(y, width) for y in labels)
    logits = model.decode(z.reshape(-1, latents), *each)  # (images · width, height, width)
    repeated = jnp.broadcast_to(x[:, None], (images, width, *x.shape[1:])).reshape(logits.shape)
    likelihood = bernoulli_log_prob(logits, repeated).reshape(images, width)
    prior = gaussian_log_prob(z, jnp.zeros_like(z), jnp.zeros_like(z))
    return likelihood + prior - gaussian_log_prob(z, means, logvars)


def _in_chunks(
    function: Callable[..., tuple[jax.Array, ...]],
    size: int,
    *arrays: jax.Array,
    progress: bool = False,
) -> tuple[np.ndarray, ...]:
    """Call ``function`` on ``size`` rows at a time, the last ones padded, and join the results.

    Equal chunks are compiled once. Sums over images are then taken in float64.
    """
    rows = len(arrays[0])
    size = min(size, rows)
    pieces = []
    starts = range(0, rows, size)
    for start in tqdm(starts, "images", unit=" chunks", delay=2, leave=False, disable=not progress):
        # Beyond the end, the last row is repeated and its results are dropped.
        index = np.minimum(np.arange(start, start + size), rows - 1)
        pieces.append(
            [np.asarray(part, np.float64) for part in function(*(a[index] for a in arrays))]
        )
    return tuple(np.concatenate(parts)[:rows] for parts in zip(*pieces, strict=True))
