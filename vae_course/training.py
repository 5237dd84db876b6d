"""Training: one step, one compiled epoch, and `fit`.

This is the only module that updates States.
"""

import functools
import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import brainstate
import braintools
import jax
import jax.numpy as jnp
import numpy as np
import optax
from tqdm.auto import tqdm

from vae_course.config import ModelConfig, TrainConfig
from vae_course.data import ImageData, binarize, epoch_indices
from vae_course.errors import TrainingError
from vae_course.evaluation import evaluate
from vae_course.losses import ElboTerms, elbo
from vae_course.models import VAE, parameters, require_labels

__all__ = [
    "History",
    "WeightAverage",
    "compile_epoch",
    "fit",
    "init_model",
    "learning_rate_schedule",
    "make_optimizer",
    "train_step",
]

Weights = dict[Any, Any]
CONVOLUTIONS = (
    brainstate.nn.Conv1d,
    brainstate.nn.Conv2d,
    brainstate.nn.Conv3d,
    brainstate.nn.ConvTranspose1d,
    brainstate.nn.ConvTranspose2d,
    brainstate.nn.ConvTranspose3d,
    brainstate.nn.ScaledWSConv1d,
    brainstate.nn.ScaledWSConv2d,
    brainstate.nn.ScaledWSConv3d,
)


class History(NamedTuple):
    """What training measured after each complete epoch: arrays of shape ``(epochs,)``.

    ``train_*`` are means over the epoch's steps, *while* the weights changed; ``test_*`` are
    measured on the held-out images after the epoch. All in nats per image, but ``seconds``,
    which holds training and evaluation, and with the first epoch the compilation.
    """

    train_loss: np.ndarray
    train_distortion: np.ndarray
    train_rate: np.ndarray
    test_loss: np.ndarray
    test_distortion: np.ndarray
    test_rate: np.ndarray
    seconds: np.ndarray
    interrupted: bool = False

    @property
    def epochs(self) -> int:
        """Number of complete epochs."""
        return len(self.seconds)

    @property
    def test_negative_elbo(self) -> np.ndarray:
        """Held-out −ELBO after each epoch, whatever β the loss had."""
        return self.test_distortion + self.test_rate


def init_model(config: ModelConfig, *, seed: int) -> VAE:
    """A VAE with fresh weights that depend on ``seed`` alone.

    brainstate draws initial weights from its global key; the context sets that key and puts
    the old one back.
    """
    with brainstate.random.seed_context(seed):
        return VAE(config)


def learning_rate_schedule(config: TrainConfig, steps_per_epoch: int) -> optax.Schedule:
    """The rate at each step: an optional linear rise, then constant or half a cosine to 0."""
    warmup = config.warmup_epochs * steps_per_epoch
    peak = config.learning_rate
    if config.schedule == "cosine":
        start = 0.0 if warmup else peak
        total = config.epochs * steps_per_epoch
        return optax.warmup_cosine_decay_schedule(start, peak, warmup, total)
    if warmup:
        return optax.linear_schedule(0.0, peak, warmup)
    return optax.constant_schedule(peak)


def make_optimizer(
    model: VAE, config: TrainConfig, steps_per_epoch: int
) -> braintools.optim.OptaxOptimizer:
    """Adam over the parameters of ``model``, with the schedule of ``config``."""
    schedule = learning_rate_schedule(config, steps_per_epoch)
    optimizer = braintools.optim.OptaxOptimizer(tx=optax.adam(schedule))
    optimizer.register_trainable_weights(parameters(model))
    return optimizer


def train_step(
    model: VAE,
    optimizer: braintools.optim.OptaxOptimizer,
    x: jax.Array,
    *,
    key: jax.Array,
    beta: float | jax.Array = 1.0,
    labels: jax.Array | None = None,
) -> ElboTerms:
    """One gradient step on one batch; updates ``model`` and ``optimizer``.

    Args:
        model: the VAE to improve.
        optimizer: from `make_optimizer`, for the same model.
        x: black-and-white images, ``(batch, height, width)``.
        key: a JAX random key, for the latent samples.
        beta: weight of the rate.
        labels: for a conditional model only, integers, ``(batch,)``.

    Returns:
        `ElboTerms` of this batch, before the update.
    """
    given = {} if labels is None else {"labels": labels}  # a VAE of one's own may take none

    def loss_of_batch() -> tuple[jax.Array, ElboTerms]:
        out = model(x, key=key, **given)
        terms = elbo(out.logits, x, out.mean, out.logvar, beta=beta)
        return terms.loss, terms

    gradients, terms = brainstate.transform.grad(loss_of_batch, parameters(model), has_aux=True)()
    optimizer.update(gradients)
    return cast(ElboTerms, terms)


class WeightAverage:
    """An exponential moving average of a model's weights, as States of its own."""

    def __init__(self, model: VAE, decay: float):
        self.model = model
        self.mean = optax.ema(decay, debias=True)
        self.state = brainstate.ShortTermState(self.mean.init(_weights(model)))
        self.current = brainstate.ShortTermState(_weights(model))

    def update(self) -> None:
        """Take in the model's present weights."""
        self.current.value, self.state.value = self.mean.update(
            _weights(self.model), self.state.value
        )

    def weights(self) -> Weights:
        """The average so far."""
        return cast(Weights, self.current.value)


def compile_epoch(
    model: VAE,
    images: np.ndarray,
    config: TrainConfig,
    *,
    labels: np.ndarray | None = None,
    progress: bool = False,
) -> tuple[Callable[[jax.Array], ElboTerms], WeightAverage | None]:
    """A function from a key to the terms of every step, each ``(steps,)``; compiled once.

    An epoch is one compiled loop. Only a model that contains a convolution of brainstate's is
    trained by a Python loop over the compiled step: on a CPU, XLA computes the gradient of a
    convolution some ten times more slowly inside a compiled loop than outside.
    """
    method, level = config.binarization, config.level
    if method == "static":  # drawn once for the whole set, so that every epoch sees the same
        images = np.asarray(255 * binarize(images, "static"), np.uint8)
        method, level = "threshold", 0
    # Arguments of the program: as constants the images would be compiled into it, and every β
    # would be a program of its own.
    on_device = jax.tree.map(jnp.asarray, ((images, labels), config.beta))
    optimizer = make_optimizer(model, config, max(1, len(images) // config.batch_size))
    decay = config.average_decay
    average = None if decay is None else WeightAverage(model, decay)

    def step(data: Any, indices: jax.Array, key: jax.Array) -> ElboTerms:
        whole, beta = data
        images, labels = jax.tree.map(lambda rows: rows[indices], whole)
        pixel_key, latent_key = jax.random.split(key)
        x = binarize(images, method, key=pixel_key, level=level)
        terms = train_step(model, optimizer, x, key=latent_key, beta=beta, labels=labels)
        if average is not None:
            average.update()
        return terms

    def plan(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        order_key, steps_key = jax.random.split(key)
        indices = epoch_indices(len(images), config.batch_size, key=order_key)
        return indices, jax.random.split(steps_key, len(indices))

    def epoch(data: Any, key: jax.Array) -> ElboTerms:
        loop = brainstate.transform.for_loop(functools.partial(step, data), *plan(key))
        return cast(ElboTerms, loop)

    if _has_convolution(model):
        one_step = functools.partial(brainstate.transform.jit(step), on_device)
        return lambda key: _step_by_step(one_step, *plan(key), progress=progress), average
    return functools.partial(brainstate.transform.jit(epoch), on_device), average


def _has_convolution(model: VAE) -> bool:
    nodes = cast(Any, model.nodes())
    return any(isinstance(node, CONVOLUTIONS) for node in nodes.values())


def _step_by_step(
    step: Callable[[jax.Array, jax.Array], ElboTerms],
    indices: jax.Array,
    keys: jax.Array,
    *,
    progress: bool,
) -> ElboTerms:
    steps = zip(np.asarray(indices), keys, strict=True)
    bar = functools.partial(tqdm, total=len(indices), unit=" step", delay=2, leave=False)
    # Fetching the terms waits for the step: the bar is true, and Ctrl-C is heard at once.
    terms = [jax.device_get(step(*given)) for given in bar(steps, "epoch", disable=not progress)]
    return jax.tree.map(lambda *column: jnp.asarray(np.stack(column)), *terms)


def fit(
    model: VAE, data: ImageData, config: TrainConfig, *, key: jax.Array, progress: bool = True
) -> History:
    """Train ``model`` in place, and measure it on the held-out images after each epoch.

    An epoch is one compiled call (a model with convolutions: one for each step, see
    `compile_epoch`): the images stay on the device as uint8, and are shuffled, gathered and
    binarised there. A conditional model is given the data's labels. Ctrl-C (or the notebook's
    stop button) ends training at the last complete epoch, with its weights and its history.

    Args:
        model: from `init_model`; trained further if it was trained before.
        data: from `vae_course.data.load_images`.
        config: how to train.
        key: a JAX random key; the same key on the same machine gives the same history.
        progress: show a bar with the held-out −ELBO.

    Returns:
        `History`.

    Raises:
        ConfigError: if the batch size exceeds the number of images.
        ShapeError: if the images or the labels do not fit the model.
        TrainingError: if the loss became NaN or infinite; the model keeps the weights of the
            last complete epoch.
    """
    epochs_key, held_out_key, evaluation_key = jax.random.split(key, 3)
    held_out = binarize(data.test_images, config.binarization, key=held_out_key, level=config.level)
    labels, held_out_labels = _labels_for(model, data)
    run_epoch, average = compile_epoch(
        model, data.train_images, config, labels=labels, progress=progress
    )
    rows: list[tuple[float, ...]] = []
    complete, interrupted = _weights(model), False
    try:
        with tqdm(range(config.epochs), "training", unit=" epoch", disable=not progress) as bar:
            for epoch in bar:
                started = time.perf_counter()
                train = _epoch_means(run_epoch(jax.random.fold_in(epochs_key, epoch)), epoch)
                latest = _weights(model)
                if average is not None:
                    _set_weights(model, average.weights())
                test = evaluate(model, held_out, key=evaluation_key, labels=held_out_labels)
                test_loss = test.distortion + config.beta * test.rate
                seconds = time.perf_counter() - started
                row = (*train, test_loss, test.distortion, test.rate, seconds)
                complete, rows = _weights(model), [*rows, row]
                _set_weights(model, latest)
                bar.set_postfix({"test −ELBO": f"{test.negative_elbo:.2f}"})
    except KeyboardInterrupt:
        interrupted = True
        done = f"{len(rows)} of {config.epochs} epochs"
        warnings.warn(f"Interrupted: the model is as after {done}.", stacklevel=2)
    finally:
        _set_weights(model, complete)
    columns = np.asarray(rows, float).reshape(len(rows), len(History._fields) - 1).T
    return History(*columns, interrupted=interrupted)  # type: ignore[misc]


def _labels_for(model: VAE, data: ImageData) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The labels of both splits, if the model takes any; refused if there are too few classes."""
    if not model.config.classes:
        return None, None
    for labels in (data.train_labels, data.test_labels):
        require_labels(model.config, labels, len(labels))
    return data.train_labels, data.test_labels


def _epoch_means(terms: ElboTerms, epoch: int) -> tuple[float, float, float]:
    losses = np.asarray(terms.loss, float)
    if not np.isfinite(losses).all():
        step = int(np.argmin(np.isfinite(losses)))
        raise TrainingError(
            f"The loss became {losses[step]} at step {step + 1} of epoch {epoch + 1}.",
            "Try a smaller learning_rate, a warm-up, or a smaller beta at first; the model keeps "
            "the weights of the last complete epoch.",
        )
    return float(losses.mean()), float(terms.distortion.mean()), float(terms.rate.mean())


def _weights(model: VAE) -> Weights:
    return {name: state.value for name, state in parameters(model).items()}


def _set_weights(model: VAE, weights: Weights) -> None:
    for name, state in parameters(model).items():
        state.value = weights[name]
