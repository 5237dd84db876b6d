"""Other encoders and decoders: convolutional ones, and conditional ones that are told a label.

They keep the contract of `models.Encoder` and `models.Decoder`; a conditional one takes the
labels as its second argument.
"""

import itertools
import math
from collections.abc import Callable, Sequence

import brainstate
import jax
import jax.numpy as jnp

from vae_course.config import ModelConfig

__all__ = [
    "ConditionalDecoder",
    "ConditionalEncoder",
    "ConvDecoder",
    "ConvEncoder",
    "depth_to_space",
]

ACTIVATIONS = {"relu": jax.nn.relu, "silu": jax.nn.silu, "tanh": jnp.tanh}


class ConvEncoder(brainstate.nn.Module):
    """q(z | x): 3×3 convolutions that halve height and width, then dense layers."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        shapes = conv_shapes(config)
        self.activation = ACTIVATIONS[config.activation]
        self.convolutions = [
            # brainstate gives a convolution no bias unless it is asked to.
            brainstate.nn.Conv2d(shape, after[-1], 3, stride=2, b_init=jnp.zeros)
            for shape, after in itertools.pairwise(shapes)
        ]
        sizes = (math.prod(shapes[-1]), *config.hidden_sizes)
        self.layers = dense_layers(sizes)
        self.heads = brainstate.nn.Linear(sizes[-1], 2 * config.latent_size)

    def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        """From ``x``, ``(batch, height, width)``, to mean and logvar, ``(batch, latents)``."""
        h = x[..., None]  # (batch, height, width, 1): the channels come last
        for convolution in self.convolutions:
            h = self.activation(convolution(h))  # (batch, height / 2, width / 2, channels)
        h = through(self.layers, h.reshape(len(h), -1), self.activation)
        mean, logvar = jnp.split(self.heads(h), 2, axis=-1)  # (batch, latents) each
        return mean, logvar


class ConvDecoder(brainstate.nn.Module):
    """p(x | z): dense layers, then layers that double height and width; logits at the end.

    ``upsampling="transposed"`` doubles with transposed convolutions; ``"depth_to_space"`` with a
    convolution to four times the channels, which are then laid out as 2×2 pixels.

    Source:
        Shi et al. (2016) for the second, which they call sub-pixel convolution.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        shapes = conv_shapes(config)[::-1]
        self.activation = ACTIVATIONS[config.activation]
        self.first_shape = shapes[0]
        self.transposed = config.upsampling == "transposed"
        sizes = (config.latent_size, *reversed(config.hidden_sizes))
        self.layers = dense_layers(sizes)
        self.first = brainstate.nn.Linear(sizes[-1], math.prod(self.first_shape))
        self.convolutions = [
            self._upsampling(shape, after[-1]) for shape, after in itertools.pairwise(shapes)
        ]

    def _upsampling(self, shape: tuple[int, ...], channels: int) -> brainstate.nn.Module:
        if self.transposed:
            return brainstate.nn.ConvTranspose2d(shape, channels, 3, stride=2, b_init=jnp.zeros)
        return brainstate.nn.Conv2d(shape, 4 * channels, 3, b_init=jnp.zeros)

    def __call__(self, z: jax.Array) -> jax.Array:
        """From ``z``, ``(batch, latents)``, to logits, ``(batch, height, width)``."""
        h = self.first(through(self.layers, z, self.activation))
        h = h.reshape(-1, *self.first_shape)
        for convolution in self.convolutions:
            h = convolution(self.activation(h))
            h = h if self.transposed else depth_to_space(h)  # (batch, 2 height, 2 width, channels)
        return h[..., 0]


def depth_to_space(h: jax.Array) -> jax.Array:
    """Lay four channels out as the four pixels of a 2×2 square.

    out[2i + a, 2j + b, c] = h[i, j, (2a + b) · C + c], for a and b in {0, 1}.

    Args:
        h: ``(batch, height, width, 4 · C)``.

    Returns:
        ``(batch, 2 · height, 2 · width, C)``.

    Source:
        Shi et al. (2016), equation 4, with the channels in another order.
    """
    batch, height, width, channels = h.shape
    squares = h.reshape(batch, height, width, 2, 2, channels // 4)
    rows = squares.transpose(0, 1, 3, 2, 4, 5)  # (batch, height, 2, width, 2, C)
    return rows.reshape(batch, 2 * height, 2 * width, channels // 4)


class ConditionalEncoder(brainstate.nn.Module):
    """q(z | x, y): as `models.Encoder`, with the label appended to the image."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        sizes = (config.pixels + config.classes, *config.hidden_sizes)
        self.classes = config.classes
        self.activation = ACTIVATIONS[config.activation]
        self.layers = dense_layers(sizes)
        self.heads = brainstate.nn.Linear(sizes[-1], 2 * config.latent_size)

    def __call__(self, x: jax.Array, labels: jax.Array) -> tuple[jax.Array, jax.Array]:
        """From ``x``, ``(batch, height, width)``, and labels, ``(batch,)``, to mean and logvar."""
        flat = x.reshape(x.shape[0], -1)  # (batch, pixels)
        h = jnp.concatenate([flat, jax.nn.one_hot(labels, self.classes)], axis=1)
        mean, logvar = jnp.split(self.heads(through(self.layers, h, self.activation)), 2, axis=-1)
        return mean, logvar


class ConditionalDecoder(brainstate.nn.Module):
    """p(x | z, y): as `models.Decoder`, with the label appended to the code."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        sizes = (config.latent_size + config.classes, *reversed(config.hidden_sizes))
        self.classes = config.classes
        self.activation = ACTIVATIONS[config.activation]
        self.layers = dense_layers(sizes)
        self.pixels = brainstate.nn.Linear(sizes[-1], config.pixels)
        self.image_shape = config.image_shape

    def __call__(self, z: jax.Array, labels: jax.Array) -> jax.Array:
        """From ``z``, ``(batch, latents)``, and labels, ``(batch,)``, to logits."""
        h = jnp.concatenate([z, jax.nn.one_hot(labels, self.classes)], axis=1)
        logits = self.pixels(through(self.layers, h, self.activation))
        return logits.reshape(-1, *self.image_shape)


def conv_shapes(config: ModelConfig) -> list[tuple[int, int, int]]:
    """Height, width and channels of the image and after each convolution of the encoder."""
    height, width = config.image_shape
    return [
        (height // 2**depth, width // 2**depth, channels)
        for depth, channels in enumerate((1, *config.channels))
    ]


def dense_layers(sizes: Sequence[int]) -> list[brainstate.nn.Linear]:
    """Dense layers between each two neighbours of ``sizes``."""
    return [brainstate.nn.Linear(n_in, n_out) for n_in, n_out in itertools.pairwise(sizes)]


def through(
    layers: Sequence[brainstate.nn.Module],
    h: jax.Array,
    activation: Callable[[jax.Array], jax.Array],
) -> jax.Array:
    """``h`` after every layer, each followed by the activation."""
    for layer in layers:
        h = activation(layer(h))
    return h
