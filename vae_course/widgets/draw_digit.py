"""Draw your own digit: the encoder runs in the page as well as the decoder."""

from typing import Any

import jax
import traitlets

from vae_course.models import VAE
from vae_course.widgets.figure import DecodingFigure, bits
from vae_course.widgets.network import encoder_network

__all__ = ["DrawDigit"]


class DrawDigit(DecodingFigure):
    """A sheet to draw on; the code, its reconstruction, its rate and its distortion.

    The distortion −E log p(x | z) is the average over ten draws of z, in nats as the rate is.

    Args:
        model: a trained VAE, not conditional.
        x: examples to begin with, black and white, ``(n, height, width)``.
        usual: the (rate, distortion) of test images on average, to compare with, in nats.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    encoder = traitlets.List(traitlets.Dict()).tag(sync=True)
    encoder_weights = traitlets.Bytes().tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    usual = traitlets.List(traitlets.Float()).tag(sync=True)
    drawn = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(
        self, model: VAE, x: jax.Array, usual: tuple[float, float], *, picture: Any, alt: str
    ) -> None:
        network = encoder_network(model)
        super().__init__(
            model,
            picture=picture,
            alt=alt,
            label="Draw your own digit",
            encoder=network.layers,
            encoder_weights=network.weights,
            images=bits(x),
            usual=list(usual),
            drawn=[int(pixel) for pixel in x[0].reshape(-1)],
        )
