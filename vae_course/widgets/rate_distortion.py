"""Rate and distortion: models trained at several β, one dot on the curve for each."""

from typing import Any

import jax
import jax.numpy as jnp
import traitlets

from vae_course.models import VAE
from vae_course.widgets.figure import DecodingFigure, bits, floats
from vae_course.widgets.network import decoder_network

__all__ = ["RateDistortion"]


class RateDistortion(DecodingFigure):
    """A slider over β; the dot moves on the curve, pictures change beside it.

    Args:
        models: trained VAEs of one configuration, by β.
        terms: of each, in the same order, (rate, distortion) on held-out images, in nats.
        x: a few images to reconstruct, black and white, ``(n, height, width)``.
        key: a JAX random key, for the draws from the prior.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    betas = traitlets.List(traitlets.Float()).tag(sync=True)
    terms = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    codes = traitlets.Bytes().tag(sync=True)
    draws = traitlets.Bytes().tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        models: dict[float, VAE],
        terms: list[tuple[float, float]],
        x: jax.Array,
        *,
        key: jax.Array,
        picture: Any,
        alt: str,
    ) -> None:
        first = next(iter(models.values()))
        draws = jax.random.normal(key, (len(x), first.config.latent_size))
        super().__init__(
            first,
            picture=picture,
            alt=alt,
            label="Rate and distortion",
            betas=list(models),
            chosen=len(models) // 2,
            terms=[list(pair) for pair in terms],
            images=bits(x),
            codes=floats(jnp.stack([model.encode(x)[0] for model in models.values()])),
            draws=floats(draws),
        )
        self.weights = b"".join(decoder_network(model).weights for model in models.values())
