"""Digit on demand: a label to choose, and a style to keep or to change."""

from typing import Any

import traitlets

from vae_course.models import VAE
from vae_course.widgets.figure import DecodingFigure

__all__ = ["DigitOnDemand"]


class DigitOnDemand(DecodingFigure):
    """The digit that is asked for, in a style that a plane and the prior give.

    Args:
        model: a trained conditional VAE.
        axes: which two latents the plane moves.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    classes = traitlets.Int().tag(sync=True)
    axes = traitlets.List(traitlets.Int()).tag(sync=True)
    digit = traitlets.Int(3).tag(sync=True)
    z = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(self, model: VAE, *, axes: tuple[int, int] = (0, 1), picture: Any, alt: str):
        super().__init__(
            model,
            picture=picture,
            alt=alt,
            label="Digit on demand",
            classes=model.config.classes,
            axes=list(axes),
            z=[0.0] * model.config.latent_size,
        )
