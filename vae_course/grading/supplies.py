"""What a guest finds in its cache folder: images that are decoded, a classifier, a font list.

All are made once, outside, and shown read-only, so that no submission pays for them.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from vae_course.checks.classifier import classifier_file
from vae_course.data import ImageData, load_images
from vae_course.image_cache import cache_folder, cached_file, store_cached
from vae_course.image_sources import RawImages

__all__ = ["Supplies", "gather"]


READABLE = 0o444  # what root keeps for itself, the guest, who is nobody, could not read
TRAIN_CLASSIFIER = """
from vae_course.checks.classifier import digit_classifier
from vae_course.data import load_images
digit_classifier(load_images())
"""


class Supplies(NamedTuple):
    """The images that checks use, what they are called inside, and the files shown there."""

    images: ImageData
    source: str
    files: dict[str, Path]


def gather() -> Supplies:
    """Load the images, and make what is missing.

    Raises:
        DataError: as `data.load_images`.
    """
    images = load_images()
    # A name as the hub's: the guest finds the images in its cache, and asks no further.
    name = f"course-{images.train_sha256[:12]}/{images.name}"
    source = images.name if images.name == "digits" else name
    if not cached_file(source).exists():
        store_cached(source, RawImages(*(getattr(images, field) for field in RawImages._fields)))
    if not classifier_file(images).exists():
        _python(TRAIN_CLASSIFIER)
    made = [cached_file(source), classifier_file(images), *_font_lists()]
    files = {str(path.relative_to(cache_folder())): path for path in made if path.exists()}
    for path in files.values():
        with contextlib.suppress(OSError):  # another user's, who reads it in the sandbox as well
            path.chmod(path.stat().st_mode | READABLE)
    return Supplies(images, source, files)


def _python(code: str, **environment: str) -> None:
    """Run code in a process of its own, which gives its memory back."""
    command = [sys.executable, "-c", code]
    given = {**os.environ, **environment}
    subprocess.run(command, env=given, check=False, capture_output=True)  # noqa: S603


def _font_lists() -> list[Path]:
    """Matplotlib's list of fonts, which it would search for anew in every sandbox."""
    folder = cache_folder() / "matplotlib"
    if not list(folder.glob("fontlist-*.json")):
        folder.mkdir(parents=True, exist_ok=True)
        _python("import matplotlib.font_manager", MPLCONFIGDIR=str(folder))
    return sorted(folder.glob("fontlist-*.json"))
