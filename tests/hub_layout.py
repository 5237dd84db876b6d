"""Small folders in the layout of the hub's ylecun/mnist, for tests to read."""

import io

import numpy as np
import pyarrow
import pyarrow.parquet
from PIL import Image


def grey_images(count, *, seed=0, height=28, width=28):
    """Random 8-bit images, so that no two of them, nor any two pixels' places, are alike."""
    return np.random.default_rng(seed).integers(0, 256, (count, height, width), dtype=np.uint8)


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


def write_split(folder, name, images, labels=None, *, columns=("image", "label")):
    """One Parquet file; ``name`` is such as ``"train"`` or ``"train-00000-of-00002"``."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = [index % 10 for index in range(len(images))] if labels is None else list(labels)
    cells = [{"bytes": png(image), "path": None} for image in images]
    cell = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table(
        [pyarrow.array(cells, cell), pyarrow.array(labels, pyarrow.int64())], list(columns)
    )
    pyarrow.parquet.write_table(table, folder / f"{name}.parquet")


def write_folder(folder, train, test):
    """A data set of two splits; returns the folder."""
    write_split(folder, "train-00000-of-00001", train)
    write_split(folder, "test-00000-of-00001", test)
    return folder
