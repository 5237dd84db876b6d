"""The student's side: budget, kept trainings, recalled cells, and Colab's Drive."""

import sys
from types import ModuleType

import jax
import pytest

from vae_course import training, workspace
from vae_course.checks import check
from vae_course.config import ModelConfig, TrainConfig
from vae_course.errors import ConfigError

TINY = ModelConfig(hidden_sizes=(8,), latent_size=2)
ONCE = TrainConfig(epochs=1)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("VAE_COURSE_DATA", "digits")
    before = jax.config.jax_compilation_cache_dir
    jax.config.update("jax_compilation_cache_dir", None)  # another test's may still be set
    yield
    jax.config.update("jax_compilation_cache_dir", before)


@pytest.fixture
def work():
    return workspace.begin("00-warmup")


def test_it_opens_with_the_images_and_says_what_it_is(capsys):
    assert workspace.begin("00-warmup").images.name == "digits"
    assert capsys.readouterr().out.startswith("Warm-up: 17 points. Images: digits")


def test_the_budget_picks(work, monkeypatch):
    assert work.pick(full=20, smoke=1) == 20
    monkeypatch.setenv("VAE_COURSE_BUDGET", "smoke")
    assert workspace.begin("00-warmup").pick(full=20, smoke=1) == 1


def test_a_training_is_kept_in_the_exercises_folder_and_found_again(work, tmp_path, monkeypatch):
    first = training.init_model(TINY, seed=0)
    history = work.train(first, ONCE, seed=3)
    assert len(list((tmp_path / "progress" / "00-warmup").glob("*.safetensors"))) == 1
    monkeypatch.setattr(training, "fit", None)
    again = training.init_model(TINY, seed=0)
    found = workspace.begin("00-warmup").train(again, ONCE, seed=3)
    assert found.test_loss.tolist() == history.test_loss.tolist()
    x = work.images.test_images[:2] / 255.0
    assert (first.encode(x)[0] == again.encode(x)[0]).all()


def test_other_images_are_another_training(work, tmp_path):
    fewer = work.images._replace(train_images=work.images.train_images[:256])
    for data in (None, fewer):
        work.train(training.init_model(TINY, seed=0), ONCE, data=data)
    assert len(list((tmp_path / "progress" / "00-warmup").glob("*.safetensors"))) == 2


def test_cells_are_recalled_in_the_next_session(work, capsys):
    cell = "kl_in_bits = 3.9"
    check("00-warmup", "kl_in_bits", namespace={"kl_in_bits": 3.9, "In": [cell]})
    capsys.readouterr()
    again = workspace.begin("00-warmup")
    assert "1 cells, 0 passed" in capsys.readouterr().out
    again.recall("kl_in_bits")
    assert capsys.readouterr().out == f"{cell}\n"
    with pytest.raises(ConfigError, match="Nothing is kept of 'kl_between'"):
        again.recall("kl_between")
    with pytest.raises(ConfigError, match="no task"):
        again.recall("nonsense")


def test_in_colab_all_of_it_is_kept_in_the_drive(monkeypatch, tmp_path):
    mounted = []
    colab = ModuleType("google.colab")
    colab.drive = ModuleType("google.colab.drive")
    colab.drive.mount = mounted.append
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setattr(workspace, "DRIVE", tmp_path / "drive")
    monkeypatch.delenv("VAE_COURSE_CACHE")
    work = workspace.begin("00-warmup")
    work.train(training.init_model(TINY, seed=0), ONCE)
    assert mounted == [str(tmp_path / "drive")]
    kept = tmp_path / "drive" / "MyDrive" / "vae_course" / "progress" / "00-warmup"
    assert len(list(kept.glob("*.safetensors"))) == 1
    monkeypatch.delenv("VAE_COURSE_CACHE")


def test_compiled_programs_are_kept_unless_the_user_chose_a_place(work, tmp_path):
    assert jax.config.jax_compilation_cache_dir == str(tmp_path / "compiled")
    jax.config.update("jax_compilation_cache_dir", "elsewhere")
    workspace.begin("00-warmup")
    assert jax.config.jax_compilation_cache_dir == "elsewhere"


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ConfigError, match="no exercise '07'"):
        workspace.begin("07")
