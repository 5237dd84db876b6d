import json
import shutil

import jax
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conditional_models import conditional_model
from hub_layout import grey_images, write_folder
from PIL import Image

from vae_course import checkpoints, runs
from vae_course.config import TrainConfig
from vae_course.data import binarize
from vae_course.errors import CheckpointError, ConfigError, DataError
from vae_course.models import count_parameters

CONFIG = TrainConfig(epochs=15, learning_rate=3e-3)
FIGURES = ["reconstructions.png", "samples.png", "training.png"]


@pytest.fixture(scope="module")
def run(trained, digits, tmp_path_factory):
    """A folder with a small trained model; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    runs.prepare(folder, overwrite=False)
    runs.save_run(folder, *trained, CONFIG, images=digits, seed=7)
    return folder


@pytest.fixture
def own_run(run, tmp_path):
    """A copy to damage."""
    return shutil.copytree(run, tmp_path / "copy")


@pytest.fixture
def beyond_reach(tmp_path):
    """A path under a regular file, where not even root can make a folder."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "run"


# --- Before training ---


def test_a_new_folder_is_made_and_left_empty(tmp_path):
    runs.prepare(tmp_path / "a" / "b", overwrite=False)
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_without_a_model_may_be_used_and_keeps_its_files(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    runs.prepare(tmp_path, overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_folder_with_a_model_is_refused_unless_told_otherwise(run):
    with pytest.raises(ConfigError, match=r"holds a trained model already.*add --force"):
        runs.prepare(run, overwrite=False)
    runs.prepare(run, overwrite=True)
    assert checkpoints.read(run / "model.safetensors").about["seed"] == 7


def test_a_folder_that_cannot_be_written_is_refused_before_training(beyond_reach):
    with pytest.raises(CheckpointError, match=r"cannot be written .* Choose another folder"):
        runs.prepare(beyond_reach, overwrite=False)


def test_a_file_in_the_folders_place_is_refused(beyond_reach):
    with pytest.raises(CheckpointError, match=r"cannot be written .* Choose another folder"):
        runs.prepare(beyond_reach.parent, overwrite=False)


# --- What is written ---


def test_a_run_is_a_checkpoint_a_history_and_three_pictures(run):
    expected = [*FIGURES, "history.json", "model.safetensors"]
    assert sorted(path.name for path in run.iterdir()) == sorted(expected)


@pytest.mark.parametrize("name", FIGURES)
def test_every_picture_opens_and_is_not_blank(run, name):
    with Image.open(run / name) as picture:
        low, high = picture.convert("L").getextrema()
        assert picture.format == "PNG"
    assert (low < 64, high > 192) == (True, True)


def test_no_figure_stays_open(run):
    assert run.exists()
    assert plt.get_fignums() == []


def test_the_history_in_json_is_that_of_the_training(run, trained):
    content = json.loads((run / "history.json").read_text(encoding="utf-8"))
    _, history = trained
    assert content["history"]["test_rate"] == history.test_rate.tolist()
    assert set(content["history"]) == set(history._fields)
    assert content["history"]["interrupted"] is False
    assert content["about"]["seed"] == 7
    described = runs.describe(runs.open_run(run))
    assert content["about"] == json.loads(json.dumps(described))


def test_what_was_saved_is_opened_again(run, trained, digits, held_out):
    model, history = trained
    opened = runs.open_run(run)
    assert (opened.model.encode(held_out)[0] == model.encode(held_out)[0]).all()
    assert (opened.history.train_loss == history.train_loss).all()
    assert opened.train_config == CONFIG
    assert opened.about == {"seed": 7, "data": "digits", "data_sha256": digits.sha256}


def test_an_interrupted_run_without_an_epoch_is_saved_without_curves(trained, digits, tmp_path):
    model, history = trained
    none = type(history)(*[column[:0] for column in history[:-1]], interrupted=True)
    runs.save_run(tmp_path, model, none, CONFIG, images=digits, seed=0)
    assert not (tmp_path / "training.png").exists()
    assert runs.describe(runs.open_run(tmp_path))["epochs_done"] == 0


def test_a_description_by_hand(run):
    about = runs.describe(runs.open_run(run))
    # 784-64-(8, 8) and 8-64-784, each with biases.
    parameters = (784 * 64 + 64) + 2 * (64 * 8 + 8) + (8 * 64 + 64) + (64 * 784 + 784)
    assert about["parameters"] == parameters
    assert about["parameters"] == count_parameters(runs.open_run(run).model)
    assert (about["epochs"], about["epochs_done"]) == (15, 15)
    assert (about["latent_size"], list(about["hidden_sizes"])) == (8, [64])
    assert about["data"] == "digits"
    assert about["seconds"] > 0


@pytest.mark.parametrize("name", ["model.safetensors", "history.json", "samples.png"])
def test_a_file_that_cannot_be_written_is_refused(trained, digits, tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match=rf"{name} could not be written .* [Cc]hoose another"):
        runs.save_run(tmp_path, *trained, CONFIG, images=digits, seed=0)
    assert plt.get_fignums() == []


# --- What is read ---


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"holds no trained model. Train one: vae-course"):
        runs.open_run(tmp_path / "none")


def test_a_damaged_run_is_refused(own_run):
    path = own_run / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x99")
    with pytest.raises(CheckpointError, match=r"damaged.*Train it again"):
        runs.open_run(own_run)


def test_held_out_images_are_the_test_images_as_the_model_saw_its_own(run, digits):
    key = jax.random.key(3)
    x, labels = runs.held_out_images(runs.open_run(run), "digits", key=key)
    assert labels is None
    assert (x == binarize(digits.test_images, "stochastic", key=key)).all()


def test_held_out_images_take_method_and_level_from_the_training(run, digits):
    config = TrainConfig(binarization="threshold", level=127)
    checkpoint = runs.open_run(run)._replace(train_config=config)
    x, _ = runs.held_out_images(checkpoint, "digits", key=jax.random.key(0))
    assert (np.asarray(x) == (digits.test_images > 127)).all()


def test_other_images_than_the_models_are_refused(run, tmp_path):
    folder = write_folder(tmp_path / "other", grey_images(3), grey_images(3))
    says = (
        r"trained on digits, and these are other images \(other\). Give the same data with --data"
    )
    with pytest.raises(DataError, match=says):
        runs.held_out_images(runs.open_run(run), str(folder), key=jax.random.key(0))


def test_a_checkpoint_that_does_not_name_its_data_is_refused(trained, tmp_path):
    # Such as a student writes with checkpoints.save(path, model, history, config).
    checkpoints.save(tmp_path / "model.safetensors", *trained, CONFIG)
    with pytest.raises(CheckpointError, match="does not say which data"):
        runs.held_out_images(runs.open_run(tmp_path), "digits", key=jax.random.key(0))


# --- Labels ---


def test_held_out_images_of_a_conditional_model_come_with_their_labels(run, digits):
    checkpoint = runs.open_run(run)._replace(model=conditional_model())
    x, labels = runs.held_out_images(checkpoint, "digits", key=jax.random.key(0))
    assert len(x) == len(labels)
    np.testing.assert_array_equal(labels, digits.test_labels)


def test_samples_are_of_all_classes_in_order_or_of_the_one_asked_for(tiny):
    model = conditional_model()
    np.testing.assert_array_equal(runs.classes_of_samples(model, 5), [0, 1, 2, 0, 1])
    np.testing.assert_array_equal(runs.classes_of_samples(model, 3, label=2), [2, 2, 2])
    np.testing.assert_array_equal(runs.classes_of_samples(model, 2, label=0), [0, 0])
    assert runs.classes_of_samples(tiny, 3) is None


@pytest.mark.parametrize("label", [-1, 3])
def test_a_class_that_there_is_not_is_refused(label):
    with pytest.raises(ConfigError, match=f"no label {label}. Choose one from 0 to 2"):
        runs.classes_of_samples(conditional_model(), 3, label)


def test_a_class_of_a_model_without_classes_is_refused(tiny):
    with pytest.raises(ConfigError, match=r"not conditional.*preset 'conditional'"):
        runs.classes_of_samples(tiny, 3, 0)


# --- Figures ---


def test_a_figure_is_written_and_closed(tmp_path):
    _, ax = plt.subplots()
    runs.save_figure(ax, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as picture:
        assert picture.format == "PNG"
    assert plt.get_fignums() == []


def test_a_figure_goes_to_the_very_path_that_was_named(tmp_path):
    # Matplotlib would add an ending, and the file that was announced would not be there.
    _, ax = plt.subplots()
    runs.save_figure(ax, tmp_path / "picture")
    assert [path.name for path in tmp_path.iterdir()] == ["picture"]


@pytest.mark.parametrize("name", ["no/such/folder/x.png", "x.nonsense"])
def test_a_figure_that_cannot_be_written_is_refused_and_closed(tmp_path, name):
    _, ax = plt.subplots()
    with pytest.raises(CheckpointError, match=r"could not be written .* such as x.png"):
        runs.save_figure(ax, tmp_path / name)
    assert plt.get_fignums() == []
