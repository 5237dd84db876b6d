import dataclasses
import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vae_course.config import PRESETS, ModelConfig, TrainConfig, preset
from vae_course.errors import ConfigError, CourseError


def test_default_model_is_the_tutorials():
    config = ModelConfig()
    assert (config.hidden_sizes, config.latent_size, config.image_shape) == ((256,), 32, (28, 28))


def test_pixels_are_height_times_width():
    assert ModelConfig().pixels == 784
    assert ModelConfig(image_shape=(3, 5)).pixels == 15


def test_lists_become_tuples_so_that_equal_configurations_are_equal():
    # JSON, which a checkpoint goes through, knows lists only.
    config = ModelConfig(hidden_sizes=[512, 256], image_shape=[8, 8], channels=[4, 2])
    same = ModelConfig(hidden_sizes=(512, 256), image_shape=(8, 8), channels=(4, 2))
    assert config == same
    assert hash(config) == hash(same)


def test_no_hidden_layer_is_a_linear_model_and_allowed():
    assert ModelConfig(hidden_sizes=()).hidden_sizes == ()


@pytest.mark.parametrize("config", [ModelConfig(), TrainConfig()])
def test_configurations_are_frozen(config):
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.epochs = 3


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"latent_size": 0}, "latent_size is 0. Use a whole number of 1 or more"),
        ({"latent_size": -1}, "latent_size is -1"),
        ({"latent_size": 2.0}, "latent_size is 2.0"),
        ({"latent_size": True}, "latent_size is True"),
        ({"hidden_sizes": (256, 0)}, "hidden size is 0"),
        ({"hidden_sizes": "512"}, "hidden size is '5'"),
        ({"image_shape": (28,)}, r"Give \(height, width\)"),
        ({"image_shape": (28, 28, 1)}, r"Give \(height, width\)"),
        ({"image_shape": (28, 0)}, "side of image_shape is 0"),
        ({"activation": "gelu"}, "Choose one of relu, silu, tanh"),
        ({"channels": (8, 0)}, "number of channels is 0"),
        ({"channels": (4, 4, 4)}, r"by 8, and image_shape is \(28, 28\). Use fewer channels"),
        ({"channels": (4,), "image_shape": (28, 27)}, "divide each side of the image by 2"),
        ({"channels": (4,), "classes": 10}, "not both"),
        ({"upsampling": "nearest"}, "Choose one of transposed, depth_to_space"),
        ({"classes": -1}, "classes is -1"),
        ({"classes": 2.0}, "classes is 2.0"),
    ],
)
def test_model_refuses(wrong, says):
    with pytest.raises(ConfigError, match=says):
        ModelConfig(**wrong)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"batch_size": 0}, "batch_size is 0. Use a whole number"),
        ({"epochs": 0}, "epochs is 0. Use a whole number of 1"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0. Use one above 0"),
        ({"learning_rate": math.nan}, "learning_rate is nan"),
        ({"learning_rate": math.inf}, "learning_rate is inf"),
        ({"beta": -1.0}, "use 0 or more; 1 is the ELBO"),
        ({"beta": math.nan}, "beta is nan"),
        ({"binarization": "dynamic"}, "Choose one of threshold, static, stochastic"),
        ({"level": -1}, "from 0 to 254"),
        ({"level": 255}, "from 0 to 254"),
        ({"level": 0.5}, "level is 0.5"),
        ({"schedule": "step"}, "Choose one of constant, cosine"),
        ({"warmup_epochs": -1}, "warmup_epochs is -1. Use a whole number of 0"),
        ({"epochs": 3, "warmup_epochs": 3}, "Warm up for fewer epochs"),
        ({"average_decay": 0.0}, r"in \(0, 1\)"),
        ({"average_decay": 1.0}, r"in \(0, 1\)"),
    ],
)
def test_training_refuses(wrong, says):
    with pytest.raises(ConfigError, match=says):
        TrainConfig(**wrong)


def test_the_edges_of_the_ranges_are_allowed():
    edges = TrainConfig(beta=0.0, level=254, warmup_epochs=1, epochs=2, batch_size=1)
    assert (edges.beta, edges.level, edges.warmup_epochs) == (0.0, 254, 1)
    assert TrainConfig(epochs=1, warmup_epochs=0).epochs == 1


def test_a_refusal_is_a_value_error_and_keeps_problem_and_action_apart():
    with pytest.raises(ConfigError) as caught:
        ModelConfig(latent_size=0)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, CourseError)
    assert str(caught.value) == f"{caught.value.problem} {caught.value.action}"


def test_scaling_by_hand():
    # A 25th of the images, √25 = 5 times the epochs: 100, and 5 of warm-up.
    start = TrainConfig(epochs=20, warmup_epochs=1, batch_size=512)
    scaled = start.scaled_to(2400)
    assert (scaled.epochs, scaled.warmup_epochs, scaled.batch_size) == (100, 5, 512)
    assert scaled == dataclasses.replace(start, epochs=100, warmup_epochs=5)


def test_scaling_to_the_reference_changes_nothing():
    assert TrainConfig().scaled_to(60_000) == TrainConfig()
    assert TrainConfig().scaled_to(500, reference=500) == TrainConfig()


def test_a_batch_is_never_larger_than_the_data_set():
    assert TrainConfig(batch_size=128).scaled_to(100).batch_size == 100


@example(images=1_000_000, epochs=6, warmup=5)
@given(images=st.integers(1, 10_000_000), epochs=st.integers(1, 100), warmup=st.integers(0, 99))
@settings(deadline=None, max_examples=100)
def test_scaling_holds_the_updates_between_equal_epochs_and_equal_updates(images, epochs, warmup):
    start = TrainConfig(epochs=epochs, warmup_epochs=min(warmup, epochs - 1))
    scaled = start.scaled_to(images)
    exact = epochs * math.sqrt(60_000 / images)
    assert abs(scaled.epochs - exact) <= 0.5 or scaled.epochs == 1
    assert scaled.batch_size <= images


@pytest.mark.parametrize("images", [0, -1, 2.5])
def test_scaling_refuses_a_set_without_images(images):
    with pytest.raises(ConfigError, match=r"images is .* Use a whole number of 1 or more"):
        TrainConfig().scaled_to(images)


def test_the_tutorial_preset_is_the_tutorials_training():
    # 4 epochs of 937 full batches of 64 are 3,748 updates.
    model, train, _ = preset("tutorial")
    assert model == ModelConfig()
    assert (train.batch_size, train.epochs, train.beta) == (64, 4, 2.45)
    assert (train.binarization, train.level) == ("threshold", 0)
    assert train.epochs * (60_000 // train.batch_size) == 3748
    # β_norm · pixels / latents = 0.1 · 784 / 32.
    assert train.beta == pytest.approx(0.1 * model.pixels / model.latent_size)


def test_the_manifold_preset_has_two_latents():
    assert preset("manifold").model.latent_size == 2


def test_a_preset_is_convolutional_and_another_knows_ten_classes():
    assert preset("convolutional").model.channels
    assert preset("conditional").model.classes == 10
    assert [name for name, chosen in PRESETS.items() if chosen.model.channels] == ["convolutional"]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_says_what_it_is_for_and_fits_the_digits(name):
    chosen = preset(name)
    assert chosen.purpose
    assert chosen.train.scaled_to(1437).epochs > chosen.train.epochs


def test_an_unknown_preset_is_refused_with_the_names_there_are():
    with pytest.raises(ConfigError, match=f"'best'. Choose one of {', '.join(PRESETS)}"):
        preset("best")
