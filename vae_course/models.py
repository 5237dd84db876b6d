"""The networks: an encoder, a decoder, and the VAE that joins them.

They compute; they hold no loss and store no outputs. Encoders return ``(mean, logvar)``,
and sampling is a step of its own.
"""

import itertools
from typing import Any, NamedTuple, cast

import brainstate
import jax
import jax.numpy as jnp

from vae_course.config import ModelConfig
from vae_course.distributions import reparameterize
from vae_course.errors import ShapeError

__all__ = ["VAE", "Decoder", "Encoder", "VAEOutput", "count_parameters", "parameters", "summary"]

ACTIVATIONS = {"relu": jax.nn.relu, "silu": jax.nn.silu, "tanh": jnp.tanh}


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
        self.layers = _dense_layers(sizes)
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
        self.layers = _dense_layers(sizes)
        self.pixels = brainstate.nn.Linear(sizes[-1], config.pixels)
        self.image_shape = config.image_shape

    def __call__(self, z: jax.Array) -> jax.Array:
        """From ``z``, ``(batch, latents)``, to logits, ``(batch, height, width)``."""
        h = z
        for layer in self.layers:
            h = self.activation(layer(h))
        return self.pixels(h).reshape(-1, *self.image_shape)


class VAE(brainstate.nn.Module):
    """A variational autoencoder.

    Args:
        config: the shape of the model.
        encoder: a module from images to ``(mean, logvar)``; by default `Encoder`.
        decoder: a module from latents to logits; by default `Decoder`.

    Source:
        Kingma and Welling (2014); Rezende, Mohamed and Wierstra (2014).
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        encoder: brainstate.nn.Module | None = None,
        decoder: brainstate.nn.Module | None = None,
    ):
        super().__init__()
        self.config = config
        self.encoder = encoder if encoder is not None else Encoder(config)
        self.decoder = decoder if decoder is not None else Decoder(config)

    def encode(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The approximate posterior q(z | x).

        Args:
            x: black-and-white images, ``(batch, height, width)``, floating point.

        Returns:
            mean and logvar, ``(batch, latents)`` each.

        Raises:
            ShapeError: if ``x`` is of another shape or not floating point.
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
        return cast(tuple[jax.Array, jax.Array], self.encoder(x))

    def decode(self, z: jax.Array) -> jax.Array:
        """The likelihood p(x | z), as log-odds of a white pixel.

        Args:
            z: latents, ``(batch, latents)``.

        Returns:
            logits, ``(batch, height, width)``.

        Raises:
            ShapeError: if ``z`` is of another shape.
        """
        if z.ndim != 2 or z.shape[1] != self.config.latent_size:
            raise ShapeError(
                f"The latents have shape {z.shape}.",
                f"This model takes (batch, {self.config.latent_size}); one code is z[None].",
            )
        return cast(jax.Array, self.decoder(z))

    def __call__(self, x: jax.Array, *, key: jax.Array) -> VAEOutput:
        """Encode, draw one z for each image, decode.

        Args:
            x: black-and-white images, ``(batch, height, width)``.
            key: a JAX random key, for the draw of z.

        Returns:
            `VAEOutput`.
        """
        mean, logvar = self.encode(x)
        z = reparameterize(mean, logvar, key=key)
        return VAEOutput(self.decode(z), mean, logvar, z)


def parameters(module: brainstate.nn.Module) -> dict[tuple[str | int, ...], Any]:
    """The trainable States of ``module``: path → ParamState, whose value is a dict of arrays."""
    return dict(cast(Any, module.states(brainstate.ParamState)))


def count_parameters(module: brainstate.nn.Module) -> int:
    """Number of trainable numbers in ``module``."""
    values = [state.value for state in parameters(module).values()]
    return sum(leaf.size for leaf in jax.tree.leaves(values))


def summary(model: brainstate.nn.Module) -> str:
    """A table of the trainable arrays of ``model``: name, shape, count."""
    rows = []
    for path, state in parameters(model).items():
        for part, array in state.value.items():
            rows.append((".".join(map(str, (*path, part))), str(array.shape), f"{array.size:,}"))
    rows.append(("total", "", f"{count_parameters(model):,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"{name:<{widths[0]}}  {shape:<{widths[1]}}  {count:>{widths[2]}}"
        for name, shape, count in rows
    )


def _dense_layers(sizes: tuple[int, ...]) -> list[brainstate.nn.Linear]:
    return [brainstate.nn.Linear(n_in, n_out) for n_in, n_out in itertools.pairwise(sizes)]
