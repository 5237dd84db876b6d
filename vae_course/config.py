"""What a model and its training are made of, as frozen dataclasses with named presets."""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

from vae_course.errors import ConfigError

__all__ = ["PRESETS", "ModelConfig", "Preset", "TrainConfig", "preset"]

ACTIVATIONS = ("relu", "silu", "tanh")
BINARIZATIONS = ("threshold", "static", "stochastic")
SCHEDULES = ("constant", "cosine")
UPSAMPLINGS = ("transposed", "depth_to_space")


def _choose(names: Iterable[str]) -> str:
    return f"Choose one of {', '.join(names)}."


def _require_count(name: str, value: Any, least: int = 1) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigError(f"{name} is {value!r}.", f"Use a whole number of {least} or more.")


def _require_one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{name} is {value!r}.", _choose(choices))


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The shape of a VAE; the default is the BrainState tutorial's network.

    ``hidden_sizes=(256,)`` and ``latent_size=32`` give 784-256-32-256-784 on 28×28 images.
    The decoder mirrors the encoder.

    Args:
        hidden_sizes: units of each dense hidden layer of the encoder, from the image inwards.
        latent_size: number of latent variables, at least 1.
        image_shape: height and width of an image, in pixels.
        activation: ``"relu"``, ``"silu"`` or ``"tanh"``.
        channels: channels of each 3×3 convolution of the encoder, from the image inwards, before
            the dense layers; each halves height and width. Empty: the model is fully connected.
        upsampling: how a convolutional decoder doubles height and width: ``"transposed"``
            convolutions, or ``"depth_to_space"`` after an ordinary one.
        classes: number of classes of a conditional model, whose labels run from 0 to
            ``classes - 1``; 0 means that the model takes no labels.

    Raises:
        ConfigError: if a size is below 1, a name is unknown, the sides of the image cannot be
            halved once for each of ``channels``, or ``channels`` and ``classes`` are both given.
    """

    hidden_sizes: tuple[int, ...] = (256,)
    latent_size: int = 32
    image_shape: tuple[int, int] = (28, 28)
    activation: str = "relu"
    channels: tuple[int, ...] = ()
    upsampling: str = "transposed"
    classes: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden_sizes", "image_shape", "channels"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for size in self.hidden_sizes:
            _require_count("every hidden size", size)
        _require_count("latent_size", self.latent_size)
        if len(self.image_shape) != 2:
            raise ConfigError(f"image_shape is {self.image_shape}.", "Give (height, width).")
        for size in self.image_shape:
            _require_count("every side of image_shape", size)
        _require_one_of("activation", self.activation, ACTIVATIONS)
        _require_one_of("upsampling", self.upsampling, UPSAMPLINGS)
        _require_count("classes", self.classes, least=0)
        self._require_channels_that_fit()

    def _require_channels_that_fit(self) -> None:
        for size in self.channels:
            _require_count("every number of channels", size)
        if self.channels and self.classes:
            raise ConfigError(
                "A model of this package is convolutional or conditional, not both.",
                "Leave out channels or classes, or give VAE an encoder and a decoder of your own.",
            )
        factor = 2 ** len(self.channels)
        if any(size % factor for size in self.image_shape):
            raise ConfigError(
                f"{len(self.channels)} convolutions divide each side of the image by {factor}, "
                f"and image_shape is {self.image_shape}.",
                "Use fewer channels, or images of another size.",
            )

    @property
    def pixels(self) -> int:
        """Number of pixels of an image, 784 for 28×28."""
        return math.prod(self.image_shape)


@dataclasses.dataclass(frozen=True)
class TrainConfig:
    """How a model is trained.

    Args:
        batch_size: images per step; the last, smaller batch of an epoch is dropped.
        epochs: passes over the training set.
        learning_rate: Adam's step size, or its peak where a schedule is used.
        beta: weight of the rate, in ELBO units (both terms summed, in nats); 1 is the ELBO.
        binarization: ``"threshold"``, ``"static"`` or ``"stochastic"``; see `vae_course.data`.
        level: grey level (0–255) above which ``"threshold"`` sees a 1; 0 is the tutorial's.
        schedule: ``"constant"``, or ``"cosine"``: down to zero along half a cosine.
        warmup_epochs: epochs over which the rate first rises linearly from zero.
        average_decay: if set, the model ends with an exponential moving average of its
            weights, with this decay per step (0.999, say), and is evaluated with it.

    Raises:
        ConfigError: if a value is out of its range.
    """

    batch_size: int = 128
    epochs: int = 20
    learning_rate: float = 1e-3
    beta: float = 1.0
    binarization: str = "stochastic"
    level: int = 0
    schedule: str = "constant"
    warmup_epochs: int = 0
    average_decay: float | None = None

    def __post_init__(self) -> None:
        _require_count("batch_size", self.batch_size)
        _require_count("epochs", self.epochs)
        _require_count("warmup_epochs", self.warmup_epochs, least=0)
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(f"learning_rate is {self.learning_rate}.", "Use one above 0.")
        if not (math.isfinite(self.beta) and self.beta >= 0):
            raise ConfigError(
                f"beta is {self.beta}.", "It weighs the rate: use 0 or more; 1 is the ELBO."
            )
        if not (isinstance(self.level, int) and 0 <= self.level <= 254):
            raise ConfigError(f"level is {self.level}.", "Use a grey level from 0 to 254.")
        if self.average_decay is not None and not 0 < self.average_decay < 1:
            raise ConfigError(
                f"average_decay is {self.average_decay}.", "Use one in (0, 1), such as 0.999."
            )
        if self.warmup_epochs >= self.epochs and self.warmup_epochs:
            raise ConfigError(
                f"warmup_epochs is {self.warmup_epochs} of {self.epochs} epochs.",
                "Warm up for fewer epochs than you train.",
            )
        _require_one_of("binarization", self.binarization, BINARIZATIONS)
        _require_one_of("schedule", self.schedule, SCHEDULES)

    def scaled_to(self, images: int, *, reference: int = 60_000) -> "TrainConfig":
        """The same training for a data set of another size.

        Equal epochs would give a small set too few updates, equal updates too many epochs;
        this takes the geometric middle: epochs × √(reference / images).

        Args:
            images: number of training images at hand.
            reference: number of training images that ``epochs`` was chosen for.
        """
        _require_count("images", images)
        factor = math.sqrt(reference / images)
        epochs = max(1, round(self.epochs * factor))
        return dataclasses.replace(
            self,
            epochs=epochs,
            warmup_epochs=min(round(self.warmup_epochs * factor), epochs - 1),
            batch_size=min(self.batch_size, images),
        )


class Preset(NamedTuple):
    """A named model with its training."""

    model: ModelConfig
    train: TrainConfig
    purpose: str


PRESETS: dict[str, Preset] = {
    "quick": Preset(
        ModelConfig(), TrainConfig(epochs=6, schedule="cosine"), "a first picture in seconds"
    ),
    "tutorial": Preset(
        ModelConfig(),
        TrainConfig(batch_size=64, epochs=4, beta=2.45, binarization="threshold"),
        "the BrainState tutorial's network, data, β and number of updates",
    ),
    "course": Preset(
        ModelConfig(),
        TrainConfig(epochs=20, learning_rate=2e-3, schedule="cosine"),
        "the model that the chapters look at",
    ),
    "manifold": Preset(
        ModelConfig(hidden_sizes=(128, 128), latent_size=2, activation="silu"),
        TrainConfig(epochs=12, learning_rate=2e-3, schedule="cosine"),
        "two latents, so that the whole latent space can be drawn",
    ),
    "strong": Preset(
        ModelConfig(hidden_sizes=(512, 512), latent_size=40, activation="silu"),
        TrainConfig(
            batch_size=512, epochs=50, learning_rate=4e-3, schedule="cosine", warmup_epochs=1
        ),
        "the best held-out ELBO that four minutes on two cores buy",
    ),
    "convolutional": Preset(
        ModelConfig(hidden_sizes=(128,), activation="silu", channels=(8, 16)),
        TrainConfig(epochs=3, learning_rate=3e-3, schedule="cosine"),
        "an encoder and a decoder that know where a pixel's neighbours are",
    ),
    "conditional": Preset(
        ModelConfig(hidden_sizes=(256,), latent_size=16, activation="silu", classes=10),
        TrainConfig(epochs=12, learning_rate=2e-3, schedule="cosine"),
        "digits of a class that is asked for",
    ),
}


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: if there is none, with the names that there are.
    """
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name!r}.", _choose(PRESETS))
    return PRESETS[name]
