import cv2
import numpy as np
import pytest
from hub_layout import grey_images, write_folder, write_split
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from PIL import Image
from sklearn.datasets import load_digits

from vae_course import image_sources
from vae_course.errors import DataError
from vae_course.image_sources import DIGITS_TRAIN, read_digits, read_folder

SMALL = hnp.arrays(np.uint8, (8, 8))


@pytest.fixture(scope="module")
def embedded():
    return read_digits()


def enlarged_in_float(image):
    """Bilinear enlargement from the definition: pixel centres, and the edge repeated."""
    places = np.clip((np.arange(28) + 0.5) * 8 / 28 - 0.5, 0, 7)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(8)))
    return weights @ image @ weights.T


# --- Scikit-learn's digits ---


def test_digits_are_split_1437_to_360(embedded):
    assert embedded.train_images.shape == (1437, 28, 28)
    assert embedded.test_images.shape == (360, 28, 28)
    assert embedded.train_labels.shape == (1437,)
    assert embedded.test_labels.shape == (360,)
    assert {array.dtype for array in embedded} == {np.dtype(np.uint8)}


def test_every_digit_is_there_once(embedded):
    together = np.concatenate([embedded.train_labels, embedded.test_labels])
    assert (np.bincount(together) == np.bincount(load_digits().target)).all()


def test_all_classes_are_in_both_splits(embedded):
    assert set(embedded.train_labels) == set(embedded.test_labels) == set(range(10))


def test_images_and_labels_belong_to_the_same_digit(embedded):
    # The split written out: the test images are those that the permutation puts last.
    small, labels = load_digits(return_X_y=True)
    last = np.random.RandomState(0).permutation(1797)[DIGITS_TRAIN:]
    expected = [enlarged_in_float(small[i].reshape(8, 8) * 255 / 16) for i in last]
    assert (embedded.test_labels == labels[last]).all()
    assert np.abs(embedded.test_images - np.stack(expected)).max() <= 1.5


@given(SMALL)
@settings(deadline=None, max_examples=30)
def test_enlargement_agrees_with_the_definition(image):
    # Two roundings to whole grey levels, one along each axis.
    assert np.abs(image_sources._enlarge(image) - enlarged_in_float(image)).max() <= 1.001


@given(SMALL)
@settings(deadline=None, max_examples=30)
def test_enlargement_keeps_the_range(image):
    large = image_sources._enlarge(image)
    assert image.min() <= large.min()
    assert large.max() <= image.max()


def test_enlargement_by_hand():
    image = np.zeros((8, 8), np.uint8)
    image[0, 0] = 255
    large = image_sources._enlarge(image)
    # The centre of the first large pixel lies beyond that of the first small one: all of it.
    assert large[0, 0] == 255
    # Large pixel 2 is centred on 2.5 · 8/28 − 0.5 = 0.214 of the way to the next: 0.786 · 255.
    assert large[0, 2] == 200
    assert not large[5:].any()


# --- Folders in the hub's layout ---


def test_a_folder_gives_back_its_images_exactly_and_in_order(tmp_path):
    train, test = grey_images(7, seed=1), grey_images(4, seed=2)
    raw = read_folder(write_folder(tmp_path / "set", train, test))
    assert raw.train_images.dtype == np.uint8
    assert (raw.train_images == train).all()
    assert (raw.test_images == test).all()
    assert raw.train_labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert raw.test_labels.tolist() == [0, 1, 2, 3]


def test_shards_and_batches_are_read_in_order(tmp_path):
    # 1,201 images in two files; they are decoded a thousand at a time.
    train = grey_images(1201, height=2, width=3)
    write_split(tmp_path, "train-00000-of-00002", train[:1100])
    write_split(tmp_path, "train-00001-of-00002", train[1100:], labels=[9] * 101)
    write_split(tmp_path, "test-00000-of-00001", train[:2])
    raw = read_folder(tmp_path)
    assert (raw.train_images == train).all()
    assert raw.train_labels[1100:].tolist() == [9] * 101


def test_a_folder_of_class_folders_is_read_as_load_dataset_reads_it(tmp_path):
    images = grey_images(4, height=5, width=5)
    for image, (split, name) in zip(
        images, [(s, n) for s in ("train", "test") for n in ("three", "zero")], strict=True
    ):
        (tmp_path / split / name).mkdir(parents=True)
        Image.fromarray(image).save(tmp_path / split / name / "1.png")
    raw = read_folder(tmp_path)
    assert (np.concatenate([raw.train_images, raw.test_images]) == images).all()
    assert raw.train_labels.tolist() == raw.test_labels.tolist() == [0, 1]


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"There is no folder .*none'. Check VAE_COURSE_DATA"):
        read_folder(tmp_path / "none")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="Check that it is complete, in the layout of the hub"):
        read_folder(tmp_path)


def test_a_damaged_file_is_refused(tmp_path):
    folder = write_folder(tmp_path / "set", grey_images(3), grey_images(3))
    path = folder / "test-00000-of-00001.parquet"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"could not be read .* Check that it is complete"):
        read_folder(folder)


def test_a_missing_split_is_named(tmp_path):
    write_split(tmp_path, "train", grey_images(3))
    with pytest.raises(DataError, match=r"has no 'test'. It needs the splits 'train' and 'test'"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("columns", "missing"), [(("img", "label"), "image"), (("image", "class"), "label")]
)
def test_a_missing_column_is_named(tmp_path, columns, missing):
    for split in ("train", "test"):
        write_split(tmp_path, split, grey_images(3), columns=columns)
    says = rf"has no '{missing}'. It needs .* the columns 'image' and 'label'"
    with pytest.raises(DataError, match=says):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(np.zeros((2, 4, 4, 3), np.uint8), id="colour"),
        pytest.param(np.zeros((2, 4, 4), np.uint16), id="16 bits"),
    ],
)
def test_images_that_are_not_8_bit_grey_are_refused(tmp_path, wrong):
    folder = write_folder(tmp_path / "set", wrong, grey_images(2))
    with pytest.raises(DataError, match=r"train holds .* not 8-bit grey. Convert its images"):
        read_folder(folder)


def test_images_of_several_sizes_are_refused(tmp_path):
    images = [grey_images(1)[0], grey_images(1, width=27)[0]]
    folder = write_folder(tmp_path / "set", grey_images(2), images)
    with pytest.raises(DataError, match=r"test holds images of several sizes. Resize them"):
        read_folder(folder)


def test_splits_of_different_sizes_are_refused(tmp_path):
    folder = write_folder(tmp_path / "set", grey_images(2), grey_images(2, width=27))
    with pytest.raises(DataError, match=r"sizes.* Resize them to one size"):
        read_folder(folder)


def test_an_empty_split_is_refused(tmp_path):
    folder = write_folder(tmp_path / "set", grey_images(2), [])
    with pytest.raises(DataError, match=r"Check that it is complete|Fetch the data set again"):
        read_folder(folder)


@pytest.mark.parametrize("label", [-1, 256])
def test_labels_that_are_no_small_numbers_are_refused(tmp_path, label):
    write_split(tmp_path, "train", grey_images(2), labels=[0, label])
    write_split(tmp_path, "test", grey_images(2))
    with pytest.raises(DataError, match=f"{label} out of bounds"):
        read_folder(tmp_path)


def test_an_image_that_cannot_be_decoded_is_refused(tmp_path, monkeypatch):
    folder = write_folder(tmp_path / "set", grey_images(2), grey_images(2))
    monkeypatch.setattr(cv2, "imdecode", lambda *_: None)
    with pytest.raises(DataError, match="not 8-bit grey"):
        read_folder(folder)
