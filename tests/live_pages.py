"""One specimen of every live figure, on a page of its own, and what it should compute."""

import json
from typing import Any, NamedTuple

import brainstate
import jax
import jax.numpy as jnp
import numpy as np
from ipywidgets.embed import dependency_state
from matplotlib import pyplot as plt

from vae_course import training
from vae_course.config import ModelConfig
from vae_course.distributions import gaussian_kl
from vae_course.generation import latent_path
from vae_course.losses import elbo_terms
from vae_course.widgets import (
    DigitOnDemand,
    DrawDigit,
    Interpolation,
    KLAndBound,
    LatentExplorer,
    RateDistortion,
    Reparameterization,
    Traversal,
)

PLAIN = ModelConfig(hidden_sizes=(32,), latent_size=3, activation="silu")
FLAT = ModelConfig(hidden_sizes=(32,), latent_size=2)
LABELLED = ModelConfig(hidden_sizes=(32,), latent_size=4, classes=10)
COUNT = 5


class Specimen(NamedTuple):
    """A figure, and from what it told: pairs of what it computed and what it should have."""

    figure: Any
    pairs: Any


def loud(config, seed=0):
    """A model with weights so large that each one matters, and that half precision holds."""
    model = training.init_model(config, seed=seed)
    for state in model.states(brainstate.ParamState).values():
        state.value = jax.tree.map(
            lambda w: (2 * w + 0.02).astype(jnp.float16).astype(jnp.float32), state.value
        )
    return model


def strokes(count=COUNT):
    """Black-and-white images with something on them."""
    return (jax.random.uniform(jax.random.key(5), (count, 28, 28)) > 0.8).astype(jnp.float32)


def decoded(model, z, *labels):
    return jax.nn.sigmoid(model.decode(jnp.asarray(z, jnp.float32)[None], *labels))[0].reshape(-1)


def still():
    return {"picture": plt.subplots()[1], "alt": "Two axes without anything between them"}


def explorer():
    model = loud(FLAT)
    figure = LatentExplorer(model, strokes(), np.arange(COUNT), **still())
    return Specimen(figure, lambda told: [(told["pixels"], decoded(model, told["z"]))])


def interpolation():
    model, x = loud(PLAIN), strokes()
    figure = Interpolation(model, x, [f"image {i}" for i in range(COUNT)], **still())
    mean, _ = model.encode(x)

    def pairs(told, t=0.0, ends=(0, 1), path="linear"):
        want = latent_path(mean[ends[0]], mean[ends[1]], 101, path)[round(100 * t)]
        return [(told["z"], want), (told["pixels"], decoded(model, told["z"]))]

    return Specimen(figure, pairs)


def reparameterization():
    figure = Reparameterization(key=jax.random.key(0), **still())

    def pairs(told):
        eps = np.array(figure.noise[: told["draws"]])
        deviation = np.exp(told["logvar"] / 2)
        z = told["mean"] + deviation * eps
        value = (z - 1) ** 2
        found = [(told["z"], z)]
        for name, each in (("pathwise", 2 * (z - 1)), ("score", value * eps / deviation)):
            found += [(told[name]["mean"], each.mean()), (told[name]["spread"], each.std())]
        return found

    return Specimen(figure, pairs)


def kl_and_bound():
    figure = KLAndBound(key=jax.random.key(0), **still())

    def pairs(told):
        mean, variance = told["mean"], np.exp(told["logvar"])
        rate = gaussian_kl(jnp.array([[mean]]), jnp.array([[told["logvar"]]]))[0]
        z = mean + np.sqrt(variance) * np.array(figure.noise[: told["draws"]])
        ratio = -0.5 * (np.log(variance) + (z - mean) ** 2 / variance) + 0.5 * z**2
        fine = np.linspace(-30, 30, 600_001)
        q = np.exp(-0.5 * (fine - mean) ** 2 / variance) / np.sqrt(2 * np.pi * variance)
        curve = q * (-0.5 * (np.log(variance) + (fine - mean) ** 2 / variance) + 0.5 * fine**2)
        missed = 0.5 * (np.log(2 * np.pi) + (2.0 - fine) ** 2)  # −log p(x | z), at x = 2
        return [
            (told["rate"], rate),
            (told["estimate"], ratio.mean()),
            (told["error"], ratio.std(ddof=1) / np.sqrt(len(z))),
            (told["above"], np.trapezoid(np.maximum(curve, 0), fine)),
            (told["below"], np.trapezoid(np.maximum(-curve, 0), fine)),
            (told["distortion"], np.trapezoid(q * missed, fine)),
            (told["elbo"], -told["rate"] - told["distortion"]),
            (told["elbo"] + told["gap"], -0.5 * np.log(4 * np.pi) - 1.0),  # log N(2; 0, 2)
        ]

    return Specimen(figure, pairs)


def rate_distortion():
    models = {beta: loud(PLAIN, seed) for seed, beta in enumerate((0.5, 1.0, 4.0))}
    x, terms = strokes(), [(30.0, 70.0), (25.0, 76.0), (10.0, 110.0)]
    figure = RateDistortion(models, terms, x, key=jax.random.key(0), **still())
    draws = jax.random.normal(jax.random.key(0), (COUNT, 3))

    def pairs(told):
        model = list(models.values())[told["chosen"]]
        both = zip(("back", "drawn"), (model.encode(x)[0], draws), strict=True)
        return [(told[name], np.stack([decoded(model, one) for one in z])) for name, z in both]

    return Specimen(figure, pairs)


def traversal():
    model = loud(PLAIN)
    figure = Traversal(model, strokes(), np.array([0.1, 3.0, 2.0]), **still())
    return Specimen(figure, lambda told: [(told["pixels"], decoded(model, told["z"]))])


def digit_on_demand():
    model = loud(LABELLED)

    def pairs(told):
        return [(told["pixels"], decoded(model, told["z"], jnp.array([told["digit"]])))]

    return Specimen(DigitOnDemand(model, **still()), pairs)


def draw_digit():
    model = loud(PLAIN)
    figure = DrawDigit(model, strokes(), (25.0, 76.0), **still())

    def pairs(told):
        x = jnp.array(told["x"], jnp.float32).reshape(1, 28, 28)
        mean, logvar = model.encode(x)
        z = jnp.array(told["z"], jnp.float32)
        images = jnp.repeat(x, len(z), 0)
        distortion, rate = elbo_terms(
            model.decode(z), images, *(jnp.repeat(a, len(z), 0) for a in (mean, logvar))
        )
        return [
            (told["mean"], mean[0]),
            (told["logvar"], logvar[0]),
            # Many nats, from 784 pixels: relative errors.
            (told["rate"] / float(rate[0]), 1.0),
            (told["distortion"] / float(distortion.mean()), 1.0),
        ]

    return Specimen(figure, pairs)


SPECIMENS = {
    "explorer": explorer,
    "interpolation": interpolation,
    "reparameterization": reparameterization,
    "kl_and_bound": kl_and_bound,
    "rate_distortion": rate_distortion,
    "traversal": traversal,
    "digit_on_demand": digit_on_demand,
    "draw_digit": draw_digit,
}


def page(figure, loader):
    """A page with one figure, as the book shows it."""
    state = dependency_state([figure], drop_defaults=False)
    text = json.dumps({"state": state}).replace("</", "<\\/")
    shown = figure._repr_mimebundle_()[0]["text/html"]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>A live figure</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<style>body{font-family:sans-serif;max-width:760px;margin:1rem auto;padding:0 1rem}"
        "@media (prefers-color-scheme: dark){body{background:#121212;color:#ddd}}</style>"
        f'<script type="application/vnd.jupyter.widget-state+json">{text}</script>'
        f"<main><h1>A live figure</h1>{shown}</main><script>{loader}</script></html>"
    )
