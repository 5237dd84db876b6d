"""What all live figures share: one ES module, a picture for where it does not run, a name."""

import base64
import html
import json
import sys
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from vae_course import plotting
from vae_course.models import VAE
from vae_course.widgets.network import decoder_network

__all__ = ["DecodingFigure", "LiveFigure", "bits", "floats"]

HERE = Path(__file__).parent
VIEW = "application/vnd.jupyter.widget-view+json"
SHARED = ("network.js", "controls.js")


class LiveFigure(anywidget.AnyWidget):
    """A figure that runs in the published page, without a kernel, and in JupyterLab.

    Its ES module lies beside its Python module, under the same name, and may use what is in
    ``network.js`` and ``controls.js``.

    Args:
        picture: Matplotlib axes of a still picture, shown where JavaScript is off.
        alt: what that picture shows, in words.
    """

    label = traitlets.Unicode().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        own = Path(str(sys.modules[cls.__module__].__file__)).with_suffix(".js")
        if "_esm" not in vars(cls) and own.exists():  # traitlets makes subclasses that have it
            sources = [*(HERE / name for name in SHARED), own]
            cls._esm = "\n".join(path.read_text(encoding="utf-8") for path in sources)
            cls._css = (HERE / "live.css").read_text(encoding="utf-8")
        super().__init_subclass__(**kwargs)

    def __init__(self, *, picture: Any, alt: str, **traits: Any):
        super().__init__(**traits)
        self._still = plotting.png(picture)
        self._alt = alt

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        """As every widget; for a page also the still picture and where the figure goes."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        source = base64.b64encode(self._still).decode()
        image = f'<img src="data:image/png;base64,{source}" alt="{html.escape(self._alt)}">'
        view = json.dumps(bundle[0][VIEW]).replace("</", "<\\/")
        shown = f'<noscript>{image}</noscript><script type="{VIEW}">{view}</script>'
        return bundle[0] | {"text/html": shown}, bundle[1]


class DecodingFigure(LiveFigure):
    """A live figure with a decoder in it.

    Args:
        model: the VAE whose decoder the page computes.
        picture: as for every `LiveFigure`.
        alt: as for every `LiveFigure`.
    """

    layers = traitlets.List(traitlets.Dict()).tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    image_shape = traitlets.List(traitlets.Int()).tag(sync=True)
    latents = traitlets.Int().tag(sync=True)

    def __init__(self, model: VAE, **traits: Any):
        network = decoder_network(model)
        super().__init__(
            layers=network.layers,
            weights=network.weights,
            image_shape=list(model.config.image_shape),
            latents=model.config.latent_size,
            **traits,
        )


def floats(values: Any) -> bytes:
    """Numbers as the page reads them: single precision, row by row."""
    return np.asarray(values, "<f4").tobytes()


def bits(images: Any) -> bytes:
    """Black-and-white images as the page reads them: a byte a pixel, row by row."""
    return np.asarray(images, np.uint8).tobytes()
