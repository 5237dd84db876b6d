"""The digit classifier: good, kept, and not to be fooled by images of another kind."""

import numpy as np
import pytest

from vae_course.checks import classifier
from vae_course.errors import ShapeError


@pytest.fixture(scope="module")
def trained(digits):
    return classifier.digit_classifier(digits)


def test_it_reads_test_digits_grey_or_black_and_white(trained, digits):
    assert trained.accuracy > 0.95
    grey = digits.test_images / 255
    drawn = (np.random.default_rng(0).random(grey.shape) < grey).astype(np.float32)
    assert (trained(drawn).argmax(1) == digits.test_labels).mean() > 0.9
    found = trained(grey)
    assert found.shape == (len(grey), 10)
    assert found.sum(1) == pytest.approx(np.ones(len(grey)), abs=1e-5)
    assert trained.accuracy == pytest.approx((found.argmax(1) == digits.test_labels).mean())


def test_shuffled_labels_teach_it_nothing(digits):
    # The test that the accuracy above is learned, and measured on images it has not seen.
    shuffled = np.random.default_rng(0).permutation(digits.train_labels)
    assert classifier._train(digits._replace(train_labels=shuffled)).accuracy < 0.4


def test_it_is_kept_and_found_again(trained, digits, monkeypatch):
    monkeypatch.setattr(classifier, "_train", None)
    again = classifier.digit_classifier(digits)
    assert again.accuracy == trained.accuracy
    assert np.array_equal(again.weights["hidden"], trained.weights["hidden"])


def test_a_damaged_file_is_trained_again(trained, digits, monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "_train", lambda images: trained)
    path = classifier.classifier_file(digits)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert classifier.digit_classifier(digits).accuracy == trained.accuracy
    assert path.stat().st_size > 100_000


def test_a_folder_that_cannot_be_written_is_a_warning(trained, digits, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(classifier, "_train", lambda images: trained)
    with pytest.warns(UserWarning, match="was not kept"):
        assert classifier.digit_classifier(digits) is trained


def test_images_of_another_size_or_range_are_refused(trained):
    with pytest.raises(ShapeError, match=r"Give \(n, 28, 28\)"):
        trained(np.zeros((2, 8, 8)))
    for image in (np.full((1, 28, 28), 255.0), np.full((1, 28, 28), np.nan)):
        with pytest.raises(ShapeError, match=r"beyond \[0, 1\]"):
            trained(image)
