import dataclasses
import errno
import multiprocessing
import os

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

from vae_course import checkpoints, image_cache
from vae_course.checkpoints import load, load_or_train, read, save
from vae_course.config import ModelConfig, TrainConfig
from vae_course.errors import CheckpointError, TrainingError

MODEL = ModelConfig(hidden_sizes=(16,), latent_size=4)
TRAIN = TrainConfig(batch_size=100, epochs=1)


@pytest.fixture(scope="module")
def few(digits):
    return digits._replace(
        train_images=digits.train_images[:300], test_images=digits.test_images[:60]
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


@pytest.mark.parametrize("change", ["model", "train", "seed", "data", "sources", "jax"])
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
