# task: encoder
# says: The mean forgets where the strokes are
from vae_course.architectures import ConvEncoder


class Wrong(ConvEncoder):
    def __init__(self, config):
        super().__init__(config)
        self.last = brainstate.nn.Linear(config.channels[1], 2 * config.latent_size)

    def features(self, x):
        h = x[..., None]
        for layer in self.convolutions:
            h = jax.nn.silu(layer(h))
        return h

    def __call__(self, x):
        return tuple(jnp.split(self.last(self.features(x).mean((1, 2))), 2, axis=1))


encoder = Wrong(config)
