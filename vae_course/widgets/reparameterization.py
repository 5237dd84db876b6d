"""The reparameterization: the same noise, another mean and logvar, and where z goes."""

from typing import Any

import jax
import traitlets

from vae_course.widgets.figure import LiveFigure

__all__ = ["Reparameterization"]


class Reparameterization(LiveFigure):
    """Noise ε becomes z = mean + exp(logvar / 2) · ε.

    Two estimates of one gradient, d/dmean E[(z − target)²], gather beside it: the pathwise one,
    2 (z − target), and the score function's, (z − target)² ε / σ. Both average to
    2 (mean − target), and their spreads differ.

    Args:
        key: a JAX random key, for the noise.
        draws: how many draws of noise there are to show.
        picture: as `LiveFigure`.
        alt: as `LiveFigure`.
    """

    noise = traitlets.List(traitlets.Float()).tag(sync=True)
    target = traitlets.Float(1.0).tag(sync=True)
    mean = traitlets.Float(0.0).tag(sync=True)
    logvar = traitlets.Float(0.0).tag(sync=True)
    draws = traitlets.Int(20).tag(sync=True)

    def __init__(self, *, key: jax.Array, draws: int = 1000, picture: Any, alt: str) -> None:
        noise = jax.random.normal(key, (draws,)).round(4).tolist()
        super().__init__(picture=picture, alt=alt, label="Reparameterization", noise=noise)
