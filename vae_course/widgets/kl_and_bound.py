"""KL and bound: an approximate posterior to move, its rate as areas, and what the bound loses."""

from typing import Any

import jax
import traitlets

from vae_course.widgets.figure import LiveFigure

__all__ = ["KLAndBound"]


class KLAndBound(LiveFigure):
    """One latent, p(z) = N(0, 1), and one observation, p(x | z) = N(x; z, 1).

    So p(x) = N(x; 0, 2), and the posterior is N(x / 2, 1 / 2). Of q = N(mean, exp(logvar)) the
    figure shows

    - the rate KL(q ‖ p) = ½ (mean² + exp(logvar) − 1 − logvar), as the area under
      q log(q / p), and estimated as the average of log q(z) − log p(z) over draws of q;
    - the distortion ½ log 2π + ½ ((x − mean)² + exp(logvar));
    - the ELBO, minus their sum, and its distance KL(q ‖ posterior) from log p(x).

    All in nats.

    Args:
        key: a JAX random key, for the draws.
        draws: how many draws there are to show.
        x: the observation.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    noise = traitlets.List(traitlets.Float()).tag(sync=True)
    x = traitlets.Float().tag(sync=True)
    mean = traitlets.Float(-0.5).tag(sync=True)
    logvar = traitlets.Float(-1.0).tag(sync=True)
    draws = traitlets.Int(10).tag(sync=True)

    def __init__(
        self, *, key: jax.Array, draws: int = 1000, x: float = 2.0, picture: Any, alt: str
    ) -> None:
        noise = jax.random.normal(key, (draws,)).round(4).tolist()
        super().__init__(picture=picture, alt=alt, label="KL and bound", noise=noise, x=x)
