"""A small conditional model, and the unconditional one that it is for a single label."""

import jax.numpy as jnp

from vae_course.config import ModelConfig
from vae_course.models import parameters
from vae_course.training import init_model

SHAPE = {"hidden_sizes": (8,), "latent_size": 2, "image_shape": (3, 3), "activation": "tanh"}


def conditional_model(seed=3):
    """3×3 images, two latents, three classes."""
    return init_model(ModelConfig(**SHAPE, classes=3), seed=seed)


def folded(model, label):
    """The same model for one label: a one-hot input does no more than choose a bias."""
    plain = init_model(ModelConfig(**SHAPE), seed=0)
    for name, inputs in (("encoder", 9), ("decoder", 2)):
        network, told = getattr(plain, name), parameters(getattr(model, name))
        for path, state in parameters(network).items():
            state.value = told[path].value
        first = told[("layers", 0, "weight")].value
        parameters(network)[("layers", 0, "weight")].value = {
            "weight": first["weight"][:inputs],
            "bias": jnp.asarray(first["bias"] + first["weight"][inputs + label]),
        }
    return plain
