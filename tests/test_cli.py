"""What the commands do when all is well; `test_cli_refusals` has the rest."""

import json
import shutil

import pytest
from command_line import SMALL, invoke, train_small
from hub_layout import grey_images, write_folder
from PIL import Image

from vae_course import __version__, checkpoints, training
from vae_course.config import PRESETS
from vae_course.errors import ConfigError, DataError

COMMANDS = ["train", "evaluate", "sample", "interpolate", "info"]
MEASURES = ["negative_elbo", "distortion", "rate", "standard_error", "active_units"]
LIKELIHOOD = ["log_likelihood", "log_likelihood_standard_error", "log_likelihood_images"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder that the command line trained into; not to be changed."""
    return train_small(tmp_path_factory.mktemp("cli") / "run")


@pytest.fixture
def own_run(run, tmp_path):
    """A copy to damage."""
    return shutil.copytree(run, tmp_path / "copy")


# --- Help and usage ---


def test_help_names_every_command():
    result = invoke("--help")
    assert result.exit_code == 0
    assert all(command in result.output for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_and_its_options(command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"{command} [OPTIONS]" in result.output
    described = [line for line in result.output.splitlines() if line.startswith("  --")]
    assert len(described) >= 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["train"], "Missing option '--out'"),
        (["train", "--out"], "'--out' requires an argument"),
        (["train", "--out", "x", "--epochs", "two"], "'--epochs'"),
        (["train", "--out", "x", "--preset", "best"], "'quick', 'tutorial', 'course'"),
        (["train", "--out", "x", "--schedule", "step"], "'constant', 'cosine'"),
        (["train", "--out", "x", "--nonsense"], "--nonsense"),
        (["evaluate"], "Missing argument"),
        (["evaluate", "x", "--images", "1"], "'--images'"),
        (["sample", "x", "--count", "0"], "'--count'"),
        (["interpolate", "x", "--steps", "1"], "'--steps'"),
        (["interpolate", "x", "--from", "-1"], "'--from'"),
        (["interpolate", "x", "--path", "crooked"], "'linear', 'spherical'"),
    ],
)
def test_a_usage_error_exits_with_2_and_says_what_was_wrong(arguments, says):
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr
    assert says in result.stderr


def test_no_command_shows_the_help():
    assert "train" in invoke().output


# --- A journey ---


def test_training_leaves_checkpoint_history_and_figures(run):
    names = {path.name for path in run.iterdir()}
    pictures = {"training.png", "reconstructions.png", "samples.png"}
    assert names == {"model.safetensors", "history.json", *pictures}
    history = json.loads((run / "history.json").read_text(encoding="utf-8"))["history"]
    assert len(history["test_loss"]) == 2
    assert history["test_distortion"][1] < history["test_distortion"][0]


def test_training_takes_each_option(tmp_path):
    options = {"batch_size": 200, "learning_rate": 0.002, "beta": 2.0}
    names = {"binarization": "static", "schedule": "constant", "activation": "tanh"}
    given = [f"--{k.replace('_', '-')}={v}" for k, v in (options | names).items()]
    invoke("train", "--out", tmp_path, *SMALL, "--epochs", 1, "--seed", 5, *given)
    about = json.loads((tmp_path / "history.json").read_text(encoding="utf-8"))["about"]
    expected = {**options, **names, "epochs": 1, "seed": 5, "latent_size": 4, "hidden_sizes": [32]}
    assert {name: about[name] for name in expected} == expected


def test_training_can_answer_in_json(tmp_path):
    result = invoke("train", "--out", tmp_path, *SMALL, "--json")
    answer = json.loads(result.stdout)
    history = checkpoints.read(tmp_path / "model.safetensors").history
    assert answer["epochs"] == 2
    assert answer["interrupted"] is False
    assert answer["test_negative_elbo"] == history.test_negative_elbo[-1]
    assert answer["test_negative_elbo"] == answer["test_distortion"] + answer["test_rate"]


def test_training_without_epochs_scales_the_preset_to_the_data(tmp_path, monkeypatch):
    seen = []

    def fit(_model, _images, config, **_):
        seen.append(config)
        raise DataError("Enough.", "Stop.")

    monkeypatch.setattr(training, "fit", fit)
    with pytest.raises(DataError, match="Enough"):
        invoke("train", "--out", tmp_path, "--data", "digits", "--preset", "tutorial")
    assert seen == [PRESETS["tutorial"].train.scaled_to(1437)]
    assert seen[0].epochs == 26  # 4 · √(60,000 / 1,437)


def test_training_fits_the_model_to_the_images(tmp_path):
    images = grey_images(6, height=5, width=4)
    folder = write_folder(tmp_path / "set", images, images[:3])
    options = ["--epochs", 1, "--batch-size", 2, "--hidden", "", "--latent-size", 2]
    invoke("train", "--out", tmp_path / "run", "--data", folder, *options)
    model = checkpoints.read(tmp_path / "run" / "model.safetensors").model
    assert model.config.image_shape == (5, 4)
    assert model.config.hidden_sizes == ()


def test_evaluation_parses_adds_up_and_repeats(run):
    first = invoke("evaluate", run, "--data", "digits", "--json", "--samples", 20, "--images", 360)
    again = invoke("evaluate", run, "--data", "digits", "--json", "--samples", 20, "--images", 360)
    figures = json.loads(first.stdout)
    assert again.stdout == first.stdout
    assert set(figures) == {
        *("data", "seed", "test_images", *MEASURES, *LIKELIHOOD, "log_likelihood_samples")
    }
    assert (figures["data"], figures["test_images"]) == ("digits", 360)
    assert figures["negative_elbo"] == pytest.approx(figures["distortion"] + figures["rate"])
    assert figures["log_likelihood"] >= -figures["negative_elbo"]
    history = checkpoints.read(run / "model.safetensors").history
    # Training's last look at the same images drew other pixels and latents.
    difference = abs(figures["negative_elbo"] - history.test_negative_elbo[-1])
    assert difference < 5 * figures["standard_error"]


def test_evaluation_counts_images_and_leaves_the_likelihood_out_at_0_samples(run):
    few = invoke("evaluate", run, "--data", "digits", "--json", "--samples", 2, "--images", 7)
    assert json.loads(few.stdout)["log_likelihood_images"] == 7
    none = invoke("evaluate", run, "--data", "digits", "--json", "--samples", 0)
    assert set(json.loads(none.stdout)) == {"data", "seed", "test_images", *MEASURES}


def test_evaluation_prints_a_table_for_people(run):
    output = invoke("evaluate", run, "--data", "digits", "--samples", 0).output
    assert "in nats per image" in " ".join(output.split())
    assert "negative elbo" in output


def test_samples_are_written_where_asked_and_follow_the_seed(run, tmp_path):
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        result = invoke("sample", run, "--count", 4, "--seed", seed, "--out", tmp_path / name)
        assert "wrote" in result.output
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.png", "b.png", "c.png"))
    assert a == b
    assert a != c


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_an_interpolation_is_written_into_the_run(own_run, path):
    options = ["--from", 3, "--to", 359, "--steps", 5, "--path", path, "--data", "digits"]
    assert invoke("interpolate", own_run, *options).exit_code == 0
    with Image.open(own_run / "interpolation.png") as picture:
        assert picture.width > 4 * picture.height * 0.6


def test_info_on_a_run_says_what_it_is(run):
    facts = json.loads(invoke("info", run, "--json").stdout)
    assert (facts["data"], facts["epochs_done"], facts["latent_size"]) == ("digits", 2, 4)
    assert facts["hidden_sizes"] == [32]
    assert "latent size" in invoke("info", run).output


def test_info_on_the_machine_names_version_cache_and_presets(monkeypatch, tmp_path):
    monkeypatch.setenv("VAE_COURSE_CACHE", str(tmp_path))
    facts = json.loads(invoke("info", "--json").stdout)
    assert facts["vae-course"] == __version__
    assert facts["cache"] == str(tmp_path)
    assert set(facts["presets"]) == set(PRESETS)
    output = invoke("info").output
    assert all(name in output for name in PRESETS)


# --- Other models ---


def test_a_conditional_model_from_training_to_pictures(tmp_path):
    run = tmp_path / "run"
    invoke("train", "--out", run, "--preset", "conditional", *SMALL)
    assert json.loads(invoke("info", run, "--json").stdout)["classes"] == 10
    figures = json.loads(
        invoke("evaluate", run, "--data", "digits", "--json", "--samples", 2).stdout
    )
    assert set(figures) >= {*MEASURES, *LIKELIHOOD}
    invoke("interpolate", run, "--data", "digits", "--from", 3, "--to", 4, "--steps", 3)
    pictures = []
    for options in ([], ["--label", 3], ["--label", 4]):
        invoke("sample", run, "--count", 20, *options, "--out", tmp_path / "x.png")
        pictures.append((tmp_path / "x.png").read_bytes())
    assert len(set(pictures)) == 3
    with pytest.raises(ConfigError, match=r"no label 10\. Choose one from 0 to 9"):
        invoke("sample", run, "--label", 10)


def test_a_convolutional_model_from_training_to_pictures(tmp_path):
    options = ["--data", "digits", "--epochs", 1, "--hidden", 8, "--latent-size", 2]
    run = tmp_path / "run"
    invoke("train", "--out", run, "--preset", "convolutional", *options)
    expected = list(PRESETS["convolutional"].model.channels)
    assert json.loads(invoke("info", run, "--json").stdout)["channels"] == expected
    invoke("evaluate", run, "--data", "digits", "--samples", 0)
    for command in (["sample", run], ["interpolate", run, "--data", "digits"]):
        assert "wrote" in invoke(*command).output


def test_a_label_for_a_model_without_classes_is_refused(run):
    with pytest.raises(ConfigError, match="not conditional"):
        invoke("sample", run, "--label", 3)
