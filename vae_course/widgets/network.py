"""A trained network as plain data, for the page to compute; `network.js` is the other half.

The weights are rounded to half precision: two bytes each, and a relative error of 2⁻¹¹.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from vae_course.architectures import ConvDecoder, ConvEncoder, conv_shapes
from vae_course.models import VAE

__all__ = ["Network", "decoder_network", "encoder_network"]

Layer = dict[str, Any]


class Network(NamedTuple):
    """A network in the order in which it is computed.

    ``layers`` say what each layer does, and ``weights`` are those of all layers, one after the
    other, as little-endian float16.
    """

    layers: list[Layer]
    weights: bytes


def encoder_network(model: VAE) -> Network:
    """From the pixels of an image, row by row, to mean and then logvar, ``(2 · latents,)``.

    The one-hot label of a conditional model follows the pixels.
    """
    encoder: Any = model.encoder
    act = model.config.activation
    parts: list[tuple[Layer, Any]] = []
    if isinstance(encoder, ConvEncoder):
        for layer, shape in zip(encoder.convolutions, conv_shapes(model.config), strict=False):
            parts.append((_conv("conv", shape, layer, act), layer))
    parts += [(_dense(layer, act), layer) for layer in encoder.layers]
    parts.append((_dense(encoder.heads), encoder.heads))
    return _network(parts)


def decoder_network(model: VAE) -> Network:
    """From a code to the logits of the pixels, row by row, ``(height · width,)``.

    The one-hot label of a conditional model follows the code.
    """
    decoder: Any = model.decoder
    act = model.config.activation
    parts: list[tuple[Layer, Any]] = [(_dense(layer, act), layer) for layer in decoder.layers]
    if isinstance(decoder, ConvDecoder):
        parts.append((_dense(decoder.first, act), decoder.first))
        parts += _upsampling(decoder, conv_shapes(model.config)[::-1], act)
    else:
        parts.append((_dense(decoder.pixels), decoder.pixels))
    return _network(parts)


def _upsampling(decoder: ConvDecoder, shapes: Any, act: str) -> Iterator[tuple[Layer, Any]]:
    last = decoder.convolutions[-1]
    for layer, shape in zip(decoder.convolutions, shapes, strict=False):
        after = "none" if layer is last else act
        if decoder.transposed:
            yield _conv("transposed", shape, layer, after), layer
        else:
            one = _conv("conv", shape, layer, "none")
            yield one, layer
            wide = [*shape[:2], one["outputs"]]
            yield {"kind": "squares", "shape": wide, "activation": after}, None


def _dense(layer: Any, activation: str = "none") -> Layer:
    inputs, outputs = layer.weight.value["weight"].shape
    return {"kind": "dense", "inputs": inputs, "outputs": outputs, "activation": activation}


def _conv(kind: str, shape: Any, layer: Any, activation: str) -> Layer:
    return {
        "kind": kind,
        "shape": list(shape),
        "outputs": layer.out_channels,
        "size": layer.kernel_size[0],
        "stride": layer.stride[0],
        "activation": activation,
    }


def _network(parts: list[tuple[Layer, Any]]) -> Network:
    arrays = [
        np.asarray(layer.weight.value[name]).reshape(-1)
        for _, layer in parts
        if layer is not None
        for name in ("weight", "bias")
    ]
    return Network([spec for spec, _ in parts], np.concatenate(arrays).astype("<f2").tobytes())
