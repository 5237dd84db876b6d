"""Images by name: load, verify, binarise, draw batches.

`load_images` looks in this order: its argument, the variable ``VAE_COURSE_DATA``, the hub's
``ylecun/mnist``, scikit-learn's small digits. What it decoded once, it finds again in a
verified cache.
"""

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from vae_course.config import BINARIZATIONS
from vae_course.errors import ConfigError, DataError, ShapeError
from vae_course.image_cache import load_cached, sha256_of, store_cached
from vae_course.image_sources import (
    MNIST_HUB_ID,
    RawImages,
    hub_reachable,
    read_digits,
    read_folder,
    read_hub,
)

__all__ = ["ImageData", "binarize", "epoch_indices", "load_images", "require_images"]

STATIC_SEED = 0
DIGITS = "digits"
KNOWN_SHA256 = {
    "mnist": (
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    ),
    DIGITS: (
        "e1a68952ef661d072e56b55ec3af405f9deb2c5a91bf2484da901d10534b12ac",
        "3962d61fcf49628f22335ac11a83573c1692fbd097e1b82f46d529a8d7349ed8",
    ),
}


class ImageData(NamedTuple):
    """Grey images with their labels, in two splits.

    ``train_images`` and ``test_images`` are uint8, ``(n, height, width)``, from 0 (black) to
    255 (white); labels are uint8, ``(n,)``; each SHA-256 is that of a split's raw bytes.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    train_sha256: str
    test_sha256: str

    @property
    def sha256(self) -> str:
        """One hash for both splits, train then test."""
        return f"{self.train_sha256}+{self.test_sha256}"

    def __repr__(self) -> str:
        height, width = self.train_images.shape[1:]
        return (
            f"{self.name}: {len(self.train_images):,} training and {len(self.test_images):,} "
            f"test images of {height}×{width} pixels, SHA-256 {self.train_sha256[:8]}… and "
            f"{self.test_sha256[:8]}…"
        )


def load_images(source: str | os.PathLike[str] | None = None) -> ImageData:
    """Load a data set of grey images, from the cache where it was decoded before.

    Args:
        source: a folder that `datasets.load_dataset` reads, a hub id such as
            ``"ylecun/mnist"``, or ``"digits"`` for scikit-learn's. None means
            ``VAE_COURSE_DATA``, then the hub's MNIST, then the digits with a warning.

    Returns:
        `ImageData`.

    Raises:
        DataError: if the source is unknown, out of reach, damaged, or carries the name of a
            known data set with other images.
    """
    chosen = os.fspath(source) if source else os.environ.get("VAE_COURSE_DATA")
    if not chosen:
        chosen = _default_source()
    if chosen == DIGITS:
        return _verified(DIGITS, _cached(DIGITS, read_digits))
    folder = Path(chosen).expanduser()
    if folder.is_dir() or chosen.startswith((".", "/", "~")):
        folder = folder.resolve()
        key = f"{folder}?{_listing(folder)}"
        return _verified(folder.name.lower(), _cached(key, lambda: read_folder(folder)))
    return _verified(chosen.split("/")[-1].lower(), _cached(chosen, lambda: read_hub(chosen)))


def _default_source() -> str:
    if load_cached(MNIST_HUB_ID) or hub_reachable():
        return MNIST_HUB_ID
    warnings.warn(
        "MNIST could not be fetched: the hub cannot be reached. Scikit-learn's 1,797 small "
        "digits stand in for it. To use MNIST, connect to the network, or set VAE_COURSE_DATA "
        "to a folder with it.",
        stacklevel=3,
    )
    return DIGITS


def _cached(key: str, read: Callable[[], RawImages]) -> RawImages:
    raw = load_cached(key)
    if raw is None:
        raw = read()
        store_cached(key, raw)
    return raw


def _listing(folder: Path) -> str:
    """Changes whenever a file of the folder does."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stats = ((path.relative_to(folder), path.stat()) for path in files)
    return ";".join(f"{name},{stat.st_size},{stat.st_mtime_ns}" for name, stat in stats)


def _verified(name: str, raw: RawImages) -> ImageData:
    found = sha256_of(raw.train_images), sha256_of(raw.test_images)
    expected = KNOWN_SHA256.get(name, found)
    if found != expected:
        raise DataError(
            f"The images called {name!r} are not {name}: their SHA-256 are {found[0][:12]}… and "
            f"{found[1][:12]}…, expected {expected[0][:12]}… and {expected[1][:12]}….",
            "Fetch them again, or rename the folder if it is meant to hold something else.",
        )
    return ImageData(name, *raw, *found)


def binarize(
    images: np.ndarray | jax.Array,
    method: str,
    *,
    key: jax.Array | None = None,
    level: int = 0,
) -> jax.Array:
    """Turn grey images into black-and-white ones.

    ``"threshold"``: x = 1 where grey > level. ``"static"`` and ``"stochastic"``:
    x ~ Bernoulli(grey / 255), the former from a fixed key, so binarise a whole split once;
    the latter from ``key``, to be redrawn for every batch (the literature's dynamic
    binarisation).

    Args:
        images: grey levels, ``(batch, height, width)``, uint8.
        method: ``"threshold"``, ``"static"`` or ``"stochastic"``.
        key: a JAX random key; needed by ``"stochastic"`` only.
        level: grey level for ``"threshold"``; 0 is the tutorial's ``x > 0``, 127 the common 0.5.

    Returns:
        Images of 0.0 and 1.0, float32, of the same shape.

    Raises:
        ConfigError: if the method is unknown, or ``"stochastic"`` has no key.
        ShapeError: if ``images`` is empty, not uint8 or not of three axes.

    Source:
        Static: Salakhutdinov and Murray (2008), though published static numbers belong to
        Larochelle's own files; dynamic: Burda et al. (2016).
    """
    require_images(images)
    if method == "threshold":
        return (images > level).astype(jnp.float32)  # type: ignore[return-value]
    if method == "static":
        key = jax.random.key(STATIC_SEED)
    elif method != "stochastic":
        raise ConfigError(
            f"There is no binarisation {method!r}.", f"Choose one of {', '.join(BINARIZATIONS)}."
        )
    if key is None:
        raise ConfigError("Stochastic binarisation draws at random.", "Give it key=….")
    grey = jnp.asarray(images, jnp.float32) / 255
    return (jax.random.uniform(key, grey.shape) < grey).astype(jnp.float32)


def epoch_indices(images: int, batch_size: int, *, key: jax.Array) -> jax.Array:
    """A shuffled epoch: which image goes into which step; the last few are left out.

    Returns:
        Indices, ``(images // batch_size, batch_size)``; every row has the same length, so a
        step is compiled once.

    Raises:
        ConfigError: if there are fewer images than one batch needs.
    """
    if not 1 <= batch_size <= images:
        raise ConfigError(
            f"batch_size is {batch_size}, and there are {images} images.",
            f"Use a batch size from 1 to {images}.",
        )
    steps = images // batch_size
    order = jax.random.permutation(key, images)
    return order[: steps * batch_size].reshape(steps, batch_size)


def require_images(images: np.ndarray | jax.Array) -> None:
    """Refuse anything but a non-empty stack of 8-bit grey images.

    Raises:
        ShapeError: naming what is wrong and how to convert.
    """
    shape, dtype = np.shape(images), getattr(images, "dtype", None)
    if len(shape) != 3:
        raise ShapeError(
            f"The images have shape {shape}.", "Give (batch, height, width); one image is x[None]."
        )
    if 0 in shape:
        raise ShapeError(f"There are no images: the shape is {shape}.", "Give at least one.")
    if dtype != np.uint8:
        raise ShapeError(
            f"The images are {dtype}, not uint8 grey levels from 0 to 255.",
            "If they lie in [0, 1], use np.rint(255 * x).astype(np.uint8).",
        )
