"""Traversal: one latent at a time, from the code of an image."""

from typing import Any

import jax
import numpy as np
import traitlets

from vae_course.generation import posterior_means
from vae_course.models import VAE
from vae_course.widgets.figure import DecodingFigure, bits, floats

__all__ = ["Traversal"]


class Traversal(DecodingFigure):
    """A row of pictures for every latent, each with that latent set to −3 … 3, and a slider.

    Args:
        model: a trained VAE, not conditional.
        x: up to ten images to begin at, black and white, ``(n, height, width)``.
        rates: the rate of each latent in nats, ``(latents,)``; the richest stand first.
        most: how many latents to show.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    images = traitlets.Bytes().tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)
    rates = traitlets.List(traitlets.Float()).tag(sync=True)
    shown = traitlets.List(traitlets.Int()).tag(sync=True)
    start = traitlets.Int(0).tag(sync=True)
    latent = traitlets.Int().tag(sync=True)
    value = traitlets.Float().tag(sync=True)

    def __init__(
        self,
        model: VAE,
        x: jax.Array,
        rates: np.ndarray,
        *,
        most: int = 6,
        picture: Any,
        alt: str,
    ) -> None:
        codes = np.asarray(posterior_means(model, x))
        shown = [int(latent) for latent in np.argsort(-np.asarray(rates))[:most]]
        super().__init__(
            model,
            picture=picture,
            alt=alt,
            label="Traversal",
            images=bits(x),
            codes=floats(codes),
            rates=[float(rate) for rate in rates],
            shown=shown,
            latent=shown[0],
            value=float(codes[0, shown[0]]),
        )
