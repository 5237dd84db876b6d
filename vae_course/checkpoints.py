"""Trained models on disk: one file, safetensors with a JSON header, no pickle.

The header holds both configurations and what the weights depend on, so a file explains
itself. It is written beside its final place and renamed: a reader sees all of it or nothing.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from vae_course.config import ModelConfig, TrainConfig
from vae_course.data import ImageData
from vae_course.errors import CheckpointError, CourseError
from vae_course.image_cache import cache_folder, sha256_of, write_atomically
from vae_course.models import VAE, named_weights, parameters, weight_name
from vae_course.training import History, fit, init_model

__all__ = ["Checkpoint", "load", "load_or_train", "read", "save", "train_or_restore"]

FORMAT = "vae_course checkpoint 1"
WEIGHTS, HISTORY = "weights/", "history/"
PROBES = 8
T = TypeVar("T")
# The modules that a trained model depends on: `training` and all that it imports.
TRAINING_SOURCES = (
    "architectures",
    "config",
    "data",
    "distributions",
    "errors",
    "evaluation",
    "image_cache",
    "image_sources",
    "losses",
    "models",
    "training",
)


class Checkpoint(NamedTuple):
    """What a file holds. ``about`` says how it came to be: seed, data, versions, sources."""

    model: VAE
    history: History
    train_config: TrainConfig
    about: dict[str, Any]


def save(path: str | Path, model: VAE, history: History, config: TrainConfig, **about: Any) -> None:
    """Write a trained model with its history, all of it or nothing.

    Args:
        path: the file to write; its folder is made if need be.
        model: the model to save.
        history: from `training.fit`.
        config: the training configuration.
        **about: more to remember, such as ``seed``; anything that JSON can hold.

    Raises:
        CheckpointError: if the file cannot be written: a full disk, a read-only folder.
    """
    tensors = {WEIGHTS + name: array for name, array in _named_weights(model).items()}
    columns = {field: value for field, value in history._asdict().items() if field != "interrupted"}
    # safetensors writes the bytes of a strided array in the wrong order, without a word.
    tensors |= {HISTORY + field: np.ascontiguousarray(value) for field, value in columns.items()}
    header = {
        "format": FORMAT,
        "sha256": _hash_arrays(tensors),
        "model_config": json.dumps(dataclasses.asdict(model.config)),
        "train_config": json.dumps(dataclasses.asdict(config)),
        "interrupted": json.dumps(history.interrupted),
        "about": json.dumps(about),
    }
    try:
        write_atomically(Path(path), to_safetensors(tensors, header))
    except OSError as error:
        raise CheckpointError(
            f"{path} could not be written ({error.strerror}).",
            "Free some space, or choose another folder.",
        ) from error


def load(path: str | Path) -> tuple[VAE, History]:
    """The model and the history of a file that `save` wrote.

    Raises:
        CheckpointError: if the file is missing, damaged, or not such a file; it says which.
    """
    checkpoint = read(path)
    return checkpoint.model, checkpoint.history


def read(path: str | Path) -> Checkpoint:
    """All that a file holds; see `load`.

    Raises:
        CheckpointError: as `load`.
    """
    tensors, header = _verified(Path(path))
    with _described_as_this_version_does(path):
        config = ModelConfig(**json.loads(header["model_config"]))
        train_config = TrainConfig(**json.loads(header["train_config"]))
        model = init_model(config, seed=0)
        history = _fill(model, tensors, header)
        about = json.loads(header["about"])
    return Checkpoint(model, history, train_config, about)


def load_or_train(
    data: ImageData,
    model_config: ModelConfig,
    train_config: TrainConfig,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = True,
) -> tuple[VAE, History]:
    """A trained model: from the cache if this very training was done before, else by doing it.

    The key covers everything that the weights depend on: both configurations, the seed, the
    images' hash, the package's own sources, the versions of jax and brainstate. Two processes
    that train at once write the same file, each in one piece.

    Args:
        data: from `data.load_images`.
        model_config: the model.
        train_config: its training.
        seed: for the initial weights and, by way of a key, for the training.
        folder: where checkpoints are kept; None means the course's cache folder.
        progress: show a bar while it trains.

    Returns:
        ``(model, history)``. A training that was interrupted is returned, but not kept.

    Raises:
        ConfigError: as `training.fit`.
        TrainingError: as `training.fit`.
    """
    about = _provenance(data, seed)
    path = _cached_path(folder, model_config, train_config, about)
    kept = _kept(path, load)
    if kept:
        return kept
    model = init_model(model_config, seed=seed)
    return model, _train_and_keep(path, model, data, train_config, about, progress)


def train_or_restore(
    model: VAE,
    data: ImageData,
    config: TrainConfig,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train ``model`` in place, or give it the weights that this very training gave before.

    For models of any make, such as one with an encoder of your own. The key covers what that of
    `load_or_train` does, and the untrained model itself: its weights, and what it makes of a few
    fixed images and codes, so that a changed encoder is trained anew even if its weights begin
    the same. A training that was interrupted is not kept.

    Args:
        model: the VAE to train; one that was trained before is trained further.
        data: as `load_or_train`.
        config: how to train.
        seed: for the training, by way of a key; the model brings its weights.
        folder: as `load_or_train`.
        progress: as `load_or_train`.

    Returns:
        The `History` of the training.

    Raises:
        ConfigError: as `training.fit`.
        ShapeError: as `training.fit`.
        TrainingError: as `training.fit`.
    """
    about = _provenance(data, seed) | {"untrained": _fingerprint(model)}
    path = _cached_path(folder, model.config, config, about)
    history = _kept(path, functools.partial(_restore, model))
    return history or _train_and_keep(path, model, data, config, about, progress)


def _kept(path: Path, read: Callable[[Path], T]) -> T | None:
    if not path.exists():
        return None
    try:
        return read(path)
    except CheckpointError as error:
        warnings.warn(f"{error.problem} It is trained again.", stacklevel=3)
        return None


def _train_and_keep(
    path: Path, model: VAE, data: ImageData, config: TrainConfig, about: dict[str, Any], bar: bool
) -> History:
    history = fit(model, data, config, key=jax.random.key(about["seed"]), progress=bar)
    if not history.interrupted:
        try:
            save(path, model, history, config, **about)
        except CheckpointError as error:
            warnings.warn(f"The trained model was not kept: {error}", stacklevel=3)
    return history


def _restore(model: VAE, path: Path) -> History:
    tensors, header = _verified(path)
    with _described_as_this_version_does(path):
        return _fill(model, tensors, header)


def _fill(model: VAE, tensors: dict[str, np.ndarray], header: dict[str, str]) -> History:
    """Give ``model`` the weights of a file; the history comes back."""
    _set_named_weights(model, _with_prefix(tensors, WEIGHTS))
    return History(**_with_prefix(tensors, HISTORY), interrupted=json.loads(header["interrupted"]))


@contextlib.contextmanager
def _described_as_this_version_does(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, CourseError) as error:
        raise CheckpointError(
            f"{path} does not describe a model of this version ({error}).",
            "Train it again with this version of vae_course.",
        ) from error


def _fingerprint(model: VAE) -> str:
    """A hash of a model's weights, and of what it computes from a few fixed inputs.

    Two encoders may have the same weights and do different things with them.
    """
    config, rng = model.config, np.random.default_rng(0)
    x = jnp.asarray(rng.random((PROBES, *config.image_shape)) < 0.5, jnp.float32)
    z = jnp.asarray(rng.normal(size=(PROBES, config.latent_size)), jnp.float32)
    given = {"labels": jnp.arange(PROBES) % config.classes} if config.classes else {}
    passed = model(x, key=jax.random.key(0), **given)
    computed = jax.tree.leaves((passed, model.encode(x, **given), model.decode(z, **given)))
    probes = {f"probe {number}": _rounded(value) for number, value in enumerate(computed)}
    return _hash_arrays(_named_weights(model) | probes)


def _rounded(value: jax.Array) -> np.ndarray:
    """To four significant digits: the last bits may differ from one run to the next."""
    return np.array([f"{number:.3e}" for number in np.asarray(value).ravel()])


def _provenance(data: ImageData, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "data": data.name,
        # Of the images at hand: those of a subset are not the ones that data.sha256 names.
        "data_sha256": f"{sha256_of(data.train_images)}+{sha256_of(data.test_images)}",
        "labels_sha256": f"{sha256_of(data.train_labels)}+{sha256_of(data.test_labels)}",
        "sources": _source_hash(),
        "jax": importlib.metadata.version("jax"),
        "brainstate": importlib.metadata.version("brainstate"),
    }


def _cached_path(
    folder: str | Path | None,
    model_config: ModelConfig,
    train_config: TrainConfig,
    about: dict[str, Any],
) -> Path:
    parts = dataclasses.asdict(model_config), dataclasses.asdict(train_config), about
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    return Path(folder or cache_folder() / "models") / f"{about['data']}-{digest}.safetensors"


@functools.cache
def _source_hash() -> str:
    folder = Path(__file__).parent
    sources = b"".join((folder / f"{name}.py").read_bytes() for name in TRAINING_SOURCES)
    return hashlib.sha256(sources).hexdigest()


def _verified(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    tensors, header = _open(path)
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"{path} is a safetensors file, but not a checkpoint of this course.",
            "Give the file that vae_course.checkpoints.save wrote.",
        )
    if header["sha256"] != _hash_arrays(tensors):
        raise CheckpointError(f"{path} is damaged: its hash does not match.", "Train it again.")
    return tensors, header


def _open(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    if not path.is_file():
        raise CheckpointError(
            f"There is no file {path}.", "Train a model first, or check the path."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            names = file.keys()
            return {name: file.get_tensor(name) for name in names}, file.metadata() or {}
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged or not a safetensors file ({error}).", "Train it again."
        ) from error


def _with_prefix(tensors: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _hash_arrays(tensors: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _named_weights(model: VAE) -> dict[str, np.ndarray]:
    return {name: np.asarray(array) for name, array in named_weights(model).items()}


def _set_named_weights(model: VAE, weights: dict[str, np.ndarray]) -> None:
    expected = {name: array.shape for name, array in named_weights(model).items()}
    if {name: array.shape for name, array in weights.items()} != expected:
        raise ValueError("its weights are not those of the model that it names")
    for path, state in parameters(model).items():
        state.value = jax.tree_util.tree_map_with_path(
            lambda part, _, path=path: jnp.asarray(weights[weight_name(path, part)]), state.value
        )
