"""The command line: train a model into a folder, then look at it.

``vae-course train --out runs/mlp`` writes a checkpoint, ``history.json`` and figures;
``evaluate``, ``sample``, ``interpolate`` and ``info`` read that folder. Heavy imports wait for
the command that needs them, so that help comes at once.
"""

import dataclasses
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vae_course import __version__, cli_exercises, cli_grade
from vae_course.config import ACTIVATIONS, BINARIZATIONS, PRESETS, SCHEDULES, preset
from vae_course.errors import ConfigError, CourseError, SandboxError

if TYPE_CHECKING:
    from vae_course.training import History

__all__ = ["app", "main"]

INTERRUPTED_EXIT = 130
EXITS = {ConfigError: 2, SandboxError: cli_grade.NO_SANDBOX}

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Train variational autoencoders, and look at what they learned.",
)
app.add_typer(cli_exercises.app, name="exercises")
app.command()(cli_exercises.check)
app.add_typer(cli_grade.app, name="grade")
out = Console()

PresetName = StrEnum("PresetName", {name: name for name in PRESETS})  # type: ignore[misc]
Binarization = StrEnum("Binarization", {name: name for name in BINARIZATIONS})  # type: ignore[misc]
Activation = StrEnum("Activation", {name: name for name in ACTIVATIONS})  # type: ignore[misc]
Schedule = StrEnum("Schedule", {name: name for name in SCHEDULES})  # type: ignore[misc]
PathKind = StrEnum("PathKind", {name: name for name in ("linear", "spherical")})  # type: ignore[misc]

Run = Annotated[Path, typer.Argument(help="A folder that `vae-course train --out` wrote.")]
Data = Annotated[
    str | None,
    typer.Option(help="A folder, a hub id, or 'digits'. Default: VAE_COURSE_DATA, then MNIST."),
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result on one machine.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script to read.")]


@app.command()
def train(
    folder: Annotated[Path, typer.Option("--out", help="Folder for the results; made anew.")],
    preset_name: Annotated[
        PresetName, typer.Option("--preset", help="Where the settings start from; see `info`.")
    ] = PresetName["quick"],
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's (peak) rate.")] = None,
    beta: Annotated[float | None, typer.Option(help="Weight of the rate; 1 is the ELBO.")] = None,
    binarization: Annotated[Binarization | None, typer.Option(help="How grey becomes 0/1.")] = None,
    schedule: Annotated[Schedule | None, typer.Option(help="The learning rate over time.")] = None,
    latent_size: Annotated[int | None, typer.Option(help="Number of latents.")] = None,
    hidden: Annotated[
        str | None, typer.Option(help="Hidden layers from the image inwards: 512,256.")
    ] = None,
    activation: Annotated[Activation | None, typer.Option(help="Of the hidden layers.")] = None,
    data: Data = None,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option(help="Overwrite an earlier run in that folder.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train a VAE and write checkpoint, history and figures into a folder."""
    start = preset(preset_name)
    model_config = _changed(
        start.model, latent_size=latent_size, hidden_sizes=_sizes(hidden), activation=activation
    )
    train_config = _changed(
        start.train,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        beta=beta,
        binarization=binarization,
        schedule=schedule,
    )
    import jax

    from vae_course import data as data_module
    from vae_course import runs, training

    images = data_module.load_images(data)
    if epochs is None:
        train_config = train_config.scaled_to(len(images.train_images))
    model_config = dataclasses.replace(model_config, image_shape=images.train_images.shape[1:])
    runs.prepare(folder, overwrite=force)
    if not as_json:
        out.print(f"{images!r}\n{_line(model_config)}\n{_line(train_config)}", highlight=False)
    model = training.init_model(model_config, seed=seed)
    history = training.fit(model, images, train_config, key=jax.random.key(seed))
    runs.save_run(folder, model, history, train_config, images=images, seed=seed)
    _report_training(folder, history, as_json)
    if history.interrupted:
        raise typer.Exit(INTERRUPTED_EXIT)


@app.command()
def evaluate(
    run: Run,
    samples: Annotated[
        int, typer.Option(help="Importance samples an image for log p(x); 0 leaves it out.")
    ] = 100,
    count: Annotated[
        int, typer.Option("--images", min=2, help="Random test images for log p(x).")
    ] = 500,
    data: Data = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure a trained model on the test images: −ELBO, rate, distortion, log-likelihood."""
    import jax
    import numpy as np

    from vae_course import evaluation, runs

    checkpoint = runs.open_run(run)
    key = jax.random.key(seed)
    x, labels = runs.held_out_images(checkpoint, data, key=key)
    result = evaluation.evaluate(checkpoint.model, x, key=key, labels=labels)
    units = evaluation.active_units(checkpoint.model, x, labels=labels)
    figures: dict[str, Any] = {"data": checkpoint.about["data"], "seed": seed}
    figures |= {"test_images": len(x), **result._asdict(), "active_units": units.active}
    if samples:
        chosen = np.random.default_rng(seed).permutation(len(x))[:count]
        given = None if labels is None else labels[chosen]
        bound = evaluation.log_likelihood(
            checkpoint.model, x[chosen], samples=samples, key=key, labels=given
        )
        figures |= {
            "log_likelihood": float(bound.mean()),
            "log_likelihood_standard_error": float(bound.std(ddof=1) / len(bound) ** 0.5),
            "log_likelihood_images": len(bound),
            "log_likelihood_samples": samples,
        }
    _print_figures(f"{run}, in nats per image", figures, as_json)


@app.command()
def sample(
    run: Run,
    count: Annotated[int, typer.Option(min=1, help="Number of images.")] = 60,
    label: Annotated[
        int | None,
        typer.Option(help="Class to draw, of a conditional model; default: all, in order."),
    ] = None,
    seed: Seed = 0,
    to: Annotated[
        Path | None, typer.Option("--out", help="Picture to write; default: in the run's folder.")
    ] = None,
) -> None:
    """Draw images from the prior, and write them as a picture."""
    import jax

    from vae_course import generation, plotting, runs

    model = runs.open_run(run).model
    labels = runs.classes_of_samples(model, count, label)
    images = generation.sample_prior(model, count, key=jax.random.key(seed), labels=labels)
    _save(plotting.image_grid(images), to or run / "samples.png")


@app.command()
def interpolate(
    run: Run,
    first: Annotated[int, typer.Option("--from", min=0, help="Index of a test image.")] = 0,
    last: Annotated[int, typer.Option("--to", min=0, help="Index of another.")] = 1,
    steps: Annotated[int, typer.Option(min=2, help="Images, both ends included.")] = 11,
    path: Annotated[PathKind, typer.Option(help="Straight line or arc.")] = PathKind["linear"],
    data: Data = None,
    seed: Seed = 0,
    to: Annotated[
        Path | None, typer.Option("--out", help="Picture to write; default: in the run's folder.")
    ] = None,
) -> None:
    """Walk through latent space from one test image to another."""
    import jax

    from vae_course import generation, plotting, runs

    checkpoint = runs.open_run(run)
    x, labels = runs.held_out_images(checkpoint, data, key=jax.random.key(seed))
    if max(first, last) >= len(x):
        raise ConfigError(
            f"There is no test image {max(first, last)}.", f"Choose from 0 to {len(x) - 1}."
        )
    ends = None if labels is None else (labels[first], labels[last])
    images = generation.interpolate(checkpoint.model, x[first], x[last], steps, path, labels=ends)
    _save(plotting.interpolation_strip(images), to or run / "interpolation.png")


@app.command()
def info(
    run: Annotated[Path | None, typer.Argument(help="A trained model's folder, if any.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the presets and the set-up of this machine, or what a trained model is."""
    if run is not None:
        from vae_course import runs

        _print_figures(str(run), runs.describe(runs.open_run(run)), as_json)
        return
    from vae_course.image_cache import cache_folder

    facts = {
        "vae-course": __version__,
        "Python": sys.version.split()[0],
        "cache": str(cache_folder()),
        "VAE_COURSE_DATA": os.environ.get("VAE_COURSE_DATA", "not set: MNIST from the hub"),
    }
    if as_json:
        presets = {name: dataclasses.asdict(p.train) for name, p in PRESETS.items()}
        print(json.dumps(facts | {"presets": presets}, indent=2))
        return
    _print_figures("This machine", facts, as_json=False)
    table = Table("preset", "channels", "hidden", "latents", "epochs", "β", "for", title="Presets")
    for name, (model, training, purpose) in PRESETS.items():
        channels, hidden = (", ".join(map(str, n)) for n in (model.channels, model.hidden_sizes))
        latents, epochs = str(model.latent_size), str(training.epochs)
        table.add_row(name, channels, hidden, latents, epochs, f"{training.beta:g}", purpose)
    out.print(table)


def main() -> None:
    """Run the command line; print an error of ours as one line, and exit with its code."""
    try:
        app()
    except CourseError as error:
        Console(stderr=True, soft_wrap=True).print(
            "Error:", " ".join(str(error).split()), highlight=False, markup=False
        )
        sys.exit(EXITS.get(type(error), 1))


def _changed(config: Any, **changes: Any) -> Any:
    given = {name: value for name, value in changes.items() if value is not None}
    plain = {k: str(v) if isinstance(v, StrEnum) else v for k, v in given.items()}
    return dataclasses.replace(config, **plain)


def _sizes(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise ConfigError(f"--hidden is {text!r}.", "Give sizes such as 512,256.") from None


def _save(axes: Any, path: Path) -> None:
    from vae_course import runs

    runs.save_figure(axes, path)
    out.print(f"wrote {path}", highlight=False)


def _report_training(folder: Path, history: "History", as_json: bool) -> None:
    figures: dict[str, Any] = {"folder": str(folder), "epochs": history.epochs}
    figures |= {"interrupted": history.interrupted, "seconds": float(history.seconds.sum())}
    if history.epochs:
        figures |= {
            "test_negative_elbo": float(history.test_negative_elbo[-1]),
            "test_distortion": float(history.test_distortion[-1]),
            "test_rate": float(history.test_rate[-1]),
        }
    _print_figures("Trained, in nats per image", figures, as_json)


def _print_figures(title: str, figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures, indent=2))
        return
    table = Table(title=title, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in figures.items():
        shown = f"{value:,.2f}" if isinstance(value, float) and abs(value) >= 0.01 else str(value)
        table.add_row(name.replace("_", " "), shown)
    out.print(table)


def _line(config: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in dataclasses.asdict(config).items())
