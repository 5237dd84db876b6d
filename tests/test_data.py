import hashlib
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hub_layout import grey_images, write_folder

from vae_course import data
from vae_course.data import load_images
from vae_course.errors import DataError
from vae_course.image_sources import RawImages


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache that nobody has used."""
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "set", grey_images(6, seed=1), grey_images(4, seed=2))


def raw_images(seed):
    train, test = grey_images(3, seed=seed), grey_images(2, seed=seed + 1)
    return RawImages(train, np.arange(3, dtype=np.uint8), test, np.arange(2, dtype=np.uint8))


def unwanted(*_, **__):
    raise AssertionError("this must not be asked")


# --- What is loaded ---


def test_digits_have_their_counts_and_their_recorded_hash(digits):
    assert digits.name == "digits"
    assert digits.train_images.shape == (1437, 28, 28)
    assert digits.test_images.shape == (360, 28, 28)
    found = tuple(
        hashlib.sha256(split.tobytes()).hexdigest()
        for split in (digits.train_images, digits.test_images)
    )
    assert found == (digits.train_sha256, digits.test_sha256) == data.KNOWN_SHA256["digits"]


def test_mnist_has_its_counts_and_its_published_hash(mnist):
    if mnist.name != "mnist":
        pytest.skip("VAE_COURSE_DATA is another data set")
    assert mnist.train_images.shape == (60_000, 28, 28)
    assert mnist.test_images.shape == (10_000, 28, 28)
    assert hashlib.sha256(mnist.train_images.tobytes()).hexdigest() == (
        "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757"
    )
    assert hashlib.sha256(mnist.test_images.tobytes()).hexdigest() == (
        "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
    )
    # The first five labels of the training file, and the counts of the ten classes.
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(mnist.test_labels).tolist() == [
        *(980, 1135, 1032, 1010, 982),
        *(892, 958, 1028, 974, 1009),
    ]


def test_both_hashes_make_one(digits):
    assert digits.sha256 == "+".join(data.KNOWN_SHA256["digits"])


def test_the_repr_is_one_line_that_says_what_it_is(digits):
    assert repr(digits) == (
        "digits: 1,437 training and 360 test images of 28×28 pixels, "
        "SHA-256 e1a68952… and 3962d61f…"
    )


@pytest.mark.usefixtures("cache")
def test_a_folder_is_loaded_with_its_own_hash(folder):
    images = load_images(folder)
    assert images.name == "set"
    assert (images.train_images == grey_images(6, seed=1)).all()
    assert images.test_sha256 == hashlib.sha256(grey_images(4, seed=2).tobytes()).hexdigest()


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["mnist", "MNIST", "digits"])
def test_a_folder_with_a_known_name_and_other_images_is_refused(tmp_path, name):
    folder = write_folder(tmp_path / name, grey_images(2), grey_images(2, seed=1))
    found = [hashlib.sha256(grey_images(2, seed=s).tobytes()).hexdigest()[:12] for s in (0, 1)]
    expected = [sha256[:12] for sha256 in data.KNOWN_SHA256[name.lower()]]
    with pytest.raises(DataError, match="Fetch them again, or rename the folder") as caught:
        load_images(folder)
    assert all(part in str(caught.value) for part in found + expected)


@pytest.mark.usefixtures("cache")
def test_a_name_on_the_hub_is_no_proof_either(monkeypatch):
    monkeypatch.setattr(data, "read_hub", lambda _: raw_images(0))
    with pytest.raises(DataError, match="called 'mnist' are not mnist"):
        load_images("someone/MNIST")


# --- Where it is looked for ---


@pytest.mark.usefixtures("cache")
def test_the_argument_goes_before_the_variable(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("VAE_COURSE_DATA", str(tmp_path / "missing"))
    assert load_images(folder).name == "set"


@pytest.mark.usefixtures("cache")
def test_the_variable_goes_before_the_hub(folder, monkeypatch):
    monkeypatch.setenv("VAE_COURSE_DATA", str(folder))
    monkeypatch.setattr(data, "hub_reachable", unwanted)
    monkeypatch.setattr(data, "read_hub", unwanted)
    assert load_images().name == "set"


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("variable", [None, ""])
def test_the_hub_goes_before_the_digits_and_is_asked_once(monkeypatch, variable):
    if variable is not None:
        monkeypatch.setenv("VAE_COURSE_DATA", variable)
    monkeypatch.setattr(data, "KNOWN_SHA256", {})
    monkeypatch.setattr(data, "hub_reachable", lambda: True)
    monkeypatch.setattr(data, "read_hub", {"ylecun/mnist": raw_images(0)}.__getitem__)
    first = load_images()
    assert first.name == "mnist"
    # What it once gave is in the cache, and needs no network.
    monkeypatch.setattr(data, "hub_reachable", unwanted)
    monkeypatch.setattr(data, "read_hub", unwanted)
    assert load_images().sha256 == first.sha256


def test_the_digits_come_last_with_a_warning_that_says_how_to_get_mnist(monkeypatch):
    monkeypatch.setattr(data, "hub_reachable", lambda: False)
    monkeypatch.setattr(data, "read_hub", unwanted)
    with pytest.warns(UserWarning, match="set VAE_COURSE_DATA to a folder") as caught:
        images = load_images()
    assert images.name == "digits"
    assert "1,797 small digits" in str(caught[0].message)
    assert caught[0].filename == __file__


def test_digits_by_name_come_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_images("digits").name == "digits"


@pytest.mark.usefixtures("cache")
def test_a_relative_folder_and_a_home_folder_are_found(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    hashes = {load_images(name).sha256 for name in ("set", "./set", "~/set", Path("set"))}
    assert hashes == {load_images(folder).sha256}


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("/no/such/folder", "There is no folder '/no/such/folder'. Check VAE_COURSE_DATA"),
        ("./missing", "There is no folder .*missing'. Check VAE_COURSE_DATA"),
        ("what is this?", "neither a folder nor the name of a data set. Set VAE_COURSE_DATA"),
        ("ylecun/mnist", "The hub cannot be reached.* Check the network, or set VAE_COURSE_DATA"),
    ],
)
def test_what_cannot_be_found_is_refused(source, says, monkeypatch):
    with pytest.raises(DataError, match=says):
        load_images(source)
    monkeypatch.setenv("VAE_COURSE_DATA", source)
    with pytest.raises(DataError, match=says):
        load_images()


# --- The cache ---


@pytest.mark.usefixtures("cache")
def test_the_second_time_nothing_is_decoded(folder, monkeypatch):
    first = load_images(folder)
    monkeypatch.setattr(data, "read_folder", unwanted)
    second = load_images(folder)
    assert (second.train_images == first.train_images).all()
    assert (second.test_labels == first.test_labels).all()
    assert second.sha256 == first.sha256


@pytest.mark.usefixtures("cache")
def test_a_changed_file_is_noticed(folder):
    first = load_images(folder)
    write_folder(folder, grey_images(6, seed=1), grey_images(4, seed=3))
    second = load_images(folder)
    assert second.train_sha256 == first.train_sha256
    assert (second.test_images == grey_images(4, seed=3)).all()


@pytest.mark.usefixtures("cache")
def test_another_folder_of_the_same_name_is_another_source(folder, tmp_path):
    other = write_folder(tmp_path / "elsewhere" / "set", grey_images(2), grey_images(2))
    assert load_images(folder).sha256 != load_images(other).sha256


def test_a_damaged_cache_file_is_decoded_again_and_replaced(folder, cache):
    first = load_images(folder)
    (path,) = (cache / "images").iterdir()
    path.write_bytes(path.read_bytes()[:-1] + b"\x99")
    with pytest.warns(UserWarning, match="decoded again"):
        assert load_images(folder).sha256 == first.sha256
    assert load_images(folder).sha256 == first.sha256


def test_a_cache_that_cannot_be_written_costs_a_warning_only(folder, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="could not be cached"):
        assert len(load_images(folder).train_images) == 6


def test_a_cache_that_was_removed_is_made_again(folder, cache):
    load_images(folder)
    shutil.rmtree(cache)
    assert len(load_images(folder).train_images) == 6
    assert len(list((cache / "images").iterdir())) == 1
