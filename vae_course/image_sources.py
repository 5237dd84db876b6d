"""Where images come from: the hub, a folder in the hub's layout, or scikit-learn's digits.

Each reader returns plain arrays; `vae_course.data` decides which one to ask.
"""

import http.client
import os
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from vae_course.errors import DataError

__all__ = ["MNIST_HUB_ID", "RawImages", "hub_reachable", "read_digits", "read_folder", "read_hub"]

MNIST_HUB_ID = "ylecun/mnist"
HUB_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
DIGITS_TRAIN = 1437


class RawImages(NamedTuple):
    """Grey images ``(n, height, width)`` uint8 and labels ``(n,)`` of both splits."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def hub_reachable(timeout: float = 2.0) -> bool:
    """Whether the hub answers within ``timeout`` seconds.

    `datasets.load_dataset` would retry for half a minute before it gives up. The request
    runs in a thread because looking up a name obeys no time limit.
    """
    if os.environ.get("HF_HUB_OFFLINE", "0").lower() in ("1", "true", "yes", "on"):
        return False
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    answered = threading.Event()

    def ask() -> None:
        try:
            request = urllib.request.Request(endpoint, method="HEAD")
            urllib.request.urlopen(request, timeout=timeout).close()
        except urllib.error.HTTPError as error:
            # Any answer of the hub itself will do; a proxy that refuses is not one.
            if error.code not in (403, 407, 502, 503, 504):
                answered.set()
        except (OSError, ValueError, http.client.HTTPException):
            pass
        else:
            answered.set()

    threading.Thread(target=ask, daemon=True).start()
    return answered.wait(timeout + 0.2)


def read_digits() -> RawImages:
    """Scikit-learn's 1,797 real digits, enlarged bilinearly from 8×8 to 28×28.

    The split, 1,437 for training and 360 for testing, is a fixed permutation: NumPy never
    changes the stream of ``RandomState``.
    """
    from sklearn.datasets import load_digits

    small, labels = load_digits(return_X_y=True)
    grey = np.rint(small.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    images = np.stack([_enlarge(image) for image in grey])
    order = np.random.RandomState(0).permutation(len(images))
    images, labels = images[order], labels[order].astype(np.uint8)
    return RawImages(
        images[:DIGITS_TRAIN], labels[:DIGITS_TRAIN], images[DIGITS_TRAIN:], labels[DIGITS_TRAIN:]
    )


def _enlarge(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((28, 28), Image.Resampling.BILINEAR))


def read_hub(hub_id: str) -> RawImages:
    """The data set of that name on the hub, where the hub can be reached.

    Raises:
        DataError: if it is no name, the hub is out of reach, or the set cannot be read.
    """
    if not HUB_ID.fullmatch(hub_id):
        raise DataError(
            f"{hub_id!r} is neither a folder nor the name of a data set.",
            "Set VAE_COURSE_DATA to a folder that exists, to a hub id such as "
            f"{MNIST_HUB_ID!r}, or to 'digits'.",
        )
    if not hub_reachable():
        raise DataError(
            f"The hub cannot be reached, so {hub_id!r} was not loaded.",
            "Check the network, or set VAE_COURSE_DATA to a folder with the data set.",
        )
    return _read(hub_id)


def read_folder(folder: Path) -> RawImages:
    """A folder that `datasets.load_dataset` can read, with images and labels.

    Raises:
        DataError: if it is missing, cannot be read, or holds something else.
    """
    if not folder.is_dir():
        raise DataError(
            f"There is no folder {str(folder)!r}.",
            "Check VAE_COURSE_DATA; a relative path is relative to where you run this.",
        )
    return _read(str(folder))


def _read(source: str) -> RawImages:
    import datasets

    try:
        # Streaming writes no second copy to disk: our own cache holds the decoded images.
        splits = datasets.load_dataset(source, streaming=True)
        train, test = (_decode(splits[name], f"{source} {name}") for name in ("train", "test"))
    except DataError:
        raise
    except KeyError as error:
        raise DataError(
            f"{source!r} has no {error}.",
            "It needs the splits 'train' and 'test' with the columns 'image' and 'label'.",
        ) from error
    except Exception as error:  # whatever datasets, pyarrow or the network raise
        raise DataError(
            f"{source!r} could not be read ({type(error).__name__}: {error}).",
            "Check that it is complete, in the layout of the hub's ylecun/mnist.",
        ) from error
    if train[0].shape[1:] != test[0].shape[1:]:
        raise DataError(
            f"The splits of {source!r} hold images of two sizes.", "Resize them to one size."
        )
    return RawImages(*train, *test)


def _decode(split: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    import datasets

    for column in ("image", "label"):
        if column not in (split.features or {column}):
            raise KeyError(column)
    undecoded = split.cast_column("image", datasets.Image(decode=False))
    images: list[np.ndarray] = []
    labels: list[int] = []
    with tqdm(desc=f"decoding {name}", unit=" images", delay=1, leave=False) as progress:
        for rows in undecoded.iter(batch_size=1000):
            images += [_decode_image(row, name) for row in rows["image"]]
            labels += rows["label"]
            progress.update(len(rows["label"]))
    if len({image.shape for image in images}) > 1:
        raise DataError(f"{name} holds images of several sizes.", "Resize them to one size.")
    if not images:
        raise DataError(f"{name} is empty.", "Fetch the data set again.")
    return np.stack(images), np.asarray(labels, np.uint8)


def _decode_image(row: dict[str, Any], name: str) -> np.ndarray:
    import cv2

    # A folder of picture files yields paths, Parquet yields bytes.
    content = row["bytes"] if row["bytes"] is not None else Path(row["path"]).read_bytes()
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 2 or image.dtype != np.uint8:
        raise DataError(
            f"{name} holds an image that is not 8-bit grey.", "Convert its images to 8-bit grey."
        )
    return np.asarray(image)
