"""Interpolation: a path between the codes of two images, to scrub and to play."""

from typing import Any

import jax
import traitlets

from vae_course.models import VAE
from vae_course.widgets.figure import DecodingFigure, bits, floats

__all__ = ["Interpolation"]


class Interpolation(DecodingFigure):
    """Two images, the path between their codes, and what it decodes to.

    Args:
        model: a trained VAE, not conditional.
        x: up to ten images to choose from, black and white, ``(n, height, width)``.
        names: what each of them is called.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    images = traitlets.Bytes().tag(sync=True)
    names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    means = traitlets.Bytes().tag(sync=True)
    logvars = traitlets.Bytes().tag(sync=True)
    start = traitlets.Int(0).tag(sync=True)
    end = traitlets.Int(1).tag(sync=True)
    spherical = traitlets.Bool(False).tag(sync=True)
    sampled = traitlets.Bool(False).tag(sync=True)
    t = traitlets.Float(0.0).tag(sync=True)

    def __init__(
        self, model: VAE, x: jax.Array, names: list[str], *, picture: Any, alt: str
    ) -> None:
        mean, logvar = model.encode(x)
        super().__init__(
            model,
            picture=picture,
            alt=alt,
            label="Interpolation",
            images=bits(x),
            names=names,
            means=floats(mean),
            logvars=floats(logvar),
        )
