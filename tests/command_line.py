"""The command line in this process, and a run that it trained in seconds."""

from typer.testing import CliRunner

from vae_course import cli

SMALL = ["--data", "digits", "--epochs", "2", "--hidden", "32", "--latent-size", "4"]


def invoke(*arguments):
    """Its result; an error of ours comes out as itself."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def train_small(folder):
    assert invoke("train", "--out", folder, *SMALL).exit_code == 0
    return folder
