"""Decoded images on disk: one verified file for each source.

Decoding MNIST takes seconds, reading this file a tenth of one. The file is written beside
its final place and renamed, so a half-written cache never carries the final name. A damaged
one is noticed by its hash, and ignored. A cache that cannot be written costs time, not data.
"""

import hashlib
import os
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import platformdirs
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from vae_course.image_sources import RawImages

__all__ = [
    "cache_folder",
    "cached_file",
    "load_cached",
    "sha256_of",
    "store_cached",
    "write_atomically",
]


def cache_folder() -> Path:
    """``VAE_COURSE_CACHE`` where it is set, else the user's cache folder for this course."""
    configured = os.environ.get("VAE_COURSE_CACHE")
    return Path(configured or platformdirs.user_cache_dir("vae-course", appauthor=False))


def sha256_of(images: np.ndarray) -> str:
    """SHA-256 of the raw bytes of ``images``, in file order."""
    return hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()


def load_cached(source: str) -> RawImages | None:
    """What was stored for ``source``, or None if there is nothing sound."""
    path = cached_file(source)
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            raw = RawImages(*(file.get_tensor(field) for field in RawImages._fields))
            stored = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        _warn(f"The cached images in {path} are damaged ({error}); they are decoded again.")
        return None
    if stored.get("source") != source or stored.get("sha256") != _fingerprint(raw):
        _warn(f"The cached images in {path} do not match their hash; they are decoded again.")
        return None
    return raw


def store_cached(source: str, raw: RawImages) -> None:
    """Keep ``raw`` for the next time; warn, and go on, where that is impossible."""
    # safetensors writes the bytes of a strided array in the wrong order, without a word.
    raw = RawImages(*map(np.ascontiguousarray, raw))
    content = save(raw._asdict(), {"source": source, "sha256": _fingerprint(raw)})
    path = cached_file(source)
    try:
        write_atomically(path, content)
    except OSError as error:
        _warn(
            f"The images could not be cached in {path.parent} ({error.strerror}); they will be "
            "decoded again next time. Free some space, or set VAE_COURSE_CACHE to another folder."
        )


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` so that ``path`` holds all of it, or what it held before.

    Two processes that write at once each use a file of their own; the later rename wins.

    Raises:
        OSError: if the folder cannot be written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def cached_file(source: str) -> Path:
    """Where the decoded images of ``source`` are kept, once they are."""
    slug = re.sub(r"\W+", "-", source.split("?")[0]).strip("-")[-40:]
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    return cache_folder() / "images" / f"{slug}-{digest}.safetensors"


def _fingerprint(raw: RawImages) -> str:
    parts = (f"{array.dtype} {array.shape} {sha256_of(array)}" for array in raw)
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=4)
