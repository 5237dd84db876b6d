"""A run's folder: what ``vae-course train`` writes and the other commands read."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from vae_course import plotting
from vae_course.checkpoints import Checkpoint, read, save
from vae_course.config import TrainConfig
from vae_course.data import ImageData, binarize, load_images
from vae_course.errors import CheckpointError, ConfigError, DataError
from vae_course.generation import reconstruct, sample_prior
from vae_course.image_cache import write_atomically
from vae_course.models import VAE, count_parameters
from vae_course.training import History

__all__ = [
    "classes_of_samples",
    "describe",
    "held_out_images",
    "open_run",
    "prepare",
    "save_figure",
    "save_run",
]

CHECKPOINT, HISTORY = "model.safetensors", "history.json"


def prepare(folder: Path, *, overwrite: bool) -> None:
    """Make the folder, and find out before training, not after, whether it can be written.

    Raises:
        ConfigError: if it holds a model already, and ``overwrite`` is false.
        CheckpointError: if it cannot be written.
    """
    if (folder / CHECKPOINT).exists() and not overwrite:
        raise ConfigError(
            f"{folder} holds a trained model already.", "Choose another folder, or add --force."
        )
    probe = folder / f".{CHECKPOINT}.probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CheckpointError(
            f"{folder} cannot be written ({error.strerror}).", "Choose another folder."
        ) from error


def save_run(
    folder: Path,
    model: VAE,
    history: History,
    config: TrainConfig,
    *,
    images: ImageData,
    seed: int,
) -> None:
    """Write checkpoint, history and figures.

    Raises:
        CheckpointError: if a file cannot be written.
    """
    about = {"seed": seed, "data": images.name, "data_sha256": images.sha256}
    save(folder / CHECKPOINT, model, history, config, **about)
    columns = history._asdict()
    lists = {name: np.asarray(column).tolist() for name, column in columns.items()}
    content = {
        "about": describe(Checkpoint(model, history, config, about)),
        "history": lists,
    }
    try:
        write_atomically(folder / HISTORY, (json.dumps(content, indent=2) + "\n").encode())
    except OSError as error:
        raise CheckpointError(
            f"{folder / HISTORY} could not be written ({error.strerror}).", "Choose another folder."
        ) from error
    _save_figures(folder, model, history, config, images)


def open_run(folder: Path) -> Checkpoint:
    """What `save_run` wrote.

    Raises:
        CheckpointError: if there is no run in the folder, or its file is damaged.
    """
    if not (folder / CHECKPOINT).exists():
        raise CheckpointError(
            f"{folder} holds no trained model.", f"Train one: vae-course train --out {folder}"
        )
    return read(folder / CHECKPOINT)


def held_out_images(
    checkpoint: Checkpoint, source: str | None, *, key: jax.Array
) -> tuple[jax.Array, np.ndarray | None]:
    """The test images, binarised as the model saw its own, and their labels if it takes any.

    Raises:
        CheckpointError: if the checkpoint does not say what the model was trained on.
        DataError: if they are not from that data set.
    """
    if "data_sha256" not in checkpoint.about:
        raise CheckpointError(
            "The checkpoint does not say which data it was trained on.",
            "Save it with data=images.name and data_sha256=images.sha256, or train it again.",
        )
    images = load_images(source)
    if images.sha256 != checkpoint.about["data_sha256"]:
        raise DataError(
            f"The model was trained on {checkpoint.about['data']}, and these are other images "
            f"({images.name}).",
            "Give the same data with --data or VAE_COURSE_DATA.",
        )
    config = checkpoint.train_config
    x = binarize(images.test_images, config.binarization, key=key, level=config.level)
    return x, images.test_labels if checkpoint.model.config.classes else None


def classes_of_samples(model: VAE, count: int, label: int | None = None) -> np.ndarray | None:
    """A label for each of ``count`` samples: the one asked for, or else all classes in order.

    Returns:
        ``(count,)``, or None if the model takes no labels.

    Raises:
        ConfigError: if a label is asked for that the model does not have.
    """
    classes = model.config.classes
    if label is None:
        return np.arange(count) % classes if classes else None
    if not classes:
        raise ConfigError(
            f"The label is {label}, and this model is not conditional.",
            "Leave the label out, or train a model with the preset 'conditional'.",
        )
    if not 0 <= label < classes:
        raise ConfigError(f"There is no label {label}.", f"Choose one from 0 to {classes - 1}.")
    return np.full(count, label)


def describe(checkpoint: Checkpoint) -> dict[str, Any]:
    """Both configurations, the data and the seed, and what the training came to."""
    history = checkpoint.history
    return {
        **checkpoint.about,
        **dataclasses.asdict(checkpoint.model.config),
        **dataclasses.asdict(checkpoint.train_config),
        "parameters": count_parameters(checkpoint.model),
        "epochs_done": history.epochs,
        "interrupted": history.interrupted,
        "seconds": float(history.seconds.sum()),
    }


def save_figure(axes: Axes, path: Path) -> None:
    """Write the figure that ``axes`` belongs to, and forget it.

    Raises:
        CheckpointError: if the file cannot be written, or its ending is no picture's.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    try:
        # With a format given, Matplotlib keeps the name as it is, and adds no ending.
        kind = path.suffix.removeprefix(".") or "png"
        figure.savefig(path, format=kind, bbox_inches="tight", dpi=150)
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path} could not be written ({error}).", "Choose another file, such as x.png."
        ) from error
    finally:
        plt.close(figure)


def _save_figures(
    folder: Path, model: VAE, history: History, config: TrainConfig, images: ImageData
) -> None:
    key = jax.random.key(0)
    if history.epochs:
        save_figure(plotting.training_curves(history), folder / "training.png")
    x = binarize(images.test_images[:10], config.binarization, key=key, level=config.level)
    labels = images.test_labels[:10] if model.config.classes else None
    axes = plotting.reconstructions(np.asarray(x), reconstruct(model, x, labels=labels))
    save_figure(axes, folder / "reconstructions.png")
    samples = sample_prior(model, 60, key=key, labels=classes_of_samples(model, 60))
    save_figure(plotting.image_grid(samples), folder / "samples.png")
