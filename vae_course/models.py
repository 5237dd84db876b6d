"""The networks: an encoder, a decoder, and the VAE that joins them.

They compute; they hold no loss and store no outputs. Encoders return ``(mean, logvar)``,
and sampling is a step of its own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import brainstate
import jax
import jax.numpy as jnp
import numpy as np

from vae_course.architectures import (
    ACTIVATIONS,
    ConditionalDecoder,
    ConditionalEncoder,
    ConvDecoder,
    ConvEncoder,
    dense_layers,
)
from vae_course.config import ModelConfig
from vae_course.distributions import reparameterize
from vae_course.errors import ShapeError

__all__ = [
    "VAE",
    "Decoder",
    "Encoder",
    "VAEOutput",
    "count_parameters",
    "named_weights",
    "parameters",
    "require_labels",
    "summary",
    "weight_name",
]


class VAEOutput(NamedTuple):
    """What one pass through a VAE yields.

    ``logits`` is ``(batch, height, width)``; ``mean``, ``logvar`` and the sampled ``z`` are
    ``(batch, latents)``.
    """

    logits: jax.Array
    mean: jax.Array
    logvar: jax.Array
    z: jax.Array


class Encoder(brainstate.nn.Module):
    """q(z | x): from images to the mean and log-variance of a diagonal Gaussian."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        sizes = (config.pixels, *config.hidden_sizes)
        self.activation = ACTIVATIONS[config.activation]
        self.layers = dense_layers(sizes)
        # One layer for both heads: a single larger product is faster than two small ones.
        self.heads = brainstate.nn.Linear(sizes[-1], 2 * config.latent_size)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """From ``x``, ``(batch, height, width)``, to mean and logvar, ``(batch, latents)``."""
        h = x.reshape(x.shape[0], -1)  # (batch, pixels)
        for layer in self.layers:
            h = self.activation(layer(h))
        mean, logvar = jnp.split(self.heads(h), 2, axis=-1)  # (batch, latents) each
        return mean, logvar


class Decoder(brainstate.nn.Module):
    """p(x | z): from latents to the log-odds of every pixel; no sigmoid at the end."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        sizes = (config.latent_size, *reversed(config.hidden_sizes))
        self.activation = ACTIVATIONS[config.activation]
        self.layers = dense_layers(sizes)
        self.pixels = brainstate.nn.Linear(sizes[-1], config.pixels)
        self.image_shape = config.image_shape

    def __call__(self, z: jax.Array) -> jax.Array:
        """From ``z``, ``(batch, latents)``, to logits, ``(batch, height, width)``."""
        h = z
        for layer in self.layers:
            h = self.activation(layer(h))
        return self.pixels(h).reshape(-1, *self.image_shape)


class VAE(brainstate.nn.Module):
    """A variational autoencoder; conditional, if its configuration has classes.

    Args:
        config: the shape of the model.
        encoder: a module from images to ``(mean, logvar)``; by default the one that ``config``
            describes. That of a conditional model is called as ``encoder(x, labels)``.
        decoder: a module from latents to logits; by default the one that ``config`` describes.
            That of a conditional model is called as ``decoder(z, labels)``.

    Source:
        Kingma and Welling (2014); Rezende, Mohamed and Wierstra (2014); Sohn, Lee and Yan (2015)
        for the conditional one, here with the prior p(z) for every label.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        encoder: brainstate.nn.Module | None = None,
        decoder: brainstate.nn.Module | None = None,
    ):
        super().__init__()
        make_encoder, make_decoder = _networks(config)
        self.config = config
        self.encoder = encoder if encoder is not None else make_encoder(config)
        self.decoder = decoder if decoder is not None else make_decoder(config)

    def encode(self, x: jax.Array, labels: jax.Array | None = None) -> tuple[jax.Array, jax.Array]:
        """The approximate posterior q(z | x), or q(z | x, y) with labels y.

        Args:
            x: black-and-white images, ``(batch, height, width)``, floating point.
            labels: for a conditional model only, integers, ``(batch,)``.

        Returns:
            mean and logvar, ``(batch, latents)`` each.

        Raises:
            ShapeError: if ``x`` is of another shape or not floating point, or the labels are
                not those that the model needs.
        """
        height, width = self.config.image_shape
        if x.ndim != 3 or x.shape[1:] != (height, width):
            raise ShapeError(
                f"The images have shape {x.shape}.",
                f"This model takes (batch, {height}, {width}); one image is x[None].",
            )
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise ShapeError(
                f"The images are {x.dtype}.", "Binarise them first: data.binarize(images, …)."
            )
        given = require_labels(self.config, labels, len(x))
        return cast(tuple[jax.Array, jax.Array], self.encoder(x, *given))

    def decode(self, z: jax.Array, labels: jax.Array | None = None) -> jax.Array:
        """The likelihood p(x | z), or p(x | z, y), as log-odds of a white pixel.

        Args:
            z: latents, ``(batch, latents)``.
            labels: for a conditional model only, integers, ``(batch,)``.

        Returns:
            logits, ``(batch, height, width)``.

        Raises:
            ShapeError: if ``z`` is of another shape, or the labels are not those that the model
                needs.
        """
        if z.ndim != 2 or z.shape[1] != self.config.latent_size:
            raise ShapeError(
                f"The latents have shape {z.shape}.",
                f"This model takes (batch, {self.config.latent_size}); one code is z[None].",
            )
        return cast(jax.Array, self.decoder(z, *require_labels(self.config, labels, len(z))))

    def __call__(
        self, x: jax.Array, *, key: jax.Array, labels: jax.Array | None = None
    ) -> VAEOutput:
        """Encode, draw one z for each image, decode.

        Args:
            x: black-and-white images, ``(batch, height, width)``.
            key: a JAX random key, for the draw of z.
            labels: for a conditional model only, integers, ``(batch,)``.

        Returns:
            `VAEOutput`.
        """
        mean, logvar = self.encode(x, labels)
        z = reparameterize(mean, logvar, key=key)
        return VAEOutput(self.decode(z, labels), mean, logvar, z)


def require_labels(config: ModelConfig, labels: Any, rows: int) -> tuple[jax.Array, ...]:
    """The labels as further arguments for a model: ``(labels,)``, or ``()`` if it takes none.

    Args:
        config: the model's.
        labels: integers from 0 to ``config.classes - 1``, ``(rows,)``; None for a model that is
            not conditional.
        rows: number of images or codes that the labels belong to.

    Raises:
        ShapeError: if labels are missing, not wanted, of another shape or type, or out of range.
            Under ``jit`` the values are not known, and the range is not looked at.
    """
    if not config.classes:
        if labels is None:
            return ()
        raise ShapeError(
            "Labels were given, and this model is not conditional.",
            "Leave them out, or make a model with ModelConfig(classes=…).",
        )
    wanted = f"Give labels=…, integers from 0 to {config.classes - 1}, of shape ({rows},)."
    if labels is None:
        raise ShapeError("This model is conditional, and there are no labels.", wanted)
    traced = isinstance(labels, jax.core.Tracer)
    labels = labels if traced else np.asarray(labels)
    if labels.shape != (rows,) or not jnp.issubdtype(labels.dtype, jnp.integer):
        raise ShapeError(f"The labels have shape {labels.shape} and are {labels.dtype}.", wanted)
    # A label out of range would be encoded as no class at all, without a word.
    if not traced and rows and not 0 <= labels.min() <= labels.max() < config.classes:
        raise ShapeError(f"The labels run from {labels.min()} to {labels.max()}.", wanted)
    return (jnp.asarray(labels),)


def _networks(config: ModelConfig) -> tuple[Callable[[ModelConfig], brainstate.nn.Module], ...]:
    """The classes of the encoder and the decoder that ``config`` describes."""
    if config.channels:
        return ConvEncoder, ConvDecoder
    if config.classes:
        return ConditionalEncoder, ConditionalDecoder
    return Encoder, Decoder


def parameters(module: brainstate.nn.Module) -> dict[tuple[str | int, ...], Any]:
    """The trainable States of ``module``: path → ParamState, whose value is a dict of arrays."""
    return dict(cast(Any, module.states(brainstate.ParamState)))


def named_weights(module: brainstate.nn.Module) -> dict[str, jax.Array]:
    """The trainable arrays of ``module``, by names such as ``"encoder.heads.weight.bias"``."""
    return {
        weight_name(path, part): array
        for path, state in parameters(module).items()
        for part, array in jax.tree_util.tree_leaves_with_path(state.value)
    }


def weight_name(path: tuple[str | int, ...], part: tuple[Any, ...]) -> str:
    """The name of an array: the path to its State, and the way from there."""
    inside = jax.tree_util.keystr(part, simple=True, separator=".")
    return ".".join(filter(None, [*map(str, path), inside]))


def count_parameters(module: brainstate.nn.Module) -> int:
    """Number of trainable numbers in ``module``."""
    return sum(array.size for array in named_weights(module).values())


def summary(model: brainstate.nn.Module) -> str:
    """A table of the trainable arrays of ``model``: name, shape, count."""
    rows = [
        (name, str(array.shape), f"{array.size:,}") for name, array in named_weights(model).items()
    ]
    rows.append(("total", "", f"{count_parameters(model):,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {count:>{widths[2]}}"
        for name, shape, count in rows
    )
