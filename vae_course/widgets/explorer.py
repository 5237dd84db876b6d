"""The latent explorer: drag a point through latent space, and see what it decodes to."""

from typing import Any

import jax
import numpy as np
import traitlets

from vae_course.generation import posterior_means
from vae_course.models import VAE
from vae_course.widgets.figure import DecodingFigure, floats

__all__ = ["LatentExplorer"]

EXTENT = 3.0


class LatentExplorer(DecodingFigure):
    """The plane of the first two latents, with a slider for every latent.

    Behind the point lie the images that a grid of codes decodes to, and the codes of test
    images, coloured by label.

    Args:
        model: a trained VAE, not conditional.
        x: test images, black and white, ``(n, height, width)``.
        labels: which digits they show, ``(n,)``.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    extent = traitlets.Float(EXTENT).tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    z = traitlets.List(traitlets.Float()).tag(sync=True)

    def __init__(
        self, model: VAE, x: jax.Array, labels: np.ndarray, *, picture: Any, alt: str
    ) -> None:
        super().__init__(
            model,
            picture=picture,
            alt=alt,
            label="Latent explorer",
            codes=floats(posterior_means(model, x)[:, :2]),
            labels=np.asarray(labels, np.uint8).tobytes(),
            z=[0.0] * model.config.latent_size,
        )
