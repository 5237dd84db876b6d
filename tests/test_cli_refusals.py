"""What the commands say, and exit with, when something is wrong."""

import json
import shutil
import sys

import numpy as np
import pytest
from command_line import SMALL, invoke, train_small
from hub_layout import grey_images, write_folder

from vae_course import checkpoints, cli, evaluation, training
from vae_course.errors import DataError


@pytest.fixture
def main(monkeypatch, capsys):
    """``main()`` as the shell would call it: its exit code, output and errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["vae-course", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return caught.value.code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder that the command line trained into; not to be changed."""
    return train_small(tmp_path_factory.mktemp("cli") / "run")


@pytest.fixture
def own_run(run, tmp_path):
    """A copy to damage."""
    return shutil.copytree(run, tmp_path / "copy")


@pytest.fixture
def no_training(monkeypatch):
    def fit(*_, **__):
        raise AssertionError("this must be refused before training")

    monkeypatch.setattr(training, "fit", fit)


def is_one_line(errors, *parts):
    return (
        errors.startswith("Error: ")
        and errors.count("\n") == 1
        and all(part in errors for part in parts)
    )


@pytest.mark.usefixtures("no_training")
def test_an_earlier_run_is_kept_unless_forced(run, main):
    before = (run / "model.safetensors").read_bytes()
    code, _, errors = main("train", "--out", run, *SMALL)
    assert code == 2
    assert is_one_line(errors, "holds a trained model already", "add --force")
    assert (run / "model.safetensors").read_bytes() == before


def test_force_trains_over_an_earlier_run(own_run):
    assert invoke("train", "--out", own_run, *SMALL, "--epochs", 1, "--force").exit_code == 0
    assert checkpoints.read(own_run / "model.safetensors").history.epochs == 1


@pytest.mark.usefixtures("no_training")
def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path, main):
    (tmp_path / "file").write_text("")
    code, _, errors = main("train", "--out", tmp_path / "file" / "run", *SMALL)
    assert code == 1
    assert is_one_line(errors, "cannot be written", "Choose another folder")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--epochs", 0], "epochs is 0"),
        (["--beta", -1], "beta is -1.0"),
        (["--learning-rate", "nan"], "learning_rate is nan"),
        (["--latent-size", 0], "latent_size is 0"),
        (["--hidden", "5,x"], "Give sizes such as 512,256"),
        (["--hidden", "0"], "hidden size is 0"),
    ],
)
def test_settings_that_cannot_be_meant_exit_with_2(tmp_path, main, options, says):
    code, output, errors = main("train", "--out", tmp_path / "run", *SMALL, *options)
    assert (code, output) == (2, "")
    assert is_one_line(errors, says)
    assert not (tmp_path / "run").exists()


def test_a_batch_larger_than_the_data_exits_with_2(tmp_path, main):
    code, _, errors = main("train", "--out", tmp_path / "run", *SMALL, "--batch-size", 5000)
    assert code == 2
    # The progress bar stood there already.
    assert is_one_line(errors[errors.index("Error: ") :], "Use a batch size from 1 to 1437")


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("source", ["/no/such/folder", "what is this?", "some/set"])
def test_data_that_cannot_be_found_exits_with_1(tmp_path, main, source):
    code, _, errors = main("train", "--out", tmp_path / "run", "--data", source)
    assert code == 1
    assert is_one_line(errors, source, "VAE_COURSE_DATA")


@pytest.mark.parametrize("command", ["evaluate", "interpolate"])
def test_other_data_than_the_models_exits_with_1(run, tmp_path, main, command):
    folder = write_folder(tmp_path / "other", grey_images(3), grey_images(3))
    code, _, errors = main(command, run, "--data", folder)
    assert code == 1
    assert is_one_line(errors, "trained on digits", "other images (other)", "--data")


@pytest.mark.parametrize("command", ["evaluate", "sample", "interpolate", "info"])
def test_a_missing_run_exits_with_1_and_says_how_to_train_one(tmp_path, main, command):
    code, output, errors = main(command, tmp_path / "none")
    assert (code, output) == (1, "")
    assert is_one_line(errors, "holds no trained model", "vae-course train --out")


@pytest.mark.parametrize("command", ["evaluate", "sample", "interpolate", "info"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "replaced"])
def test_a_damaged_checkpoint_exits_with_1(own_run, main, command, damage):
    path = own_run / "model.safetensors"
    sound = path.read_bytes()
    flipped = sound[:-1] + bytes([sound[-1] ^ 1])
    path.write_bytes({"flipped": flipped, "truncated": sound[:-9], "replaced": b"x"}[damage])
    code, _, errors = main(command, own_run)
    assert code == 1
    assert is_one_line(errors, "damaged", "Train it again")


@pytest.mark.parametrize("options", [["--to", 360], ["--from", 1000]])
def test_an_image_that_is_not_there_exits_with_2(run, main, options):
    code, _, errors = main("interpolate", run, "--data", "digits", *options)
    assert code == 2
    assert is_one_line(errors, f"There is no test image {options[1]}", "Choose from 0 to 359")


def test_fewer_importance_samples_than_none_exit_with_2(run, main):
    code, _, errors = main("evaluate", run, "--data", "digits", "--samples", -1)
    assert code == 2
    assert "samples" in errors


@pytest.mark.parametrize("name", ["no/folder/x.png", "x.nonsense"])
def test_a_picture_that_cannot_be_written_exits_with_1(run, tmp_path, main, name):
    code, output, errors = main("sample", run, "--count", 1, "--out", tmp_path / name)
    assert (code, output) == (1, "")
    assert is_one_line(errors, "could not be written", "such as x.png")


def test_the_picture_that_is_announced_is_there(run, tmp_path):
    output = invoke("sample", run, "--count", 1, "--out", tmp_path / "picture").output
    assert "picture" in output
    assert [path.name for path in tmp_path.iterdir()] == ["picture"]


def test_an_error_of_several_lines_is_printed_as_one(monkeypatch, main):
    def fail(*_, **__):
        raise DataError("pyarrow said:\n  two\n  lines.", "Fetch it again.")

    monkeypatch.setattr("vae_course.data.load_images", fail)
    code, _, errors = main("train", "--out", "never", *SMALL)
    assert code == 1
    assert is_one_line(errors, "pyarrow said: two lines. Fetch it again.")


def test_an_error_in_brackets_is_printed_as_it_is(monkeypatch, main):
    def fail(*_, **__):
        raise DataError(f"[bold] {'long ' * 100}", "Stop.")

    monkeypatch.setattr("vae_course.data.load_images", fail)
    assert is_one_line(main("train", "--out", "never", *SMALL)[2], "[bold] long")


def test_errors_that_are_not_ours_are_not_swallowed(monkeypatch, tmp_path):
    def fail(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr("vae_course.data.load_images", fail)
    monkeypatch.setattr(sys, "argv", ["vae-course", "train", "--out", str(tmp_path)])
    with pytest.raises(RuntimeError, match="a bug"):
        cli.main()


def test_ctrl_c_keeps_the_complete_epochs_and_exits_with_130(tmp_path, monkeypatch, main):
    calls = []

    def interrupted_the_second_time(*arguments, **named):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluation.evaluate(*arguments, **named)

    monkeypatch.setattr(training, "evaluate", interrupted_the_second_time)
    with pytest.warns(UserWarning, match="as after 1 of 2 epochs"):
        code, output, _ = main("train", "--out", tmp_path / "run", *SMALL, "--json")
    answer = json.loads(output)
    assert code == 130
    assert (answer["epochs"], answer["interrupted"]) == (1, True)
    history = checkpoints.read(tmp_path / "run" / "model.safetensors").history
    assert np.isfinite(history.test_loss).all()
    assert history.epochs == 1
