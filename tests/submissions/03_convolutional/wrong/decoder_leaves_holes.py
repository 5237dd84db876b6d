# task: decoder
# says: the kernel is smaller than the stride and leaves holes
from vae_course.architectures import ConvDecoder


class Wrong(Decoder):
    def __init__(self, config):
        super().__init__(config)
        few, many = config.channels
        up = brainstate.nn.ConvTranspose2d
        self.a = up((7, 7, many), few, 1, stride=2, b_init=jnp.zeros)
        self.b = up((14, 14, few), 1, 1, stride=2, b_init=jnp.zeros)

    def upsample(self, h):
        return self.b(jax.nn.silu(self.a(h)))[..., 0]


decoder = Wrong(config)
