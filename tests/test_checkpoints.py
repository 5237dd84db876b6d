import dataclasses
import errno
import multiprocessing
import os

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from vae_course import checkpoints, image_cache
from vae_course.checkpoints import load, load_or_train, read, save, train_or_restore
from vae_course.config import ModelConfig, TrainConfig
from vae_course.errors import CheckpointError, TrainingError
from vae_course.models import VAE, Encoder, named_weights
from vae_course.training import init_model

MODEL = ModelConfig(hidden_sizes=(16,), latent_size=4)
TRAIN = TrainConfig(batch_size=100, epochs=1)


@pytest.fixture(scope="module")
def few(digits):
    return digits._replace(
        train_images=digits.train_images[:300],
        train_labels=digits.train_labels[:300],
        test_images=digits.test_images[:60],
        test_labels=digits.test_labels[:60],
    )


@pytest.fixture
def saved(trained, tmp_path):
    path = tmp_path / "run" / "model.safetensors"
    save(path, *trained, TrainConfig(beta=2.0), seed=7)
    return path


def test_round_trip(trained, held_out, saved):
    model, history = trained
    loaded, loaded_history = load(saved)
    assert loaded.config == model.config
    for left, right in zip(loaded.encode(held_out), model.encode(held_out), strict=True):
        np.testing.assert_array_equal(left, right)
    for field, column in history._asdict().items():
        np.testing.assert_array_equal(getattr(loaded_history, field), column)


def test_the_file_explains_itself(saved):
    checkpoint = read(saved)
    assert checkpoint.train_config == TrainConfig(beta=2.0)
    assert checkpoint.about == {"seed": 7}
    assert b"hidden_sizes" in saved.read_bytes()[:4000]


def test_nothing_but_the_file_is_left(saved):
    assert [path.name for path in saved.parent.iterdir()] == ["model.safetensors"]


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def test_every_kind_of_damage_is_named(saved, tmp_path):
    whole = saved.read_bytes()
    flip_a_bit(saved)
    with pytest.raises(CheckpointError, match="damaged: its hash"):
        load(saved)
    for part in (b"", whole[:4], whole[: len(whole) // 2], b"\xff" * 100):
        saved.write_bytes(part)
        with pytest.raises(CheckpointError, match="damaged or not a safetensors file"):
            load(saved)
    foreign = tmp_path / "foreign.safetensors"
    save_file({"a": np.zeros(3)}, foreign)
    with pytest.raises(CheckpointError, match="not a checkpoint of this course"):
        load(foreign)
    with pytest.raises(CheckpointError, match="no file"):
        load(tmp_path / "nothing")
    with pytest.raises(CheckpointError, match="no file"):
        load(tmp_path)


def test_weights_of_another_shape_are_refused(trained, tmp_path, monkeypatch):
    model, history = trained
    wrong = dataclasses.replace(model.config, latent_size=9)
    monkeypatch.setattr(model, "config", wrong)
    save(tmp_path / "x", model, history, TRAIN)
    with pytest.raises(CheckpointError, match="does not describe a model"):
        load(tmp_path / "x")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_cannot_be_written_is_an_error_and_keeps_the_old_file(
    trained, saved, monkeypatch, code
):
    def fail(*args):
        raise OSError(code, os.strerror(code))

    before = saved.read_bytes()
    monkeypatch.setattr(image_cache.os, "fsync", fail)
    with pytest.raises(CheckpointError, match=os.strerror(code)):
        save(saved, *trained, TRAIN)
    assert saved.read_bytes() == before
    assert len(list(saved.parent.iterdir())) == 1


def test_what_was_trained_is_not_trained_again(few, tmp_path, monkeypatch):
    first, history = load_or_train(few, MODEL, TRAIN, folder=tmp_path, progress=False)

    def fail(*args, **kwargs):
        raise AssertionError("trained again")

    monkeypatch.setattr(checkpoints, "fit", fail)
    second, again = load_or_train(few, MODEL, TRAIN, folder=tmp_path, progress=False)
    z = jax.random.normal(jax.random.key(0), (2, 4))
    np.testing.assert_array_equal(first.decode(z), second.decode(z))
    np.testing.assert_array_equal(history.seconds, again.seconds)


@pytest.mark.parametrize("change", ["model", "train", "seed", "data", "labels", "sources", "jax"])
def test_everything_that_the_weights_depend_on_is_in_the_key(few, monkeypatch, change):
    def path(data=few, model=MODEL, train=TRAIN, seed=0):
        return checkpoints._cached_path(None, model, train, checkpoints._provenance(data, seed))

    before = path()
    assert before == path()
    if change == "sources":
        monkeypatch.setattr(checkpoints, "_source_hash", lambda: "other")
    if change == "jax":
        monkeypatch.setattr(checkpoints.importlib.metadata, "version", lambda _: "0.0")
    settings = {
        "model": {"model": dataclasses.replace(MODEL, latent_size=5)},
        "train": {"train": dataclasses.replace(TRAIN, beta=1.5)},
        "seed": {"seed": 1},
        "data": {"data": few._replace(train_images=few.train_images[:200])},
        "labels": {"data": few._replace(train_labels=few.train_labels[::-1])},
    }
    assert path(**settings.get(change, {})) != before


def test_a_damaged_cache_is_trained_again_with_a_warning(few, tmp_path):
    load_or_train(few, MODEL, TRAIN, folder=tmp_path, progress=False)
    (path,) = tmp_path.iterdir()
    flip_a_bit(path)
    with pytest.warns(UserWarning, match="damaged.*trained again"):
        load_or_train(few, MODEL, TRAIN, folder=tmp_path, progress=False)
    assert load(path)[1].epochs == 1


def test_a_cache_that_cannot_be_written_costs_no_training(few, tmp_path):
    blocked = tmp_path / "a file, not a folder"
    blocked.touch()
    with pytest.warns(UserWarning, match="not kept"):
        _, history = load_or_train(few, MODEL, TRAIN, folder=blocked, progress=False)
    assert history.epochs == 1


def test_an_interrupted_training_is_not_kept(few, tmp_path, monkeypatch):
    def interrupted(model, *args, **kwargs):
        return checkpoints.History(*np.zeros((7, 0)), interrupted=True)

    monkeypatch.setattr(checkpoints, "fit", interrupted)
    _, history = load_or_train(few, MODEL, TRAIN, folder=tmp_path, progress=False)
    assert history.interrupted
    assert not list(tmp_path.iterdir())


def test_a_training_that_fails_says_so_and_keeps_nothing(few, tmp_path):
    config = dataclasses.replace(TRAIN, learning_rate=1e30)
    with pytest.raises(TrainingError):
        load_or_train(few, MODEL, config, folder=tmp_path, progress=False)
    assert not list(tmp_path.iterdir())


def _write_often(path, value, times):
    for _ in range(times):
        image_cache.write_atomically(path, bytes([value]) * 200_000)


def test_two_processes_at_once_leave_a_whole_file(tmp_path):
    path = tmp_path / "model"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_often, args=(path, v, 30)) for v in (1, 2)]
    for writer in writers:
        writer.start()
    seen = set()
    while any(writer.is_alive() for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 200_000
            seen.add(len(set(content)))
    assert all(writer.exitcode == 0 for writer in writers)
    assert seen == {1}
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    "settings",
    [{"classes": 10}, {"channels": (2, 3)}, {"channels": (2,), "upsampling": "depth_to_space"}],
)
def test_every_kind_of_model_survives_the_round_trip(few, tmp_path, settings):
    config = dataclasses.replace(MODEL, **settings)
    model = init_model(config, seed=1)
    history = checkpoints.History(*np.zeros((7, 1)))
    save(tmp_path / "x", model, history, TRAIN)
    loaded, _ = load(tmp_path / "x")
    assert loaded.config == config
    labels = few.test_labels[:5] if config.classes else None
    z = jax.random.normal(jax.random.key(0), (5, 4))
    np.testing.assert_array_equal(loaded.decode(z, labels), model.decode(z, labels))


# --- train_or_restore ---


class Scaled(brainstate.nn.Module):
    """An encoder of one's own, with a State of one's own, and a constant in its forward pass."""

    def __init__(self, constant=1.0):
        super().__init__()
        self.inner = Encoder(MODEL)
        self.shift = brainstate.ParamState(jnp.zeros(4))
        self.constant = constant

    def __call__(self, x):
        mean, logvar = self.inner(x)
        return self.constant * mean + self.shift.value, logvar


def own_model(constant=1.0, seed=0):
    with brainstate.random.seed_context(seed):
        return VAE(MODEL, encoder=Scaled(constant))


@pytest.fixture
def trainings(monkeypatch):
    """A list that grows with every training; a training here moves every weight by 1."""
    done = []

    def fit(model, *args, **kwargs):
        done.append(model)
        for state in checkpoints.parameters(model).values():
            state.value = jax.tree.map(lambda array: array + 1, state.value)
        return checkpoints.History(*np.full((7, 1), float(len(done))))

    monkeypatch.setattr(checkpoints, "fit", fit)
    return done


def test_a_model_of_ones_own_is_trained_once_and_then_restored_in_place(few, tmp_path):
    first, second = own_model(), own_model()
    history = train_or_restore(first, few, TRAIN, folder=tmp_path, progress=False)
    untrained = np.asarray(second.encoder.shift.value)
    again = train_or_restore(second, few, TRAIN, folder=tmp_path, progress=False)
    for column, other in zip(history, again, strict=True):
        np.testing.assert_array_equal(column, other)  # also the seconds, so it was not trained
    left, right = named_weights(first), named_weights(second)
    assert left.keys() == right.keys()
    for name, array in left.items():
        np.testing.assert_array_equal(array, right[name])
    assert (np.asarray(second.encoder.shift.value) != untrained).any()
    z = jnp.ones((1, 4))
    np.testing.assert_array_equal(first.decode(z), second.decode(z))


def test_it_trains_as_load_or_train_does(few, tmp_path):
    model = init_model(MODEL, seed=4)
    history = train_or_restore(model, few, TRAIN, seed=4, folder=tmp_path, progress=False)
    other, expected = load_or_train(few, MODEL, TRAIN, seed=4, folder=tmp_path, progress=False)
    np.testing.assert_array_equal(history.test_loss, expected.test_loss)
    np.testing.assert_array_equal(model.decode(jnp.ones((1, 4))), other.decode(jnp.ones((1, 4))))
    assert len(list(tmp_path.iterdir())) == 2


class Unsampled(VAE):
    """A mistake that shows in the pass only, not in encoder or decoder."""

    def __call__(self, x, *, key, labels=None):
        mean, _ = self.encode(x, labels)
        return super().__call__(x, key=key)._replace(z=mean, logits=self.decode(mean))


def unsampled():
    with brainstate.random.seed_context(0):
        return Unsampled(MODEL, encoder=Scaled())


@pytest.mark.parametrize(
    "change",
    [
        lambda few: {"model": own_model(constant=1.01)},
        lambda few: {"model": own_model(seed=1)},
        lambda few: {"model": unsampled()},
        lambda few: {"model": init_model(MODEL, seed=0)},
        lambda few: {"seed": 1},
        lambda few: {"config": dataclasses.replace(TRAIN, beta=2.0)},
        lambda few: {"data": few._replace(train_images=few.train_images[:200])},
    ],
    ids=["forward", "weights", "pass", "encoder", "seed", "training", "data"],
)
def test_whatever_changes_the_result_trains_again(few, tmp_path, trainings, change):
    def run(model=None, data=few, config=TRAIN, seed=0):
        train_or_restore(model or own_model(), data, config, seed=seed, folder=tmp_path)

    run()
    run()
    assert len(trainings) == 1
    run(**change(few))
    assert len(trainings) == 2


def test_a_conditional_model_is_restored_and_its_labels_belong_to_the_key(few, tmp_path, trainings):
    config = dataclasses.replace(MODEL, classes=10)
    told = few._replace(train_labels=few.train_labels[::-1])
    for data, expected in ((few, 1), (few, 1), (told, 2)):
        model = init_model(config, seed=0)
        train_or_restore(model, data, TRAIN, folder=tmp_path)
        assert len(trainings) == expected
        assert np.asarray(model.encoder.heads.weight.value["bias"])[0] == 1


def test_training_further_is_another_training(few, tmp_path, trainings):
    model = own_model()
    for _ in range(2):
        train_or_restore(model, few, TRAIN, folder=tmp_path)
    assert len(trainings) == 2


def test_an_interrupted_training_in_place_is_not_kept(few, tmp_path, monkeypatch):
    interrupted = checkpoints.History(*np.zeros((7, 0)), interrupted=True)
    monkeypatch.setattr(checkpoints, "fit", lambda *args, **kwargs: interrupted)
    assert train_or_restore(own_model(), few, TRAIN, folder=tmp_path).interrupted
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["flipped", "foreign"])
def test_a_damaged_file_is_trained_again_in_place(few, tmp_path, trainings, damage):
    train_or_restore(own_model(), few, TRAIN, folder=tmp_path)
    (path,) = tmp_path.iterdir()
    if damage == "flipped":
        flip_a_bit(path)
    else:  # whole, but of another model
        save(path, init_model(MODEL, seed=0), checkpoints.History(*np.zeros((7, 1))), TRAIN)
    with pytest.warns(UserWarning, match="trained again"):
        train_or_restore(own_model(), few, TRAIN, folder=tmp_path)
    assert len(trainings) == 2
