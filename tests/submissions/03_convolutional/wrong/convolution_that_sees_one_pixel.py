# task: encoder
# says: A feature sees one pixel
from vae_course.architectures import ConvEncoder


class Wrong(ConvEncoder):
    def __init__(self, config):
        super().__init__(config)
        few, many = config.channels
        self.a = brainstate.nn.Conv2d((28, 28, 1), few, 1, stride=2, b_init=jnp.zeros)
        self.b = brainstate.nn.Conv2d((14, 14, few), many, 1, stride=2, b_init=jnp.zeros)

    def features(self, x):
        return jax.nn.silu(self.b(jax.nn.silu(self.a(x[..., None]))))


encoder = Wrong(config)
