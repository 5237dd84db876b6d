"""Three ways to train the tutorial's network, each as its users would write it.

A contender is a function from (images, batch size) to a function that runs so many steps and
returns when they are done. All take uint8 images, see a pixel as white where it is above 0,
and use Adam at 1e-3.
"""

from collections.abc import Callable
from typing import NamedTuple

import brainstate
import braintools
import jax
import jax.numpy as jnp
import numpy as np
import optax

from vae_course.config import ModelConfig, TrainConfig
from vae_course.training import compile_epoch, init_model

RunSteps = Callable[[], object]
LATENTS = 32
LEARNING_RATE = 1e-3


def course(images: np.ndarray, batch_size: int) -> RunSteps:
    """What `vae_course.training.fit` runs for each epoch."""
    model = init_model(ModelConfig(), seed=0)
    config = TrainConfig(
        batch_size=batch_size, learning_rate=LEARNING_RATE, beta=2.45, binarization="threshold"
    )
    run_epoch, _ = compile_epoch(model, images, config)
    keys = iter(jax.random.split(jax.random.key(0), 10_000))
    return lambda: jax.block_until_ready(run_epoch(next(keys)))


class Weights(NamedTuple):
    """A dense layer of the raw version."""

    kernel: jax.Array
    bias: jax.Array


def raw_jax(images: np.ndarray, batch_size: int) -> RunSteps:
    """Plain JAX and optax: pytrees, `value_and_grad`, an epoch in one `lax.scan`."""
    sizes = {"hidden": (784, 256), "mean": (256, 32), "logvar": (256, 32)}
    sizes |= {"up": (32, 256), "pixels": (256, 784)}
    keys = jax.random.split(jax.random.key(0), len(sizes))
    init = jax.nn.initializers.he_normal()
    params = {
        name: Weights(init(key, size), jnp.zeros(size[1]))
        for key, (name, size) in zip(keys, sizes.items(), strict=True)
    }
    optimizer = optax.adam(LEARNING_RATE)

    def dense(layer: Weights, h: jax.Array) -> jax.Array:
        return h @ layer.kernel + layer.bias

    def loss(params: dict[str, Weights], x: jax.Array, key: jax.Array) -> jax.Array:
        hidden = jax.nn.relu(dense(params["hidden"], x))
        mean, logvar = dense(params["mean"], hidden), dense(params["logvar"], hidden)
        z = mean + jnp.exp(0.5 * logvar) * jax.random.normal(key, mean.shape)
        logits = dense(params["pixels"], jax.nn.relu(dense(params["up"], z)))
        distortion = optax.sigmoid_binary_cross_entropy(logits, x).sum(-1)
        rate = 0.5 * (jnp.exp(logvar) + mean**2 - 1 - logvar).sum(-1)
        return jnp.mean(distortion + 2.45 * rate)

    @jax.jit
    def epoch(params, state, images, key):  # type: ignore[no-untyped-def]
        def step(carry, inputs):  # type: ignore[no-untyped-def]
            params, state = carry
            indices, key = inputs
            x = (images[indices] > 0).astype(jnp.float32)
            value, gradients = jax.value_and_grad(loss)(params, x, key)
            updates, state = optimizer.update(gradients, state)
            return (optax.apply_updates(params, updates), state), value

        order_key, noise_key = jax.random.split(key)
        steps = len(images) // batch_size
        order = jax.random.permutation(order_key, len(images))[: steps * batch_size]
        inputs = order.reshape(steps, batch_size), jax.random.split(noise_key, steps)
        (params, state), losses = jax.lax.scan(step, (params, state), inputs)
        return params, state, losses

    flat = jnp.asarray(images.reshape(len(images), -1))
    carry = [params, optimizer.init(params)]
    epoch_keys = iter(jax.random.split(jax.random.key(1), 10_000))

    def run() -> object:
        carry[0], carry[1], losses = epoch(*carry, flat, next(epoch_keys))
        return jax.block_until_ready(losses)

    return run


class Loss(brainstate.State):
    """The tutorial's custom State, in the form that works."""


class TutorialVAE(brainstate.nn.Module):
    """The tutorial's model: two heads, losses kept in States on the module."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = brainstate.nn.Linear(784, 256)
        self.mean = brainstate.nn.Linear(256, LATENTS)
        self.logvar = brainstate.nn.Linear(256, LATENTS)
        self.up = brainstate.nn.Linear(LATENTS, 256)
        self.pixels = brainstate.nn.Linear(256, 784)
        self.kl_loss = Loss(jnp.zeros(()))

    def __call__(self, x: jax.Array) -> jax.Array:
        hidden = jax.nn.relu(self.hidden(x))
        mean, logvar = self.mean(hidden), self.logvar(hidden)
        z = mean + jnp.exp(0.5 * logvar) * brainstate.random.normal(size=mean.shape)
        self.kl_loss.value = 0.5 * jnp.mean(jnp.exp(logvar) + mean**2 - 1.0 - logvar)
        return self.pixels(jax.nn.relu(self.up(z)))


def tutorial(images: np.ndarray, batch_size: int) -> RunSteps:
    """The BrainState tutorial's loop: a jitted step on random rows, each loss read at once."""
    model = TutorialVAE()
    optimizer = braintools.optim.Adam(lr=LEARNING_RATE)
    optimizer.register_trainable_weights(model.states(brainstate.ParamState))

    @brainstate.transform.jit
    def train_step(x: jax.Array) -> jax.Array:
        def loss_of_batch() -> jax.Array:
            logits = model(x)
            pixels = braintools.metric.sigmoid_binary_cross_entropy(logits, x).mean()
            return pixels + 0.1 * sum(loss.value for loss in model.states(Loss).values())

        weights = model.states(brainstate.ParamState)
        gradients, value = brainstate.transform.grad(loss_of_batch, weights, return_value=True)()
        optimizer.update(gradients)
        return value

    black_and_white = (images.reshape(len(images), -1) > 0).astype(np.float32)
    random = np.random.default_rng(0)

    def run() -> object:
        losses = []
        for _ in range(len(images) // batch_size):
            rows = random.integers(0, len(images), batch_size)
            losses.append(np.asarray(train_step(black_and_white[rows])))
        return losses

    return run


CONTENDERS = {"course": course, "raw JAX": raw_jax, "tutorial": tutorial}
